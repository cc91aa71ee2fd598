import { openCase } from '../db/cases.js'
import { markFactsApplied } from '../db/inbox.js'
import { lockForSettling, markClosed, markResolved, type SettlingPayment } from '../db/payments.js'
import { resolveHeldCase } from '../db/surplus-refunds.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import { failPoints } from '../domain/fail-points.js'
import { fen } from '../domain/money.js'
import { judgePayment, type PaymentFact, type PaymentVerdict } from '../domain/payment.js'
import { postHeld, postHeldAccepted, postPaid } from '../ledger/postings.js'
import { recordPaid } from '../ledger/record-paid.js'
import { recordChange, type Actor } from '../ledger/record.js'
import type { ActivityDependencies } from './dependencies.js'
import { noSuchRow } from './failures.js'
import { attentionOf } from './ledger-load.js'
import { openSurplusRefund } from './ledger-surplus-refund.js'
import { paymentChange } from './payment-record.js'
import type { PaymentProgress } from './progress.js'

const AT = failPoints('settlePayment', ['transaction'])

/** One fact that is about to be applied, and when. */
interface Application {
  readonly factId: string
  readonly now: Date
}

type VerdictOf<K extends PaymentVerdict['kind']> = Extract<PaymentVerdict, { kind: K }>

/**
 * Applies every fact that waits for a payment, in one transaction: state, book entries, event and
 * the facts' marks. Running it again finds nothing left and changes nothing.
 */
export function createSettlePayment({ database, clock }: ActivityDependencies) {
  return async function settlePayment(paymentId: string): Promise<PaymentProgress> {
    return AT.transaction(() => inTransaction(database, (tx) => settle(tx, paymentId, clock.now())))
  }
}

async function settle(tx: Transaction, paymentId: string, now: Date): Promise<PaymentProgress> {
  let payment = await lockForSettling(tx, paymentId)
  if (payment === undefined) throw noSuchRow('payment', paymentId)
  for (const { id: factId, fact } of payment.facts) {
    payment = await apply(tx, payment, fact as PaymentFact, { factId, now })
  }
  // Settling never waits for a close, so what is left until then is the workflow's to know.
  return { state: payment.state, attention: attentionOf(payment), closesInMs: 0 }
}

/** Applies one fact and answers the payment as it is then. */
async function apply(
  tx: Transaction,
  payment: SettlingPayment,
  fact: PaymentFact,
  application: Application,
): Promise<SettlingPayment> {
  const verdict = judgePayment(payment, fact)
  switch (verdict.kind) {
    case 'ignore':
      await markFactsApplied(tx, [application.factId], verdict.outcome, application.now)
      return payment
    case 'close':
      return close(tx, payment, application)
    case 'pay':
      return pay(tx, payment, verdict, application)
    case 'resolve':
      return resolve(tx, payment, verdict, application)
  }
}

async function close(
  tx: Transaction,
  payment: SettlingPayment,
  { factId, now }: Application,
): Promise<SettlingPayment> {
  const facts = { state: 'closed' }
  await Promise.all([
    markClosed(tx, payment.id, now),
    markFactsApplied(tx, [factId], 'closed', now),
    recordChange(tx, paymentChange(payment, { type: 'payment.closed', facts, now })),
  ])
  return { ...payment, state: 'closed' }
}

const PAID_EVENTS = {
  accepted: 'payment.paid',
  held: 'payment.held',
  surplus: 'payment.surplus',
} as const

async function pay(
  tx: Transaction,
  payment: SettlingPayment,
  { fact, disposition, attention }: VerdictOf<'pay'>,
  { factId, now }: Application,
): Promise<SettlingPayment> {
  const { totalFen: paidFen, cashFen, settlementFen, transactionId } = fact
  const paidAt = new Date(fact.paidAt)
  const amounts = { paidFen, cashFen, settlementFen, transactionId, paidAt }
  const transfers =
    disposition === 'accepted'
      ? postPaid(payment, paidFen, settlementFen)
      : postHeld(payment, settlementFen)
  const change = paymentChange(payment, {
    type: PAID_EVENTS[disposition],
    facts: { state: 'paid', disposition, attention, paidFen, transactionId },
    transfers,
    occurredAt: paidAt,
    now,
  })
  recordPaid(tx, { disposition, attention, ...amounts, now }, { factId, change })
  const paid = { ...payment, ...amounts, state: 'paid', disposition, attention } as const
  if (disposition === 'surplus') await openSurplusRefund(tx, paid, now)
  if (disposition === 'held') await openHeldCase(tx, paid, now)
  return paid
}

/** Somebody has to decide about it, and sees it among the cases. */
async function openHeldCase(tx: Transaction, payment: SettlingPayment, now: Date): Promise<void> {
  const { id, merchantId, totalFen, paidFen, attention } = payment
  await openCase(tx, {
    kind: 'payment_held',
    merchantId,
    paymentId: id,
    causeKind: 'payment',
    causeId: id,
    amountFen: Math.max(paidFen ?? 0, 1),
    detail: { attention, totalFen, paidFen },
    now,
  })
}

/** What a person decided: the money stands as if it had matched, or goes back. */
async function resolve(
  tx: Transaction,
  payment: SettlingPayment,
  { fact, disposition }: VerdictOf<'resolve'>,
  { factId, now }: Application,
): Promise<SettlingPayment> {
  const { reason, principalId, actingUser } = fact
  const actor: Actor = { actorKind: 'api_key', actorId: principalId, actingUser }
  const accepts = disposition === 'accepted'
  const attention = accepts ? null : payment.attention
  const { paidFen, transactionId } = payment
  const change = paymentChange(payment, {
    type: PAID_EVENTS[disposition],
    actor,
    facts: { state: 'paid', disposition, attention, paidFen, transactionId, reason },
    transfers: accepts
      ? postHeldAccepted(payment, fen(paidFen ?? 0), fen(payment.settlementFen ?? 0))
      : [],
    now,
  })
  // The database lets the disposition change only while the decision waits: it is marked after.
  markResolved(tx, payment.id, { disposition, attention, now })
  resolveHeldCase(tx, payment.id, { principalId, actingUser, note: reason, now })
  const resolved = { ...payment, disposition, attention }
  await Promise.all([
    markFactsApplied(tx, [factId], disposition, now),
    recordChange(tx, change),
    ...(accepts ? [] : [openSurplusRefund(tx, resolved, now)]),
  ])
  return resolved
}
