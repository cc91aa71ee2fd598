import { lockPayment, type PaymentRow } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import { findRefund, lockRefund, type RefundRow } from '../db/refunds.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import { noSuchRow } from './failures.js'

export interface LockedRefund {
  readonly tx: Transaction
  readonly payment: PaymentRow
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
    // A refund's payment never changes, so it may be read before anything is locked.
    const known = await findRefund(tx, refundId)
    if (known === undefined) throw noSuchRow('refund', refundId)
    const payment = await lockPayment(tx, known.paymentId)
    const refund = await lockRefund(tx, refundId)
    if (payment === undefined || refund === undefined) throw noSuchRow('refund', refundId)
    return work({ tx, payment, refund })
  })
}
