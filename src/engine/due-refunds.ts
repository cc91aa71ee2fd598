import {
  askRefundAt,
  claimReleasedRefunds,
  claimSlowRefunds,
  type DueRefund,
} from '../db/due-refunds.js'
import { markFactsSignalled } from '../db/inbox.js'
import { findPayment } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import { storeQueriedRefund } from '../db/refund-facts.js'
import { findRefund } from '../db/refunds.js'
import type { Channel } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import { isRefundNews } from '../domain/refund.js'
import { refundQueryWaitMs, scaledMs } from '../domain/waits.js'
import type { Engine } from './client.js'

const AT = failPoints('dueRefunds', ['kick', 'queryRefund', 'askLater', 'store', 'signal', 'mark'])

const BATCH_MAX = 50
/** How long a claimed question, or a workflow that was woken, may take before it is done again. */
const CLAIM_SECONDS = 90
const QUERY_TIMEOUT_MS = 60_000

export interface DueRefundsDependencies {
  readonly database: Database
  readonly engine: Pick<Engine, 'refundFact' | 'refundKick'>
  readonly clock: { now(): Date }
  readonly openAccount: (
    accountId: string,
  ) => Promise<{ account: { timeScale: number }; channel: Channel }>
  readonly onError: (error: unknown) => void
}

/**
 * Asks the channel for refunds that take longer than an hour, which costs no history events, and
 * wakes refunds whose hold is over, oldest first and one after the other.
 * @returns how many refunds were asked for or woken
 */
export function createDueRefunds(dependencies: DueRefundsDependencies) {
  const { database, engine, clock, openAccount, onError } = dependencies

  return async function tick(): Promise<number> {
    const released = await claimReleasedRefunds(database, clock.now(), CLAIM_SECONDS, BATCH_MAX)
    for (const refund of released) await AT.kick(() => engine.refundKick(refund)).catch(onError)
    const slow = await claimSlowRefunds(database, clock.now(), CLAIM_SECONDS, BATCH_MAX)
    await Promise.all(slow.map((refund) => ask(refund).catch(onError)))
    return released.length + slow.length
  }

  async function ask(due: DueRefund): Promise<void> {
    const [refund, payment] = await Promise.all([
      findRefund(database, due.id),
      findPayment(database, due.paymentId),
    ])
    if (refund === undefined || payment === undefined) return
    const { account, channel } = await openAccount(refund.accountId)
    const { appId, outTradeNo } = payment
    const outcome = await AT.queryRefund(() =>
      channel.queryRefund(
        { appId, outTradeNo, outRefundNo: refund.outRefundNo },
        { urgency: 'background', signal: AbortSignal.timeout(QUERY_TIMEOUT_MS) },
      ),
    )
    const waitMs = scaledMs(refundQueryWaitMs(refund.queryCount + 1), account.timeScale)
    // Set before the fact is told: settling takes the question away again.
    const dueAt = new Date(clock.now().getTime() + waitMs)
    await AT.askLater(() => askRefundAt(database, refund.id, dueAt))
    if (outcome.kind !== 'refund' || !isRefundNews(refund, outcome)) return
    const stored = await AT.store(() => storeQueriedRefund(database, refund, outcome, clock.now()))
    if (stored.applied) return
    await AT.signal(() => engine.refundFact(due, stored.id))
    await AT.mark(() => markFactsSignalled(database, [stored.id], clock.now()))
  }
}
