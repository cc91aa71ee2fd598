import { newId } from '../db/ids.js'
import { markFactsApplied, unappliedFacts } from '../db/inbox.js'
import { insertEvent } from '../db/outbox.js'
import { isOrderPaid, lockPayment, markClosed, markPaid, type PaymentRow } from '../db/payments.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import type { PaidFact } from '../domain/channel.js'
import { judgePayment, type PaymentFact, type PaymentVerdict } from '../domain/payment.js'
import { recordAudit } from '../ledger/audit.js'
import { postEntry } from '../ledger/journal.js'
import { postHeld, postPaid } from '../ledger/postings.js'
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
      const payment = await lockPayment(tx, paymentId)
      if (payment === undefined) throw noSuchRow('payment', paymentId)
      const now = clock.now()
      let state = payment.state
      let attention = payment.attention
      for (const { id, fact } of await unappliedFacts(tx, paymentId)) {
        const paidFact = fact as PaymentFact
        const orderPaid = await isOrderPaid(tx, payment)
        const verdict = judgePayment({ ...payment, state }, paidFact, orderPaid)
        await apply(tx, payment, verdict, paidFact, { factId: id, now })
        if (verdict.kind === 'close') state = 'closed'
        if (verdict.kind === 'pay') {
          state = 'paid'
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
  payment: PaymentRow,
  verdict: PaymentVerdict,
  fact: PaymentFact,
  { factId, now }: Application,
): Promise<void> {
  if (verdict.kind === 'ignore') {
    await markFactsApplied(tx, [factId], verdict.outcome, now)
  } else if (fact.kind === 'closed' || verdict.kind === 'close') {
    await markClosed(tx, payment.id, now)
    await markFactsApplied(tx, [factId], 'closed', now)
    await tell(tx, payment, 'payment.closed', { state: 'closed' }, now)
  } else {
    await bookPaid(tx, payment, verdict, fact, { factId, now })
  }
}

async function bookPaid(
  tx: Transaction,
  payment: PaymentRow,
  verdict: Extract<PaymentVerdict, { kind: 'pay' }>,
  fact: PaidFact,
  { factId, now }: Application,
): Promise<void> {
  const { disposition, attention } = verdict
  const paidAt = new Date(fact.paidAt)
  await markPaid(tx, payment.id, {
    disposition,
    attention,
    paidFen: fact.totalFen,
    cashFen: fact.cashFen,
    settlementFen: fact.settlementFen,
    transactionId: fact.transactionId,
    paidAt,
    now,
  })
  await markFactsApplied(tx, [factId], disposition, now)
  const parties = { accountId: payment.accountId, merchantId: payment.merchantId }
  await postEntry(
    tx,
    {
      entryId: newId(now),
      merchantId: payment.merchantId,
      kind: 'payment',
      id: payment.id,
      occurredAt: paidAt,
    },
    disposition === 'accepted'
      ? postPaid(parties, fact.totalFen, fact.settlementFen)
      : postHeld(parties, fact.settlementFen),
  )
  const type = disposition === 'accepted' ? 'payment.paid' : 'payment.held'
  const paid = { state: 'paid', disposition, attention, paidFen: fact.totalFen }
  await tell(tx, payment, type, { ...paid, transactionId: fact.transactionId }, now)
}

/** The event for the merchant and the audit's line, both with the state they tell of. */
async function tell(
  tx: Transaction,
  payment: PaymentRow,
  type: 'payment.paid' | 'payment.held' | 'payment.closed',
  facts: object,
  now: Date,
): Promise<void> {
  const payload = { paymentId: payment.id, outTradeNo: payment.outTradeNo, ...facts }
  await insertEvent(tx, { id: newId(now), paymentId: payment.id, type, payload, now })
  await recordAudit(tx, {
    id: newId(now),
    merchantId: payment.merchantId,
    at: now,
    actorKind: 'channel',
    actorId: payment.mchId,
    actingUser: null,
    action: type,
    subjectKind: 'payment',
    subjectId: payment.id,
    detail: facts,
  })
}
