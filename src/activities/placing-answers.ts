import { storeQueriedPayment } from '../db/payment-facts.js'
import { markPlaced, markPlaceRefused, setDueAt, type PaymentRow } from '../db/payments.js'
import { inTransaction } from '../db/transaction.js'
import type { PlaceOutcome } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import type { PaymentFact } from '../domain/payment.js'
import type { PaymentState } from '../domain/states.js'
import { orderQueryWaitMs, scaledMs, unknownAnswerWaitMs } from '../domain/waits.js'
import { recordChange } from '../ledger/record.js'
import { activityAttempt, callChannel } from './channel-call.js'
import type { ActivityDependencies, OpenAccount } from './dependencies.js'
import { unknownAnswer } from './failures.js'
import { createSettlePayment } from './ledger-settle-payment.js'
import { paymentChange } from './payment-record.js'

const AT = failPoints('placingAnswers', ['markPlaced', 'queryOrder', 'askLater', 'store', 'refuse'])

/**
 * Writes down what the channel answered when an order was placed.
 * @returns where the payment stands then; undefined when its row has to be read to know
 * @throws ApplicationFailure when the answer says nothing: the same request goes again
 */
export async function recordPlaceOutcome(
  dependencies: ActivityDependencies,
  payment: PaymentRow,
  outcome: PlaceOutcome,
  { account, channel }: OpenAccount,
): Promise<PaymentState | undefined> {
  const { database, clock } = dependencies
  switch (outcome.kind) {
    case 'placed': {
      const now = clock.now()
      const waitMs = scaledMs(orderQueryWaitMs(0), account.timeScale)
      const dueAt = new Date(now.getTime() + waitMs)
      const { prepayId } = outcome
      return AT.markPlaced(() => markPlaced(database, payment.id, { prepayId, now, dueAt }))
    }
    case 'already_paid':
      return bookPaid(dependencies, payment, channel)
    case 'closed':
      return settleFact(dependencies, payment, { kind: 'closed' })
    case 'refused':
      return refuse(dependencies, payment, outcome.code)
    case 'unknown':
      throw unknownAnswer(outcome, unknownAnswerWaitMs(activityAttempt() - 1))
  }
}

/** The channel says that it is paid, so it is asked how, and that is booked at once. */
async function bookPaid(
  dependencies: ActivityDependencies,
  payment: PaymentRow,
  channel: OpenAccount['channel'],
): Promise<undefined> {
  const { appId, outTradeNo } = payment
  const fact = await callChannel((signal) =>
    AT.queryOrder(() => channel.queryOrder({ appId, outTradeNo }, { signal, urgency: 'waiting' })),
  )
  if (fact.kind === 'paid') return settleFact(dependencies, payment, fact)
  // Where it does not say, the loop that asks for due orders does so again.
  const { database, clock } = dependencies
  await AT.askLater(() => setDueAt(database, payment.id, clock.now()))
}

/** What is known is a row first, as always; nobody has to be told of it, so it is settled here. */
async function settleFact(
  dependencies: ActivityDependencies,
  payment: PaymentRow,
  fact: PaymentFact,
): Promise<undefined> {
  const { database, clock } = dependencies
  await AT.store(() => storeQueriedPayment(database, payment, fact, clock.now()))
  await createSettlePayment(dependencies)(payment.id)
}

/** The refusal and its event are one transaction; a fact that was faster makes it nothing. */
async function refuse(
  { database, clock }: ActivityDependencies,
  payment: PaymentRow,
  failureCode: string,
): Promise<PaymentState | undefined> {
  const now = clock.now()
  return AT.refuse(() =>
    inTransaction(database, async (tx) => {
      const state = await markPlaceRefused(tx.lock('payment'), payment.id, failureCode, now)
      if (state === undefined) return undefined
      const facts = { state, failureCode }
      await recordChange(tx, paymentChange(payment, { type: 'payment.failed', facts, now }))
      return state
    }),
  )
}
