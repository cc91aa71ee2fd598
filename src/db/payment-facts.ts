import { newId } from './ids.js'
import { storeFact, type StoredFact } from './inbox.js'
import type { PaymentRow } from './payments.js'
import type { Queryable } from './pool.js'
import { paymentFactKey, type PaymentFact } from '../domain/payment.js'

/** Puts what a query said of a payment into the inbox: a query's answer takes the same door. */
export async function storeQueriedPayment(
  db: Queryable,
  payment: Pick<PaymentRow, 'id' | 'accountId' | 'outTradeNo'>,
  fact: PaymentFact,
  now: Date,
): Promise<StoredFact> {
  return storeFact(db, {
    id: newId(now),
    accountId: payment.accountId,
    kind: 'payment',
    businessKey: paymentFactKey(payment.outTradeNo, fact),
    subjectId: payment.id,
    source: 'query',
    verifiedBy: 'query',
    fact,
    now,
  })
}
