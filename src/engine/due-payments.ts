import { markFactsSignalled } from '../db/inbox.js'
import { storeQueriedPayment } from '../db/payment-facts.js'
import { claimDuePayments, setDueAt, type PaymentRow } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import type { Channel, OrderOutcome } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import type { PaymentFact } from '../domain/payment.js'
import { orderQueryWaitMs, scaledMs } from '../domain/waits.js'
import type { Engine } from './client.js'

const AT = failPoints('duePayments', ['queryOrder', 'askLater', 'store', 'signal', 'mark'])

/** More at once would be a burst, for the channel as for what else runs on this machine. */
const AT_ONCE_MAX = 10
/** For how long one tick goes on while there is more. */
const TICK_MS = 1_000
/** How long a claimed question may take before another worker asks it. */
const CLAIM_SECONDS = 90
const QUERY_TIMEOUT_MS = 60_000

export interface DuePaymentsDependencies {
  readonly database: Database
  readonly engine: Pick<Engine, 'paymentFact'>
  readonly clock: { now(): Date }
  readonly openAccount: (
    accountId: string,
  ) => Promise<{ account: { timeScale: number }; channel: Channel }>
  readonly onError: (error: unknown) => void
}

/**
 * Asks the channel for orders whose notification may be lost. An answer that changes nothing only
 * moves the next question; one that does is a row in the inbox and then a message, so that asking
 * costs no history events.
 * @returns how many orders were asked for
 */
export function createDuePayments(dependencies: DuePaymentsDependencies) {
  const { database, engine, clock, openAccount, onError } = dependencies

  return async function tick(): Promise<number> {
    const beganAtMs = performance.now()
    let asked = 0
    for (;;) {
      const due = await claimDuePayments(database, clock.now(), CLAIM_SECONDS, AT_ONCE_MAX)
      await Promise.all(due.map((payment) => ask(payment).catch(onError)))
      asked += due.length
      const isOver = performance.now() - beganAtMs > TICK_MS
      if (due.length < AT_ONCE_MAX || isOver) return asked
    }
  }

  async function ask(payment: PaymentRow): Promise<void> {
    const { account, channel } = await openAccount(payment.accountId)
    const outcome = await AT.queryOrder(() =>
      channel.queryOrder(
        { appId: payment.appId, outTradeNo: payment.outTradeNo },
        { urgency: 'background', signal: AbortSignal.timeout(QUERY_TIMEOUT_MS) },
      ),
    )
    // Set before the fact is told: settling takes the question away again.
    const dueAt = nextDueAt(payment, account.timeScale, clock.now())
    await AT.askLater(() => setDueAt(database, payment.id, dueAt))
    const fact = factOf(outcome)
    if (fact !== undefined) await tell(payment, fact)
  }

  async function tell(payment: PaymentRow, fact: PaymentFact): Promise<void> {
    const stored = await AT.store(() => storeQueriedPayment(database, payment, fact, clock.now()))
    if (stored.applied) return
    await AT.signal(() => engine.paymentFact(payment, stored.id))
    await AT.mark(() => markFactsSignalled(database, [stored.id], clock.now()))
  }
}

/** By the age of the order, which passes as the channel's time does. */
function nextDueAt(
  { createdAt, dueCount }: Pick<PaymentRow, 'createdAt' | 'dueCount'>,
  timeScale: number,
  now: Date,
): Date {
  const ageMs = (now.getTime() - createdAt.getTime()) / timeScale
  return new Date(now.getTime() + scaledMs(orderQueryWaitMs(dueCount, ageMs), timeScale))
}

/** Only a payment or a close is worth telling; everything else means asking again later. */
function factOf(outcome: OrderOutcome): PaymentFact | undefined {
  if (outcome.kind === 'paid') return outcome
  return outcome.kind === 'closed' ? { kind: 'closed' } : undefined
}
