import { findDecision, recordOperatorApproval } from '../db/decisions.js'
import { findAccount } from '../db/merchants.js'
import { findRefund } from '../db/refunds.js'
import { failPoints } from '../domain/fail-points.js'
import { isUuid } from '../domain/ids.js'
import { applyDecision } from './apply-decision.js'
import type { ActivityDependencies } from './dependencies.js'
import { noSuchRow } from './failures.js'
import { refundProgress } from './ledger-load.js'
import type { RefundProgress } from './progress.js'
import { passRefundDeadline } from './refund-deadline.js'
import { withLockedRefund } from './refund-transaction.js'

const AT = failPoints('refundDecisions', ['decide', 'approve', 'expire'])

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
    expireRefund: (refundId: string) => AT.expire(() => passRefundDeadline(dependencies, refundId)),
  }
}

async function decideRefund(
  { database, clock }: ActivityDependencies,
  refundId: string,
  decisionId: string,
): Promise<RefundProgress> {
  // A raw signal can carry anything: only a recorded decision about this refund counts.
  if (typeof decisionId !== 'string' || !isUuid(decisionId)) {
    const refund = await findRefund(database, refundId)
    if (refund === undefined) throw noSuchRow('refund', refundId)
    return refundProgress(refund, clock, 'A decision nobody recorded was ignored.')
  }
  return AT.decide(() =>
    withLockedRefund(database, refundId, async (locked) => {
      const [decision, account] = await Promise.all([
        findDecision(locked.tx, decisionId),
        findAccount(locked.tx, locked.refund.accountId),
      ])
      return decision?.refundId === refundId
        ? applyDecision(locked, decision, account, clock)
        : refundProgress(locked.refund, clock)
    }),
  )
}

async function approveByOperator(
  { database, clock }: ActivityDependencies,
  refundId: string,
  approval: OperatorApproval,
): Promise<RefundProgress> {
  const { reason: typed } = approval
  // The database has no such character, and a refund must not stop at a text that was typed.
  const reason = typeof typed === 'string' ? typed.replaceAll('\0', '').trim() : ''
  const { decisionId: id, runId } = approval
  return AT.approve(() =>
    withLockedRefund(database, refundId, async (locked) => {
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
        : applyDecision(locked, decision, account, clock)
    }),
  )
}
