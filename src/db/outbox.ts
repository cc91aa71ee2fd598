import { sql } from './pool.js'
import type { Transaction } from './transaction.js'

export type EventType =
  | 'payment.paid'
  | 'payment.held'
  | 'payment.closed'
  | 'refund.approved'
  | 'refund.rejected'
  | 'refund.cancelled'
  | 'refund.expired'
  | 'refund.accepted'
  | 'refund.needs_attention'
  | 'refund.done'
  | 'refund.failed'

const INSERT = sql(
  'outbox_insert',
  `insert into outbox (id, subject, sequence, type, payload, created_at)
   select $1, $2, 1 + coalesce(max(sequence), 0), $3, $4, $5 from outbox where subject = $2`,
)

/**
 * Writes an event for the merchant beside the state it tells of. Its sequence is dense per payment
 * because the payment's row is locked.
 */
export async function insertEvent(
  tx: Transaction,
  event: {
    readonly id: string
    readonly paymentId: string
    readonly type: EventType
    readonly payload: object
    readonly now: Date
  },
): Promise<void> {
  const { id, paymentId, type, payload, now } = event
  await tx.rows(INSERT, [id, paymentId, type, JSON.stringify(payload), now])
}
