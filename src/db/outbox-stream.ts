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
