import { markFactsApplied, unappliedFacts, type UnappliedFact } from '../db/inbox.js'
import type { EventType } from '../db/outbox.js'
import { changeRefund, type RefundRow } from '../db/refunds.js'
import type { RefundFact } from '../domain/channel.js'
import { fen, type Fen } from '../domain/money.js'
import { judgeRefundStatus } from '../domain/refund.js'
import { isRefundOver } from '../domain/states.js'
import { postAccepted, postDone, postReturned, type Transfer } from '../ledger/postings.js'
import type { ActivityDependencies } from './dependencies.js'
import { refundProgress } from './ledger-load.js'
import type { RefundProgress } from './progress.js'
import { channelActor, recordOfRefund } from './refund-record.js'
import { withLockedRefund, type LockedRefund } from './refund-transaction.js'

/**
 * Applies what queries said of a refund, in one transaction: state, book entries, event and marks.
 * A notification is not signed in V2, so it never moves anything by itself: its row is marked when
 * a query's answer is applied, or when the refund is over.
 */
export function createSettleRefund({ database, clock }: ActivityDependencies) {
  return async function settleRefund(refundId: string): Promise<RefundProgress> {
    return withLockedRefund(database, refundId, async (locked) => {
      const facts = await unappliedFacts(locked.tx, refundId)
      let { refund } = locked
      for (const { fact } of facts.filter(({ source }) => source === 'query')) {
        refund = await applyStatus({ ...locked, refund }, fact as RefundFact, clock.now())
      }
      await markKnown(locked, refund, facts, clock.now())
      return refundProgress(refund, clock)
    })
  }
}

async function markKnown(
  { tx }: LockedRefund,
  refund: RefundRow,
  facts: readonly UnappliedFact[],
  now: Date,
): Promise<void> {
  const asked = facts.some(({ source }) => source === 'query')
  const ids = facts
    .filter(({ source }) => source === 'query' || asked || isRefundOver(refund.state))
    .map(({ id }) => id)
  if (ids.length > 0) await markFactsApplied(tx, ids, refund.state, now)
}

/** Moves a refund by one status of the channel and answers the refund as it is then. */
async function applyStatus(locked: LockedRefund, fact: RefundFact, now: Date): Promise<RefundRow> {
  const { tx, refund } = locked
  const verdict = judgeRefundStatus(refund.state, fact.status)
  if (verdict.kind === 'stay') return refund
  const settlementFen = settlementOf(refund, fact)
  const entry = transfersOf(locked, verdict.to, settlementFen)
  const change = {
    state: verdict.to,
    cause: verdict.to === 'needs_attention' ? ('abnormal' as const) : null,
    settlementFen,
    transitRound: entry.round,
    inTransit: false,
    // What the loop asked for is known; a workflow that goes on asking says so again.
    dueAt: null,
    ...(refund.refundId === null ? { refundId: fact.refundId } : {}),
    ...(verdict.to === 'done' ? { doneAt: fact.successAt ? new Date(fact.successAt) : now } : {}),
  }
  await Promise.all([
    changeRefund(tx, refund.id, change, now),
    recordOfRefund(tx, refund, {
      type: EVENTS[verdict.to],
      actor: channelActor(refund.mchId),
      facts: { state: verdict.to, cause: change.cause, refundAtChannel: fact.refundId },
      transfers: entry.transfers,
      occurredAt: change.doneAt ?? now,
      now,
    }),
  ])
  return { ...refund, ...change }
}

const EVENTS = {
  done: 'refund.done',
  failed: 'refund.failed',
  needs_attention: 'refund.needs_attention',
} as const satisfies Record<string, EventType>

/** What the channel takes from the merchant for this refund; never more than the refund itself. */
function settlementOf(refund: RefundRow, fact: RefundFact): Fen {
  return fen(Math.min(refund.settlementFen ?? fact.settlementFen, refund.amountFen))
}

/**
 * J2 behind a J1 (posted now if acceptance was never seen); J3 or J4 only takes back a J1. Money
 * that was not accepted was never a sale, so it leaves from suspense.
 */
function transfersOf(
  { payment, refund }: LockedRefund,
  to: 'done' | 'failed' | 'needs_attention',
  settlementFen: Fen,
): { transfers: Transfer[]; round: number } {
  const round = refund.transitRound
  if (to === 'done') {
    const source = payment.disposition === 'accepted' ? 'returns' : 'suspense'
    const accepted = refund.inTransit ? [] : postAccepted(refund, settlementFen, round + 1)
    const done = postDone(refund, fen(refund.amountFen), settlementFen, source)
    return { transfers: [...accepted, ...done], round: refund.inTransit ? round : round + 1 }
  }
  if (!refund.inTransit) return { transfers: [], round }
  const rule = to === 'failed' ? 'J3' : 'J4'
  return { transfers: postReturned(rule, refund, settlementFen, round), round }
}
