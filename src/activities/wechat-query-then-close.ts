import { storeQueriedPayment } from '../db/payment-facts.js'
import { findPayment } from '../db/payments.js'
import type { Channel, OrderRef } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import type { PaymentFact } from '../domain/payment.js'
import { isPaymentOver } from '../domain/states.js'
import { PAYING_WAIT_MS, scaledMs, unknownAnswerWaitMs } from '../domain/waits.js'
import { activityAttempt, callChannel } from './channel-call.js'
import type { ActivityDependencies } from './dependencies.js'
import { askAgain, noSuchRow, unknownAnswer } from './failures.js'

const AT = failPoints('queryThenClose', ['queryOrder', 'closeOrder', 'store'])

/**
 * At expiry: asks the channel, closes what is not paid, and stores what the channel said. Only its
 * word counts, so whatever is not an answer is asked again. It returns when a fact is stored.
 */
export function createQueryThenClose(dependencies: ActivityDependencies) {
  const { database, clock, openAccount } = dependencies
  return async function queryThenClose(paymentId: string): Promise<void> {
    const payment = await findPayment(database, paymentId)
    if (payment === undefined) throw noSuchRow('payment', paymentId)
    if (isPaymentOver(payment.state)) return
    const { account, channel } = await openAccount(payment.accountId)
    const order = { appId: payment.appId, outTradeNo: payment.outTradeNo }
    const fact = await callChannel((signal) => ask(channel, order, account.timeScale, signal))
    await AT.store(() => storeQueriedPayment(database, payment, fact, clock.now()))
  }
}

/** Query first; close at once after an answer that is not a payment (WeChat Pay V2, closeorder). */
async function ask(
  channel: Channel,
  order: OrderRef,
  timeScale: number,
  signal: AbortSignal,
): Promise<PaymentFact> {
  const options = { signal, urgency: 'background' } as const
  const outcome = await AT.queryOrder(() => channel.queryOrder(order, options))
  switch (outcome.kind) {
    case 'paid':
      return outcome
    case 'closed':
    case 'not_exist':
      // The order has expired, so one the channel does not know can never be paid.
      return { kind: 'closed' }
    case 'paying': {
      const delayMs = scaledMs(PAYING_WAIT_MS, timeScale)
      throw askAgain('USERPAYING', 'The buyer is paying just now.', delayMs)
    }
    case 'refused':
    case 'unknown':
      throw unknownAnswer(outcome, unknownAnswerWaitMs(activityAttempt() - 1))
    case 'not_paid':
    case 'pay_error':
      return close(channel, order, signal)
  }
}

async function close(channel: Channel, order: OrderRef, signal: AbortSignal): Promise<PaymentFact> {
  const outcome = await AT.closeOrder(() =>
    channel.closeOrder(order, { signal, urgency: 'background' }),
  )
  switch (outcome.kind) {
    case 'closed':
    case 'not_exist':
      return { kind: 'closed' }
    case 'already_paid':
      throw askAgain('ORDERPAID', 'It was paid while it was being closed.', 1_000)
    case 'refused':
    case 'unknown':
      throw unknownAnswer(outcome, unknownAnswerWaitMs(activityAttempt() - 1))
  }
}
