import { findPayment } from '../db/payments.js'
import { hasQueriedFact, storeQueriedRefund } from '../db/refund-facts.js'
import { findRefund } from '../db/refunds.js'
import { isRefundSent } from '../domain/states.js'
import { callChannel } from './channel-call.js'
import type { ActivityDependencies } from './dependencies.js'
import { askAgain, noSuchRow } from './failures.js'
import { createSettleRefund } from './ledger-settle-refund.js'
import type { RefundProgress } from './progress.js'
import { queryRefund } from './wechat-refund-at-channel.js'

/**
 * Confirms a notified refund: one question to the channel, then the settling. Run as a quick try;
 * when the channel does not answer, or not so, it fails and the long question goes on.
 */
export function createConfirmRefund(dependencies: ActivityDependencies) {
  const settleRefund = createSettleRefund(dependencies)
  return async function confirmRefund(refundId: string): Promise<RefundProgress> {
    const refund = await findRefund(dependencies.database, refundId)
    if (refund === undefined) throw noSuchRow('refund', refundId)
    if (!isRefundSent(refund.state)) return settleRefund(refundId)
    // The loop has asked already: its answer stands in the inbox and is the channel's own word.
    if (await hasQueriedFact(dependencies.database, refundId)) return settleRefund(refundId)
    const payment = await findPayment(dependencies.database, refund.paymentId)
    if (payment === undefined) throw noSuchRow('payment', refund.paymentId)
    const { channel } = await dependencies.openAccount(refund.accountId)
    const outcome = await callChannel((signal) => queryRefund(channel, payment, refund, signal))
    if (outcome.kind !== 'refund' || outcome.status === 'processing') {
      throw askAgain('NOT_CONFIRMED', 'The channel does not say what the notification said.', 1_000)
    }
    await storeQueriedRefund(dependencies.database, refund, outcome, dependencies.clock.now())
    return settleRefund(refundId)
  }
}
