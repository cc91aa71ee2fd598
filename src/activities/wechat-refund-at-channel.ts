import { findPayment, type PaymentRow } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import { storeQueriedRefund } from '../db/refund-facts.js'
import { findRefund, type RefundRow } from '../db/refunds.js'
import type { Channel, ChannelReason, RefundOutcome, SubmitRefund } from '../domain/channel.js'
import { fen } from '../domain/money.js'
import { isRefundNews } from '../domain/refund.js'
import type { HoldReason } from '../domain/states.js'
import { callChannel } from './channel-call.js'
import type { ActivityDependencies, OpenAccount } from './dependencies.js'
import { askAgain, noSuchRow } from './failures.js'
import { recordSubmitAnswer, recordUndecided, type Next } from './refund-answers.js'
import { claimStep, type RefundStep } from './refund-step.js'
import { withLockedRefund, type LockedRefund } from './refund-transaction.js'

/**
 * Gives a refund back and asks until the channel says how it ended: each attempt makes one external
 * call chosen by the row. The Temporal UI shows attempt, last answer and next try, and retries cost
 * no events. It returns when a fact is stored, or when the row needs no call any more.
 */
export function createRefundAtChannel(dependencies: ActivityDependencies) {
  const { database, clock, openAccount } = dependencies

  return async function refundAtChannel(refundId: string): Promise<'slow' | undefined> {
    const refund = await findRefund(database, refundId)
    if (refund === undefined) throw noSuchRow('refund', refundId)
    const open = await openAccount(refund.accountId)
    const step = await locked(refundId, open, (context) => claimStep(context))
    const next = await take(step, refund, open)
    if (next.failure !== null) throw next.failure
    return next.isSlow === true ? 'slow' : undefined
  }

  async function take(step: RefundStep, refund: RefundRow, open: OpenAccount): Promise<Next> {
    switch (step.kind) {
      case 'nothing':
        return { failure: null }
      case 'wait':
        return { failure: askAgain(...WAITS[step.why], step.waitMs) }
      case 'submit':
        return submit(refund, open)
      case 'query':
        return query(refund, open)
    }
  }

  async function submit(refund: RefundRow, open: OpenAccount): Promise<Next> {
    const payment = await paymentOf(database, refund)
    const request = submitRequest(payment, refund, open, dependencies.notifyBaseUrl)
    const outcome = await callChannel((signal) =>
      open.channel.submitRefund(request, { signal, urgency: 'background' }),
    )
    return locked(refund.id, open, (context) => recordSubmitAnswer(context, outcome))
  }

  async function query(refund: RefundRow, open: OpenAccount): Promise<Next> {
    const payment = await paymentOf(database, refund)
    const outcome = await callChannel((signal) =>
      queryRefund(open.channel, payment, refund, signal),
    )
    if (outcome.kind === 'refund' && isRefundNews(refund.state, outcome.status)) {
      const stored = await storeQueriedRefund(database, refund, outcome, clock.now())
      // A fact that was applied before moves nothing again, so asking at once would be for ever.
      if (!stored.applied) return { failure: null }
    }
    return locked(refund.id, open, (context) => recordUndecided(context, reasonOf(outcome)))
  }

  async function locked<T>(
    refundId: string,
    { account }: OpenAccount,
    work: (context: LockedRefund & { timeScale: number; now: Date }) => Promise<T>,
  ): Promise<T> {
    return withLockedRefund(database, refundId, (rows) =>
      work({ ...rows, timeScale: account.timeScale, now: clock.now() }),
    )
  }
}

async function paymentOf(database: Database, refund: RefundRow): Promise<PaymentRow> {
  const payment = await findPayment(database, refund.paymentId)
  if (payment === undefined) throw noSuchRow('payment', refund.paymentId)
  return payment
}

function reasonOf(outcome: RefundOutcome): ChannelReason | null {
  if (outcome.kind === 'refund') return null
  if (outcome.kind !== 'not_exist') return outcome
  return { code: 'REFUNDNOTEXIST', message: 'The channel knows no refund of this number yet.' }
}

const WAITS: Readonly<Record<HoldReason | 'rate', readonly [type: string, message: string]>> = {
  spacing: ['SPACING', 'Waits for its turn behind another refund.'],
  over_reserved: ['OVER_RESERVED', 'More of the payment is spoken for than was paid.'],
  stopped: ['STOPPED', 'The merchant has stopped refunds; nothing was sent.'],
  credentials: ['CREDENTIALS', 'The account must be set right; nothing was sent.'],
  balance: ['BALANCE', 'The merchant balance is too low; nothing was sent.'],
  rate: ['RATE', 'The account has sent as many refunds as it may for now.'],
}

/** The same request on every try: same number, same amounts, same text. */
function submitRequest(
  payment: PaymentRow,
  refund: RefundRow,
  { account }: OpenAccount,
  notifyBaseUrl: string,
): SubmitRefund {
  return {
    appId: payment.appId,
    outTradeNo: payment.outTradeNo,
    outRefundNo: refund.outRefundNo,
    totalFen: fen(refund.totalFen),
    refundFen: fen(refund.amountFen),
    reason: refund.reason,
    notifyUrl: `${notifyBaseUrl}/notify/${account.notifyToken}/refund`,
  }
}

export async function queryRefund(
  channel: Channel,
  payment: PaymentRow,
  refund: RefundRow,
  signal: AbortSignal,
): Promise<RefundOutcome> {
  const reference = {
    appId: payment.appId,
    outTradeNo: payment.outTradeNo,
    outRefundNo: refund.outRefundNo,
  }
  return channel.queryRefund(reference, { signal, urgency: 'background' })
}
