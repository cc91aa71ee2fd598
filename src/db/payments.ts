import type { PaymentTerms } from '../domain/payment.js'
import type { Disposition, PaymentState } from '../domain/states.js'
import { sql, type Queryable } from './pool.js'
import type { Transaction } from './transaction.js'

export interface PaymentRow {
  readonly id: string
  readonly merchantId: string
  readonly accountId: string
  readonly mchId: string
  readonly appId: string
  readonly outTradeNo: string
  readonly orderRef: string | null
  readonly description: string
  readonly state: PaymentState
  readonly disposition: Disposition | null
  readonly attention: string | null
  readonly failureCode: string | null
  readonly totalFen: number
  readonly paidFen: number | null
  readonly cashFen: number | null
  readonly settlementFen: number | null
  readonly reservedFen: number
  readonly refundedFen: number
  readonly settledFen: number
  /** How much more is spoken for than was paid; above 0 only with a case. */
  readonly overReservedFen: number
  readonly transactionId: string | null
  readonly prepayId: string | null
  readonly prepayAt: Date | null
  readonly channelRequest: Buffer
  readonly expiresAt: Date
  readonly dueAt: Date | null
  readonly dueCount: number
  readonly refundSlotAt: Date | null
  readonly refundSentAt: Date | null
  readonly paidAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

const COLUMNS = `id, merchant_id as "merchantId", account_id as "accountId", mch_id as "mchId",
  app_id as "appId", out_trade_no as "outTradeNo", order_ref as "orderRef", description, state,
  disposition, attention, failure_code as "failureCode", total_fen as "totalFen",
  paid_fen as "paidFen", cash_fen as "cashFen", settlement_fen as "settlementFen",
  reserved_fen as "reservedFen", refunded_fen as "refundedFen", settled_fen as "settledFen",
  over_reserved_fen as "overReservedFen", transaction_id as "transactionId",
  prepay_id as "prepayId", prepay_at as "prepayAt", channel_request as "channelRequest",
  expires_at as "expiresAt", due_at as "dueAt",
  due_count as "dueCount", refund_slot_at as "refundSlotAt", refund_sent_at as "refundSentAt",
  paid_at as "paidAt", created_at as "createdAt", updated_at as "updatedAt"`

export interface NewPayment {
  readonly id: string
  readonly merchantId: string
  readonly accountId: string
  readonly mchId: string
  readonly appId: string
  readonly outTradeNo: string
  readonly orderRef: string | null
  readonly description: string
  readonly totalFen: number
  readonly channelRequest: Buffer
  /** The keyed hash of who pays (`payerRef`); null where nobody is named. */
  readonly payerRef: Buffer | null
  readonly expiresAt: Date
  readonly now: Date
}

const INSERT = sql(
  'payments_insert',
  `insert into payments (id, merchant_id, account_id, api_version, mch_id, app_id, out_trade_no,
     order_ref, description, total_fen, channel_request, payer_ref, expires_at, created_at,
     updated_at)
   values ($1, $2, $3, 'v2', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)`,
)

/** @throws the database's error naming the unique key when a number or an open orderRef repeats. */
export async function insertPayment(tx: Transaction, payment: NewPayment): Promise<void> {
  await tx
    .lock('payment')
    .rows(INSERT, [
      payment.id,
      payment.merchantId,
      payment.accountId,
      payment.mchId,
      payment.appId,
      payment.outTradeNo,
      payment.orderRef,
      payment.description,
      payment.totalFen,
      payment.channelRequest,
      payment.payerRef,
      payment.expiresAt,
      payment.now,
    ])
}

const BY_ID = sql('payments_by_id', `select ${COLUMNS} from payments where id = $1`)
const LOCK = sql('payments_lock', `${BY_ID.text} for no key update`)
const BY_NUMBER = sql(
  'payments_by_number',
  `select ${COLUMNS} from payments where account_id = $1 and out_trade_no = $2`,
)

export async function findPayment(db: Queryable, id: string): Promise<PaymentRow | undefined> {
  return (await db.rows<PaymentRow>(BY_ID, [id]))[0]
}

/** Reads a payment and keeps its row from changing until the transaction ends. */
export async function lockPayment(tx: Transaction, id: string): Promise<PaymentRow | undefined> {
  return (await tx.lock('payment').rows<PaymentRow>(LOCK, [id]))[0]
}

/** A payment that is about to be settled, with every fact that waits for it. */
export interface SettlingPayment extends PaymentTerms {
  readonly id: string
  readonly merchantId: string
  readonly accountId: string
  readonly attention: string | null
  /** What no transaction has applied, oldest first. */
  readonly facts: readonly { readonly id: string; readonly fact: unknown }[]
}

const LOCK_FOR_SETTLING = sql(
  'payments_lock_for_settling',
  `select $1 as id, merchant_id as "merchantId", account_id as "accountId", mch_id as "mchId",
     app_id as "appId", out_trade_no as "outTradeNo", state, disposition, attention,
     total_fen as "totalFen", paid_fen as "paidFen", settlement_fen as "settlementFen",
     spoken_fen as "spokenFen", transaction_id as "transactionId", order_paid as "orderPaid",
     revives_late as "revivesLate", facts
   from lock_for_settling($1)`,
)

/** Locks a payment and reads what settling has to know, as it is once the lock is had. */
export async function lockForSettling(
  tx: Transaction,
  id: string,
): Promise<SettlingPayment | undefined> {
  return (await tx.lock('payment').rows<SettlingPayment>(LOCK_FOR_SETTLING, [id]))[0]
}

const LOCK_OF_REFUND = sql(
  'payments_lock_of_refund',
  `select id, disposition, paid_fen as "paidFen", refunded_fen as "refundedFen",
     over_reserved_fen as "overReservedFen", refund_slot_at as "refundSlotAt",
     refund_sent_at as "refundSentAt"
   from payments where id = (select payment_id from refunds where id = $1) for no key update`,
)

/** What a step of a refund has to know of its payment. */
export type RefundedPayment = Pick<
  PaymentRow,
  | 'id'
  | 'disposition'
  | 'paidFen'
  | 'refundedFen'
  | 'overReservedFen'
  | 'refundSlotAt'
  | 'refundSentAt'
>

/**
 * Locks the payment of a refund, which comes before the refund. Whose a refund is never changes, so
 * it may be read before anything is locked.
 */
export async function lockPaymentOfRefund(
  tx: Transaction,
  refundId: string,
): Promise<RefundedPayment | undefined> {
  return (await tx.lock('payment').rows<RefundedPayment>(LOCK_OF_REFUND, [refundId]))[0]
}

export async function findPaymentByNumber(
  db: Queryable,
  accountId: string,
  outTradeNo: string,
): Promise<PaymentRow | undefined> {
  return (await db.rows<PaymentRow>(BY_NUMBER, [accountId, outTradeNo]))[0]
}

const BY_REFERENCE = sql(
  'payments_by_reference',
  `select ${COLUMNS} from payments
   where merchant_id = $1 and (out_trade_no = $2 or transaction_id = $3) limit 1`,
)

/** Finds a merchant's payment by its own number or by the channel's. */
export async function findPaymentByReference(
  db: Queryable,
  merchantId: string,
  reference: { readonly outTradeNo?: string; readonly transactionId?: string },
): Promise<PaymentRow | undefined> {
  const values = [merchantId, reference.outTradeNo ?? null, reference.transactionId ?? null]
  return (await db.rows<PaymentRow>(BY_REFERENCE, values))[0]
}

/** Where a page of a list begins: behind this row, newest first. */
export interface Cursor {
  readonly createdAt: Date
  readonly id: string
}

const LIST = sql(
  'payments_list',
  `select ${COLUMNS} from payments
   where merchant_id = $1 and ($2::text is null or state = $2)
     and ($3::text is null or order_ref = $3)
     and ($4::timestamptz is null or (created_at, id) < ($4, $5::uuid))
   order by created_at desc, id desc limit $6`,
)

export async function listPayments(
  db: Queryable,
  query: {
    readonly merchantId: string
    readonly state?: PaymentState | undefined
    readonly orderRef?: string | undefined
    readonly after?: Cursor | undefined
    readonly limit: number
  },
): Promise<PaymentRow[]> {
  const { merchantId, state, orderRef, after, limit } = query
  const values = [merchantId, state, orderRef, after?.createdAt, after?.id, limit]
  return db.rows<PaymentRow>(LIST, values)
}

const PLACED = sql(
  'payments_placed',
  `update payments set state = 'awaiting_payment', prepay_id = $2, prepay_at = $3, due_at = $4,
     updated_at = $3
   where id = $1 and state in ('created', 'awaiting_payment') returning state`,
)
const PLACE_REFUSED = sql(
  'payments_place_refused',
  `update payments set state = 'failed', failure_code = $2, due_at = null, updated_at = $3
   where id = $1 and state = 'created' returning state`,
)

/**
 * created to awaiting_payment, or a fresh prepay_id for an order that waits already; changes
 * nothing when a fact was faster.
 */
export async function markPlaced(
  db: Queryable,
  id: string,
  placed: { readonly prepayId: string; readonly now: Date; readonly dueAt: Date },
): Promise<PaymentState | undefined> {
  const values = [id, placed.prepayId, placed.now, placed.dueAt]
  return (await db.rows<{ state: PaymentState }>(PLACED, values))[0]?.state
}

/** created to failed; changes and answers nothing when a fact was faster. */
export async function markPlaceRefused(
  db: Queryable,
  id: string,
  code: string,
  now: Date,
): Promise<PaymentState | undefined> {
  return (await db.rows<{ state: PaymentState }>(PLACE_REFUSED, [id, code, now]))[0]?.state
}

const CLOSED = sql(
  'payments_closed',
  `update payments set state = 'closed', due_at = null, updated_at = $2 where id = $1`,
)

/** Closes a locked payment that is open, with the commit. */
export async function markClosed(tx: Transaction, id: string, now: Date): Promise<void> {
  tx.send(CLOSED, [id, now])
}

/** The text that makes a payment paid, whose values (`paidValues`) begin at parameter 1. */
export const PAID_TEXT = `update payments set state = 'paid', disposition = $2, attention = $3,
     paid_fen = $4, cash_fen = $5, settlement_fen = $6, transaction_id = $7, paid_at = $8,
     due_at = null, updated_at = $9
   where id = $1`

export interface PaidAmounts {
  readonly disposition: Disposition
  readonly attention: string | null
  readonly paidFen: number
  readonly cashFen: number
  readonly settlementFen: number
  readonly transactionId: string
  readonly paidAt: Date
  readonly now: Date
}

/** The values of `PAID_TEXT`. */
export const paidValues = (id: string, paid: PaidAmounts): readonly unknown[] => [
  id,
  paid.disposition,
  paid.attention,
  paid.paidFen,
  paid.cashFen,
  paid.settlementFen,
  paid.transactionId,
  paid.paidAt,
  paid.now,
]

const RESOLVED = sql(
  'payments_resolved',
  `update payments set disposition = $2, attention = $3, updated_at = $4 where id = $1`,
)

/** Says what becomes of held money; the decision about it must wait in the inbox. */
export function markResolved(
  tx: Transaction,
  id: string,
  resolved: {
    readonly disposition: 'accepted' | 'surplus'
    readonly attention: string | null
    readonly now: Date
  },
): void {
  tx.send(RESOLVED, [id, resolved.disposition, resolved.attention, resolved.now])
}

const DUE = sql(
  'payments_claim_due',
  `update payments set due_at = $1::timestamptz + make_interval(secs => $2),
     due_count = due_count + 1
   where id in (
     select id from payments where due_at <= $1 order by due_at limit $3 for update skip locked)
   returning ${COLUMNS}`,
)

/**
 * Takes payments whose question to the channel is due and moves each out of the way for a while,
 * so that another worker does not ask the same.
 */
export async function claimDuePayments(
  db: Queryable,
  now: Date,
  claimSeconds: number,
  limit: number,
): Promise<PaymentRow[]> {
  return db.rows<PaymentRow>(DUE, [now, claimSeconds, limit])
}

const DUE_AT = sql(
  'payments_due_at',
  `update payments set due_at = $2
   where id = $1 and state in ('created', 'awaiting_payment')`,
)

/** Says when the loop asks for an order; one that is over is asked for no more. */
export async function setDueAt(db: Queryable, id: string, dueAt: Date): Promise<void> {
  await db.rows(DUE_AT, [id, dueAt])
}
