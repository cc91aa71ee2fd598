import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import type { Database } from '../../src/db/pool.js'
import { createUnbalanced } from '../../src/ledger/unbalanced.js'
import { openBook, run, type Book } from '../db/support/book.js'
import { keepDay, post, sealAll, tamper } from './support/sealed-book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
  for (let day = 1; day <= 2; day += 1) {
    await post(book)
    await sealAll(book)
    await keepDay(book, day)
  }
  await post(book)
  await sealAll(book)
  await post(book)
})

afterAll(() => book.close())

/** Money in transit that no refund speaks of. */
const accept = (amountFen: number): Promise<unknown> =>
  run(
    book.worker,
    `insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
       cause_kind, cause_id, occurred_at)
     values (gen_random_uuid(), 1, 'J1', 'refunds_in_transit:' || $1, 'wechat:' || $1, $2, 'demo',
       'refund', gen_random_uuid(), now())`,
    [book.accountId, amountFen],
  )

/** The numbers behind which was read, look by look. */
const sinceOf = (calls: readonly Parameters<Database['rows']>[]): unknown[] =>
  calls.flatMap(([{ name }, values]) => (name === 'book_unbalanced' ? values : []))

test('unbalanced: counts on from what was sealed, and from the last day once an hour', async () => {
  const looked = vi.spyOn(book.worker, 'rows')
  const unbalancedFen = createUnbalanced(book.worker)
  for (let look = 0; look < 61; look += 1) expect(await unbalancedFen()).toBe(0)
  const since = sinceOf(looked.mock.calls)
  looked.mockRestore()
  expect([since[0], since[1], since[59], since[60]]).toEqual([2, 3, 3, 2])
})

test('unbalanced: what is written behind the guards is told, sealed or not', async () => {
  const unbalancedFen = createUnbalanced(book.worker)
  expect(await unbalancedFen()).toBe(0)
  await accept(700)
  expect(await unbalancedFen()).toBe(700)
  await sealAll(book)
  expect(await unbalancedFen()).toBe(700)
  await accept(11)
  expect(await unbalancedFen()).toBe(711)
  expect(await createUnbalanced(book.worker)()).toBe(711)
})

test('unbalanced: a kept balance that was changed is told', async () => {
  const before = await createUnbalanced(book.worker)()
  await tamper(
    book.ownerUrl,
    `update balance_checkpoints set balance_fen = balance_fen + 5
     where account = 'sales:demo' and day = (select max(day) from balance_days)`,
  )
  expect(await createUnbalanced(book.worker)()).toBe(before + 5)
})
