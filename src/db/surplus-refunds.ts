import type { RefundSubject } from '../domain/refund.js'
import { sql, type Queryable } from './pool.js'
import type { Transaction } from './transaction.js'

const OPEN = sql('surplus_refunds_open', 'select open_surplus_refund($1, $2, $3, $4, $5)')

/** The amount is the database's to know: all that was paid, and only of money that is surplus. */
export function insertSurplusRefund(
  tx: Transaction,
  refund: {
    readonly id: string
    readonly paymentId: string
    readonly outRefundNo: string
    readonly reason: string
    readonly now: Date
  },
): void {
  const { id, paymentId, outRefundNo, reason, now } = refund
  tx.send(OPEN, [id, paymentId, outRefundNo, reason, now])
}

const RESOLVE_CASE = sql(
  'payments_resolve_held_case',
  'select resolve_held_case($1, $2, $3, $4, $5)',
)

/** Notes in the case of held money that a person decided about it. */
export function resolveHeldCase(
  tx: Transaction,
  paymentId: string,
  decision: {
    readonly principalId: string
    readonly actingUser: string
    readonly note: string
    readonly now: Date
  },
): void {
  const { principalId, actingUser, note, now } = decision
  tx.send(RESOLVE_CASE, [paymentId, principalId, actingUser, note, now])
}

const UNSTARTED = sql(
  'surplus_refunds_unstarted',
  `select r.id, r.merchant_id as "merchantId", r.out_refund_no as "outRefundNo",
     p.out_trade_no as "outTradeNo", r.amount_fen as "amountFen", r.expires_at as "expiresAt"
   from refunds r join payments p on p.id = r.payment_id
   where r.origin = 'system' and r.workflow_started_at is null
   order by r.created_at limit $1`,
)

/** Refunds that the engine opened by itself and nobody has started yet, oldest first. */
export async function unstartedRefunds(db: Queryable, limit: number): Promise<RefundSubject[]> {
  return db.rows<RefundSubject>(UNSTARTED, [limit])
}

const STARTED = sql(
  'surplus_refunds_started',
  `update refunds set workflow_started_at = $2
   where id = $1 and workflow_started_at is null`,
)

/** Notes that a refund has its workflow, so that the loop leaves it alone. */
export async function markRefundStarted(db: Queryable, id: string, now: Date): Promise<void> {
  await db.rows(STARTED, [id, now])
}
