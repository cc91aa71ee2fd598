import type { RefundCause, RefundState } from '../domain/states.js'
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
  readonly state: RefundState
  readonly cause: RefundCause | null
  readonly holdReason: 'spacing' | null
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
  readonly requestedBy: string
  readonly requestedFor: string
  readonly expiresAt: Date
  readonly firstSubmittedAt: Date | null
  readonly lastSubmittedAt: Date | null
  readonly submitCount: number
  readonly acceptedAt: Date | null
  readonly queryCount: number
  readonly doneAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

const COLUMNS = `id, merchant_id as "merchantId", payment_id as "paymentId",
  account_id as "accountId", mch_id as "mchId", out_refund_no as "outRefundNo", state, cause,
  hold_reason as "holdReason", hold_until as "holdUntil", last_code as "lastCode",
  last_message as "lastMessage", amount_fen as "amountFen", total_fen as "totalFen",
  settlement_fen as "settlementFen", transit_round as "transitRound", in_transit as "inTransit",
  refund_id as "refundId", reason, requested_by as "requestedBy", requested_for as "requestedFor",
  expires_at as "expiresAt", first_submitted_at as "firstSubmittedAt",
  last_submitted_at as "lastSubmittedAt", submit_count as "submitCount",
  accepted_at as "acceptedAt", query_count as "queryCount", done_at as "doneAt",
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

const REQUEST = sql(
  'refunds_request',
  `select outcome, left_fen as "leftFen"
   from request_refund($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
)

/**
 * Asks for a refund and reserves its amount in the same statement, under the payment's lock.
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

/** Locks a refund; its payment must be locked before (`lockPayment`). */
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
  readonly holdReason?: 'spacing' | null
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
