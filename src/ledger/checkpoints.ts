import { only, sql, type Queryable } from '../db/pool.js'

export interface AccountBalance {
  readonly account: string
  /** Debits less credits. */
  readonly balanceFen: number
}

const CHECKPOINT = sql('balance_checkpoint', 'select checkpoint_balances($1) as written')

/**
 * Writes the balances as of the last Beijing day that is over, once it is and something was sealed
 * since the day before it.
 * @returns whether they were written now
 */
export async function checkpointBalances(db: Queryable, now: Date): Promise<boolean> {
  return only(await db.rows<{ written: boolean }>(CHECKPOINT, [now])).written
}

// A day counts only where all of it was recorded by then, so that a clock that was wrong changes
// the way but not the sum. What was recorded late for a day stands in a later one, which is read
// only when something in it is old enough.
const AT = sql(
  'balances_at',
  `with base as (
     select day, last_seq from balance_days where recorded_to <= $1 order by day desc limit 1
   ), stretches as (
     select first_seq, last_seq from balance_days
     where recorded_from <= $1 and last_seq > coalesce((select last_seq from base), 0)
     union all
     select coalesce(max(last_seq), 0) + 1, 9223372036854775807 from balance_days
   ), later as (
     select debit, credit, amount_fen
     from stretches s join journal_order o on o.seq between s.first_seq and s.last_seq
       join journal_transfers using (entry_id)
     where recorded_at <= $1 and o.kind = 'entry'
     union all
     select debit, credit, amount_fen
     from journal_unsealed join journal_transfers using (entry_id)
     where recorded_at <= $1
   ), legs as (
     select account, balance_fen as amount from balance_checkpoints join base using (day)
     union all select debit, amount_fen from later
     union all select credit, -amount_fen from later
   )
   select account, sum(amount)::bigint as "balanceFen" from legs
   group by account order by account collate "C"`,
)

/**
 * The balance of every account as the book stood at a past moment: debits less credits of all that
 * was recorded by then. What became known later is not in it, also where it happened before.
 */
export async function balancesAt(db: Queryable, instant: Date): Promise<AccountBalance[]> {
  return db.rows<AccountBalance>(AT, [instant])
}
