import { storeQueriedPayment } from '../db/payment-facts.js'
import { findPayment, type PaymentRow } from '../db/payments.js'
import type { CallOptions, Channel, OrderOutcome } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import type { PaymentFact } from '../domain/payment.js'
import { isPaymentOver } from '../domain/states.js'
import { callChannel } from './channel-call.js'
import type { ActivityDependencies } from './dependencies.js'
import { noSuchRow } from './failures.js'
import type { PaymentSaid } from './progress.js'

const AT = failPoints('askPayment', ['queryOrder', 'closeOrder', 'store'])

type Said = PaymentSaid['said']

/** What an answer means, and the fact in it where it is one. */
interface Answer {
  readonly said: Said
  readonly fact?: PaymentFact
}

const CLOSED: Answer = { said: 'closed', fact: { kind: 'closed' } }

/**
 * Somebody waits for the channel's word about a payment: asks once, closes the order where that is
 * wanted and it is not paid, and stores what was said like every fact. A lost answer is told as
 * `unknown` and concludes nothing; whoever asked may ask again.
 */
export function createAskPayment({ database, clock, openAccount }: ActivityDependencies) {
  return async function askPayment(
    paymentId: string,
    purpose: 'query' | 'close',
  ): Promise<PaymentSaid> {
    const payment = await findPayment(database, paymentId)
    if (payment === undefined) throw noSuchRow('payment', paymentId)
    const { channel } = await openAccount(payment.accountId)
    const { said, fact } = await callChannel((signal) => {
      const options = { signal, urgency: 'waiting' } as const
      return purpose === 'query' || isPaymentOver(payment.state)
        ? ask(channel, payment, options)
        : askThenClose(channel, payment, options)
    })
    if (fact === undefined) return { said, isNews: false }
    const stored = await AT.store(() => storeQueriedPayment(database, payment, fact, clock.now()))
    return { said, isNews: !stored.applied }
  }
}

async function ask(channel: Channel, payment: PaymentRow, options: CallOptions): Promise<Answer> {
  const { appId, outTradeNo } = payment
  const outcome = await AT.queryOrder(() => channel.queryOrder({ appId, outTradeNo }, options))
  const fact = factOf(outcome)
  return { said: outcome.kind, ...(fact === undefined ? {} : { fact }) }
}

function factOf(outcome: OrderOutcome): PaymentFact | undefined {
  if (outcome.kind === 'paid') return outcome
  return outcome.kind === 'closed' ? { kind: 'closed' } : undefined
}

/** Query first; close at once after an answer that is not a payment (WeChat Pay V2, closeorder). */
async function askThenClose(
  channel: Channel,
  payment: PaymentRow,
  options: CallOptions,
): Promise<Answer> {
  const answer = await ask(channel, payment, options)
  if (answer.said === 'not_exist') return unknownOrder(payment)
  if (answer.said !== 'not_paid' && answer.said !== 'pay_error') return answer
  const { appId, outTradeNo } = payment
  const outcome = await AT.closeOrder(() => channel.closeOrder({ appId, outTradeNo }, options))
  switch (outcome.kind) {
    case 'closed':
      return CLOSED
    case 'not_exist':
      return unknownOrder(payment)
    case 'already_paid':
      return ask(channel, payment, options)
    case 'refused':
    case 'unknown':
      return { said: outcome.kind }
  }
}

/** An order that is still being placed may exist a moment later, so it is not closed yet. */
const unknownOrder = (payment: PaymentRow): Answer =>
  payment.state === 'created' ? { said: 'not_exist' } : CLOSED
