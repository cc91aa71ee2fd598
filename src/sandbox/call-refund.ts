import type { FieldRule } from './fields.js'
import { checkFields, checkNotifyUrl, FEN, OUT_REFUND_NO, OUT_TRADE_NO } from './fields.js'
import { makeRefundId } from './ids.js'
import { claimedFeeOf } from './order.js'
import type { Order, Refund } from './records.js'
import { RefusedError, refuseBusiness, refuseWith } from './refusal.js'
import { settleWhenDue } from './settle-refund.js'
import type { Fields } from './sign.js'
import type { V2Call } from './v2-call.js'
import { namedOrder, valueOf } from './v2-call.js'
import type { World } from './world.js'

const DAY_MS = 24 * 60 * 60 * 1000
const REFUND_WITHIN_MS = 365 * DAY_MS
const REFUNDS_MAX = 50
const SPACING_MS = 60 * 1000

const RULES: readonly FieldRule[] = [
  { name: 'transaction_id', bytesMax: 32 },
  { name: 'out_trade_no', bytesMax: 32, pattern: OUT_TRADE_NO },
  { name: 'out_refund_no', isRequired: true, bytesMax: 64, pattern: OUT_REFUND_NO },
  { name: 'total_fee', isRequired: true, bytesMax: 10, pattern: FEN },
  { name: 'refund_fee', isRequired: true, bytesMax: 10, pattern: FEN },
  { name: 'refund_fee_type', bytesMax: 8, pattern: /^CNY$/ },
  { name: 'refund_desc', bytesMax: 80 },
  { name: 'refund_account', bytesMax: 30, pattern: /^REFUND_SOURCE_(UNSETTLED|RECHARGE)_FUNDS$/ },
  { name: 'notify_url', bytesMax: 256 },
  { name: 'op_user_id', bytesMax: 32 },
  { name: 'device_info', bytesMax: 32 },
]

/**
 * `/secapi/pay/refund`: accepts a refund, which succeeds later. A number given again with the
 * same order and amounts answers with the first refund and moves no more money.
 */
export function refund(call: V2Call, world: World): Fields {
  checkRequest(call, world)
  const order = namedOrder(call, world)
  const known = world.book.refund(call.merchant.mchId, valueOf(call, 'out_refund_no'))
  if (known) return answer(sameRefund(known, order, call), order)
  checkAgainstOrder(call, order, world)
  const accepted = makeRefund(call, order, world)
  world.book.putRefund(accepted)
  world.book.addToBalance(accepted.mchId, -accepted.refundFee)
  settleWhenDue(accepted, world)
  return answer(accepted, order)
}

function checkRequest(call: V2Call, world: World): void {
  checkFields(call.fields, RULES)
  const notifyUrl = valueOf(call, 'notify_url')
  if (notifyUrl !== '') checkNotifyUrl(notifyUrl, world.isStrict)
  if (feeOf(call, 'refund_fee') > feeOf(call, 'total_fee')) {
    throw new RefusedError('protocol', 'PARAM_ERROR', 'invalid refund_fee')
  }
}

function sameRefund(known: Refund, order: Order, call: V2Call): Refund {
  if (known.outTradeNo !== order.outTradeNo) {
    throw refuseWith('INVALID_REQUEST', '商户退款单号已被其他订单使用')
  }
  const isSame =
    known.refundFee === feeOf(call, 'refund_fee') && known.totalFee === feeOf(call, 'total_fee')
  if (!isSame) throw refuseBusiness('REFUND_FEE_MISMATCH')
  return known
}

function checkAgainstOrder(call: V2Call, order: Order, world: World): void {
  const nowMs = world.clock.nowMs()
  const { book } = world
  if (order.paidAtMs === null) throw refuseBusiness('ORDERNOTEXIST')
  if (nowMs > order.paidAtMs + REFUND_WITHIN_MS) throw refuseBusiness('TRADE_OVERDUE')
  if (feeOf(call, 'total_fee') !== order.totalFee) {
    throw refuseWith('INVALID_REQUEST', '订单金额与支付时不一致')
  }
  const claimedFee = claimedFeeOf(order, book)
  if (claimedFee >= order.totalFee) throw refuseWith('ERROR', '订单已全额退款')
  const refundFee = feeOf(call, 'refund_fee')
  if (claimedFee + refundFee > order.totalFee) {
    throw refuseWith('ERROR', '累计退款金额大于支付金额')
  }
  const earlier = book.refundsOf(order)
  if (earlier.length >= REFUNDS_MAX) throw refuseWith('ERROR', '退款次数超过50次')
  const lastAtMs = earlier.at(-1)?.createdAtMs ?? -Infinity
  if (world.isStrict && nowMs < lastAtMs + SPACING_MS) throw refuseBusiness('FREQUENCY_LIMITED')
  if (book.balanceFen(order.mchId) < refundFee) throw refuseBusiness('NOTENOUGH')
}

function makeRefund(call: V2Call, order: Order, world: World): Refund {
  const nowMs = world.clock.nowMs()
  return {
    mchId: order.mchId,
    appId: order.appId,
    outTradeNo: order.outTradeNo,
    transactionId: order.transactionId ?? '',
    outRefundNo: valueOf(call, 'out_refund_no'),
    refundId: makeRefundId(nowMs),
    totalFee: order.totalFee,
    refundFee: feeOf(call, 'refund_fee'),
    refundAccount: valueOf(call, 'refund_account') || 'REFUND_SOURCE_UNSETTLED_FUNDS',
    notifyUrl: valueOf(call, 'notify_url'),
    status: 'PROCESSING',
    endsAs: call.fault?.fault === 'change' ? 'CHANGE' : 'SUCCESS',
    clientCertSerial: call.clientCertSerial,
    createdAtMs: nowMs,
    dueAtMs: nowMs + world.refundDelayMs,
    endedAtMs: null,
  }
}

function feeOf(call: V2Call, name: string): number {
  return Number(valueOf(call, name))
}

function answer(accepted: Refund, order: Order): Fields {
  return {
    transaction_id: accepted.transactionId,
    out_trade_no: accepted.outTradeNo,
    out_refund_no: accepted.outRefundNo,
    refund_id: accepted.refundId,
    refund_fee: String(accepted.refundFee),
    total_fee: String(order.totalFee),
    fee_type: 'CNY',
    cash_fee: String(order.totalFee),
    cash_refund_fee: String(accepted.refundFee),
  }
}
