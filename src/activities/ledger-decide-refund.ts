import {
  findDecision,
  markDecisionApplied,
  recordOperatorApproval,
  type DecisionRow,
} from '../db/decisions.js'
import { findAccount } from '../db/merchants.js'
import { changeRefund, findRefund } from '../db/refunds.js'
import { judgeDecision, type DecisionOutcome } from '../domain/refund.js'
import type { ActivityDependencies } from './dependencies.js'
import { noSuchRow } from './failures.js'
import { refundProgress } from './ledger-load.js'
import type { RefundProgress } from './progress.js'
import { ENGINE, tellOfRefund, type Actor } from './refund-telling.js'
import { withLockedRefund, type LockedRefund } from './refund-transaction.js'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const OPERATOR_REASON = 'approved in Temporal'

export interface OperatorApproval {
  /** Made by the workflow, so that a repeated activity records one decision. */
  readonly decisionId: string
  readonly reason: string
  readonly runId: string
}

/** Decisions of people, and the deadline, each applied in one transaction under the payment's lock. */
export function createDecisions(dependencies: ActivityDependencies) {
  const { database, clock } = dependencies

  async function decideRefund(refundId: string, decisionId: string): Promise<RefundProgress> {
    // A raw signal can carry anything: only a recorded decision about this refund counts.
    if (!UUID.test(decisionId)) return unmoved(refundId, 'A decision nobody recorded was ignored.')
    return withLockedRefund(database, refundId, async (locked) => {
      const decision = await findDecision(locked.tx, decisionId)
      if (decision?.refundId !== refundId || decision.appliedAt !== null) {
        return refundProgress(locked.refund, clock)
      }
      return apply(locked, decision)
    })
  }

  async function approveByOperator(
    refundId: string,
    approval: OperatorApproval,
  ): Promise<RefundProgress> {
    const reason = typeof approval.reason === 'string' ? approval.reason.trim() : ''
    return withLockedRefund(database, refundId, async (locked) => {
      const id = approval.decisionId
      if ((await findDecision(locked.tx, id)) === undefined) {
        const recorded = { id, refundId, runId: approval.runId, now: clock.now() }
        await recordOperatorApproval(locked.tx, { ...recorded, reason: reason || OPERATOR_REASON })
      }
      const decision = await findDecision(locked.tx, id)
      if (decision === undefined || decision.appliedAt !== null) {
        return refundProgress(locked.refund, clock)
      }
      return apply(locked, decision)
    })
  }

  async function expireRefund(refundId: string): Promise<RefundProgress> {
    return withLockedRefund(database, refundId, async ({ tx, refund }) => {
      if (refund.state !== 'pending') return refundProgress(refund, clock)
      const now = clock.now()
      await changeRefund(tx, refundId, { state: 'expired' }, now)
      await tellOfRefund(tx, refund, 'refund.expired', ENGINE, { state: 'expired' }, now)
      return refundProgress({ ...refund, state: 'expired' }, clock)
    })
  }

  async function apply(locked: LockedRefund, decision: DecisionRow): Promise<RefundProgress> {
    const { tx, refund } = locked
    const now = clock.now()
    const account = await findAccount(tx, refund.accountId)
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
    await changeRefund(tx, refund.id, { state: verdict.to }, now)
    await markDecisionApplied(tx, decision.id, 'applied', now)
    const facts = { state: verdict.to, decisionId: decision.id, reason: decision.reason }
    await tellOfRefund(tx, refund, EVENTS[verdict.to], actorOf(decision), facts, now)
    return refundProgress({ ...refund, state: verdict.to }, clock)
  }

  async function unmoved(refundId: string, note: string): Promise<RefundProgress> {
    const refund = await findRefund(database, refundId)
    if (refund === undefined) throw noSuchRow('refund', refundId)
    return refundProgress(refund, clock, note)
  }

  return { decideRefund, approveByOperator, expireRefund }
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
