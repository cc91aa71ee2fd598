import {
  findDecision,
  markDecisionApplied,
  recordOperatorApproval,
  type DecisionRow,
} from '../db/decisions.js'
import { findAccount, type AccountRow } from '../db/merchants.js'
import { changeRefund, findRefund } from '../db/refunds.js'
import { judgeDecision, type DecisionOutcome } from '../domain/refund.js'
import type { ActivityDependencies, Clock } from './dependencies.js'
import { noSuchRow } from './failures.js'
import { refundProgress } from './ledger-load.js'
import type { RefundProgress } from './progress.js'
import type { Actor } from '../ledger/record.js'
import { ENGINE, recordOfRefund } from './refund-record.js'
import { withLockedRefund, type LockedRefund } from './refund-transaction.js'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const isId = (value: unknown): boolean => typeof value === 'string' && UUID.test(value)
const OPERATOR_REASON = 'approved in Temporal'

export interface OperatorApproval {
  /** Made by the workflow, so that a repeated activity records one decision. */
  readonly decisionId: string
  readonly reason: string
  readonly runId: string
}

/**
 * Decisions of people, and the deadline, each applied in one transaction under the payment's lock.
 */
export function createDecisions(dependencies: ActivityDependencies) {
  return {
    decideRefund: (refundId: string, decisionId: string) =>
      decideRefund(dependencies, refundId, decisionId),
    approveByOperator: (refundId: string, approval: OperatorApproval) =>
      approveByOperator(dependencies, refundId, approval),
    expireRefund: (refundId: string) => expireRefund(dependencies, refundId),
  }
}

async function decideRefund(
  { database, clock }: ActivityDependencies,
  refundId: string,
  decisionId: string,
): Promise<RefundProgress> {
  // A raw signal can carry anything: only a recorded decision about this refund counts.
  if (!isId(decisionId)) {
    const refund = await findRefund(database, refundId)
    if (refund === undefined) throw noSuchRow('refund', refundId)
    return refundProgress(refund, clock, 'A decision nobody recorded was ignored.')
  }
  return withLockedRefund(database, refundId, async (locked) => {
    const [decision, account] = await Promise.all([
      findDecision(locked.tx, decisionId),
      findAccount(locked.tx, locked.refund.accountId),
    ])
    return decision?.refundId === refundId
      ? apply(locked, decision, account, clock)
      : refundProgress(locked.refund, clock)
  })
}

async function approveByOperator(
  { database, clock }: ActivityDependencies,
  refundId: string,
  approval: OperatorApproval,
): Promise<RefundProgress> {
  const reason = typeof approval.reason === 'string' ? approval.reason.trim() : ''
  const { decisionId: id, runId } = approval
  return withLockedRefund(database, refundId, async (locked) => {
    if ((await findDecision(locked.tx, id)) === undefined) {
      const recorded = { id, refundId, runId, now: clock.now() }
      await recordOperatorApproval(locked.tx, { ...recorded, reason: reason || OPERATOR_REASON })
    }
    const [decision, account] = await Promise.all([
      findDecision(locked.tx, id),
      findAccount(locked.tx, locked.refund.accountId),
    ])
    return decision === undefined
      ? refundProgress(locked.refund, clock)
      : apply(locked, decision, account, clock)
  })
}

async function expireRefund(
  { database, clock }: ActivityDependencies,
  refundId: string,
): Promise<RefundProgress> {
  return withLockedRefund(database, refundId, async ({ tx, refund }) => {
    if (refund.state !== 'pending') return refundProgress(refund, clock)
    const now = clock.now()
    const facts = { state: 'expired' } as const
    await Promise.all([
      changeRefund(tx, refundId, facts, now),
      recordOfRefund(tx, refund, { type: 'refund.expired', actor: ENGINE, facts, now }),
    ])
    return refundProgress({ ...refund, state: 'expired' }, clock)
  })
}

/** Moves the refund by a decision, or writes down why it does not; once for each decision. */
async function apply(
  { tx, refund }: LockedRefund,
  decision: DecisionRow,
  account: AccountRow | undefined,
  clock: Clock,
): Promise<RefundProgress> {
  if (decision.appliedAt !== null) return refundProgress(refund, clock)
  const now = clock.now()
  const principal = {
    kind: decision.principalKind,
    id: decision.principalId,
    actingUser: decision.actingUser,
  }
  const limitFen = account?.operatorLimitFen ?? 0
  const verdict = judgeDecision(refund, decision.verb, principal, limitFen)
  if (verdict.outcome !== 'applied') {
    await markDecisionApplied(tx, decision.id, verdict.outcome, now)
    return refundProgress(refund, clock, REFUSALS[verdict.outcome])
  }
  await Promise.all([
    changeRefund(tx, refund.id, { state: verdict.to }, now),
    markDecisionApplied(tx, decision.id, 'applied', now),
    recordOfRefund(tx, refund, {
      type: EVENTS[verdict.to],
      actor: actorOf(decision),
      facts: { state: verdict.to, decisionId: decision.id, reason: decision.reason },
      now,
    }),
  ])
  return refundProgress({ ...refund, state: verdict.to }, clock)
}

const REFUSALS: Readonly<Record<Exclude<DecisionOutcome, 'applied'>, string>> = {
  same_principal: 'Refused: who asked for a refund may not approve it.',
  over_operator_limit:
    'Refused: an approval typed into Temporal may not release this much. Approve through the API.',
  already_decided: 'A decision came too late: this refund was decided before.',
}

const EVENTS = {
  approved: 'refund.approved',
  rejected: 'refund.rejected',
  cancelled: 'refund.cancelled',
} as const

const actorOf = (decision: DecisionRow): Actor => ({
  actorKind: decision.principalKind,
  actorId: decision.principalId,
  actingUser: decision.actingUser,
})
