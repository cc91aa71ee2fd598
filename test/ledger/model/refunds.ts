import {
  inOrder,
  isEnded,
  isSent,
  lessCouponFen,
  newRefund,
  openCase,
  post,
  recount,
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
  if (payment.disposition === 'held') return 'payment_held 0'
  const { paidFen, reservedFen, refundedFen } = payment
  const leftFen = Math.max(0, (paidFen ?? 0) - reservedFen - refundedFen)
  if (payment.disposition === 'surplus' && leftFen === 0) return 'payment_held 0'
  if (amountFen > leftFen) return `refund_exceeds_payment ${leftFen}`
  payment.reservedFen += amountFen
  payment.events.push('refund.requested')
  book.keys[key] = { request, refundId: id }
  book.refunds[id] = newRefund({ id, paymentId, amountFen, state: 'pending' })
  return `requested ${leftFen - amountFen}`
}

/** Moves a refund; whatever ends without giving back frees the amount. */
function move(book: Book, refund: Refund, state: string, cause: string | null): void {
  const payment = paymentOf(book, refund)
  refund.state = state
  refund.cause = cause
  if (isEnded(state)) payment.reservedFen -= refund.amountFen
  if (state === 'done') payment.refundedFen += refund.amountFen
  recount(payment)
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
  if (refund.state !== 'pending') return refund.state
  refund.deadlines += 1
  const { events } = paymentOf(book, refund)
  if (refund.deadlines === 1) events.push('refund.reminder')
  if (refund.deadlines === 2) events.push('refund.escalated')
  if (refund.deadlines === 3) move(book, refund, 'expired', null)
  return refund.state
}

/** The channel's own word waits to be applied. */
export const isQueried = (book: Book, refundId: string): boolean =>
  the(book.refunds, refundId).facts.some(
    ({ source, outcome }) => source === 'query' && outcome === null,
  )

/** What the row says is next, claimed where it is a submit. */
export function claimStep(
  book: Book,
  refundId: string,
  { step }: Moment,
): 'nothing' | 'SPACING' | 'OVER_RESERVED' | 'BALANCE' | 'submit' | 'query' {
  const refund = the(book.refunds, refundId)
  const payment = paymentOf(book, refund)
  if (isEnded(refund.state) || refund.state === 'pending') return 'nothing'
  if (refund.state === 'needs_attention' || refund.cause === 'accepted') return 'query'
  if (refund.state === 'approved') {
    // Two refunds of one payment are never sent within a minute, and a step takes no minute.
    refund.isHeldBack = true
    if (payment.overReservedFen > 0) return 'OVER_RESERVED'
    if (payment.sentIn === step) return 'SPACING'
    if (!mayTry(book, step)) return 'BALANCE'
    refund.isHeldBack = false
    payment.sentIn = step
  } else if (NOT_TAKEN.includes(refund.cause) && !mayTry(book, step)) return 'BALANCE'
  move(book, refund, 'refunding', 'submitting')
  refund.submits += 1
  refund.submittedIn = step
  return 'submit'
}

/** Known not to have been taken. */
const NOT_TAKEN: readonly (string | null)[] = ['rate_limited', 'insufficient_balance']

/** While the account's money has run out one refund at a time is sent to see whether it is back. */
function mayTry(book: Book, step: number): boolean {
  if (book.triedIn === step) return false
  if (book.triedIn !== null) book.triedIn = step
  return true
}

export function recordSubmitted(
  book: Book,
  refundId: string,
  answer: SubmitAnswer,
  { step }: Moment,
): Answer {
  const refund = the(book.refunds, refundId)
  paymentOf(book, refund).sentIn = step
  if (answer === 'not_enough') book.triedIn = step
  if (answer.startsWith('accepted')) book.triedIn = null
  if (refund.state !== 'refunding' || refund.cause === 'accepted') return 'returned'
  if (answer === 'refused' || answer === 'accepted otherwise') {
    const cause = answer === 'refused' ? 'refused' : 'amount_differs'
    move(book, refund, 'needs_attention', cause)
    if (answer !== 'refused') openCaseOf(book, refund, 'refund_differs')
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

/** An answer that brings nothing new is counted; from another day on that is slow. */
export function countQuery(book: Book, refundId: string, { step }: Moment): Answer {
  const refund = the(book.refunds, refundId)
  refund.queries += 1
  return refund.submittedIn === step ? 'PROCESSING' : 'slow'
}

/** A question is answered for a refund that was sent so often. */
export function storeQueried(
  book: Book,
  refundId: string,
  what: QueryAnswer,
  submits: number,
): 'news' | 'known' {
  const key = `${statusOf(what)}:query${submits > 1 ? `:${submits}` : ''}`
  const { facts } = the(book.refunds, refundId)
  const known = facts.find((fact) => fact.key === key)
  if (known !== undefined) return known.outcome === null ? 'news' : 'known'
  facts.push({ key, source: 'query', what, outcome: null })
  return 'news'
}

const statusOf = (what: QueryAnswer): string => what.replace(' with coupon', '')

export function storeNotified(book: Book, refundId: string, what: QueryAnswer): void {
  const { facts } = the(book.refunds, refundId)
  const key = `${statusOf(what)}:notify`
  if (facts.some((fact) => fact.key === key)) return
  facts.push({ key, source: 'notify', what, outcome: null })
}

/** What is settled; `isConfirmed` when the channel has said again what was applied before. */
export function settleRefund(
  book: Book,
  refundId: string,
  moment: Moment,
  isConfirmed = false,
): Answer {
  const refund = the(book.refunds, refundId)
  const facts = inOrder(refund.facts, refundId, moment)
  const queried = facts.filter(({ source }) => source === 'query')
  const isGivenBack = facts.some(({ what }) => what.startsWith('success'))
  if (refund.state === 'failed' && isGivenBack) openCaseOf(book, refund, 'refund_after_end')
  for (const { what } of queried) applyStatus(book, refund, what as QueryAnswer)
  // A notification is no proof: it is put away when the channel was asked, or all is over.
  const isKnown = isConfirmed || queried.length > 0 || isEnded(refund.state)
  for (const fact of facts) if (isKnown) fact.outcome = refund.state
  return `${refund.state} ${refund.cause}`
}

function applyStatus(book: Book, refund: Refund, what: QueryAnswer): void {
  const status = statusOf(what)
  if (!isSent(refund.state) || status === 'processing') return
  const isOdd = refund.cause === 'amount_differs' || refund.cause === 'beyond_paid'
  if (status === 'abnormal' && refund.state === 'needs_attention' && !isOdd) return
  if (status === 'success' && refund.cause === 'beyond_paid') return
  const saidFen =
    what === 'success with coupon' ? lessCouponFen(refund.amountFen) : refund.amountFen
  refund.settlementFen ??= saidFen
  if (status === 'success' && isBeyond(book, refund)) return tellBeyond(book, refund)
  const isSale = paymentOf(book, refund).disposition === 'accepted'
  if (status === 'success') finish(refund, refund.settlementFen, isSale)
  else if (refund.isInTransit) {
    const rule = status === 'closed' ? 'J3' : 'J4'
    post(refund.lines, `${rule}.${refund.round}`, 'wechat/refunds_in_transit', refund.settlementFen)
  }
  refund.isInTransit = false
  if (status === 'success') move(book, refund, 'done', null)
  if (status === 'closed') move(book, refund, 'failed', null)
  if (status === 'abnormal') move(book, refund, 'needs_attention', 'abnormal')
}

/** Only beside a refund of the portal can the channel of a plan say such a thing. */
function isBeyond(book: Book, refund: Refund): boolean {
  const { refundedFen, paidFen } = paymentOf(book, refund)
  return refundedFen + refund.amountFen > (paidFen ?? 0)
}

/** It left the channel, so it is in transit; it is no more than that until a person has looked. */
function tellBeyond(book: Book, refund: Refund): void {
  sendOff(refund, refund.settlementFen ?? 0)
  move(book, refund, 'needs_attention', 'beyond_paid')
  openCaseOf(book, refund, 'refund_beyond_paid')
}

const openCaseOf = (book: Book, refund: Refund, kind: string): void =>
  openCase(paymentOf(book, refund), kind, refund.id, refund.amountFen)

function sendOff(refund: Refund, settlementFen: number): void {
  if (refund.isInTransit) return
  refund.round += 1
  refund.isInTransit = true
  post(refund.lines, `J1.${refund.round}`, 'refunds_in_transit/wechat', settlementFen)
}

function finish(refund: Refund, settlementFen: number, isSale: boolean): void {
  sendOff(refund, settlementFen)
  const from = isSale ? 'returns' : 'suspense'
  post(refund.lines, 'J2.1', `${from}/refunds_in_transit`, settlementFen)
  if (isSale) post(refund.lines, 'J2.2', 'returns/coupon_cost', refund.amountFen - settlementFen)
}
