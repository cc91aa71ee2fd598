import { cashFeeOf, refundCouponFields, settlementFeeOf } from './coupons.js'
import type { FieldRule } from './fields.js'
import { checkFields, OUT_REFUND_NO, OUT_TRADE_NO } from './fields.js'
import type { Order, Refund } from './records.js'
import { refuseBusiness, refuseParameter } from './refusal.js'
import { receivingAccount, successTime } from './settle-refund.js'
import type { Fields } from './sign.js'
import type { V2Call } from './v2-call.js'
import { namedOrder, valueOf } from './v2-call.js'
import type { World } from './world.js'

/** A query by order number answers with at most this many refunds, from `offset` on. */
const PAGE_LENGTH = 10

const RULES: readonly FieldRule[] = [
  { name: 'refund_id', bytesMax: 32 },
  { name: 'out_refund_no', bytesMax: 64, pattern: OUT_REFUND_NO },
  { name: 'transaction_id', bytesMax: 32 },
  { name: 'out_trade_no', bytesMax: 32, pattern: OUT_TRADE_NO },
  { name: 'offset', bytesMax: 4, pattern: /^\d+$/ },
]

/**
 * `/pay/refundquery`: by `refund_id`, `out_refund_no`, `transaction_id` or `out_trade_no`, the
 * first of these that is given.
 */
export function refundquery(call: V2Call, world: World): Fields {
  checkFields(call.fields, RULES)
  const one = namedRefund(call, world)
  if (one) {
    const order = world.book.order(one.mchId, one.outTradeNo)
    if (!order) throw refuseBusiness('REFUNDNOTEXIST')
    return answer(order, [one], 1)
  }
  const order = namedOrder(call, world)
  const all = world.book.refundsOf(order)
  if (all.length === 0) throw refuseBusiness('REFUNDNOTEXIST')
  const offset = Number(valueOf(call, 'offset'))
  if (offset >= all.length) throw refuseParameter('offset')
  return answer(order, all.slice(offset, offset + PAGE_LENGTH), all.length)
}

function namedRefund(call: V2Call, world: World): Refund | undefined {
  const { mchId } = call.merchant
  const refundId = valueOf(call, 'refund_id')
  const outRefundNo = valueOf(call, 'out_refund_no')
  if (refundId === '' && outRefundNo === '') return undefined
  const found =
    refundId === '' ? world.book.refund(mchId, outRefundNo) : world.book.refundById(mchId, refundId)
  if (!found) throw refuseBusiness('REFUNDNOTEXIST')
  return found
}

function answer(order: Order, refunds: readonly Refund[], totalCount: number): Fields {
  const settlementFee = settlementFeeOf(order.totalFee, order.coupons)
  const fields: Record<string, string> = {
    transaction_id: order.transactionId ?? '',
    out_trade_no: order.outTradeNo,
    total_fee: String(order.totalFee),
    fee_type: 'CNY',
    cash_fee: String(cashFeeOf(order)),
    settlement_total_fee: settlementFee === order.totalFee ? '' : String(settlementFee),
    total_refund_count: String(totalCount),
    refund_count: String(refunds.length),
  }
  refunds.forEach((refund, n) => Object.assign(fields, refundFields(refund, n)))
  return fields
}

function refundFields(refund: Refund, n: number): Fields {
  return {
    [`out_refund_no_${n}`]: refund.outRefundNo,
    [`refund_id_${n}`]: refund.refundId,
    [`refund_channel_${n}`]: 'ORIGINAL',
    [`refund_fee_${n}`]: String(refund.refundFee),
    [`settlement_refund_fee_${n}`]: String(settlementFeeOf(refund.refundFee, refund.coupons)),
    ...refundCouponFields(refund, `_${n}`),
    [`refund_status_${n}`]: refund.status,
    [`refund_account_${n}`]: refund.refundAccount,
    [`refund_recv_accout_${n}`]: receivingAccount(refund),
    [`refund_success_time_${n}`]: successTime(refund),
  }
}
