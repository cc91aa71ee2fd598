import { openChannelRequest } from '../db/channel-requests.js'
import { storeQueriedPayment } from '../db/payment-facts.js'
import {
  findPayment,
  markPlaced,
  markPlaceRefused,
  setDueAt,
  type PaymentRow,
} from '../db/payments.js'
import type { PlaceOutcome } from '../domain/channel.js'
import { isPaymentOver, type PaymentState } from '../domain/states.js'
import {
  orderQueryWaitMs,
  PREPAY_FRESH_MS,
  scaledMs,
  unknownAnswerWaitMs,
} from '../domain/waits.js'
import { activityAttempt, callChannel } from './channel-call.js'
import type { ActivityDependencies, OpenAccount } from './dependencies.js'
import { noSuchRow, unknownAnswer } from './failures.js'
import { paymentProgress } from './ledger-load.js'
import type { PaymentProgress } from './progress.js'

/**
 * Places the stored request of a payment at the channel, byte for byte the same on every try, and
 * writes down the answer. A payment that is over, or whose prepay_id is young, is left alone.
 */
export function createPlacePayment(dependencies: ActivityDependencies) {
  const { database, envelope, clock, openAccount } = dependencies
  return async function placePayment(paymentId: string): Promise<PaymentProgress> {
    const payment = await load(paymentId)
    const { account, channel } = await openAccount(payment.accountId)
    if (!needsPlacing(payment, clock.now())) {
      return paymentProgress(payment, account.timeScale, clock)
    }
    const request = openChannelRequest(envelope, payment.id, payment.channelRequest)
    const outcome = await callChannel((signal) =>
      channel.placeOrder(request, { signal, urgency: 'waiting' }),
    )
    const state = await record(payment, outcome, account)
    const row = state === undefined ? await load(paymentId) : { ...payment, state }
    return paymentProgress(row, account.timeScale, clock)
  }

  async function load(paymentId: string): Promise<PaymentRow> {
    const payment = await findPayment(database, paymentId)
    if (payment === undefined) throw noSuchRow('payment', paymentId)
    return payment
  }

  /** Writes the answer down; undefined when the row has to be read to know where it stands. */
  async function record(
    payment: PaymentRow,
    outcome: PlaceOutcome,
    account: OpenAccount['account'],
  ): Promise<PaymentState | undefined> {
    const now = clock.now()
    switch (outcome.kind) {
      case 'placed': {
        const waitMs = scaledMs(orderQueryWaitMs(0), account.timeScale)
        const dueAt = new Date(now.getTime() + waitMs)
        return markPlaced(database, payment.id, { prepayId: outcome.prepayId, now, dueAt })
      }
      case 'already_paid':
        // The loop that asks for due orders books what the channel says of it.
        await setDueAt(database, payment.id, now)
        return undefined
      case 'closed':
        await storeQueriedPayment(database, payment, { kind: 'closed' }, now)
        return undefined
      case 'refused':
        return markPlaceRefused(database, payment.id, outcome.code, now)
      case 'unknown':
        throw unknownAnswer(outcome, unknownAnswerWaitMs(activityAttempt() - 1))
    }
  }
}

function needsPlacing(payment: PaymentRow, now: Date): boolean {
  if (isPaymentOver(payment.state)) return false
  if (payment.prepayAt === null) return true
  return now.getTime() - payment.prepayAt.getTime() > PREPAY_FRESH_MS
}
