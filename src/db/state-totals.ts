import { only, sql, type Queryable } from './pool.js'

/** How many events of one kind told of one state since some position. */
export interface EventCount {
  readonly kind: 'payment' | 'refund'
  readonly state: string
  readonly cause: string
  readonly count: number
}

const COUNTS = sql(
  'totals_of_events',
  `select split_part(type, '.', 1) as kind, payload->>'state' as state,
     coalesce(payload->>'cause', '') as cause, count(*) as count
   from outbox
   where position > $1 and position <= $2 and payload->>'state' is not null
     and type ~ '^(payment|refund)[.]'
   group by 1, 2, 3`,
)

const LAST = sql('totals_last_position', 'select coalesce(max(position), 0) as last from outbox')

/** The position of the last event that has one; 0 before the first. */
export async function lastPosition(db: Queryable): Promise<number> {
  return only(await db.rows<{ last: number }>(LAST, [])).last
}

/**
 * What the events after a position and up to another tell of, by state. It reads their index from
 * one end of the stretch to the other, so it costs what came since the last call.
 */
export async function countEvents(
  db: Queryable,
  after: number,
  upTo: number,
): Promise<EventCount[]> {
  return db.rows<EventCount>(COUNTS, [after, upTo])
}

const CREATED = sql(
  'totals_of_created',
  `with stretch as (
     select id from payments where id > $1 and id < $2 order by id limit $3
   )
   select count(*) as count, (select id from stretch order by id desc limit 1) as "lastId"
   from stretch`,
)

/**
 * How many payments were created after an id and before another, at most `limit`, and the last of
 * them: ids begin with the time they were made at, so the primary key is in order of creation.
 */
export async function countCreated(
  db: Queryable,
  range: { readonly afterId: string; readonly beforeId: string; readonly limit: number },
): Promise<{ readonly count: number; readonly lastId: string | null }> {
  const values = [range.afterId, range.beforeId, range.limit]
  return only(await db.rows<{ count: number; lastId: string | null }>(CREATED, values))
}

const FAILED = sql(
  'totals_of_failed',
  "select count(*) as count from payments where state = 'failed'",
)

/** How many orders WeChat Pay refused to place; by the index of what is not paid. */
export async function countFailed(db: Queryable): Promise<number> {
  return only(await db.rows<{ count: number }>(FAILED, [])).count
}
