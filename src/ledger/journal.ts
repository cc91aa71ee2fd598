import { sql, type Queryable } from '../db/pool.js'
import type { Transaction } from '../db/transaction.js'
import type { Transfer } from './postings.js'

/** What an entry is posted for: together with rule and n it can be posted once, for ever. */
export interface Cause {
  readonly entryId: string
  readonly merchantId: string
  readonly kind: 'payment' | 'refund'
  readonly id: string
  readonly occurredAt: Date
}

const INSERT = sql(
  'journal_insert',
  `insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
     cause_kind, cause_id, occurred_at)
   select $1, t.n, t.rule, t.debit, t.credit, t.amount_fen, $2, $3, $4, $5
   from unnest($6::int[], $7::text[], $8::text[], $9::text[], $10::bigint[])
     as t (n, rule, debit, credit, amount_fen)`,
)

/** Posts one entry: all its transfers or none. @throws when the same was posted before. */
export async function postEntry(
  tx: Transaction,
  cause: Cause,
  transfers: readonly Transfer[],
): Promise<void> {
  if (transfers.length === 0) return
  await tx.rows(INSERT, [
    cause.entryId,
    cause.merchantId,
    cause.kind,
    cause.id,
    cause.occurredAt,
    transfers.map(({ n }) => n),
    transfers.map(({ rule }) => rule),
    transfers.map(({ debit }) => debit),
    transfers.map(({ credit }) => credit),
    transfers.map(({ amountFen }) => amountFen),
  ])
}

export interface JournalLine {
  readonly entryId: string
  readonly n: number
  readonly rule: string
  readonly debit: string
  readonly credit: string
  readonly amountFen: number
  readonly causeKind: 'payment' | 'refund'
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
  causes: readonly { readonly kind: 'payment' | 'refund'; readonly id: string }[],
): Promise<JournalLine[]> {
  return db.rows<JournalLine>(OF_CAUSES, [
    causes.map(({ kind }) => kind),
    causes.map(({ id }) => id),
  ])
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
