import { sql, type Queryable } from './pool.js'

/** What people say of refunds stands in a row before the engine is told of it. */
type SaidTable = 'refund_decisions' | 'refund_resolutions'

/** How far such a row has come: told to the engine, told again, applied. */
interface SaidMarks<Outcome> {
  /** Notes when the engine was first told; a later telling changes nothing. */
  readonly signalled: (db: Queryable, id: string, now: Date) => Promise<void>
  /** Notes that it was told again, which gives it time until it is told once more. */
  readonly resent: (db: Queryable, id: string, now: Date) => Promise<void>
  /** What nobody applied although its last telling, or the lack of one, is older than `before`. */
  readonly undelivered: (
    db: Queryable,
    before: Date,
    limit: number,
  ) => Promise<{ id: string; refundId: string }[]>
  /** Of these rows those that were applied, with what they did. */
  readonly applied: (
    db: Queryable,
    ids: readonly string[],
  ) => Promise<{ id: string; outcome: Outcome }[]>
}

/** The marks of one table; its statements are called by `name`. */
export function saidMarks<Outcome>(table: SaidTable, name: string): SaidMarks<Outcome> {
  const SIGNALLED = sql(
    `${name}_signalled`,
    `update ${table} set signalled_at = $2 where id = $1 and signalled_at is null`,
  )
  const RESENT = sql(
    `${name}_resent`,
    `update ${table} set signalled_at = coalesce(signalled_at, $2), resent_at = $2,
       resent_count = resent_count + 1
     where id = $1`,
  )
  const UNDELIVERED = sql(
    `${name}_undelivered`,
    `select id, refund_id as "refundId" from ${table}
     where applied_at is null and coalesce(resent_at, signalled_at, stored_at) < $1
     order by stored_at limit $2`,
  )
  const APPLIED = sql(
    `${name}_outcomes`,
    `select id, outcome from ${table} where id = any($1::uuid[]) and applied_at is not null`,
  )
  return {
    signalled: async (db, id, now) => void (await db.rows(SIGNALLED, [id, now])),
    resent: async (db, id, now) => void (await db.rows(RESENT, [id, now])),
    undelivered: async (db, before, limit) => db.rows(UNDELIVERED, [before, limit]),
    applied: async (db, ids) => db.rows(APPLIED, [ids]),
  }
}
