import { sql, type Queryable } from '../db/pool.js'

const TRANSIT = 'refunds_in_transit:'
/** What stands for all accounts that no refund says anything about. */
const OTHERS = ''
/** One look of so many counts anew from the last closed day: what was counted may have changed. */
const LOOKS_PER_RECOUNT = 60

const ACCOUNT = `case when account like '${TRANSIT}%' then account else '${OTHERS}' end`

const LAST_DAY = sql(
  'book_unbalanced_day',
  `select last_seq as "lastSeq", ${ACCOUNT} as account, sum(balance_fen)::bigint as fen
   from (select day, last_seq from balance_days order by day desc limit 1) as last
     join balance_checkpoints using (day)
   group by 1, 2`,
)

// One statement, so that refunds and entries are of the same instant.
const SINCE = sql(
  'book_unbalanced',
  `with sealed as (
     select debit, credit, amount_fen from journal_order join journal_transfers using (entry_id)
     where seq > $1 and kind = 'entry'
   ), waiting as (
     select debit, credit, amount_fen from journal_unsealed join journal_transfers using (entry_id)
   ), legs (account, sealed_fen, waiting_fen) as (
     select debit, amount_fen, 0 from sealed
     union all select credit, -amount_fen, 0 from sealed
     union all select debit, 0, amount_fen from waiting
     union all select credit, 0, -amount_fen from waiting
   ), sums as (
     select ${ACCOUNT} as account, sum(sealed_fen) as sealed_fen, sum(waiting_fen) as waiting_fen
     from legs group by 1
   ), transit as (
     select '${TRANSIT}' || account_id as account, sum(settlement_fen) as fen
     from refunds where in_transit and state <> 'done' group by account_id
   )
   select "lastSeq", coalesce(account, '${OTHERS}') as account,
     coalesce(sealed_fen, 0)::bigint as "sealedFen",
     coalesce(waiting_fen, 0)::bigint as "waitingFen", coalesce(fen, 0)::bigint as "transitFen"
   from (select coalesce(max(seq), 0) as "lastSeq" from journal_order) as head
     left join (sums full join transit using (account)) on true`,
)

interface Sum {
  readonly lastSeq: number
  readonly account: string
  readonly sealedFen: number
  readonly waitingFen: number
  /** What refunds under way say that the account must hold. */
  readonly transitFen: number
}

/** What sealed entries come to, up to a number. Sealed entries do not change. */
interface Counted {
  readonly lastSeq: number
  readonly fenOf: ReadonlyMap<string, number>
}

/**
 * Tells by how many fen the book is wrong: all accounts together sum to zero, and what is in
 * transit is what refunds under way say. Anything but 0 was written behind the guards. Each look
 * adds what was sealed since the one before, so a large book costs no more than a small one.
 */
export function createUnbalanced(db: Queryable): () => Promise<number> {
  let counted: Counted | undefined
  let looks = 0
  return async function unbalancedFen(): Promise<number> {
    const isRecount = looks % LOOKS_PER_RECOUNT === 0
    looks += 1
    const before = isRecount || counted === undefined ? await countedByDay(db) : counted
    const sums = await db.rows<Sum>(SINCE, [before.lastSeq])
    const fenOf = new Map(before.fenOf)
    for (const { account, sealedFen } of sums) add(fenOf, account, sealedFen)
    counted = { lastSeq: sums[0]?.lastSeq ?? before.lastSeq, fenOf }
    return unbalanced(fenOf, sums)
  }
}

async function countedByDay(db: Queryable): Promise<Counted> {
  const rows = await db.rows<{ lastSeq: number; account: string; fen: number }>(LAST_DAY, [])
  return {
    lastSeq: rows[0]?.lastSeq ?? 0,
    fenOf: new Map(rows.map(({ account, fen }) => [account, fen])),
  }
}

function unbalanced(sealed: ReadonlyMap<string, number>, sums: readonly Sum[]): number {
  const fenOf = new Map(sealed)
  for (const { account, waitingFen } of sums) add(fenOf, account, waitingFen)
  const all = [...fenOf.values()].reduce((sum, fen) => sum + fen, 0)
  for (const { account, transitFen } of sums) add(fenOf, account, -transitFen)
  fenOf.delete(OTHERS)
  return [...fenOf.values()].reduce((sum, fen) => sum + Math.abs(fen), Math.abs(all))
}

function add(fenOf: Map<string, number>, account: string, fen: number): void {
  fenOf.set(account, (fenOf.get(account) ?? 0) + fen)
}
