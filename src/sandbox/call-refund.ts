import { acceptRefund } from './accept-refund.js'
import type { RefundRequest } from './accept-refund.js'
import { cashFeeOf, couponFeeOf, refundCouponFields, settlementFeeOf } from './coupons.js'
import type { FieldRule } from './fields.js'
import { checkFields, checkNotifyUrl, FEN, OUT_REFUND_NO, OUT_TRADE_NO } from './fields.js'
import type { Order, Refund } from './records.js'
import { RefusedError, refuseBusiness, refuseWith } from './refusal.js'
import type { Fields } from './sign.js'
import type { V2Call } from './v2-call.js'
import { namedOrder, valueOf } from './v2-call.js'
import type { World } from './world.js'

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
  { name: 'detail', bytesMax: 6000 },
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
  checkTotal(call, order)
  return answer(acceptRefund(order, requestOf(call), world), order)
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

function checkTotal(call: V2Call, order: Order): void {
  if (order.paidAtMs === null) throw refuseBusiness('ORDERNOTEXIST')
  if (feeOf(call, 'total_fee') === order.totalFee) return
  throw refuseWith('INVALID_REQUEST', '订单金额与支付时不一致')
}

function requestOf(call: V2Call): RefundRequest {
  return {
    outRefundNo: valueOf(call, 'out_refund_no'),
    refundFee: feeOf(call, 'refund_fee'),
    refundAccount: valueOf(call, 'refund_account') || 'REFUND_SOURCE_UNSETTLED_FUNDS',
    notifyUrl: valueOf(call, 'notify_url'),
    source: 'API',
    clientCertSerial: call.clientCertSerial,
    endsAs: call.fault?.fault === 'change' ? 'CHANGE' : 'SUCCESS',
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
    cash_fee: String(cashFeeOf(order)),
    cash_refund_fee: String(accepted.refundFee - couponFeeOf(accepted.coupons)),
    ...settlementFields(accepted, order),
    ...refundCouponFields(accepted),
  }
}

/** Only an order with discounts of the merchant's own has amounts that settle differently. */
function settlementFields(accepted: Refund, order: Order): Fields {
  const settlementTotalFee = settlementFeeOf(order.totalFee, order.coupons)
  if (settlementTotalFee === order.totalFee) return {}
  return {
    settlement_total_fee: String(settlementTotalFee),
    settlement_refund_fee: String(settlementFeeOf(accepted.refundFee, accepted.coupons)),
  }
}
