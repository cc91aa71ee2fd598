import {
  inOrder,
  isOpen,
  lessCouponFen,
  newRefund,
  openCase,
  post,
  the,
  type Answer,
  type Book,
  type HeldWord,
  type Moment,
  type Paid,
  type Payment,
  type PlaceAnswer,
} from './book.js'

/** What may become of a payment, step by step. */

export function createPayment(
  book: Book,
  id: string,
  orderRef: string | null,
  totalFen: number,
): Answer {
  const others = Object.values(book.payments).filter((other) => other.orderRef === orderRef)
  if (orderRef !== null && others.some(({ state }) => isOpen(state))) {
    return 'payments_order_ref_open_once'
  }
  book.payments[id] = {
    id,
    orderRef,
    totalFen,
    state: 'created',
    disposition: null,
    attention: null,
    paidFen: null,
    settlementFen: null,
    transaction: null,
    reservedFen: 0,
    refundedFen: 0,
    overReservedFen: 0,
    cases: [],
    placedIn: -1,
    sentIn: -1,
    facts: [],
    events: [],
    lines: [],
  }
  return 'created'
}

/** The worker looks whether an order has to be placed; a young one is left alone. */
export function wantsPlacing(book: Book, paymentId: string, { step }: Moment): boolean {
  const payment = the(book.payments, paymentId)
  return isOpen(payment.state) && payment.placedIn !== step
}

export function recordPlaced(
  book: Book,
  paymentId: string,
  answer: PlaceAnswer,
  { step }: Moment,
): void {
  const payment = the(book.payments, paymentId)
  if (answer === 'closed') storePaymentFact(book, paymentId, 'closed', 'query')
  if (answer === 'placed' && isOpen(payment.state)) {
    payment.state = 'awaiting_payment'
    payment.placedIn = step
  }
  if (answer === 'refused' && payment.state === 'created') {
    payment.state = 'failed'
    payment.events.push('payment.failed')
  }
}

export const isPaymentOpen = (book: Book, paymentId: string): boolean =>
  isOpen(the(book.payments, paymentId).state)

/** What the channel says was paid, settled, and under which number. */
export function amountsOf(what: Paid, totalFen: number) {
  const paidFen = what === 'short' ? totalFen - 1 : totalFen
  const settlementFen = what === 'coupon' ? lessCouponFen(totalFen) : paidFen
  return { paidFen, settlementFen, transaction: what === 'twice' ? 'second' : 'first' }
}

/** A foreign fact looks like an exact one but for the appid, which is no part of its key. */
const keyOf = (what: Paid | 'closed' | HeldWord): string => (what === 'foreign' ? 'exact' : what)

export function storePaymentFact(
  book: Book,
  paymentId: string,
  what: Paid | 'closed' | HeldWord,
  source: 'notify' | 'query' | 'manual',
): void {
  const { facts } = the(book.payments, paymentId)
  const key = keyOf(what)
  if (!facts.some((fact) => fact.key === key)) facts.push({ key, source, what, outcome: null })
}

export function settlePayment(book: Book, paymentId: string, moment: Moment): Answer {
  const payment = the(book.payments, paymentId)
  for (const fact of inOrder(payment.facts, paymentId, moment)) {
    if (fact.what === 'closed') fact.outcome = close(payment)
    else if (fact.source === 'manual') {
      fact.outcome = decideHeld(book, payment, fact.what as HeldWord)
    } else fact.outcome = pay(book, payment, fact.what as Paid)
  }
  // Surplus money goes back by itself.
  return `${payment.state} ${payment.disposition === 'surplus' ? null : payment.attention}`
}

function close(payment: Payment): string {
  if (!isOpen(payment.state)) return 'already_over'
  payment.state = 'closed'
  payment.events.push('payment.closed')
  return 'closed'
}

function pay(book: Book, payment: Payment, what: Paid): string {
  const { paidFen, settlementFen, transaction } = amountsOf(what, payment.totalFen)
  if (what === 'foreign') return 'foreign'
  if (payment.state === 'paid') {
    return payment.transaction === transaction ? 'duplicate' : 'foreign'
  }
  const attention = attentionFor(book, payment, what)
  payment.state = 'paid'
  payment.attention = attention
  payment.disposition = dispositionFor(attention)
  payment.paidFen = paidFen
  payment.settlementFen = settlementFen
  payment.transaction = transaction
  payment.events.push(`payment.${attention === null ? 'paid' : payment.disposition}`)
  if (attention === null) {
    post(payment.lines, 'P1.1', 'wechat/sales', settlementFen)
    post(payment.lines, 'P1.2', 'coupon_cost/sales', paidFen - settlementFen)
  } else post(payment.lines, 'P2.1', 'wechat/suspense', settlementFen)
  if (payment.disposition === 'held') openCase(payment, 'payment_held', payment.id, paidFen)
  if (payment.disposition === 'surplus') giveBack(book, payment, paidFen)
  return payment.disposition
}

const dispositionFor = (attention: string | null): string => {
  if (attention === null) return 'accepted'
  return attention.endsWith('mismatch') ? 'held' : 'surplus'
}

/** What a person says about held money counts once; what the portal gave back is gone already. */
function decideHeld(book: Book, payment: Payment, word: HeldWord): string {
  if (payment.disposition !== 'held') return 'already_decided'
  const { settlementFen, reservedFen, refundedFen } = payment
  const paidFen = payment.paidFen ?? 0
  const goneFen = reservedFen + refundedFen
  if (word === 'accept') {
    if (isOrderPaid(book, payment)) return 'order_paid'
    if (goneFen > 0) return 'unacceptable'
    payment.disposition = 'accepted'
    payment.attention = null
    payment.events.push('payment.paid')
    post(payment.lines, 'P3.1', 'suspense/sales', settlementFen ?? 0)
    post(payment.lines, 'P3.2', 'coupon_cost/sales', paidFen - (settlementFen ?? 0))
  } else {
    payment.disposition = 'surplus'
    payment.events.push('payment.surplus')
    giveBack(book, payment, paidFen - goneFen)
  }
  for (const each of payment.cases) if (each.kind === 'payment_held') each.state = 'resolved'
  return payment.disposition
}

/** Money that came late or twice has a refund of its own, which nobody approves. */
function giveBack(book: Book, payment: Payment, amountFen: number): void {
  if (amountFen === 0) return
  const id = `surplus:${payment.id}`
  book.refunds[id] = newRefund({ id, paymentId: payment.id, amountFen, state: 'approved' })
  payment.reservedFen += amountFen
  payment.events.push('refund.approved')
}

function attentionFor(book: Book, payment: Payment, what: Paid): string | null {
  if (what === 'dollars') return 'currency_mismatch'
  if (what === 'short') return 'amount_mismatch'
  if (!isOpen(payment.state)) return 'late'
  return isOrderPaid(book, payment) ? 'double_payment' : null
}

function isOrderPaid(book: Book, payment: Payment): boolean {
  return Object.values(book.payments).some(
    (other) =>
      other.id !== payment.id &&
      other.orderRef !== null &&
      other.orderRef === payment.orderRef &&
      other.disposition === 'accepted',
  )
}
