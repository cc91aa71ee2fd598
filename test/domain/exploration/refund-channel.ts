import type { RefundStatus } from '../../../src/domain/channel.js'
import { fen } from '../../../src/domain/money.js'
import type { RefundStanding, RefundVerdict } from '../../../src/domain/refund.js'
import type { Transfer } from '../../../src/ledger/postings.js'
import { paidAtChannelFen } from './payment-messages.js'
import {
  insertRefund,
  moveRefund,
  refundAt,
  withRefund,
  type Change,
  type Message,
  type Trial,
} from './trial.js'
import {
  newRefund,
  PARTIES,
  posted,
  REFUNDS_MAX,
  TOTAL_FEN,
  type RefundPart,
  type World,
} from './world.js'

/** What is sent to the channel about a refund, what it does, and what it says when it is asked. */

/** What the channel still can give back of this order, by its own book. */
function leftAtChannelFen(world: World): number {
  const gone = world.refunds
    .filter(({ truth }) => truth !== 'none' && truth !== 'closed')
    .reduce((sum, { amountFen }) => sum + amountFen, 0)
  return paidAtChannelFen(world.payment.truth) - gone
}

/** Somebody makes a refund in the portal; nobody here is told at once. */
export const portal = (amountFen: number): Message => ({
  name: `portal: ${amountFen} is given back`,
  apply: (world) => {
    const isFirst = world.refunds.every(({ origin }) => origin !== 'external')
    const isRoom = world.refunds.length < REFUNDS_MAX && amountFen <= leftAtChannelFen(world)
    if (!isFirst || !isRoom) return world
    const of = { state: 'unseen', origin: 'external', amountFen } as const
    const unseen = newRefund({ ...of, truth: 'processing', sent: 'accepted' })
    return { ...world, refunds: [...world.refunds, unseen] }
  },
})

/**
 * What the channel does with a refund that it has is decided when it is asked: before that nobody
 * can see it. Undefined where it cannot say this.
 */
export function told(world: World, index: number, says: RefundStatus): World | undefined {
  const { truth, state } = refundAt(world, index)
  if (truth === says) return world
  // Who gave it back by other means does not have the portal give it back as well.
  if (state === 'settled') return undefined
  const isOpen = truth === 'processing' || (truth === 'abnormal' && says !== 'processing')
  return isOpen ? withRefund(world, index, { truth: says }) : undefined
}

/** A question shows a refund of the portal: booked as `book_external_refund` does. */
export const see =
  (says: RefundStatus): Change =>
  (before, index, trial) => {
    const world = told(before, index, says)
    if (world === undefined) return before
    const { state, disposition, paidFen } = world.payment
    const refund = refundAt(world, index)
    if (refund.state !== 'unseen' || state !== 'paid') return before
    if (says === 'closed') return { ...world, refunds: world.refunds.toSpliced(index, 1) }
    if (world.counters.refunded + refund.amountFen > (paidFen ?? 0)) return before
    const amount = fen(refund.amountFen)
    const source = disposition === 'accepted' ? 'returns' : 'suspense'
    const isDone = says === 'success'
    const transfers = isDone
      ? trial.rules.postAdopted(PARTIES, amount, amount, source)
      : trial.rules.postAccepted(PARTIES, amount, 1)
    const booked = { ...refund, state: isDone ? 'done' : 'refunding', inTransit: !isDone } as const
    return insertRefund(world, booked, trial, { place: index, transfers })
  }

type SubmitAnswer = 'accepted' | 'taken, no answer' | 'no answer' | 'not enough' | 'refused'

/** The next submit as `claimStep` claims it, what the channel does with it, and what we hear. */
export const submit =
  (answer: SubmitAnswer): Change =>
  (world, index, trial) => {
    const { state, inTransit, sent, truth, amountFen } = refundAt(world, index)
    const isTurn =
      state === 'approved' ? trial.rules.isSendable(world.counters.over) : state === 'refunding'
    if (!isTurn || inTransit) return world
    const hasIt = truth === 'processing'
    const isTaken = answer === 'accepted' || answer === 'taken, no answer'
    const isRoom = truth === 'abnormal' || amountFen <= leftAtChannelFen(world)
    const canTake = hasIt || (truth !== 'closed' && isRoom)
    // One that it has closed meanwhile is refused; nobody was told before.
    const isClosed = hasIt && answer === 'refused'
    if (isTaken ? !canTake : hasIt && answer === 'not enough') return world
    const claimed =
      state === 'approved' ? moveRefund(world, index, { to: 'refunding' }, trial) : world
    if (state === 'approved' && claimed === world) return world
    const change = {
      isOld: false,
      proposer: null,
      truth: isClosed ? 'closed' : isTaken && !hasIt ? 'processing' : truth,
    } as const
    if (answer === 'accepted') return accepted(claimed, index, change, trial)
    const isSilent = answer === 'taken, no answer' || answer === 'no answer'
    const known = sent === 'maybe' || sent === 'accepted' ? sent : isSilent ? 'maybe' : 'refused'
    const heard = withRefund(claimed, index, { ...change, sent: known })
    return answer === 'refused'
      ? moveRefund(heard, index, { to: 'needs_attention', change: { cause: 'refused' } }, trial)
      : heard
  }

function accepted(world: World, index: number, change: Partial<RefundPart>, trial: Trial): World {
  const amount = fen(refundAt(world, index).amountFen)
  const transfers = trial.rules.postAccepted(PARTIES, amount, 1)
  const taken = withRefund(world, index, { ...change, sent: 'accepted', inTransit: true })
  return { ...taken, book: posted(world.book, transfers) }
}

/** A question that is answered: the channel says what it did, or shows another amount. */
export const query =
  (says: RefundStatus, { isOtherAmount = false } = {}): Change =>
  (before, index, trial) => {
    const world = told(before, index, says)
    if (world === undefined) return before
    const refund = refundAt(world, index)
    const standing = standingOf(refund)
    // One of the two amounts is enough to see what another amount does.
    if (standing === null || (isOtherAmount && refund.amountFen < TOTAL_FEN)) return before
    const fact = { status: says, refundFen: fen(refund.amountFen + Number(isOtherAmount)) }
    const given = { paidFen: world.payment.paidFen, refundedFen: world.counters.refunded }
    const verdict = trial.rules.judgeRefundInBook(standing, fact, given)
    if (verdict.kind === 'stay') return before
    const { transfers, inTransit } = booksOf(world, refund, verdict, trial)
    const change = { inTransit, sent: 'accepted', cause: verdict.cause } as const
    return moveRefund(world, index, { to: verdict.to, change, transfers }, trial)
  }

function standingOf({ state, cause, amountFen }: RefundPart): RefundStanding | null {
  return state === 'unseen' ? null : { state, cause, amountFen, totalFen: TOTAL_FEN }
}

/** What `settleRefund` writes in the book, and where the money is then. */
function booksOf(
  world: World,
  { inTransit, amountFen }: RefundPart,
  { to, cause }: Extract<RefundVerdict, { kind: 'move' }>,
  { rules }: Trial,
): { transfers: Transfer[]; inTransit: boolean } {
  const amount = fen(amountFen)
  if (cause === 'amount_differs') return { transfers: [], inTransit }
  if (to === 'done' || cause === 'beyond_paid') {
    const source = world.payment.disposition === 'accepted' ? 'returns' : 'suspense'
    const first = inTransit ? [] : rules.postAccepted(PARTIES, amount, 1)
    const last = to === 'done' ? rules.postDone(PARTIES, amount, amount, source) : []
    return { transfers: [...first, ...last], inTransit: to !== 'done' }
  }
  const rule = to === 'failed' ? 'J3' : 'J4'
  const transfers = inTransit ? rules.postReturned(rule, PARTIES, amount, 1) : []
  return { transfers, inTransit: false }
}

/** A notification proves nothing: it is worth a question where what it claims would be news. */
export const notified =
  (claims: RefundStatus, says: RefundStatus): Change =>
  (world, index, trial) => {
    const refund = refundAt(world, index)
    const standing = standingOf(refund)
    const fact = { status: claims, refundFen: fen(refund.amountFen) }
    if (standing === null || !trial.rules.isRefundNews(standing, fact)) return world
    return query(says)(world, index, trial)
  }

export const aDay: Change = (world, index) => {
  const { state, sent, truth, isOld } = refundAt(world, index)
  const matters = (state === 'needs_attention' || state === 'failed') && sent === 'maybe'
  return matters && truth === 'none' && !isOld ? withRefund(world, index, { isOld: true }) : world
}

/** A call that nobody heard of again can still arrive, for a day at most. */
export const late: Change = (world, index) => {
  const { sent, truth, isOld, amountFen } = refundAt(world, index)
  const isUnderWay = sent === 'maybe' && truth === 'none' && !isOld
  return isUnderWay && amountFen <= leftAtChannelFen(world)
    ? withRefund(world, index, { truth: 'processing' })
    : world
}
