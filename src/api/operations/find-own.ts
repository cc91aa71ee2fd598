import type { ApiKeyRow } from '../../db/api-keys.js'
import { findCase, type CaseRow } from '../../db/cases.js'
import { findPayment, type PaymentRow } from '../../db/payments.js'
import type { Queryable } from '../../db/pool.js'
import { findRefund, type RefundRow } from '../../db/refunds.js'
import { CodedError } from '../../domain/errors.js'

/** @throws CodedError `not_found`, also for a payment of another merchant. */
export async function findOwnPayment(
  db: Queryable,
  client: ApiKeyRow,
  id: string,
): Promise<PaymentRow> {
  const payment = await findPayment(db, id)
  if (payment?.merchantId !== client.merchantId) throw new CodedError('not_found')
  return payment
}

/** @throws CodedError `not_found`, also for a refund of another merchant. */
export async function findOwnRefund(
  db: Queryable,
  client: ApiKeyRow,
  id: string,
): Promise<RefundRow> {
  const refund = await findRefund(db, id)
  if (refund?.merchantId !== client.merchantId) throw new CodedError('not_found')
  return refund
}

/** @throws CodedError `not_found`, also for a case of another merchant. */
export async function findOwnCase(db: Queryable, client: ApiKeyRow, id: string): Promise<CaseRow> {
  const found = await findCase(db, id)
  if (found?.merchantId !== client.merchantId) throw new CodedError('not_found')
  return found
}
