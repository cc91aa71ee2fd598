import { only, sql, type Queryable } from '../db/pool.js'

// One statement, so that refunds and entries are of the same instant. What is older than the last
// day that was closed stands in its checkpoint and is not read again.
const UNBALANCED = sql(
  'book_unbalanced',
  `with base as (
     select day, last_seq from balance_days order by day desc limit 1
   ), later as (
     select debit, credit, amount_fen from journal_order join journal_transfers using (entry_id)
     where seq > coalesce((select last_seq from base), 0)
     union all
     select debit, credit, amount_fen from journal_unsealed join journal_transfers using (entry_id)
   ), legs as (
     select account, balance_fen as amount from balance_checkpoints join base using (day)
     union all select debit, amount_fen from later
     union all select credit, -amount_fen from later
   ), balances as (
     select account, sum(amount) as fen from legs group by account
   ), transit as (
     select 'refunds_in_transit:' || account_id as account, sum(settlement_fen) as fen
     from refunds where in_transit and state <> 'done' group by account_id
   )
   select (abs(coalesce((select sum(fen) from balances), 0)) + coalesce((
     select sum(abs(coalesce(b.fen, 0) - coalesce(t.fen, 0)))
     from (select * from balances where account like 'refunds_in_transit:%') as b
       full join transit t using (account)), 0))::bigint as fen`,
)

/**
 * By how many fen the book is wrong: all accounts together sum to zero, and what is in transit is
 * what refunds under way say. Anything but 0 was written behind the guards.
 */
export async function unbalancedFen(db: Queryable): Promise<number> {
  return only(await db.rows<{ fen: number }>(UNBALANCED, [])).fen
}
