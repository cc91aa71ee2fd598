import { sql, type Queryable } from './pool.js'

interface OpenPayment {
  readonly kind: 'payment'
  readonly id: string
  readonly merchantId: string
  readonly outTradeNo: string
  readonly orderRef: string | null
  readonly totalFen: number
  readonly expiresAt: Date
}

interface OpenRefund {
  readonly kind: 'refund'
  readonly id: string
  readonly merchantId: string
  readonly outRefundNo: string
  readonly outTradeNo: string
  readonly amountFen: number
  readonly expiresAt: Date
}

/** A row that is not over, with what the start of its workflow has to know. */
export type OpenRow = OpenPayment | OpenRefund

/** One that should have been moved on. */
export type WatchedRow = OpenRow & {
  /** Since when; that somebody looked at it changes nothing here. */
  readonly overdueFrom: Date
}

const PAYMENT_IS_OPEN = `p.state in ('created', 'awaiting_payment')`
const REFUND_IS_OPEN = `r.state in ('pending', 'approved', 'refunding', 'needs_attention')`

/** The expressions of the indexes `payments_watched` and `refunds_watched`. */
const paymentFrom = (putOff: string): string =>
  `payment_watched_from(p.state, p.created_at, p.expires_at, ${putOff})`
const refundFrom = (putOff: string): string =>
  `refund_watched_from(r.state, r.created_at, r.remind_at, r.reminded_at, r.expires_at,
    r.escalated_at, r.hold_reason, r.hold_until, r.last_submitted_at, r.due_at, ${putOff})`
const PAYMENT_FROM = paymentFrom('p.watched_from')
const REFUND_FROM = refundFrom('r.watched_from')

const PAYMENT = `'payment' as kind, p.id, p.merchant_id as "merchantId",
  p.out_trade_no as "outTradeNo", p.order_ref as "orderRef", p.total_fen as "totalFen",
  null as "outRefundNo", null::bigint as "amountFen", p.expires_at as "expiresAt"`
const REFUND = `'refund' as kind, r.id, r.merchant_id as "merchantId",
  p.out_trade_no as "outTradeNo", null as "orderRef", null::bigint as "totalFen",
  r.out_refund_no as "outRefundNo", r.amount_fen as "amountFen", r.expires_at as "expiresAt"`

const WATCHED = sql(
  'sweep_watched',
  `(select ${PAYMENT}, ${paymentFrom('null')} as "overdueFrom" from payments p
    where ${PAYMENT_IS_OPEN} and ${PAYMENT_FROM} <= $1 order by ${PAYMENT_FROM} limit $2)
   union all
   (select ${REFUND}, ${refundFrom('null')} as "overdueFrom"
    from refunds r join payments p on p.id = r.payment_id
    where ${REFUND_IS_OPEN} and ${REFUND_FROM} <= $1 order by ${REFUND_FROM} limit $2)`,
)

/**
 * Rows that are not over although their workflow had to move them on before an instant, at most
 * `limit` of each kind, those that wait longest first. Where there are none it reads two index
 * pages.
 */
export async function watchedRows(
  db: Queryable,
  before: Date,
  limit: number,
): Promise<WatchedRow[]> {
  return db.rows<WatchedRow>(WATCHED, [before, limit])
}

const WATCH_PAYMENTS = sql(
  'sweep_watch_payments',
  `update payments p set watched_from = w.at
   from unnest($1::uuid[], $2::timestamptz[]) as w(id, at)
   where p.id = w.id and ${PAYMENT_IS_OPEN}`,
)
const WATCH_REFUNDS = sql(
  'sweep_watch_refunds',
  `update refunds r set watched_from = w.at
   from unnest($1::uuid[], $2::timestamptz[]) as w(id, at)
   where r.id = w.id and ${REFUND_IS_OPEN}`,
)

/** Puts off when rows are looked at again; one that is over by now is left alone. */
export async function watchFrom(
  db: Queryable,
  watches: readonly { readonly row: Pick<OpenRow, 'kind' | 'id'>; readonly at: Date }[],
): Promise<void> {
  for (const [kind, statement] of [
    ['payment', WATCH_PAYMENTS],
    ['refund', WATCH_REFUNDS],
  ] as const) {
    const of = watches.filter(({ row }) => row.kind === kind)
    if (of.length === 0) continue
    await db.rows(statement, [of.map(({ row }) => row.id), of.map(({ at }) => at)])
  }
}

const OPEN_IDS = sql(
  'sweep_open_ids',
  `select 'payment' as kind, p.id from payments p where ${PAYMENT_IS_OPEN}
   union all
   select 'refund', r.id from refunds r where ${REFUND_IS_OPEN}`,
)

/** Every row that is not over, by its id. */
export async function openIds(db: Queryable): Promise<Pick<OpenRow, 'kind' | 'id'>[]> {
  return db.rows(OPEN_IDS, [])
}

const OPEN_AMONG = sql(
  'sweep_open_among',
  `select ${PAYMENT} from payments p where p.id = any($1::uuid[]) and ${PAYMENT_IS_OPEN}
   union all
   select ${REFUND} from refunds r join payments p on p.id = r.payment_id
   where r.id = any($1::uuid[]) and ${REFUND_IS_OPEN}`,
)

/** Those of some payments and refunds that are not over now. */
export async function openAmong(db: Queryable, ids: readonly string[]): Promise<OpenRow[]> {
  return db.rows<OpenRow>(OPEN_AMONG, [ids])
}

const UNKNOWN_PAYMENTS = sql(
  'sweep_unknown_payments',
  `select w.merchant_id as "merchantId", w.number
   from unnest($1::text[], $2::text[]) as w(merchant_id, number)
   where not exists (select from payments p
     where p.merchant_id = w.merchant_id and p.out_trade_no = w.number)`,
)
const UNKNOWN_REFUNDS = sql(
  'sweep_unknown_refunds',
  `select w.merchant_id as "merchantId", w.number
   from unnest($1::text[], $2::text[]) as w(merchant_id, number)
   where not exists (select from channel_accounts a
     join refunds r on r.mch_id = a.mch_id and r.out_refund_no = w.number
     where a.merchant_id = w.merchant_id and r.merchant_id = w.merchant_id)`,
)

/** What a workflow is about, by the parts of its id. */
export interface Numbered {
  readonly kind: OpenRow['kind']
  readonly merchantId: string
  /** `outTradeNo` of a payment, `outRefundNo` of a refund. */
  readonly number: string
}

/** Those of some numbers that no row has. */
export async function withoutRow(
  db: Queryable,
  numbered: readonly Numbered[],
): Promise<Numbered[]> {
  const found: Numbered[] = []
  for (const [kind, statement] of [
    ['payment', UNKNOWN_PAYMENTS],
    ['refund', UNKNOWN_REFUNDS],
  ] as const) {
    const of = numbered.filter((each) => each.kind === kind)
    if (of.length === 0) continue
    const values = [of.map(({ merchantId }) => merchantId), of.map(({ number }) => number)]
    const unknown = await db.rows<Omit<Numbered, 'kind'>>(statement, values)
    found.push(...unknown.map((each) => ({ kind, ...each })))
  }
  return found
}
