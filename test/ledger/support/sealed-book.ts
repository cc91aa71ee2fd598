import pg from 'pg'

import { newId } from '../../../src/db/ids.js'
import type { Database } from '../../../src/db/pool.js'
import { inTransaction } from '../../../src/db/transaction.js'
import { fen } from '../../../src/domain/money.js'
import { postEntry } from '../../../src/ledger/journal.js'
import { postPaid } from '../../../src/ledger/postings.js'
import { SealingKey } from '../../../src/ledger/seal-key.js'
import { sealEntries } from '../../../src/ledger/seal.js'
import { openBook, run, type Book } from '../../db/support/book.js'

/** A key that is the same in every run, so that a failure can be repeated. */
export const KEY = new SealingKey(Buffer.alloc(32, 7))
export const OTHER_KEY = new SealingKey(Buffer.alloc(32, 8))

/** Posts an entry of two transfers, as a payment with a coupon does; answers its id. */
export async function post(book: Book, paidFen = 1000, by: Database = book.worker) {
  const now = new Date()
  const entryId = newId(now)
  const cause = { merchantId: book.merchantId, kind: 'payment' as const, id: newId(now) }
  const transfers = postPaid(book, fen(paidFen), fen(paidFen - 100))
  await inTransaction(by, (tx) => postEntry(tx, { ...cause, entryId, occurredAt: now }, transfers))
  return entryId
}

export interface SealOptions {
  readonly key?: SealingKey
  readonly entriesMax?: number
  readonly now?: Date
}

/** Seals what waits, a seal after another; answers how many entries. */
export async function sealAll(book: Book, options: SealOptions = {}): Promise<number> {
  const { key = KEY, entriesMax = 5_000, now = new Date() } = options
  let sum = 0
  for (let done = -1; done !== 0; sum += done) {
    done = await sealEntries(book.worker, { key, entriesMax, now })
  }
  return sum
}

/** Writes a line of the audit log, as the engine does. */
export const audit = (book: Book, by: Database = book.worker): Promise<unknown> =>
  run(
    by,
    `insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
       subject_kind, subject_id, detail)
     values ($1, 'demo', now() - interval '1 s', 'engine', 'yuanlu', '小周', 'payment.paid',
       'payment', $1, '{"state": "paid", "reason": "七天\\t无理由\\n"}')`,
    [newId(new Date())],
  )

/**
 * Four seals of five entries each, with balances of two days kept on the way; a fifth one of a line
 * of the audit log, an entry and another line; and one of each waiting.
 */
export async function openSealedBook(): Promise<Book> {
  const book = await openBook()
  for (let n = 1; n <= 20; n += 1) {
    await post(book, 1_000 + n)
    if (n % 5 === 0) await sealAll(book)
    if (n === 10) await keepDay(book, 1)
  }
  await keepDay(book, 2)
  await audit(book)
  await post(book)
  await audit(book)
  await sealAll(book)
  await postWaiting(book)
  return book
}

/** An entry and a line that may wait as long as any test takes: their time has not come yet. */
async function postWaiting(book: Book): Promise<void> {
  await run(
    book.owner,
    `insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
       cause_kind, cause_id, occurred_at, recorded_at)
     select $1, n, 'P1', debit, 'sales:demo', 500, 'demo', 'payment', $1, now(),
       now() + interval '1 hour'
     from (values (1, 'wechat:' || $2), (2, 'coupon_cost:demo')) as t (n, debit)`,
    [newId(new Date()), book.accountId],
  )
  await run(
    book.owner,
    `insert into audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind, detail,
       recorded_at)
     values ($1, 'demo', now(), 'engine', 'yuanlu', 'merchant.change', 'merchant', '{}',
       now() + interval '1 hour')`,
    [newId(new Date())],
  )
}

/** Keeps the balances as if midnight had passed so many times since now. */
export async function keepDay(book: Book, days: number): Promise<void> {
  await run(book.worker, `select checkpoint_balances(now() + interval '${days} days')`)
}

const NO_CHECKS = `do $$
declare
  it record;
begin
  for it in select conrelid::regclass as owner, conname from pg_constraint
    where contype = 'c' and conrelid::regclass::text ~ '^(journal|seal|balance|audit)_?'
  loop
    execute format('alter table %s drop constraint %I', it.owner, it.conname);
  end loop;
end $$`

/** Runs statements as somebody whom no trigger, constraint or right stops. */
export async function tamper(ownerUrl: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('set session_replication_role = replica')
    await client.query(NO_CHECKS)
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
