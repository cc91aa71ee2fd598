import { refundedFeeOf, tradeStateOf } from './order.js'
import type { LoggedCall, Merchant, Notification, Order, Refund } from './records.js'
import type { World } from './world.js'

/** The shapes of the control API. Instants are ISO 8601 in UTC; money is in fen. */

export function merchantView(merchant: Merchant, caPem: string): object {
  return { ...merchant, caPem }
}

export function orderView(order: Order, world: World): object {
  return {
    mchId: order.mchId,
    appId: order.appId,
    outTradeNo: order.outTradeNo,
    transactionId: order.transactionId,
    totalFee: order.totalFee,
    tradeState: tradeStateOf(order, world.book, world.clock.nowMs()),
    timeEnd: instant(order.paidAtMs),
    refundedFee: refundedFeeOf(order, world.book),
  }
}

export function refundView(refund: Refund): object {
  return {
    mchId: refund.mchId,
    outTradeNo: refund.outTradeNo,
    outRefundNo: refund.outRefundNo,
    refundId: refund.refundId,
    refundFee: refund.refundFee,
    refundStatus: refund.status,
    clientCertSerial: refund.clientCertSerial,
    createdAt: instant(refund.createdAtMs),
    successAt: refund.status === 'SUCCESS' ? instant(refund.endedAtMs) : null,
  }
}

export function notificationView(notification: Notification): object {
  return {
    id: notification.id,
    kind: notification.kind,
    mchId: notification.mchId,
    outTradeNo: notification.outTradeNo,
    outRefundNo: notification.outRefundNo,
    url: notification.url,
    state: notification.state,
    nextTryAt: instant(notification.nextTryAtMs),
    tries: notification.tries.map(({ atMs, ...rest }) => ({ at: instant(atMs), ...rest })),
  }
}

export function callView({ atMs, ...call }: LoggedCall): object {
  return { at: instant(atMs), ...call }
}

function instant(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}
