import {
  post,
  the,
  type Answer,
  type Book,
  type Moment,
  type Refund,
  type Resolution,
  type Said,
} from './book.js'
import { isSame, type Who } from './people.js'
import { move, paymentOf, requestRefund } from './refunds.js'

/** What people do about a refund that is stuck, or was closed by the channel. */

/** What an API caller is told where the channel's answer, or the refund, does not allow it. */
const REFUSALS: Readonly<Record<string, Answer>> = {
  same_principal: 'second_person_required',
  state_conflict: 'refund_state_conflict',
  still_processing: 'refund_still_processing',
  channel_silent: 'channel_silent',
  not_proved: 'refund_not_proved',
  still_owed: 'refund_still_owed',
}

export const answerOf = (outcome: string): Answer => REFUSALS[outcome] ?? outcome

function record(
  refund: Refund,
  resolution: Omit<Resolution, 'outcome' | 'proves'>,
  outcome: string,
  proves: string | null,
): string {
  refund.resolutions.push({ ...resolution, outcome, proves })
  return outcome
}

/** The same number goes again, or, where it is known to be at the channel, is asked for again. */
export function retry(book: Book, refundId: string, who: Who, { step }: Moment): string {
  const refund = the(book.refunds, refundId)
  const said = { verb: 'retry', who, step } as const
  const isOdd = refund.cause === 'amount_differs' || refund.cause === 'beyond_paid'
  if (refund.state === 'needs_attention' && !isOdd) {
    move(book, refund, 'refunding', null)
    paymentOf(book, refund).events.push('refund.retried')
    return record(refund, said, 'applied', null)
  }
  const isUnderWay = ['approved', 'refunding', 'needs_attention'].includes(refund.state)
  return record(refund, said, isUnderWay ? 'asked_again' : 'state_conflict', null)
}

/** Where the money is, as far as the channel's answer proves it. */
function proofOf({ isAccepted, maybeTaken, submittedIn }: Refund, said: Said, step: number) {
  if (said === 'silence') return 'silent'
  if (said === 'abnormal') return 'returned'
  if (said !== 'unknown number') return said.replace(' with coupon', '')
  // A number that may be on its way is unknown for good after a day.
  return !isAccepted && (!maybeTaken || submittedIn < step) ? 'never_taken' : 'unproved'
}

const WITHOUT_PROOF: Readonly<Record<string, string>> = {
  success: 'state_conflict',
  processing: 'still_processing',
  silent: 'channel_silent',
  unproved: 'not_proved',
}

/** Asks the channel first; then a closed refund may be tried again under a new number. */
export function allowRenewal(
  book: Book,
  refundId: string,
  who: Who,
  said: Said,
  { step }: Moment,
): string {
  const refund = the(book.refunds, refundId)
  const proves = proofOf(refund, said, step)
  const owed = proves === 'returned' ? 'still_owed' : 'applied'
  const outcome = refund.state === 'failed' ? (WITHOUT_PROOF[proves] ?? owed) : 'state_conflict'
  return record(refund, { verb: 'renew', who, step }, outcome, proves)
}

export const renewalOf = (book: Book, refundId: string): Refund | undefined =>
  Object.values(book.refunds).find(({ retryOf }) => retryOf === refundId)

/** A new request for the same, by who wants it; once for each refund that was closed. */
export function renew(
  book: Book,
  refundId: string,
  who: Who,
  version: number,
  moment: Moment,
): Answer {
  if (renewalOf(book, refundId) !== undefined) return 'renewed before'
  const { paymentId, amountFen, shipped } = the(book.refunds, refundId)
  const id = `renewal:${refundId}`
  const wanted = { id, paymentId, amountFen, shipped, requester: who, retryOf: refundId }
  const [word = ''] = requestRefund(book, wanted, version, moment).split(' ')
  return word
}

/** Who said that it was settled since it was last sent, and waits for somebody else. */
const proposerOf = ({ resolutions, submits, submittedIn }: Refund): Who | undefined =>
  resolutions.find(
    ({ outcome, step }) => outcome === 'awaiting_second' && (submits === 0 || step > submittedIn),
  )?.who

export function isOwnProposal(book: Book, refundId: string, who: Who): boolean {
  const proposer = proposerOf(the(book.refunds, refundId))
  return proposer !== undefined && isSame(proposer, who)
}

/** Says how it ended, with the channel's answer: by other means, which takes two, or not at all. */
export function resolve(
  book: Book,
  refundId: string,
  { verb, who, said }: { readonly verb: 'settle' | 'fail'; readonly who: Who; readonly said: Said },
  { step }: Moment,
): string {
  const refund = the(book.refunds, refundId)
  const proves = proofOf(refund, said, step)
  const outcome =
    refund.state === 'needs_attention'
      ? (WITHOUT_PROOF[proves] ??
        (verb === 'fail' ? fail(book, refund, proves) : settle(book, refund, who)))
      : 'state_conflict'
  return record(refund, { verb, who, step }, outcome, proves)
}

function fail(book: Book, refund: Refund, proves: string): string {
  if (proves === 'returned') return 'still_owed'
  move(book, refund, 'failed', null)
  return 'applied'
}

function settle(book: Book, refund: Refund, who: Who): string {
  const proposer = proposerOf(refund)
  if (proposer === undefined) return 'awaiting_second'
  if (isSame(proposer, who) || isSame(refund.requester, who)) return 'same_principal'
  const isSale = paymentOf(book, refund).disposition === 'accepted'
  post(refund.lines, 'J5.1', `${isSale ? 'returns' : 'suspense'}/paid_otherwise`, refund.amountFen)
  move(book, refund, 'settled', null)
  return 'applied'
}
