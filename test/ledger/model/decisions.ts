import {
  the,
  type Answer,
  type Book,
  type Decision,
  type Moment,
  type Refund,
  type Verb,
} from './book.js'
import { isSame, personOf, type Who } from './people.js'
import { countToday, leftToday, policyOf, type Policy } from './policies.js'
import { move, paymentOf } from './refunds.js'

/** What people, and time, decide about a refund. */

/** What a limit of the day refused may be said again; whatever else was said stands. */
const isStanding = ({ outcome }: Decision): boolean =>
  outcome !== 'over_day_limit' && outcome !== 'over_person_limit'

/** @returns the place of what was said, now or before */
export function recordDecision(book: Book, refundId: string, verb: Verb, who: Who): number {
  const { decisions } = the(book.refunds, refundId)
  const place = decisions.findIndex(
    (known) => known.verb === verb && known.who === who && isStanding(known),
  )
  return place >= 0 ? place : decisions.push({ verb, who, outcome: null }) - 1
}

/** Applies a decision under the rules of a version, which was the newest when it was looked at. */
export function applyDecision(
  book: Book,
  refundId: string,
  place: number,
  version: number,
  moment: Moment,
): Answer {
  const refund = the(book.refunds, refundId)
  const decision = refund.decisions[place]
  if (decision === undefined) throw new Error('Nobody recorded this decision.')
  decision.outcome ??= decide(book, refund, decision, policyOf(book, version), moment)
  return `${refund.state}, ${decision.outcome}`
}

function decide(
  book: Book,
  refund: Refund,
  { verb, who }: Decision,
  policy: Policy | undefined,
  { operatorLimitFen }: Moment,
): string {
  const isStoppable = refund.state === 'approved' && verb === 'cancel'
  if (refund.state !== 'pending' && !isStoppable) return 'already_decided'
  if (verb === 'approve') return approve(book, refund, who, policy, operatorLimitFen)
  move(book, refund, { reject: 'rejected', cancel: 'cancelled' }[verb], null)
  return 'applied'
}

function approve(
  book: Book,
  refund: Refund,
  who: Decision['who'],
  policy: Policy | undefined,
  operatorLimitFen: number,
): string {
  const first = refund.decisions.find(({ outcome }) => outcome === 'first_of_two')?.who
  const isPerson = who !== 'policy' && who !== 'deadline'
  const name = who === 'operator' ? 'temporal-operator' : isPerson ? personOf(who) : null
  if (who === 'operator') {
    if (first !== undefined) return 'operator_not_second'
    if (refund.amountFen > operatorLimitFen) return 'over_operator_limit'
  } else if (isPerson && isOneOf(refund, first, who)) return 'same_principal'
  if (refund.amountFen > leftToday(book, policy, null)) return 'over_day_limit'
  if (name !== null && refund.amountFen > leftToday(book, policy, name)) return 'over_person_limit'
  if (refund.needs === 2 && first === undefined) {
    paymentOf(book, refund).events.push('refund.first_approved')
    return 'first_of_two'
  }
  countToday(book, policy, name, refund.amountFen)
  move(book, refund, 'approved', null)
  return 'applied'
}

/** Who asked for it, or approved it first. */
const isOneOf = ({ requester }: Refund, first: Decision['who'] | undefined, who: Who): boolean =>
  isSame(requester, who) || (first !== undefined && !isNobody(first) && isSame(first, who))

const isNobody = (who: Decision['who']): who is 'operator' | 'policy' | 'deadline' =>
  ['operator', 'policy', 'deadline'].includes(who)

export function approveByOperator(
  book: Book,
  refundId: string,
  version: number,
  moment: Moment,
): Answer {
  const decision: Decision = { verb: 'approve', who: 'operator', outcome: null }
  const place = the(book.refunds, refundId).decisions.push(decision) - 1
  return applyDecision(book, refundId, place, version, moment)
}

/** It is reminded of, then what its rules say is done, and at last it is over. */
export function expireRefund(book: Book, refundId: string, version: number): Answer {
  const refund = the(book.refunds, refundId)
  if (refund.state !== 'pending') return refund.state
  refund.deadlines += 1
  const { events } = paymentOf(book, refund)
  const asked = policyOf(book, refund.policy)
  const isLast = refund.deadlines === 3 || asked?.atDeadline === 'close'
  if (refund.deadlines === 1) events.push('refund.reminder')
  else if (isLast) move(book, refund, 'expired', null)
  else if (goesByItself(refund, asked, policyOf(book, version))) {
    // That day is far away, and nothing else was approved on it.
    refund.decisions.push({ verb: 'approve', who: 'deadline', outcome: 'applied' })
    move(book, refund, 'approved', null)
  } else events.push('refund.escalated')
  return refund.state
}

const goesByItself = (
  { amountFen, shipped, needs }: Refund,
  asked: Policy | undefined,
  newest: Policy | undefined,
): boolean =>
  asked?.atDeadline === 'approve' &&
  amountFen <= (asked.approveUpToFen ?? 0) &&
  shipped === false &&
  needs < 2 &&
  amountFen <= (newest?.dayLimitFen ?? Infinity)
