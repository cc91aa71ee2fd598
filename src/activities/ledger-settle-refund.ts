import { markFactsApplied, unappliedFacts, type UnappliedFact } from '../db/inbox.js'
import type { EventType } from '../db/outbox.js'
import { changeRefund, type RefundRow } from '../db/refunds.js'
import type { RefundFact } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import { fen, type Fen } from '../domain/money.js'
import { isAfterEnd, isFactCause, judgeRefundInBook, type RefundVerdict } from '../domain/refund.js'
import { isRefundOver } from '../domain/states.js'
import { postAccepted, postDone, postReturned, type Transfer } from '../ledger/postings.js'
import type { ActivityDependencies } from './dependencies.js'
import { refundProgress } from './ledger-load.js'
import type { RefundProgress } from './progress.js'
import { CASE_OF, channelActor, openRefundCase, recordOfRefund } from './refund-record.js'
import { withLockedRefund, type LockedRefund } from './refund-transaction.js'

const AT = failPoints('settleRefund', ['transaction'])

/**
 * Applies what queries said of a refund, in one transaction: state, book entries, event and marks.
 * A notification is not signed in V2, so it never moves anything by itself: its row is marked when
 * a query's answer is applied, or when the refund is over.
 */
export function createSettleRefund(dependencies: ActivityDependencies) {
  return async function settleRefund(refundId: string): Promise<RefundProgress> {
    return settleRefundFacts(dependencies, refundId)
  }
}

/** Settles; `isConfirmed` when the channel has just said what it said, and was applied, before. */
export async function settleRefundFacts(
  { database, clock }: Pick<ActivityDependencies, 'database' | 'clock'>,
  refundId: string,
  { isConfirmed = false }: { readonly isConfirmed?: boolean } = {},
): Promise<RefundProgress> {
  return AT.transaction(() =>
    withLockedRefund(database, refundId, async (locked) => {
      const facts = await unappliedFacts(locked.tx, refundId)
      const said = facts.filter(({ source }) => source === 'query')
      let { refund } = locked
      await tellAfterEnd(locked, facts, clock.now())
      for (const { fact } of said) {
        refund = await applyFact({ ...locked, refund }, fact as RefundFact, clock.now())
      }
      const isAnswered = isConfirmed || said.length > 0 || isRefundOver(refund.state)
      const known = isAnswered ? facts.map(({ id }) => id) : []
      if (known.length > 0) await markFactsApplied(locked.tx, known, refund.state, clock.now())
      return refundProgress(refund, clock)
    }),
  )
}

/** A refund that had ended moves no more, but the channel's word about it is told to a person. */
async function tellAfterEnd(
  { tx, refund }: LockedRefund,
  facts: readonly UnappliedFact[],
  now: Date,
): Promise<void> {
  const told = facts.map(({ fact }) => fact as RefundFact)
  const late = told.find(({ status }) => isAfterEnd(refund.state, status))
  if (late === undefined) return
  await openRefundCase(tx, refund, 'refund_after_end', { shown: shownOf(late), now })
}

type Move = Extract<RefundVerdict, { kind: 'move' }>

/** Moves a refund by one answer of the channel and tells the refund as it is then. */
async function applyFact(locked: LockedRefund, fact: RefundFact, now: Date): Promise<RefundRow> {
  const { tx, payment, refund } = locked
  const move = judgeRefundInBook(refund, fact, payment)
  if (move.kind === 'stay') return refund
  const { transfers, ...books } = booksOf(locked, move, fact)
  const { to: state, cause } = move
  const change = {
    state,
    cause,
    ...books,
    // What the loop asked for is known; a workflow that goes on asking says so again.
    dueAt: null,
    ...(refund.refundId === null ? { refundId: fact.refundId } : {}),
    ...(isFactCause(cause) ? { acceptedAt: refund.acceptedAt ?? now } : {}),
    ...(state === 'done' ? { doneAt: fact.successAt ? new Date(fact.successAt) : now } : {}),
  }
  await Promise.all([
    changeRefund(tx, refund.id, change, now),
    recordOfRefund(tx, refund, {
      type: EVENTS[state],
      actor: channelActor(refund.mchId),
      facts: { state, cause, refundAtChannel: fact.refundId },
      transfers,
      occurredAt: change.doneAt ?? now,
      now,
    }),
    ...(isFactCause(cause)
      ? [openRefundCase(tx, refund, CASE_OF[cause], { shown: shownOf(fact), now })]
      : []),
  ])
  return { ...refund, ...change }
}

/** What a person has to know of the channel's answer; `total` only where that told it. */
const shownOf = ({ status, refundId, refundFen, totalFen }: RefundFact): object => ({
  refundAtChannel: refundId,
  status,
  refundFen,
  totalFen,
})

const EVENTS = {
  done: 'refund.done',
  failed: 'refund.failed',
  needs_attention: 'refund.needs_attention',
} as const satisfies Record<string, EventType>

/** What a move of a refund writes in the book, and where its money is then. */
interface Books {
  readonly transfers: Transfer[]
  readonly settlementFen?: Fen
  readonly transitRound: number
  readonly inTransit: boolean
}

/**
 * J2 behind a J1 (posted now if acceptance was never seen); J3 or J4 only takes back a J1. What the
 * channel gave back beyond what was paid left it all the same, so it stays in transit; and what it
 * shows with other amounts is not booked at all.
 */
function booksOf(locked: LockedRefund, { to, cause }: Move, fact: RefundFact): Books {
  const { refund } = locked
  const { transitRound, inTransit } = refund
  if (cause === 'amount_differs') return { transfers: [], transitRound, inTransit }
  const settlementFen = settlementOf(refund, fact)
  if (to === 'done' || cause === 'beyond_paid') {
    const round = inTransit ? transitRound : transitRound + 1
    const accepted = inTransit ? [] : postAccepted(refund, settlementFen, round)
    const transfers = to === 'done' ? [...accepted, ...doneOf(locked, settlementFen)] : accepted
    return { transfers, settlementFen, transitRound: round, inTransit: to !== 'done' }
  }
  const rule = to === 'failed' ? 'J3' : 'J4'
  const transfers = inTransit ? postReturned(rule, refund, settlementFen, transitRound) : []
  return { transfers, settlementFen, transitRound, inTransit: false }
}

/** Money that was not accepted was never a sale, so it leaves from suspense. */
function doneOf({ payment, refund }: LockedRefund, settlementFen: Fen): Transfer[] {
  const source = payment.disposition === 'accepted' ? 'returns' : 'suspense'
  return postDone(refund, fen(refund.amountFen), settlementFen, source)
}

/** What the channel takes from the merchant for this refund; never more than the refund itself. */
function settlementOf(refund: RefundRow, fact: RefundFact): Fen {
  return fen(Math.min(refund.settlementFen ?? fact.settlementFen, refund.amountFen))
}
