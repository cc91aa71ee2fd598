import { beijingText } from './beijing.js'
import { couponFeeOf, settlementFeeOf } from './coupons.js'
import type { Order, Refund } from './records.js'
import type { Fields } from './sign.js'
import type { World } from './world.js'

/** Where the sandbox says the money of a refund goes, or does not. */
export function receivingAccount(refund: Refund): string {
  const isWithMerchant = refund.status === 'CHANGE' || refund.status === 'REFUNDCLOSE'
  return isWithMerchant ? '商户基本账户' : '支付用户零钱'
}

/** Lets an accepted refund come to its end when its time on the sandbox's clock has come. */
export function settleWhenDue(refund: Refund, world: World): void {
  world.timetable.schedule(refund.dueAtMs, async () => settle(refund, world))
}

function settle(accepted: Refund, world: World): void {
  const isFrozen = world.book.order(accepted.mchId, accepted.outTradeNo)?.isCardFrozen
  const status = isFrozen ? 'CHANGE' : accepted.endsAs
  end({ ...accepted, status }, Math.max(accepted.dueAtMs, accepted.createdAtMs), world)
  if (status === 'CHANGE') addBack(accepted, world)
}

/**
 * A person in the portal ends a refund whose card could not take it: the money goes elsewhere
 * to the buyer after all, or the refund is closed and the money stays with the merchant.
 */
export function resolveRefund(
  abnormal: Refund,
  result: 'SUCCESS' | 'REFUNDCLOSE',
  world: World,
): Refund {
  if (result === 'SUCCESS') world.book.addToBalance(abnormal.mchId, -settledFeeOf(abnormal))
  return end({ ...abnormal, status: result }, world.clock.nowMs(), world)
}

/** What leaves the merchant's balance for a refund, in fen. */
export function settledFeeOf(refund: Refund): number {
  return settlementFeeOf(refund.refundFee, refund.coupons)
}

function addBack(refund: Refund, world: World): void {
  world.book.addToBalance(refund.mchId, settledFeeOf(refund))
}

function end(ending: Refund, endedAtMs: number, world: World): Refund {
  const { book } = world
  const refund: Refund = { ...ending, endedAtMs }
  book.putRefund(refund)
  const order = book.order(refund.mchId, refund.outTradeNo)
  if (refund.notifyUrl === '' || !order) return refund
  world.notifications.send({
    kind: 'refund',
    mchId: refund.mchId,
    outTradeNo: refund.outTradeNo,
    outRefundNo: refund.outRefundNo,
    url: refund.notifyUrl,
    signType: order.signType,
    fields: requestInfo(refund, order),
  })
  return refund
}

function requestInfo(refund: Refund, order: Order): Fields {
  return {
    transaction_id: refund.transactionId,
    out_trade_no: refund.outTradeNo,
    refund_id: refund.refundId,
    out_refund_no: refund.outRefundNo,
    total_fee: String(refund.totalFee),
    settlement_total_fee: String(settlementFeeOf(order.totalFee, order.coupons)),
    refund_fee: String(refund.refundFee),
    settlement_refund_fee: String(settledFeeOf(refund)),
    refund_status: refund.status,
    success_time: successTime(refund),
    refund_recv_accout: receivingAccount(refund),
    refund_account: refund.refundAccount,
    refund_request_source: refund.source,
    cash_refund_fee: String(refund.refundFee - couponFeeOf(refund.coupons)),
  }
}

/** When the buyer had the money, in Beijing time; empty as long as there is no such moment. */
export function successTime(refund: Refund): string {
  if (refund.status !== 'SUCCESS' || refund.endedAtMs === null) return ''
  return beijingText(refund.endedAtMs)
}
