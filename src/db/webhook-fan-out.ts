import { sql, only } from './pool.js'
import type { Transaction } from './transaction.js'

const READER = 'webhooks'

const LOCK = sql(
  'webhook_cursor_lock',
  'select position from stream_cursors where reader = $1 for update skip locked',
)

/** How far events were handed out, locked; undefined while another worker is at it. */
export async function lockWebhookCursor(tx: Transaction): Promise<number | undefined> {
  return (await tx.rows<{ position: number }>(LOCK, [READER]))[0]?.position
}

// Where nobody listens there is nothing to hand out, however long the book is.
const UPTO = sql(
  'webhook_cursor_upto',
  `select count(*)::int as count, coalesce(max(position), $1::bigint) as position from (
     select position from outbox where position > $1 order by position
     limit case when exists (select from webhook_endpoints where deleted_at is null)
       then $2::int else 100000 end) as next`,
)

export interface Stretch {
  readonly count: number
  /** The last position of it. */
  readonly position: number
}

/** The next stretch of the stream: of at most `limit` events, where there is an endpoint. */
export async function nextStretch(tx: Transaction, after: number, limit: number): Promise<Stretch> {
  return only(await tx.rows<Stretch>(UPTO, [after, limit]))
}

/** An event that an endpoint wants. */
export interface WantedEvent {
  readonly id: string
  readonly paymentId: string
  readonly sequence: number
  readonly type: string
  readonly payload: Readonly<Record<string, unknown>>
  readonly createdAt: Date
  readonly livemode: boolean
  readonly endpointId: string
  readonly merchantId: string
  readonly enabled: boolean
}

// The endpoints are locked, so that one that is switched off meanwhile skips these events too.
const WANTED = sql(
  'webhook_fan_out_wanted',
  `select o.id, o.subject as "paymentId", o.sequence, o.type, o.payload,
     o.created_at as "createdAt", e.livemode, e.id as "endpointId",
     e.merchant_id as "merchantId", e.enabled
   from outbox o join payments p on p.id = o.subject
     join channel_accounts a on a.id = p.account_id
     join webhook_endpoints e on e.merchant_id = p.merchant_id
       and e.livemode = (a.mode = 'live')
   where o.position > $1 and o.position <= $2 and e.deleted_at is null
     and e.created_at <= o.created_at
     and (e.event_types is null or o.type = any(e.event_types))
   order by o.position, e.id for share of e`,
)

/** What the endpoints of a stretch are told, in order. An endpoint hears what came after it. */
export async function wantedEvents(
  tx: Transaction,
  after: number,
  upto: number,
): Promise<WantedEvent[]> {
  return tx.rows<WantedEvent>(WANTED, [after, upto])
}

// One that comes behind another of its line which waits for its next try waits with it.
const INSERT = sql(
  'webhook_fan_out_insert',
  `insert into webhook_deliveries (id, endpoint_id, merchant_id, event_id, type, payment_id,
     sequence, body, state, next_at, finished_at, created_at)
   select n.id, n.endpoint_id, n.merchant_id, n.event_id, n.type, n.payment_id, n.sequence, n.body,
     case when n.enabled then 'pending' else 'skipped' end,
     coalesce((select max(next_at) from webhook_deliveries w where w.endpoint_id = n.endpoint_id
       and w.payment_id = n.payment_id and w.state = 'pending'), $2),
     case when n.enabled then null else $2::timestamptz end, $2
   from jsonb_to_recordset($1::jsonb) as n (id uuid, endpoint_id uuid, merchant_id text,
     event_id uuid, type text, payment_id uuid, sequence int, body text, enabled boolean)
   on conflict (endpoint_id, event_id) do nothing`,
)

export interface NewDelivery {
  readonly id: string
  readonly event: WantedEvent
  readonly body: string
}

/** Adds deliveries in the order given; one that is there already stays as it is. */
export async function insertDeliveries(
  tx: Transaction,
  deliveries: readonly NewDelivery[],
  now: Date,
): Promise<void> {
  const rows = deliveries.map(({ id, event, body }) => ({
    id,
    endpoint_id: event.endpointId,
    merchant_id: event.merchantId,
    event_id: event.id,
    type: event.type,
    payment_id: event.paymentId,
    sequence: event.sequence,
    body,
    enabled: event.enabled,
  }))
  await tx.rows(INSERT, [JSON.stringify(rows), now])
}

const MOVE = sql('webhook_cursor_move', 'update stream_cursors set position = $2 where reader = $1')

/** Notes how far events were handed out; the cursor must be locked (`lockWebhookCursor`). */
export async function moveWebhookCursor(tx: Transaction, position: number): Promise<void> {
  await tx.rows(MOVE, [READER, position])
}
