import { noteRefundsShown } from './external-notices.js'
import { newId } from './ids.js'
import { storeFact, type NewFact, type StoredFact } from './inbox.js'
import type { PaymentRow } from './payments.js'
import type { Queryable } from './pool.js'
import { paymentFactKey, type PaymentFact } from '../domain/payment.js'

/**
 * Puts what a query said of a payment into the inbox: a query's answer takes the same door. Where
 * it shows refunds, the loop that books those of the portal looks whether all of them are known.
 */
export async function storeQueriedPayment(
  db: Queryable,
  payment: Pick<PaymentRow, 'id' | 'accountId' | 'outTradeNo'>,
  fact: PaymentFact,
  now: Date,
): Promise<StoredFact> {
  if (fact.kind === 'paid' && fact.hasRefunds) await noteRefundsShown(db, payment, now)
  return storePaymentFact(db, payment, fact, { source: 'query', verifiedBy: 'query', now })
}

/** Puts a fact about a payment into the inbox, once however often it is told. */
export async function storePaymentFact(
  db: Queryable,
  payment: Pick<PaymentRow, 'id' | 'accountId' | 'outTradeNo'>,
  fact: PaymentFact,
  told: Pick<NewFact, 'source' | 'verifiedBy' | 'now'>,
): Promise<StoredFact> {
  return storeFact(db, {
    ...told,
    id: newId(told.now),
    accountId: payment.accountId,
    kind: 'payment',
    businessKey: paymentFactKey(payment.outTradeNo, fact),
    subjectId: payment.id,
    fact,
  })
}
