import {
  inOrder,
  isEnded,
  isSent,
  lessCouponFen,
  post,
  the,
  type Answer,
  type Book,
  type Moment,
  type Payment,
  type QueryAnswer,
  type Refund,
  type SubmitAnswer,
  type Verb,
  type Who,
} from './book.js'

/** What may become of a refund, step by step. */

const paymentOf = (book: Book, refund: Refund): Payment => the(book.payments, refund.paymentId)

export function requestRefund(
  book: Book,
  wanted: { readonly id: string; readonly paymentId: string; readonly amountFen: number },
  key: string,
): Answer {
  const { id, paymentId, amountFen } = wanted
  const request = `${paymentId} ${amountFen}`
  const known = book.keys[key]
  if (known !== undefined) return known.request === request ? `known ${known.refundId}` : 'conflict'
  const payment = the(book.payments, paymentId)
  if (payment.state !== 'paid') return 'payment_not_paid 0'
  if (payment.disposition !== 'accepted') return 'payment_held 0'
  const leftFen = (payment.paidFen ?? 0) - payment.reservedFen - payment.refundedFen
  if (amountFen > leftFen) return `refund_exceeds_payment ${leftFen}`
  payment.reservedFen += amountFen
  payment.events.push('refund.requested')
  book.keys[key] = { request, refundId: id }
  book.refunds[id] = {
    id,
    paymentId,
    amountFen,
    state: 'pending',
    cause: null,
    isHeldBack: false,
    settlementFen: null,
    round: 0,
    isInTransit: false,
    submits: 0,
    queries: 0,
    facts: [],
    decisions: [],
    lines: [],
  }
  return `requested ${leftFen - amountFen}`
}

/** Moves a refund; whatever ends without giving back frees the amount. */
function move(book: Book, refund: Refund, state: string, cause: string | null): void {
  const payment = paymentOf(book, refund)
  refund.state = state
  refund.cause = cause
  if (isEnded(state)) payment.reservedFen -= refund.amountFen
  if (state === 'done') payment.refundedFen += refund.amountFen
  if (state !== 'refunding') payment.events.push(`refund.${state}`)
}

export function recordDecision(book: Book, refundId: string, verb: Verb, who: Who): void {
  const { decisions } = the(book.refunds, refundId)
  if (decisions.some((known) => known.verb === verb && known.who === who)) return
  decisions.push({ verb, who, outcome: null })
}

export function applyDecision(book: Book, refundId: string, verb: Verb, who: Who): Answer {
  const refund = the(book.refunds, refundId)
  const decision = refund.decisions.find((known) => known.verb === verb && known.who === who)
  if (decision?.outcome === null) decision.outcome = decide(book, refund, verb, who !== 'approver')
  return refund.state
}

function decide(book: Book, refund: Refund, verb: Verb, isAsker: boolean): string {
  const isStoppable = refund.state === 'approved' && verb === 'cancel'
  if (refund.state !== 'pending' && !isStoppable) return 'already_decided'
  if (verb === 'approve' && isAsker) return 'same_principal'
  move(book, refund, { approve: 'approved', reject: 'rejected', cancel: 'cancelled' }[verb], null)
  return 'applied'
}

export function approveByOperator(book: Book, refundId: string, moment: Moment): Answer {
  const refund = the(book.refunds, refundId)
  const isWithin = refund.amountFen <= moment.operatorLimitFen
  const outcome =
    refund.state === 'pending' && !isWithin
      ? 'over_operator_limit'
      : decide(book, refund, 'approve', false)
  refund.decisions.push({ verb: 'approve', who: 'operator', outcome })
  return refund.state
}

export function expireRefund(book: Book, refundId: string): Answer {
  const refund = the(book.refunds, refundId)
  if (refund.state === 'pending') move(book, refund, 'expired', null)
  return refund.state
}

export const stateOfRefund = (book: Book, refundId: string): string =>
  the(book.refunds, refundId).state

/** What the row says is next, claimed where it is a submit. */
export function claimStep(
  book: Book,
  refundId: string,
  { step }: Moment,
): 'nothing' | 'wait' | 'submit' | 'query' {
  const refund = the(book.refunds, refundId)
  const payment = paymentOf(book, refund)
  if (isEnded(refund.state) || refund.state === 'pending') return 'nothing'
  if (refund.state === 'needs_attention' || refund.cause === 'accepted') return 'query'
  if (refund.state === 'approved') {
    // Two refunds of one payment are never sent within a minute, and a step takes no minute.
    refund.isHeldBack = payment.sentIn === step
    if (refund.isHeldBack) return 'wait'
    payment.sentIn = step
  }
  move(book, refund, 'refunding', 'submitting')
  refund.submits += 1
  return 'submit'
}

export function recordSubmitted(
  book: Book,
  refundId: string,
  answer: SubmitAnswer,
  { step }: Moment,
): Answer {
  const refund = the(book.refunds, refundId)
  paymentOf(book, refund).sentIn = step
  if (refund.state !== 'refunding' || refund.cause === 'accepted') return 'returned'
  if (answer === 'refused' || answer === 'accepted otherwise') {
    move(book, refund, 'needs_attention', 'refused')
    return 'returned'
  }
  if (answer === 'accepted' || answer === 'accepted with coupon') {
    accept(book, refund, answer === 'accepted' ? refund.amountFen : lessCouponFen(refund.amountFen))
    return 'PROCESSING'
  }
  refund.cause = answer === 'not_enough' ? 'insufficient_balance' : answer
  return answer.toUpperCase()
}

function accept(book: Book, refund: Refund, settlementFen: number): void {
  refund.cause = 'accepted'
  refund.settlementFen = settlementFen
  refund.round += 1
  refund.isInTransit = true
  paymentOf(book, refund).events.push('refund.accepted')
  post(refund.lines, `J1.${refund.round}`, 'refunds_in_transit/wechat', settlementFen)
}

/** An answer that brings nothing new is counted. */
export function countQuery(book: Book, refundId: string): Answer {
  the(book.refunds, refundId).queries += 1
  return 'PROCESSING'
}

const statusOf = (what: QueryAnswer): string => what.replace(' with coupon', '')

export function storeRefundFact(
  book: Book,
  refundId: string,
  what: QueryAnswer,
  source: 'notify' | 'query',
): void {
  const { facts } = the(book.refunds, refundId)
  const key = `${statusOf(what)}:${source}`
  if (!facts.some((fact) => fact.key === key)) facts.push({ key, source, what, outcome: null })
}

export function settleRefund(book: Book, refundId: string, moment: Moment): Answer {
  const refund = the(book.refunds, refundId)
  const facts = inOrder(refund.facts, refundId, moment)
  const queried = facts.filter(({ source }) => source === 'query')
  for (const { what } of queried) applyStatus(book, refund, what as QueryAnswer)
  // A notification is no proof: it is put away when the channel was asked, or all is over.
  const isKnown = queried.length > 0 || isEnded(refund.state)
  for (const fact of facts) if (isKnown) fact.outcome = refund.state
  return `${refund.state} ${refund.cause}`
}

function applyStatus(book: Book, refund: Refund, what: QueryAnswer): void {
  const status = statusOf(what)
  if (!isSent(refund.state) || status === 'processing') return
  if (status === 'abnormal' && refund.state === 'needs_attention') return
  const saidFen =
    what === 'success with coupon' ? lessCouponFen(refund.amountFen) : refund.amountFen
  refund.settlementFen ??= saidFen
  if (status === 'success') finish(refund, refund.settlementFen)
  else if (refund.isInTransit) {
    const rule = status === 'closed' ? 'J3' : 'J4'
    post(refund.lines, `${rule}.${refund.round}`, 'wechat/refunds_in_transit', refund.settlementFen)
  }
  refund.isInTransit = false
  if (status === 'success') move(book, refund, 'done', null)
  if (status === 'closed') move(book, refund, 'failed', null)
  if (status === 'abnormal') move(book, refund, 'needs_attention', 'abnormal')
}

function finish(refund: Refund, settlementFen: number): void {
  if (!refund.isInTransit) {
    refund.round += 1
    post(refund.lines, `J1.${refund.round}`, 'refunds_in_transit/wechat', settlementFen)
  }
  post(refund.lines, 'J2.1', 'returns/refunds_in_transit', settlementFen)
  post(refund.lines, 'J2.2', 'returns/coupon_cost', refund.amountFen - settlementFen)
}
