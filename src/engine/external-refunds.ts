import { claimExternalNotices, type ExternalNotice } from '../db/external-notices.js'
import { bookExternalRefund, type ExternalRefundOutcome } from '../db/external-refunds.js'
import { markFactsApplied, markFactsSignalled } from '../db/inbox.js'
import { findPaymentByNumber, type PaymentRow } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import { storeQueriedRefund } from '../db/refund-facts.js'
import { findRefund } from '../db/refunds.js'
import { inTransaction } from '../db/transaction.js'
import type { Channel, RefundFact } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import { isRefundNews } from '../domain/refund.js'
import type { Engine } from './client.js'

const AT = failPoints('externalRefunds', [
  'queryRefund',
  'book',
  'store',
  'signal',
  'mark',
  'resume',
  'apply',
])

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
 * is not signed, and a query of the order shows only that there are some: the channel is asked, and
 * only its answer is booked. What is on its way then gets a workflow like any other refund.
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
    const refunds = await AT.queryRefund(() => ask(channel, payment, notice))
    // What the channel does not say yet is asked for again, later each time.
    if (refunds === undefined) return
    const outcomes = new Set<ExternalRefundOutcome['outcome']>()
    for (const fact of refunds) {
      const booked = await book(payment, fact)
      if (booked.outcome === 'payment_not_paid') return
      if (booked.outcome === 'booked' || booked.outcome === 'known') {
        await goOn(booked.refundId, payment, fact)
      }
      outcomes.add(booked.outcome)
    }
    const outcome = [...outcomes].toSorted().join(' ') || 'nothing_shown'
    await AT.apply(() =>
      inTransaction(database, (tx) => markFactsApplied(tx, [id], outcome, clock.now())),
    )
  }

  async function book(payment: PaymentRow, fact: RefundFact): Promise<ExternalRefundOutcome> {
    return AT.book(() =>
      inTransaction(database, (tx) =>
        bookExternalRefund(tx, { paymentId: payment.id, fact, now: clock.now() }),
      ),
    )
  }

  /** A refund that is not over has a workflow, which is told what the channel said of it. */
  async function goOn(refundId: string, payment: PaymentRow, fact: RefundFact): Promise<void> {
    const refund = await findRefund(database, refundId)
    if (refund === undefined) return
    const subject = { ...refund, outTradeNo: payment.outTradeNo }
    if (isRefundNews(refund, fact)) {
      const stored = await AT.store(() => storeQueriedRefund(database, refund, fact, clock.now()))
      await AT.signal(() => engine.refundFact(subject, stored.id))
      await AT.mark(() => markFactsSignalled(database, [stored.id], clock.now()))
    } else if (refund.state === 'refunding') {
      await AT.resume(() => engine.resumeRefund(subject))
    }
  }
}

/** What the channel says of the refund in question, or of all that the order has. */
async function ask(
  channel: Channel,
  { appId, outTradeNo }: PaymentRow,
  notice: ExternalNotice['fact'],
): Promise<readonly RefundFact[] | undefined> {
  const signal = AbortSignal.timeout(QUERY_TIMEOUT_MS)
  const options = { urgency: 'background', signal } as const
  if (notice.kind === 'refunds_shown') {
    const listed = await channel.listRefunds({ appId, outTradeNo }, options)
    return listed.kind === 'refunds' ? listed.refunds : undefined
  }
  const { outRefundNo } = notice
  const fact = await channel.queryRefund({ appId, outTradeNo, outRefundNo }, options)
  return fact.kind === 'refund' ? [fact] : undefined
}
