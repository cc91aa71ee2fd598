import { only, sql, type Queryable } from './pool.js'

const POSITION = sql('outbox_position', 'select position_events($1) as positioned')

/**
 * Gives the events that have none their positions in the one order of all events, about `limit` of
 * them at a time. One process does at a time; another that comes meanwhile does nothing.
 * @returns how many events got one
 */
export async function positionEvents(db: Queryable, limit: number): Promise<number> {
  return only(await db.rows<{ positioned: number }>(POSITION, [limit])).positioned
}

export interface OutboxEvent {
  /** Dense: 1, 2, 3 and on, in the order in which readers see events. */
  readonly position: number
  readonly id: string
  readonly paymentId: string
  /** Dense per payment. */
  readonly sequence: number
  readonly type: string
  readonly payload: unknown
  readonly createdAt: Date
}

const HEAD = sql('outbox_head', 'select coalesce(max(position), 0) as position from outbox')

/** The position of the last event that readers see; 0 before the first. */
export async function outboxHead(db: Queryable): Promise<number> {
  return only(await db.rows<{ position: number }>(HEAD, [])).position
}

/** How many positions, of all merchants, one reading goes through at most. */
const WINDOW = 5_000

const OF_MERCHANT = sql(
  'outbox_of_merchant',
  `select o.position, o.id, o.subject as "paymentId", o.sequence, o.type, o.payload,
     o.created_at as "createdAt"
   from outbox o join payments p on p.id = o.subject
   where o.position > $2 and o.position <= $3 and p.merchant_id = $1
   order by o.position limit $4`,
)

/**
 * A merchant's events after a position, in order, and how far was looked: whoever goes on from
 * there misses none. An empty page is the end only when `readTo` is the head.
 */
export async function readMerchantEvents(
  db: Queryable,
  query: { readonly merchantId: string; readonly afterPosition: number; readonly limit: number },
): Promise<{ events: OutboxEvent[]; readTo: number; head: number }> {
  const { merchantId, afterPosition, limit } = query
  const head = await outboxHead(db)
  const windowEnd = Math.min(head, afterPosition + WINDOW)
  const values = [merchantId, afterPosition, windowEnd, limit]
  const events = await db.rows<OutboxEvent>(OF_MERCHANT, values)
  const isFull = events.length === limit
  const readTo = isFull ? (events.at(-1)?.position ?? windowEnd) : windowEnd
  return { events, readTo: Math.max(afterPosition, readTo), head }
}

const READ = sql(
  'outbox_read',
  `select position, id, subject as "paymentId", sequence, type, payload, created_at as "createdAt"
   from outbox where position > $1 order by position limit $2`,
)

/**
 * The events after a position, in order. Whoever goes on from the last position it has read misses
 * none: a position appears only when all before it have.
 */
export async function readOutbox(
  db: Queryable,
  afterPosition: number,
  limit: number,
): Promise<OutboxEvent[]> {
  return db.rows<OutboxEvent>(READ, [afterPosition, limit])
}
