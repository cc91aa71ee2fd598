import type { ReasonCategory } from '../domain/refund.js'
import type { HoldReason, RefundCause, RefundOrigin, RefundState } from '../domain/states.js'
import { only, sql, type Queryable, type Statement } from './pool.js'
import type { Cursor } from './payments.js'
import type { Transaction } from './transaction.js'

export interface RefundRow {
  readonly id: string
  readonly merchantId: string
  readonly paymentId: string
  readonly accountId: string
  readonly mchId: string
  readonly outRefundNo: string
  readonly origin: RefundOrigin
  readonly state: RefundState
  readonly cause: RefundCause | null
  readonly holdReason: HoldReason | null
  readonly holdUntil: Date | null
  readonly lastCode: string | null
  readonly lastMessage: string | null
  readonly amountFen: number
  readonly totalFen: number
  readonly settlementFen: number | null
  readonly transitRound: number
  readonly inTransit: boolean
  readonly refundId: string | null
  readonly reason: string
  readonly requestedBy: string | null
  readonly requestedFor: string
  readonly reasonCategory: ReasonCategory
  /** Null while nobody has said. */
  readonly shipped: boolean | null
  /** The version of the merchant's policy it was asked for under; null where it had none. */
  readonly policyVersion: number | null
  readonly approvalsNeeded: number
  readonly expiresAt: Date
  readonly remindAt: Date | null
  readonly remindedAt: Date | null
  readonly escalatedAt: Date | null
  readonly firstSubmittedAt: Date | null
  readonly lastSubmittedAt: Date | null
  readonly submitCount: number
  readonly acceptedAt: Date | null
  readonly queryCount: number
  readonly doneAt: Date | null
  /** The closed refund that this one tries again. */
  readonly retryOf: string | null
  /** An answer to one of its submits was missed. */
  readonly maybeTaken: boolean
  /** Since when the channel takes long; nothing is concluded from it. */
  readonly slowAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

const COLUMNS = `id, merchant_id as "merchantId", payment_id as "paymentId",
  account_id as "accountId", mch_id as "mchId", out_refund_no as "outRefundNo", origin, state,
  cause, hold_reason as "holdReason", hold_until as "holdUntil", last_code as "lastCode",
  last_message as "lastMessage", amount_fen as "amountFen", total_fen as "totalFen",
  settlement_fen as "settlementFen", transit_round as "transitRound", in_transit as "inTransit",
  refund_id as "refundId", reason, requested_by as "requestedBy", requested_for as "requestedFor",
  reason_category as "reasonCategory", shipped, policy_version as "policyVersion",
  approvals_needed as "approvalsNeeded", remind_at as "remindAt", reminded_at as "remindedAt",
  escalated_at as "escalatedAt", expires_at as "expiresAt",
  first_submitted_at as "firstSubmittedAt",
  last_submitted_at as "lastSubmittedAt", submit_count as "submitCount",
  accepted_at as "acceptedAt", query_count as "queryCount", done_at as "doneAt",
  retry_of as "retryOf", maybe_taken as "maybeTaken", slow_at as "slowAt",
  created_at as "createdAt", updated_at as "updatedAt"`

export interface RefundRequest {
  readonly id: string
  readonly merchantId: string
  readonly paymentId: string
  readonly outRefundNo: string
  readonly amountFen: number
  readonly reason: string
  readonly requestedBy: string
  readonly requestedFor: string
  readonly reasonCategory?: ReasonCategory | undefined
  /** Left out while nobody knows. */
  readonly shipped?: boolean | null | undefined
  /** When a decision is due, for a merchant without a policy, which says so itself. */
  readonly expiresAt: Date
  readonly eventId: string
  readonly auditId: string
  readonly now: Date
}

export type RequestOutcome =
  | 'requested'
  | 'not_found'
  | 'payment_not_paid'
  | 'payment_held'
  | 'refund_exceeds_payment'
  | 'refund_too_old'
  | 'refund_count_reached'
  | 'refund_too_soon'

const REQUEST = sql(
  'refunds_request',
  `select outcome, left_fen as "leftFen"
   from request_refund($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
)

/**
 * Asks for a refund and reserves its amount in the same statement, under the payment's lock. Where
 * the merchant's policy lets it go by itself, it is approved when this returns.
 * @returns the outcome, and how much of the payment can still be refunded
 */
export async function requestRefund(
  tx: Transaction,
  request: RefundRequest,
): Promise<{ outcome: RequestOutcome; leftFen: number }> {
  return only(
    await tx
      .lock('payment')
      .rows<{ outcome: RequestOutcome; leftFen: number }>(REQUEST, [
        request.id,
        request.merchantId,
        request.paymentId,
        request.outRefundNo,
        request.amountFen,
        request.reason,
        request.requestedBy,
        request.requestedFor,
        request.expiresAt,
        request.eventId,
        request.auditId,
        request.now,
        request.reasonCategory ?? 'other',
        request.shipped ?? null,
      ]),
  )
}

const BY_ID = sql('refunds_by_id', `select ${COLUMNS} from refunds where id = $1`)
const LOCK = sql('refunds_lock', `${BY_ID.text} for no key update`)
const BY_NUMBER = sql(
  'refunds_by_number',
  `select ${COLUMNS} from refunds where account_id = $1 and out_refund_no = $2`,
)

export async function findRefund(db: Queryable, id: string): Promise<RefundRow | undefined> {
  return (await db.rows<RefundRow>(BY_ID, [id]))[0]
}

export async function findRefundByNumber(
  db: Queryable,
  accountId: string,
  outRefundNo: string,
): Promise<RefundRow | undefined> {
  return (await db.rows<RefundRow>(BY_NUMBER, [accountId, outRefundNo]))[0]
}

/** Locks a refund; its payment must be locked before (`lockPaymentOfRefund`). */
export async function lockRefund(tx: Transaction, id: string): Promise<RefundRow | undefined> {
  return (await tx.lock('refund').rows<RefundRow>(LOCK, [id]))[0]
}

const LIST = sql(
  'refunds_list',
  `select ${COLUMNS} from refunds
   where merchant_id = $1 and ($2::text is null or state = $2)
     and ($3::uuid is null or payment_id = $3)
     and ($4::timestamptz is null or (created_at, id) < ($4, $5::uuid))
   order by created_at desc, id desc limit $6`,
)

export async function listRefunds(
  db: Queryable,
  query: {
    readonly merchantId: string
    readonly state?: RefundState | undefined
    readonly paymentId?: string | undefined
    readonly after?: Cursor | undefined
    readonly limit: number
  },
): Promise<RefundRow[]> {
  const { merchantId, state, paymentId, after, limit } = query
  const values = [merchantId, state, paymentId, after?.createdAt, after?.id, limit]
  return db.rows<RefundRow>(LIST, values)
}

/** What a step may change of a refund; what is left out stays. */
export interface RefundChange {
  readonly state?: RefundState
  readonly cause?: RefundCause | null
  readonly holdReason?: HoldReason | null
  readonly holdUntil?: Date | null
  readonly lastCode?: string | null
  readonly lastMessage?: string | null
  readonly settlementFen?: number
  readonly transitRound?: number
  readonly inTransit?: boolean
  readonly refundId?: string
  readonly firstSubmittedAt?: Date
  readonly lastSubmittedAt?: Date
  readonly submitCount?: number
  readonly acceptedAt?: Date
  readonly queryCount?: number
  readonly doneAt?: Date
  readonly remindedAt?: Date
  readonly escalatedAt?: Date
  readonly maybeTaken?: boolean
  readonly slowAt?: Date | null
  /** When the loop asks for it or looks at its hold; null when its workflow does. */
  readonly dueAt?: Date | null
}

const CHANGEABLE: Readonly<Record<keyof RefundChange, string>> = {
  state: 'state',
  cause: 'cause',
  holdReason: 'hold_reason',
  holdUntil: 'hold_until',
  lastCode: 'last_code',
  lastMessage: 'last_message',
  settlementFen: 'settlement_fen',
  transitRound: 'transit_round',
  inTransit: 'in_transit',
  refundId: 'refund_id',
  firstSubmittedAt: 'first_submitted_at',
  lastSubmittedAt: 'last_submitted_at',
  submitCount: 'submit_count',
  acceptedAt: 'accepted_at',
  queryCount: 'query_count',
  doneAt: 'done_at',
  remindedAt: 'reminded_at',
  escalatedAt: 'escalated_at',
  maybeTaken: 'maybe_taken',
  slowAt: 'slow_at',
  dueAt: 'due_at',
}

/** One prepared statement for each set of columns that a step writes: about a dozen. */
const changes = new Map<string, Statement>()

function changeStatement(keys: readonly (keyof RefundChange)[]): Statement {
  const columns = keys.map((key) => CHANGEABLE[key])
  const sets = ['updated_at = $2', ...columns.map((column, index) => `${column} = $${index + 3}`)]
  const text = `update refunds set ${sets.join(', ')} where id = $1`
  const known = changes.get(text) ?? sql(`refunds_change_${changes.size}`, text)
  changes.set(text, known)
  return known
}

/** Writes the given columns of a locked refund. */
export async function changeRefund(
  tx: Transaction,
  id: string,
  change: RefundChange,
  now: Date,
): Promise<void> {
  const keys = (Object.keys(change) as (keyof RefundChange)[]).toSorted()
  await tx.rows(changeStatement(keys), [id, now, ...keys.map((key) => change[key])])
}

const TAKE_SLOT = sql(
  'refunds_take_slot',
  `update payments set refund_slot_at = $2, refund_sent_at = $3 where id = $1`,
)

/** Says when the payment's next refund may be sent, and when the last one was. */
export async function setRefundSlot(
  tx: Transaction,
  paymentId: string,
  slot: { readonly nextAt: Date; readonly sentAt: Date | null },
): Promise<void> {
  await tx.rows(TAKE_SLOT, [paymentId, slot.nextAt, slot.sentAt])
}
