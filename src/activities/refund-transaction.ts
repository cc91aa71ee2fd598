import { lockPaymentOfRefund, type RefundedPayment } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import { lockRefund, type RefundRow } from '../db/refunds.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import { noSuchRow } from './failures.js'

export interface LockedRefund {
  readonly tx: Transaction
  readonly payment: RefundedPayment
  readonly refund: RefundRow
}

/**
 * Runs `work` with a refund and its payment locked, the payment first: every step of every refund
 * of one payment passes through this one door.
 */
export async function withLockedRefund<T>(
  database: Database,
  refundId: string,
  work: (locked: LockedRefund) => Promise<T>,
): Promise<T> {
  return inTransaction(database, async (tx) => {
    const [payment, refund] = await Promise.all([
      lockPaymentOfRefund(tx, refundId),
      lockRefund(tx, refundId),
    ])
    if (payment === undefined || refund === undefined) throw noSuchRow('refund', refundId)
    return work({ tx, payment, refund })
  })
}
