import { markFactsApplied } from '../db/inbox.js'
import { lockForSettling, markClosed, type SettlingPayment } from '../db/payments.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import type { PaidFact } from '../domain/channel.js'
import { judgePayment, type PaymentFact, type PaymentVerdict } from '../domain/payment.js'
import { postHeld, postPaid, type Transfer } from '../ledger/postings.js'
import { recordPaid } from '../ledger/record-paid.js'
import { recordChange, type Change } from '../ledger/record.js'
import type { ActivityDependencies } from './dependencies.js'
import { noSuchRow } from './failures.js'
import type { PaymentProgress } from './progress.js'

/**
 * Applies every fact that waits for a payment, in one transaction: state, book entries, event and
 * the facts' marks. Running it again finds nothing left and changes nothing.
 */
export function createSettlePayment({ database, clock }: ActivityDependencies) {
  return async function settlePayment(paymentId: string): Promise<PaymentProgress> {
    return inTransaction(database, async (tx) => {
      const payment = await lockForSettling(tx, paymentId)
      if (payment === undefined) throw noSuchRow('payment', paymentId)
      const now = clock.now()
      let { state, attention, transactionId } = payment
      for (const { id, fact } of payment.facts) {
        const paymentFact = fact as PaymentFact
        const terms = { ...payment, state, transactionId }
        const verdict = judgePayment(terms, paymentFact, payment.orderPaid)
        await apply(tx, payment, verdict, paymentFact, { factId: id, now })
        if (verdict.kind === 'close') state = 'closed'
        if (verdict.kind === 'pay' && paymentFact.kind === 'paid') {
          state = 'paid'
          transactionId = paymentFact.transactionId
          attention = verdict.attention
        }
      }
      // Settling never waits for a close, so what is left until then is the workflow's to know.
      return { state, attention, closesInMs: 0 }
    })
  }
}

interface Application {
  readonly factId: string
  readonly now: Date
}

async function apply(
  tx: Transaction,
  payment: SettlingPayment,
  verdict: PaymentVerdict,
  fact: PaymentFact,
  { factId, now }: Application,
): Promise<void> {
  if (verdict.kind === 'ignore') {
    await markFactsApplied(tx, [factId], verdict.outcome, now)
  } else if (fact.kind === 'closed' || verdict.kind === 'close') {
    const facts = { state: 'closed' }
    await Promise.all([
      markClosed(tx, payment.id, now),
      markFactsApplied(tx, [factId], 'closed', now),
      recordChange(tx, changeOf(payment, { type: 'payment.closed', facts, now })),
    ])
  } else {
    bookPaid(tx, payment, verdict, fact, { factId, now })
  }
}

function bookPaid(
  tx: Transaction,
  payment: SettlingPayment,
  verdict: Extract<PaymentVerdict, { kind: 'pay' }>,
  fact: PaidFact,
  { factId, now }: Application,
): void {
  const { disposition, attention } = verdict
  const { totalFen: paidFen, cashFen, settlementFen, transactionId } = fact
  const paidAt = new Date(fact.paidAt)
  const amounts = { paidFen, cashFen, settlementFen, transactionId, paidAt }
  const transfers =
    disposition === 'accepted'
      ? postPaid(payment, paidFen, settlementFen)
      : postHeld(payment, settlementFen)
  const change = changeOf(payment, {
    type: disposition === 'accepted' ? 'payment.paid' : 'payment.held',
    facts: { state: 'paid', disposition, attention, paidFen, transactionId },
    transfers,
    occurredAt: paidAt,
    now,
  })
  recordPaid(tx, { disposition, attention, ...amounts, now }, { factId, change })
}

interface PaymentHappening {
  readonly type: 'payment.paid' | 'payment.held' | 'payment.closed'
  readonly facts: object
  readonly now: Date
  readonly transfers?: readonly Transfer[]
  readonly occurredAt?: Date
}

const changeOf = (
  payment: SettlingPayment,
  { type, facts, now, transfers = [], occurredAt = now }: PaymentHappening,
): Change => ({
  type,
  actor: { actorKind: 'channel', actorId: payment.mchId, actingUser: null },
  merchantId: payment.merchantId,
  paymentId: payment.id,
  subjectKind: 'payment',
  subjectId: payment.id,
  payload: { paymentId: payment.id, outTradeNo: payment.outTradeNo, ...facts },
  detail: facts,
  transfers,
  occurredAt,
  now,
})
