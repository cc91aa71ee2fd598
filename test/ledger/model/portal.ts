import {
  lessCouponFen,
  newRefund,
  openCase,
  post,
  the,
  type Answer,
  type Book,
  type Moment,
  type Payment,
  type QueryAnswer,
  type Refund,
} from './book.js'

export interface PortalRefund {
  /** Its number at the channel. */
  readonly id: string
  readonly paymentId: string
  readonly amountFen: number
}

/** Somebody made a refund in the channel's own portal, and a question has shown it. */
export function bookPortal(
  book: Book,
  { id, paymentId, amountFen }: PortalRefund,
  what: QueryAnswer,
  { step }: Moment,
): Answer {
  const known = book.refunds[id]
  if (known !== undefined) return `booked before, ${known.state}`
  if (what === 'closed') return 'nothing_moved'
  const payment = the(book.payments, paymentId)
  if (payment.state !== 'paid') return 'payment_not_paid'
  if (payment.refundedFen + amountFen > (payment.paidFen ?? 0)) {
    openCase(payment, 'refund_beyond_paid', id, amountFen)
    return 'exceeds_paid'
  }
  const isDone = what.startsWith('success')
  const settlementFen = what === 'success with coupon' ? lessCouponFen(amountFen) : amountFen
  const refund = newRefund({ id, paymentId, amountFen, state: 'done', settlementFen })
  book.refunds[id] = refund
  payment.events.push('refund.external')
  if (isDone) giveBack(payment, refund, settlementFen)
  else reserve(payment, refund, settlementFen, step)
  return isOver(payment, id) ? `booked ${refund.state}, too much` : `booked ${refund.state}`
}

function giveBack(payment: Payment, refund: Refund, settlementFen: number): void {
  const isSale = payment.disposition === 'accepted'
  payment.refundedFen += refund.amountFen
  post(refund.lines, 'J6.1', `${isSale ? 'returns' : 'suspense'}/wechat`, settlementFen)
  if (isSale) post(refund.lines, 'J6.2', 'returns/coupon_cost', refund.amountFen - settlementFen)
}

/** It was accepted before anybody here had heard of it. */
function reserve(payment: Payment, refund: Refund, settlementFen: number, step: number): void {
  payment.reservedFen += refund.amountFen
  refund.state = 'refunding'
  refund.cause = 'accepted'
  refund.round = 1
  refund.isInTransit = true
  refund.submittedIn = step
  post(refund.lines, 'J1.1', 'refunds_in_transit/wechat', settlementFen)
}

/** What does not fit is counted, and a person is told of just that. */
function isOver(payment: Payment, cause: string): boolean {
  const { reservedFen, refundedFen, paidFen, overReservedFen } = payment
  const tooMuchFen = Math.max(0, reservedFen + refundedFen - (paidFen ?? 0))
  if (tooMuchFen <= overReservedFen) return false
  payment.overReservedFen = tooMuchFen
  openCase(payment, 'refunds_exceed_payment', cause, tooMuchFen - overReservedFen)
  return true
}
