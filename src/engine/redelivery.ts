import { markDecisionResent, undeliveredDecisions } from '../db/decisions.js'
import { markFactResent, undeliveredFacts, type UndeliveredFact } from '../db/inbox.js'
import { findPayment } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import { findRefund } from '../db/refunds.js'
import { markResolutionResent, undeliveredResolutions } from '../db/resolutions.js'
import { failPoints } from '../domain/fail-points.js'
import type { RefundSubject } from '../domain/refund.js'
import type { Engine } from './client.js'

const AT = failPoints('redelivery', [
  'paymentFact',
  'refundFact',
  'markFact',
  'decision',
  'markDecision',
  'resolution',
  'markResolution',
])

/** A row that was last signalled this long ago and is still not applied is sent again. */
const PATIENCE_MS = 120_000
const BATCH_MAX = 100

export interface RedeliveryDependencies {
  readonly database: Database
  readonly engine: Pick<Engine, 'paymentFact' | 'refundFact' | 'refundDecision' | 'refundKick'>
  readonly clock: { now(): Date }
  readonly onError: (error: unknown) => void
}

/**
 * Sends again what stands in a row and was never applied: because the engine was away when it was
 * stored, or a worker died with the message. This is what makes "rows first" hold.
 * @returns how many rows were sent again
 */
export function createRedelivery({ database, engine, clock, onError }: RedeliveryDependencies) {
  return async function tick(): Promise<number> {
    const before = new Date(clock.now().getTime() - PATIENCE_MS)
    const facts = await undeliveredFacts(database, before, BATCH_MAX)
    const decisions = await undeliveredDecisions(database, before, BATCH_MAX)
    for (const fact of facts) await resend(fact).catch(onError)
    for (const decision of decisions) await redecide(decision).catch(onError)
    const resolutions = await undeliveredResolutions(database, before, BATCH_MAX)
    for (const resolution of resolutions) await resolve(resolution).catch(onError)
    return facts.length + decisions.length + resolutions.length
  }

  async function resend({ id, kind, subjectId }: UndeliveredFact): Promise<void> {
    if (kind === 'payment') {
      const payment = await findPayment(database, subjectId)
      if (payment !== undefined) await AT.paymentFact(() => engine.paymentFact(payment, id))
    } else {
      const refund = await subjectOf(subjectId)
      if (refund !== undefined) await AT.refundFact(() => engine.refundFact(refund, id))
    }
    await AT.markFact(() => markFactResent(database, id, clock.now()))
  }

  async function redecide({ id, refundId }: { id: string; refundId: string }): Promise<void> {
    const refund = await subjectOf(refundId)
    if (refund !== undefined) await AT.decision(() => engine.refundDecision(refund, id))
    await AT.markDecision(() => markDecisionResent(database, id, clock.now()))
  }

  async function resolve({ id, refundId }: { id: string; refundId: string }): Promise<void> {
    const refund = await subjectOf(refundId)
    if (refund !== undefined) await AT.resolution(() => engine.refundKick(refund, id))
    await AT.markResolution(() => markResolutionResent(database, id, clock.now()))
  }

  async function subjectOf(refundId: string): Promise<RefundSubject | undefined> {
    const refund = await findRefund(database, refundId)
    const payment = refund && (await findPayment(database, refund.paymentId))
    return refund && payment && { ...refund, outTradeNo: payment.outTradeNo }
  }
}
