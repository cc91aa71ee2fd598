import { only, sql, type Queryable } from './pool.js'

/*
 * Each function below is the database's own: it decides how old something must be, by the table
 * `retention` and by its own clock, so no caller can remove what is younger. One that finds
 * another worker at it does nothing and answers 0.
 */

interface Counted {
  readonly count: number
}

const ENSURE = sql('retention_ensure', 'select ensure_inbox_body_partitions($1) as count')

/** Makes the partitions of this month and of the next two. @returns how many were missing */
export async function ensureBodyPartitions(db: Queryable, now: Date): Promise<number> {
  return only(await db.rows<Counted>(ENSURE, [now])).count
}

const DROP = sql('retention_drop_bodies', 'select drop_inbox_bodies($1) as count')

/** Drops the months of raw bodies that are wholly past their time. @returns how many months */
export async function dropOldBodies(db: Queryable, now: Date): Promise<number> {
  return only(await db.rows<Counted>(DROP, [now])).count
}

const ENSURE_ATTEMPTS = sql(
  'retention_ensure_attempts',
  'select ensure_webhook_attempt_partitions($1) as count',
)

/** Makes this month of webhook attempts and the next two. @returns how many were missing */
export async function ensureAttemptPartitions(db: Queryable, now: Date): Promise<number> {
  return only(await db.rows<Counted>(ENSURE_ATTEMPTS, [now])).count
}

const DROP_ATTEMPTS = sql('retention_drop_attempts', 'select drop_webhook_attempts($1) as count')

/** Drops the months of webhook attempts that are past their time. @returns how many months */
export async function dropOldAttempts(db: Queryable, now: Date): Promise<number> {
  return only(await db.rows<Counted>(DROP_ATTEMPTS, [now])).count
}

const FORGET_DELIVERIES = sql(
  'retention_forget_deliveries',
  'select forget_webhook_deliveries($1, $2) as count',
)

/** Deletes at most `limit` webhook deliveries that ended and are past their time. */
export async function forgetOldDeliveries(
  db: Queryable,
  now: Date,
  limit: number,
): Promise<number> {
  return only(await db.rows<Counted>(FORGET_DELIVERIES, [now, limit])).count
}

const FORGET = sql('retention_forget_keys', 'select forget_idempotency_keys($1, $2) as count')

/** Deletes at most `limit` idempotency keys that nobody repeats any more. */
export async function forgetOldKeys(db: Queryable, now: Date, limit: number): Promise<number> {
  return only(await db.rows<Counted>(FORGET, [now, limit])).count
}

const ERASE = sql('retention_erase_payers', 'select erase_old_payers($1, $2) as count')

/** Erases the payers of at most `limit` payments whose time is over. */
export async function eraseOldPayers(db: Queryable, now: Date, limit: number): Promise<number> {
  return only(await db.rows<Counted>(ERASE, [now, limit])).count
}
