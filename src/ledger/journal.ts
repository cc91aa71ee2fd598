import { sql, type Queryable } from '../db/pool.js'
import type { Transaction } from '../db/transaction.js'
import type { Transfer } from './postings.js'
import type { CauseKind } from './rules.js'

/** What an entry is posted for: together with rule and n it can be posted once, for ever. */
export interface Cause {
  readonly entryId: string
  readonly merchantId: string
  readonly kind: CauseKind
  readonly id: string
  readonly occurredAt: Date
  /** The entry that this one takes back (rule X). */
  readonly reverses?: string
}

/** The text that inserts an entry whose values (`entryValues`) begin at parameter `first`. */
export function insertEntryText(first: number): string {
  const parameters = Array.from({ length: 11 }, (_, offset) => `$${first + offset}`)
  const [entry, merchant, kind, cause, at, reverses, ns, rules, debits, credits, fens] = parameters
  return `insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen,
      merchant_id, cause_kind, cause_id, occurred_at, reverses)
    select ${entry}, t.n, t.rule, t.debit, t.credit, t.fen, ${merchant}, ${kind}, ${cause}, ${at},
      ${reverses}
    from unnest(${ns}::int[], ${rules}::text[], ${debits}::text[], ${credits}::text[],
      ${fens}::bigint[]) as t (n, rule, debit, credit, fen)`
}

/** The values of `insertEntryText`. */
export const entryValues = (cause: Cause, transfers: readonly Transfer[]): readonly unknown[] => [
  cause.entryId,
  cause.merchantId,
  cause.kind,
  cause.id,
  cause.occurredAt,
  cause.reverses ?? null,
  transfers.map(({ n }) => n),
  transfers.map(({ rule }) => rule),
  transfers.map(({ debit }) => debit),
  transfers.map(({ credit }) => credit),
  transfers.map(({ amountFen }) => amountFen),
]

const INSERT = sql('journal_insert', insertEntryText(1))

/**
 * Posts one entry: all its transfers or none.
 * @throws the database's error when the same was posted, or the same entry reversed, before
 */
export async function postEntry(
  tx: Transaction,
  cause: Cause,
  transfers: readonly Transfer[],
): Promise<void> {
  if (transfers.length > 0) await tx.rows(INSERT, entryValues(cause, transfers))
}

export interface JournalLine {
  readonly entryId: string
  readonly n: number
  readonly rule: string
  readonly debit: string
  readonly credit: string
  readonly amountFen: number
  readonly causeKind: CauseKind
  readonly causeId: string
  readonly businessDay: string
}

const OF_CAUSES = sql(
  'journal_of_causes',
  `select entry_id as "entryId", n, rule, debit, credit, amount_fen as "amountFen",
     cause_kind as "causeKind", cause_id as "causeId", business_day::text as "businessDay"
   from journal_transfers where (cause_kind, cause_id) in (
     select * from unnest($1::text[], $2::uuid[]))
   order by recorded_at, entry_id, rule, n`,
)

/** The lines posted for some payments and refunds, in the order they were recorded. */
export async function journalOf(
  db: Queryable,
  causes: readonly { readonly kind: CauseKind; readonly id: string }[],
): Promise<JournalLine[]> {
  return db.rows<JournalLine>(OF_CAUSES, [
    causes.map(({ kind }) => kind),
    causes.map(({ id }) => id),
  ])
}

const OF_ENTRY = sql(
  'journal_of_entry',
  `select rule, n, debit, credit, amount_fen as "amountFen" from journal_transfers
   where entry_id = $1 order by rule, n`,
)

/** Every transfer of one entry, as `postReversal` wants them. */
export async function transfersOfEntry(db: Queryable, entryId: string): Promise<Transfer[]> {
  return db.rows<Transfer>(OF_ENTRY, [entryId])
}

const BALANCES = sql(
  'journal_balances',
  `select account, sum(amount)::bigint as "balanceFen" from (
     select debit as account, amount_fen as amount from journal_transfers
     union all
     select credit, -amount_fen from journal_transfers
   ) as legs group by account order by account`,
)

/** The balance of every account: debits less credits. Their sum is zero at every moment. */
export async function balances(db: Queryable): Promise<{ account: string; balanceFen: number }[]> {
  return db.rows(BALANCES, [])
}
