import { refundedCoupons, settlementFeeOf } from './coupons.js'
import { makeRefundId } from './ids.js'
import { claimedFeeOf } from './order.js'
import type { Order, Refund, RefundSource } from './records.js'
import { refuseBusiness, refuseWith } from './refusal.js'
import { settleWhenDue } from './settle-refund.js'
import type { World } from './world.js'

const DAY_MS = 24 * 60 * 60 * 1000
const REFUND_WITHIN_MS = 365 * DAY_MS
/** From this age on WeChat Pay takes fewer refunds a minute. */
const OLD_AFTER_MS = 30 * DAY_MS
const REFUNDS_MAX = 50
const SPACING_MS = 60 * 1000

/** A refund as it is asked for, by a program or by hand; the amount is in fen. */
export interface RefundRequest {
  readonly outRefundNo: string
  readonly refundFee: number
  readonly refundAccount: string
  /** Empty when nobody is to be told. */
  readonly notifyUrl: string
  readonly source: RefundSource
  readonly clientCertSerial: string
  readonly endsAs: Refund['endsAs']
}

/**
 * Accepts a refund: the book has it, the balance is lower, and it ends when its time has come.
 *
 * @throws RefusedError with ORDERNOTEXIST, TRADE_OVERDUE, ERROR, FREQUENCY_LIMITED or NOTENOUGH
 */
export function acceptRefund(order: Order, request: RefundRequest, world: World): Refund {
  const { book } = world
  const nowMs = world.clock.nowMs()
  checkOrder(order, world)
  const earlier = book.refundsOf(order)
  checkRest(order, request.refundFee, earlier, world)
  const coupons = refundedCoupons(order, earlier, request.refundFee)
  const settlementFee = settlementFeeOf(request.refundFee, coupons)
  const balanceFen = book.balanceFen(order.mchId)
  if (balanceFen !== null && balanceFen < settlementFee) throw refuseBusiness('NOTENOUGH')
  const accepted: Refund = {
    ...request,
    mchId: order.mchId,
    appId: order.appId,
    outTradeNo: order.outTradeNo,
    transactionId: order.transactionId ?? '',
    refundId: makeRefundId(nowMs),
    totalFee: order.totalFee,
    coupons,
    status: 'PROCESSING',
    createdAtMs: nowMs,
    dueAtMs: nowMs + world.refundDelayMs,
    endedAtMs: null,
  }
  book.putRefund(accepted)
  book.addToBalance(accepted.mchId, -settlementFee)
  settleWhenDue(accepted, world)
  return accepted
}

/** @throws RefusedError with ORDERNOTEXIST or TRADE_OVERDUE */
function checkOrder(order: Order, world: World): void {
  const nowMs = world.clock.nowMs()
  if (order.paidAtMs === null) throw refuseBusiness('ORDERNOTEXIST')
  if (nowMs > order.paidAtMs + REFUND_WITHIN_MS) throw refuseBusiness('TRADE_OVERDUE')
  const isOld = nowMs > order.paidAtMs + OLD_AFTER_MS
  if (world.isStrict && isOld) world.rates.checkOldRefund(order.mchId, nowMs)
}

function checkRest(
  order: Order,
  refundFee: number,
  earlier: readonly Refund[],
  world: World,
): void {
  const claimedFee = claimedFeeOf(order, world.book)
  if (claimedFee >= order.totalFee) throw refuseWith('ERROR', '订单已全额退款')
  if (claimedFee + refundFee > order.totalFee) {
    throw refuseWith('ERROR', '累计退款金额大于支付金额')
  }
  if (earlier.length >= REFUNDS_MAX) throw refuseWith('ERROR', '退款次数超过50次')
  const lastAtMs = earlier.at(-1)?.createdAtMs ?? -Infinity
  const isTooSoon = world.isStrict && world.clock.nowMs() < lastAtMs + SPACING_MS
  if (isTooSoon) throw refuseBusiness('FREQUENCY_LIMITED')
}
