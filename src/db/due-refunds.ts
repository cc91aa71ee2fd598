import type { RefundSubject } from '../domain/refund.js'
import { sql, type Queryable } from './pool.js'

/** A refund that the loop looks at: it asks for a slow one and wakes one whose hold is over. */
export interface DueRefund extends RefundSubject {
  readonly paymentId: string
}

const SUBJECT = `r.id, r.merchant_id as "merchantId", r.payment_id as "paymentId",
  p.out_trade_no as "outTradeNo", r.out_refund_no as "outRefundNo", r.amount_fen as "amountFen",
  r.expires_at as "expiresAt"`

const CLAIM_DUE = sql(
  'refunds_claim_due',
  `with due as (
     select id from refunds where due_at <= $1 and state in ('refunding', 'needs_attention')
     order by due_at limit $3 for no key update skip locked
   )
   update refunds r set due_at = $1::timestamptz + make_interval(secs => $2)
   from due, payments p where r.id = due.id and p.id = r.payment_id
   returning ${SUBJECT}`,
)

/**
 * Takes slow refunds whose next question is due and moves each out of the way for a while, so that
 * another worker does not ask the same.
 */
export async function claimSlowRefunds(
  db: Queryable,
  now: Date,
  claimSeconds: number,
  limit: number,
): Promise<DueRefund[]> {
  return db.rows<DueRefund>(CLAIM_DUE, [now, claimSeconds, limit])
}

const CLAIM_RELEASED = sql(
  'refunds_claim_released',
  `with released as (
     select r.id from refunds r
     where r.state = 'approved' and (r.due_at is null or r.due_at <= $1)
       and case r.hold_reason
         when 'stopped' then exists (select from merchants m
           where m.id = r.merchant_id and m.refunds_stopped_at is null)
         when 'credentials' then not exists (select from channel_holds h
           where h.account_id = r.account_id and h.reason = r.hold_reason)
         when 'balance' then not exists (select from channel_holds h
           where h.account_id = r.account_id and h.reason = r.hold_reason)
         else false end
     order by r.created_at, r.id limit $3 for no key update of r skip locked
   ), claimed as (
     update refunds r set due_at = $1::timestamptz + make_interval(secs => $2)
     from released where r.id = released.id returning r.*
   )
   select ${SUBJECT} from claimed r join payments p on p.id = r.payment_id
   order by r.created_at, r.id`,
)

/** Takes refunds whose hold is over, oldest first, for a while in which their workflow wakes. */
export async function claimReleasedRefunds(
  db: Queryable,
  now: Date,
  claimSeconds: number,
  limit: number,
): Promise<DueRefund[]> {
  return db.rows<DueRefund>(CLAIM_RELEASED, [now, claimSeconds, limit])
}

const ASK_AT = sql(
  'refunds_ask_at',
  `update refunds set due_at = $2, query_count = query_count + 1
   where id = $1 and due_at is not null`,
)

/** Counts a question that brought nothing final and says when the loop asks again. */
export async function askRefundAt(db: Queryable, id: string, dueAt: Date): Promise<void> {
  await db.rows(ASK_AT, [id, dueAt])
}
