import type { PaymentRow } from '../db/payments.js'
import { storeQueriedRefund } from '../db/refund-facts.js'
import { findRefund, type RefundRow } from '../db/refunds.js'
import type { ChannelReason, RefundOutcome, SubmitRefund } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import { fen } from '../domain/money.js'
import { isRefundNews } from '../domain/refund.js'
import type { HoldReason } from '../domain/states.js'
import { callChannel } from './channel-call.js'
import type { ActivityDependencies, OpenAccount } from './dependencies.js'
import { askAgain, isNoCredentials, noSuchRow } from './failures.js'
import type { RefundAsked } from './progress.js'
import { recordSubmitAnswer, recordUndecided, type Next } from './refund-answers.js'
import { askAboutRefund, paymentOf } from './refund-question.js'
import { claimStep, type RefundStep } from './refund-step.js'
import { withLockedRefund, type LockedRefund } from './refund-transaction.js'

const AT = failPoints('refundAtChannel', [
  'claim',
  'submitRefund',
  'recordAnswer',
  'store',
  'recordUndecided',
])

/**
 * Gives a refund back and asks until the channel says how it ended: each attempt makes one external
 * call chosen by the row. The Temporal UI shows attempt, last answer and next try, and retries cost
 * no events. It returns when a fact is stored, or when the row needs no call any more; and once
 * when the account must be set right, and once when it was, which `isHeld` says is known.
 */
export function createRefundAtChannel(dependencies: ActivityDependencies) {
  return async function refundAtChannel(refundId: string, isHeld = false): Promise<RefundAsked> {
    const refund = await findRefund(dependencies.database, refundId)
    if (refund === undefined) throw noSuchRow('refund', refundId)
    const next = await attempt(dependencies, refund)
    const { failure, isSlow = false } = next
    if (failure === null && !isSlow) return undefined
    if (isHeld !== (next.isHeld ?? false)) return isHeld ? 'released' : 'held'
    if (failure !== null) throw failure
    return 'slow'
  }
}

/** What one attempt is made of. */
interface Attempt extends ActivityDependencies {
  readonly refund: RefundRow
  readonly open: OpenAccount
}

async function attempt(dependencies: ActivityDependencies, refund: RefundRow): Promise<Next> {
  const open = await dependencies.openAccount(refund.accountId).catch((error: unknown) => {
    if (isNoCredentials(error)) return error as Error
    throw error
  })
  if (open instanceof Error) return { failure: open, isHeld: true }
  const made: Attempt = { ...dependencies, refund, open }
  const step = await AT.claim(() => locked(made, (context) => claimStep(context)))
  return take(step, made)
}

async function take(step: RefundStep, made: Attempt): Promise<Next> {
  switch (step.kind) {
    case 'nothing':
      return { failure: null }
    case 'wait':
      return {
        failure: askAgain(...WAITS[step.why], step.waitMs),
        isHeld: step.why === 'credentials',
      }
    case 'submit':
      return submit(made)
    case 'query':
      return query(made)
  }
}

async function submit(made: Attempt): Promise<Next> {
  const { database, refund, open, notifyBaseUrl } = made
  const request = submitRequest(await paymentOf(database, refund), refund, open, notifyBaseUrl)
  const outcome = await callChannel((signal) =>
    AT.submitRefund(() => open.channel.submitRefund(request, { signal, urgency: 'background' })),
  )
  return AT.recordAnswer(() => locked(made, (context) => recordSubmitAnswer(context, outcome)))
}

async function query(made: Attempt): Promise<Next> {
  const { database, clock, refund, open } = made
  const outcome = await askAboutRefund(database, open.channel, refund)
  if (outcome.kind === 'refund' && isRefundNews(refund, outcome)) {
    const stored = await AT.store(() => storeQueriedRefund(database, refund, outcome, clock.now()))
    // A fact that was applied before moves nothing again, so asking at once would be for ever.
    if (!stored.applied) return { failure: null }
  }
  return AT.recordUndecided(() =>
    locked(made, (context) => recordUndecided(context, reasonOf(outcome))),
  )
}

async function locked<T>(
  { database, clock, refund, open }: Attempt,
  work: (context: LockedRefund & { timeScale: number; now: Date }) => Promise<T>,
): Promise<T> {
  const { timeScale } = open.account
  return withLockedRefund(database, refund.id, (rows) =>
    work({ ...rows, timeScale, now: clock.now() }),
  )
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
