import { beijingText } from './beijing.js'
import type { Refund } from './records.js'
import type { Fields } from './sign.js'
import type { World } from './world.js'

/** Where the sandbox says the money of a refund went. */
export const RECEIVING_ACCOUNT = '支付用户零钱'

/** Lets an accepted refund come to its end when its time on the sandbox's clock has come. */
export function settleWhenDue(refund: Refund, world: World): void {
  world.timetable.schedule(refund.dueAtMs, async () => settle(refund, world))
}

function settle(accepted: Refund, world: World): void {
  const { book } = world
  const refund: Refund = {
    ...accepted,
    status: accepted.endsAs,
    endedAtMs: Math.max(accepted.dueAtMs, accepted.createdAtMs),
  }
  book.putRefund(refund)
  if (refund.status === 'CHANGE') book.addToBalance(refund.mchId, refund.refundFee)
  const order = book.order(refund.mchId, refund.outTradeNo)
  if (refund.notifyUrl === '' || !order) return
  world.notifications.send({
    kind: 'refund',
    mchId: refund.mchId,
    outTradeNo: refund.outTradeNo,
    outRefundNo: refund.outRefundNo,
    url: refund.notifyUrl,
    signType: order.signType,
    fields: requestInfo(refund),
  })
}

function requestInfo(refund: Refund): Fields {
  return {
    transaction_id: refund.transactionId,
    out_trade_no: refund.outTradeNo,
    refund_id: refund.refundId,
    out_refund_no: refund.outRefundNo,
    total_fee: String(refund.totalFee),
    settlement_total_fee: String(refund.totalFee),
    refund_fee: String(refund.refundFee),
    settlement_refund_fee: String(refund.refundFee),
    refund_status: refund.status,
    success_time: successTime(refund),
    refund_recv_accout: RECEIVING_ACCOUNT,
    refund_account: refund.refundAccount,
    refund_request_source: 'API',
    cash_refund_fee: String(refund.refundFee),
  }
}

/** When the buyer had the money, in Beijing time; empty as long as there is no such moment. */
export function successTime(refund: Refund): string {
  if (refund.status !== 'SUCCESS' || refund.endedAtMs === null) return ''
  return beijingText(refund.endedAtMs)
}
