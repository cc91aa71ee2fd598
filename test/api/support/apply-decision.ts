import { findDecision, markDecisionApplied } from '../../../src/db/decisions.js'
import { lockPayment } from '../../../src/db/payments.js'
import type { Database } from '../../../src/db/pool.js'
import { changeRefund, findRefund, lockRefund } from '../../../src/db/refunds.js'
import { inTransaction } from '../../../src/db/transaction.js'
import { judgeDecision } from '../../../src/domain/refund.js'

/** Applies a decision as the worker's local activity does: locks, judges, moves, marks. */
export async function applyDecision(worker: Database, decisionId: string): Promise<void> {
  const decision = await findDecision(worker, decisionId)
  const refund = decision && (await findRefund(worker, decision.refundId))
  if (decision === undefined || refund === undefined) throw new Error('There is no such row.')
  const now = new Date()
  await inTransaction(worker, async (tx) => {
    await lockPayment(tx, refund.paymentId)
    const locked = await lockRefund(tx, refund.id)
    if (locked === undefined) throw new Error('There is no such refund.')
    const { principalKind: kind, principalId, actingUser, verb } = decision
    const principal = { kind, id: principalId, actingUser }
    const verdict = judgeDecision(locked, verb, principal, { operatorLimitFen: 0 })
    if (verdict.outcome === 'applied') await changeRefund(tx, refund.id, { state: verdict.to }, now)
    await markDecisionApplied(tx, decisionId, verdict.outcome, now)
  })
}
