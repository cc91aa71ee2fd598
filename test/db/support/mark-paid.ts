import { PAID_TEXT, paidValues, type PaidAmounts } from '../../../src/db/payments.js'
import { sql } from '../../../src/db/pool.js'
import type { Transaction } from '../../../src/db/transaction.js'

const PAID = sql('payments_paid', PAID_TEXT)

/** Makes a placed payment paid without its journal entry, which is not what a test is about. */
export async function markPaid(tx: Transaction, id: string, paid: PaidAmounts): Promise<void> {
  tx.send(PAID, paidValues(id, paid))
}
