import { hasQueriedFact, storeQueriedRefund } from '../db/refund-facts.js'
import { findRefund } from '../db/refunds.js'
import { failPoints } from '../domain/fail-points.js'
import { isRefundSent } from '../domain/states.js'
import type { ActivityDependencies } from './dependencies.js'
import { askAgain, noSuchRow } from './failures.js'
import { settleRefundFacts } from './ledger-settle-refund.js'
import type { RefundProgress } from './progress.js'
import { askAboutRefund } from './refund-question.js'

const AT = failPoints('confirmRefund', ['store'])

/**
 * Confirms a notified refund: one question to the channel, then the settling. Run as a quick try;
 * when the channel does not answer, or not so, it fails and the long question goes on.
 */
export function createConfirmRefund(dependencies: ActivityDependencies) {
  const { database, clock, openAccount } = dependencies
  return async function confirmRefund(refundId: string): Promise<RefundProgress> {
    const refund = await findRefund(database, refundId)
    if (refund === undefined) throw noSuchRow('refund', refundId)
    // The loop has asked already: its answer stands in the inbox and is the channel's own word.
    const isKnown = !isRefundSent(refund.state) || (await hasQueriedFact(database, refundId))
    if (isKnown) return settleRefundFacts(dependencies, refundId)
    const { channel } = await openAccount(refund.accountId)
    const outcome = await askAboutRefund(database, channel, refund)
    if (outcome.kind !== 'refund' || outcome.status === 'processing') {
      throw askAgain('NOT_CONFIRMED', 'The channel does not say what the notification said.', 1_000)
    }
    const stored = await AT.store(() => storeQueriedRefund(database, refund, outcome, clock.now()))
    // What was applied before is confirmed once more, and with it what the notification said.
    return settleRefundFacts(dependencies, refundId, { isConfirmed: stored.applied })
  }
}
