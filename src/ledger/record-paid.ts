import { PAID_TEXT, paidValues, type PaidAmounts } from '../db/payments.js'
import { sql } from '../db/pool.js'
import type { Transaction } from '../db/transaction.js'
import { changeText, changeValues, type Change } from './record.js'

const RECORD = sql(
  'record_paid',
  `with paid as (${PAID_TEXT}), applied as (
     update inbox set applied_at = $9, outcome = $2 where id = $10 and applied_at is null
   ), ${changeText(11)}`,
)

/**
 * All that a payment's money writes, in one statement because it is the one that counts: the
 * payment, the mark of the fact, the event, the audit's line and the entry. Each is refused as if
 * it came alone.
 */
export function recordPaid(
  tx: Transaction,
  paid: PaidAmounts,
  { factId, change }: { readonly factId: string; readonly change: Change },
): void {
  const values = [...paidValues(change.paymentId, paid), factId, ...changeValues(change)]
  tx.lock('message').send(RECORD, values)
}
