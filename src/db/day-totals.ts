import { sql } from './pool.js'
import type { Transaction } from './transaction.js'

/** The row of a merchant's day that everybody's approvals count in. */
export const EVERYBODY = ''

const DAY = `($3::timestamptz at time zone 'Asia/Shanghai')::date`

const BEGIN = sql(
  'day_totals_begin',
  `insert into person_day_totals (merchant_id, person, beijing_day, approved_fen)
   select $1, person, ${DAY}, 0 from unnest($2::text[]) as person order by person
   on conflict do nothing`,
)
const LOCK = sql(
  'day_totals_lock',
  `select person, approved_fen as "approvedFen" from person_day_totals
   where merchant_id = $1 and person = any($2::text[]) and beijing_day = ${DAY}
   order by person for no key update`,
)
const ADD = sql(
  'day_totals_add',
  `update person_day_totals set approved_fen = approved_fen + $4
   where merchant_id = $1 and person = any($2::text[]) and beijing_day = ${DAY}`,
)

export interface DayOf {
  readonly merchantId: string
  /** `EVERYBODY`, or names of people as they are compared. */
  readonly persons: readonly string[]
  readonly now: Date
}

/** Locks what was approved on the Beijing day of `now`, by person; after payment and refund. */
export async function lockDayTotals(
  tx: Transaction,
  { merchantId, persons, now }: DayOf,
): Promise<ReadonlyMap<string, number>> {
  const values = [merchantId, persons, now]
  const [, rows] = await Promise.all([
    tx.lock('dayTotal').rows(BEGIN, values),
    tx.rows<{ person: string; approvedFen: number }>(LOCK, values),
  ])
  return new Map(rows.map(({ person, approvedFen }) => [person, approvedFen]))
}

/** Counts an approval in rows that are locked. */
export async function addToDayTotals(
  tx: Transaction,
  { merchantId, persons, now }: DayOf,
  amountFen: number,
): Promise<void> {
  await tx.rows(ADD, [merchantId, persons, now, amountFen])
}
