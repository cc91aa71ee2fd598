import { settlementFeeOf } from './coupons.js'
import { makeTransactionId } from './ids.js'
import { isClosed, isPayable } from './order.js'
import { paidFields } from './paid-fields.js'
import type { Coupon, Order } from './records.js'
import type { World } from './world.js'

export type PayResult = 'SUCCESS' | 'PAYERROR'

/** Why a buyer cannot pay an order. */
export type PayRefusal = 'ORDERPAID' | 'ORDERCLOSED' | 'ORDEREXPIRED'

export interface PayAttempt {
  readonly order: Order
  readonly result: PayResult
  /** The money was on its way when the order was closed, and arrives all the same. */
  readonly isLate: boolean
  /** What the buyer pays with beside cash; at most the order's amount. */
  readonly coupons?: readonly Coupon[]
}

/** The buyer pays, or tries to: the book, the merchant's balance, and the notification. */
export function payOrder(attempt: PayAttempt, world: World): Order | PayRefusal {
  const { order, result, isLate, coupons = [] } = attempt
  const nowMs = world.clock.nowMs()
  if (order.state === 'SUCCESS') return 'ORDERPAID'
  if (!isLate && !isPayable(order, nowMs)) {
    return isClosed(order, nowMs) ? 'ORDERCLOSED' : 'ORDEREXPIRED'
  }
  if (result === 'PAYERROR') {
    const failed: Order = { ...order, state: 'PAYERROR' }
    world.book.putOrder(failed)
    return failed
  }
  const transactionId = makeTransactionId(nowMs)
  const paid: Order = { ...order, state: 'SUCCESS', transactionId, paidAtMs: nowMs, coupons }
  world.book.putOrder(paid)
  world.book.addToBalance(paid.mchId, settlementFeeOf(paid.totalFee, coupons))
  notifyPaid(paid, world)
  return paid
}

function notifyPaid(paid: Order, world: World): void {
  world.notifications.send({
    kind: 'payment',
    mchId: paid.mchId,
    outTradeNo: paid.outTradeNo,
    outRefundNo: null,
    url: paid.notifyUrl,
    signType: paid.signType,
    fields: paidFields(paid),
  })
}
