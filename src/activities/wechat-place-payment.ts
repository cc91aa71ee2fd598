import { openChannelRequest } from '../db/channel-requests.js'
import { findPayment, type PaymentRow } from '../db/payments.js'
import { failPoints } from '../domain/fail-points.js'
import { isPaymentOver } from '../domain/states.js'
import { PREPAY_FRESH_MS } from '../domain/waits.js'
import { callChannel, isQuickTry } from './channel-call.js'
import type { ActivityDependencies } from './dependencies.js'
import { breakerOpen, noSuchRow } from './failures.js'
import { paymentProgress } from './ledger-load.js'
import { recordPlaceOutcome } from './placing-answers.js'
import { PlacingBreaker } from './placing-breaker.js'
import type { PaymentProgress } from './progress.js'

const AT = failPoints('placePayment', ['placeOrder'])

/**
 * Places the stored request of a payment at the channel, byte for byte the same on every try, and
 * writes down the answer. A payment that is over, or whose prepay_id is young, is left alone. Where
 * the account's channel is slow, the quick try fails at once: placing goes to the channel's queue.
 */
export function createPlacePayment(dependencies: ActivityDependencies) {
  const { database, envelope, clock, openAccount } = dependencies
  const breaker = new PlacingBreaker()

  return async function placePayment(paymentId: string): Promise<PaymentProgress> {
    const payment = await load(paymentId)
    const { account, channel } = await openAccount(payment.accountId)
    if (!needsPlacing(payment, clock.now())) {
      return paymentProgress(payment, account.timeScale, clock)
    }
    const request = openChannelRequest(envelope, payment.id, payment.channelRequest)
    if (isQuickTry() && breaker.isOpen(account.id)) throw breakerOpen()
    const outcome = await breaker.watch(account.id, () =>
      callChannel((signal) =>
        AT.placeOrder(() => channel.placeOrder(request, { signal, urgency: 'waiting' })),
      ),
    )
    const state = await recordPlaceOutcome(dependencies, payment, outcome, { account, channel })
    const row = state === undefined ? await load(paymentId) : { ...payment, state }
    return paymentProgress(row, account.timeScale, clock)
  }

  async function load(paymentId: string): Promise<PaymentRow> {
    const payment = await findPayment(database, paymentId)
    if (payment === undefined) throw noSuchRow('payment', paymentId)
    return payment
  }
}

function needsPlacing(payment: PaymentRow, now: Date): boolean {
  if (isPaymentOver(payment.state)) return false
  if (payment.prepayAt === null) return true
  return now.getTime() - payment.prepayAt.getTime() > PREPAY_FRESH_MS
}
