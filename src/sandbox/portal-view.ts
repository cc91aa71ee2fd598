import { beijingText } from './beijing.js'
import { couponFeeOf } from './coupons.js'
import { claimedFeeOf, refundedFeeOf } from './order.js'
import type { Order, Refund, RefundStatus } from './records.js'
import type { World } from './world.js'

/** What the portal shows; amounts are in fen, times are Beijing time on the sandbox's clock. */

export const PORTAL_PAGE_LENGTH = 20

/** How far an order's money has gone back. */
export type PaidState = 'paid' | 'refunding' | 'part_refunded' | 'refunded' | 'abnormal'

export interface OrderRow {
  readonly mchId: string
  readonly outTradeNo: string
  readonly body: string
  readonly paidAt: string
  readonly totalFee: number
  readonly refundedFee: number
  readonly state: PaidState
}

export interface MerchantRow {
  readonly mchId: string
  readonly balanceFen: number | null
  readonly paidCount: number
}

export interface MerchantView {
  readonly mchId: string
  readonly balanceFen: number | null
  /** What the list is narrowed to, empty for all. */
  readonly search: string
  /** Paid orders that the search finds, of which the rows are one page. */
  readonly foundCount: number
  readonly pageNumber: number
  readonly rows: readonly OrderRow[]
}

export interface RefundRow {
  readonly outRefundNo: string
  readonly refundFee: number
  readonly couponFee: number
  readonly status: RefundStatus
  readonly isByHand: boolean
  readonly createdAt: string
  readonly endedAt: string
}

export interface OrderView extends OrderRow {
  readonly transactionId: string
  readonly couponFee: number
  readonly isCardFrozen: boolean
  /** What can still be given back. */
  readonly restFee: number
  readonly notifyUrl: string
  readonly refunds: readonly RefundRow[]
}

export function merchantRows(world: World): MerchantRow[] {
  return [...world.book.merchants.keys()].map((mchId) => ({
    mchId,
    balanceFen: world.book.balanceFen(mchId),
    paidCount: paidOrders(mchId, world).length,
  }))
}

/** One page of a merchant's paid orders, the newest first; a page too far on is the last one. */
export function merchantView(
  mchId: string,
  asked: { search: string; pageNumber: number },
  world: World,
): MerchantView {
  const found = paidOrders(mchId, world).filter((order) => isFound(order, asked.search))
  const pageCount = Math.max(1, Math.ceil(found.length / PORTAL_PAGE_LENGTH))
  const pageNumber = Math.min(asked.pageNumber, pageCount)
  const start = (pageNumber - 1) * PORTAL_PAGE_LENGTH
  return {
    mchId,
    balanceFen: world.book.balanceFen(mchId),
    search: asked.search,
    foundCount: found.length,
    pageNumber,
    rows: found.slice(start, start + PORTAL_PAGE_LENGTH).map((order) => orderRow(order, world)),
  }
}

export function orderView(order: Order, world: World): OrderView {
  return {
    ...orderRow(order, world),
    transactionId: order.transactionId ?? '',
    couponFee: couponFeeOf(order.coupons),
    isCardFrozen: order.isCardFrozen,
    restFee: order.totalFee - claimedFeeOf(order, world.book),
    notifyUrl: world.book.lastRefundNotifyUrl(order.mchId),
    refunds: world.book.refundsOf(order).map(refundRow).toReversed(),
  }
}

function paidOrders(mchId: string, world: World): Order[] {
  return [...world.book.orders()]
    .filter((order) => order.mchId === mchId && order.state === 'SUCCESS')
    .toSorted((one, other) => (other.paidAtMs ?? 0) - (one.paidAtMs ?? 0))
}

function isFound(order: Order, search: string): boolean {
  const texts = [order.outTradeNo, order.transactionId ?? '', order.body]
  return texts.some((text) => text.toLowerCase().includes(search.toLowerCase()))
}

function orderRow(order: Order, world: World): OrderRow {
  return {
    mchId: order.mchId,
    outTradeNo: order.outTradeNo,
    body: order.body,
    paidAt: textOf(order.paidAtMs),
    totalFee: order.totalFee,
    refundedFee: refundedFeeOf(order, world.book),
    state: paidStateOf(order, world),
  }
}

/** What needs a person comes first, then what is under way. */
function paidStateOf(order: Order, world: World): PaidState {
  const statuses = new Set(world.book.refundsOf(order).map(({ status }) => status))
  if (statuses.has('CHANGE')) return 'abnormal'
  if (statuses.has('PROCESSING')) return 'refunding'
  const refundedFee = refundedFeeOf(order, world.book)
  if (refundedFee === 0) return 'paid'
  return refundedFee < order.totalFee ? 'part_refunded' : 'refunded'
}

function refundRow(refund: Refund): RefundRow {
  return {
    outRefundNo: refund.outRefundNo,
    refundFee: refund.refundFee,
    couponFee: couponFeeOf(refund.coupons),
    status: refund.status,
    isByHand: refund.source === 'VENDOR_PLATFORM',
    createdAt: textOf(refund.createdAtMs),
    endedAt: textOf(refund.endedAtMs),
  }
}

function textOf(atMs: number | null): string {
  return atMs === null ? '' : beijingText(atMs)
}
