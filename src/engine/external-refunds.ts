import { claimExternalNotices, type ExternalNotice } from '../db/external-notices.js'
import { bookExternalRefund, type ExternalRefundOutcome } from '../db/external-refunds.js'
import { markFactsApplied, markFactsSignalled } from '../db/inbox.js'
import { findPaymentByNumber, type PaymentRow } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import { storeQueriedRefund } from '../db/refund-facts.js'
import { findRefund } from '../db/refunds.js'
import { inTransaction } from '../db/transaction.js'
import type { Channel, RefundFact } from '../domain/channel.js'
import { isRefundNews } from '../domain/refund.js'
import type { Engine } from './client.js'

const BATCH_MAX = 20
const QUERY_TIMEOUT_MS = 60_000

export interface ExternalRefundsDependencies {
  readonly database: Database
  readonly engine: Pick<Engine, 'refundFact' | 'resumeRefund'>
  readonly clock: { now(): Date }
  readonly openAccount: (accountId: string) => Promise<{ channel: Channel }>
  readonly onError: (error: unknown) => void
}

/**
 * Books refunds that somebody made in the channel's own portal. A notification tells of them, but
 * is not signed: the channel is asked, and only its answer is booked. What is on its way then gets
 * a workflow like any other refund.
 * @returns how many notices were looked at
 */
export function createExternalRefunds(dependencies: ExternalRefundsDependencies) {
  const { database, engine, clock, openAccount, onError } = dependencies

  return async function tick(): Promise<number> {
    const notices = await claimExternalNotices(database, clock.now(), BATCH_MAX)
    for (const notice of notices) await look(notice).catch(onError)
    return notices.length
  }

  async function look({ id, accountId, fact: notice }: ExternalNotice): Promise<void> {
    const payment = await findPaymentByNumber(database, accountId, notice.outTradeNo)
    if (payment === undefined) return
    const { channel } = await openAccount(accountId)
    const { appId, outTradeNo } = payment
    const fact = await channel.queryRefund(
      { appId, outTradeNo, outRefundNo: notice.outRefundNo },
      { urgency: 'background', signal: AbortSignal.timeout(QUERY_TIMEOUT_MS) },
    )
    // What the channel does not say yet is asked for again, later each time.
    if (fact.kind !== 'refund') return
    const booked = await book(payment, fact)
    if (booked.outcome === 'payment_not_paid') return
    if (booked.outcome === 'booked' || booked.outcome === 'known') {
      await goOn(booked.refundId, payment, fact)
    }
    await inTransaction(database, (tx) => markFactsApplied(tx, [id], booked.outcome, clock.now()))
  }

  async function book(payment: PaymentRow, fact: RefundFact): Promise<ExternalRefundOutcome> {
    return inTransaction(database, (tx) =>
      bookExternalRefund(tx, { paymentId: payment.id, fact, now: clock.now() }),
    )
  }

  /** A refund that is not over has a workflow, which is told what the channel said of it. */
  async function goOn(refundId: string, payment: PaymentRow, fact: RefundFact): Promise<void> {
    const refund = await findRefund(database, refundId)
    if (refund === undefined) return
    const subject = { ...refund, outTradeNo: payment.outTradeNo }
    if (isRefundNews(refund.state, fact.status)) {
      const stored = await storeQueriedRefund(database, refund, fact, clock.now())
      await engine.refundFact(subject, stored.id)
      await markFactsSignalled(database, [stored.id], clock.now())
    } else if (refund.state === 'refunding') {
      await engine.resumeRefund(subject)
    }
  }
}
