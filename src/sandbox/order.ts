import type { Book } from './book.js'
import type { Order } from './records.js'

const DAY_MS = 24 * 60 * 60 * 1000

/** WeChat Pay closes an order that nobody paid or closed after seven days. */
export const ORDER_LIFETIME_MS = 7 * DAY_MS

export type TradeState = 'SUCCESS' | 'REFUND' | 'NOTPAY' | 'CLOSED' | 'PAYERROR'

/** The state a query tells: `REFUND` as soon as any refund of the order was accepted. */
export function tradeStateOf(order: Order, book: Book, nowMs: number): TradeState {
  if (order.state === 'SUCCESS') return book.refundsOf(order).length > 0 ? 'REFUND' : 'SUCCESS'
  return isClosed(order, nowMs) ? 'CLOSED' : order.state
}

export function isClosed(order: Order, nowMs: number): boolean {
  if (order.state === 'CLOSED') return true
  return order.state !== 'SUCCESS' && nowMs >= order.createdAtMs + ORDER_LIFETIME_MS
}

/** Whether the buyer can still pay: neither paid nor closed, and before its `time_expire`. */
export function isPayable(order: Order, nowMs: number): boolean {
  return order.state !== 'SUCCESS' && !isClosed(order, nowMs) && nowMs < order.expiresAtMs
}

/** What the buyer has back: the sum of the refunds that succeeded, in fen. */
export function refundedFeeOf(order: Order, book: Book): number {
  return sumFee(book, order, (status) => status === 'SUCCESS')
}

/** What can no longer be asked for: all refunds accepted unless they were closed, in fen. */
export function claimedFeeOf(order: Order, book: Book): number {
  return sumFee(book, order, (status) => status !== 'REFUNDCLOSE')
}

function sumFee(book: Book, order: Order, isCounted: (status: string) => boolean): number {
  let sumFen = 0
  for (const refund of book.refundsOf(order)) {
    if (isCounted(refund.status)) sumFen += refund.refundFee
  }
  return sumFen
}
