/** The events a merchant is told of, in order per payment (`src/ledger/record.ts` writes them). */
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
