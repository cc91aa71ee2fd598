import { createHash } from 'node:crypto'

import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { oldestUnsealedAt } from '../../src/ledger/heads.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { addPayment, ask, openBook, run, type Book } from '../db/support/book.js'
import { audit, keepDay, post, sealAll } from './support/sealed-book.js'

let book: Book

beforeEach(async () => {
  book = await openBook()
})

afterEach(() => book.close())

/** What was sealed, by number: `e` for an entry, `a` for a line of the audit log. */
async function sealed(): Promise<string> {
  const [row] = await run<{ kinds: string | null }>(
    book.owner,
    "select string_agg(left(kind, 1), '' order by seq) as kinds from journal_order",
  )
  return row?.kinds ?? ''
}

describe('the audit log', () => {
  test('lines among entries: are sealed with them in the order they were recorded in', async () => {
    await audit(book)
    await post(book)
    await audit(book)
    expect(await sealAll(book)).toBe(3)
    expect(await sealed()).toBe('aea')
    expect(await verifyDatabase(book.api)).toMatchObject({
      ok: true,
      entries: 1,
      auditLines: 2,
      seals: 1,
      auditWaiting: 0,
    })
  })

  test('what the API writes: is sealed as well', async () => {
    await ask(book, await addPayment(book), 100)
    expect(await sealAll(book)).toBe(1)
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, auditLines: 1 })
  })

  test('a line that is not committed yet: goes into the next seal', async () => {
    const client = new pg.Client({ connectionString: book.workerUrl })
    await client.connect()
    await client.query('begin')
    await client.query(
      `insert into audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind, detail)
       values (gen_random_uuid(), 'demo', now(), 'engine', 'x', 'x', 'merchant', '{}')`,
    )
    await audit(book)
    expect(await sealAll(book)).toBe(1)
    await client.query('commit')
    await client.end()
    expect(await sealAll(book)).toBe(1)
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, auditLines: 2, seals: 2 })
  })

  test('a line that waits: is counted, and is the oldest of what waits', async () => {
    await audit(book)
    const [line] = await run<{ at: Date }>(book.owner, 'select recorded_at as at from audit')
    await post(book)
    expect(await oldestUnsealedAt(book.worker)).toEqual(line?.at)
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, waiting: 1, auditWaiting: 1 })
    await sealAll(book)
    expect(await oldestUnsealedAt(book.worker)).toBeUndefined()
  })

  test('more lines than one seal takes: are sealed one after another', async () => {
    for (let n = 0; n < 5; n += 1) await audit(book)
    await post(book)
    expect(await sealAll(book, { entriesMax: 2 })).toBe(6)
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, auditLines: 5, seals: 3 })
  })

  test('a day of nothing but lines: keeps no balances, and is part of the next one', async () => {
    await audit(book)
    await sealAll(book)
    await keepDay(book, 1)
    expect(await run(book.owner, 'select from balance_days')).toHaveLength(0)
    await post(book)
    await audit(book)
    await sealAll(book)
    await keepDay(book, 2)
    const [day] = await run(book.owner, 'select first_seq, last_seq from balance_days')
    expect(day).toEqual({ first_seq: 1, last_seq: 3 })
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, findings: [] })
  })

  test('a buyer who is erased: leaves every seal whole, and a sealed line about it', async () => {
    const payerRef = createHash('sha256').update('somebody').digest()
    await ask(book, await addPayment(book, { payerRef }), 100)
    await sealAll(book)
    const before = await verifyDatabase(book.api)
    const erase = "select payments from erase_payer('demo', $1, 10, now())"
    expect(await run(book.owner, erase, [payerRef])).toEqual([{ payments: 1 }])
    await sealAll(book)
    const head = Buffer.from(before.head?.hash ?? '', 'hex')
    expect(await verifyDatabase(book.api, { head })).toMatchObject({
      ok: true,
      auditLines: (before.auditLines ?? 0) + 1,
      seals: before.seals + 1,
    })
  })
})
