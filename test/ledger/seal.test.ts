import { createHash } from 'node:crypto'

import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { only } from '../../src/db/pool.js'
import { inTransaction } from '../../src/db/transaction.js'
import { ledgerHead, ledgerHeadOfDay, oldestUnsealedAt } from '../../src/ledger/heads.js'
import { isSealedBy, publicKeyOf } from '../../src/ledger/seal-key.js'
import { sealEntries } from '../../src/ledger/seal.js'
import { createSealer } from '../../src/ledger/sealer.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { connect, openBook, run, type Book } from '../db/support/book.js'
import { meeting } from '../db/support/meeting.js'
import { refusalOf } from '../db/support/refusal.js'
import { KEY, OTHER_KEY, post, sealAll } from './support/sealed-book.js'

let book: Book

beforeEach(async () => {
  book = await openBook()
})

afterEach(() => book.close())

const round = (entriesMax = 5_000) => ({ key: KEY, entriesMax, now: new Date() })

interface Counts {
  readonly entries: number
  readonly numbered: number
  readonly waiting: number
  readonly highest: number
}

/** Entries in the journal, those with a number, those in the queue, and the highest number. */
async function counts(): Promise<Counts> {
  return only(
    await run<Counts>(
      book.owner,
      `select (select count(distinct entry_id) from journal_transfers) as entries,
         (select count(*) from journal_order) as numbered,
         (select count(*) from journal_unsealed) as waiting,
         (select coalesce(max(seq), 0) from journal_order) as highest`,
    ),
  )
}

describe('sealing', () => {
  test('nothing waits: nothing is written', async () => {
    expect(await sealEntries(book.worker, round())).toBe(0)
    expect(await ledgerHead(book.api)).toBeUndefined()
  })

  test('entries that wait: get dense numbers in the order they were recorded in', async () => {
    const posted = [await post(book), await post(book), await post(book)]
    expect(await sealEntries(book.worker, round())).toBe(3)
    const rows = await run<{ seq: number; entryId: string }>(
      book.owner,
      'select seq, entry_id as "entryId" from journal_order order by seq',
    )
    expect(rows).toEqual(posted.map((entryId, at) => ({ seq: at + 1, entryId })))
    expect(await counts()).toMatchObject({ waiting: 0 })
  })

  test('more entries than one seal takes: are left to the next seal', async () => {
    for (let n = 0; n < 5; n += 1) await post(book)
    expect(await sealEntries(book.worker, round(3))).toBe(3)
    expect(await sealEntries(book.worker, round(3))).toBe(2)
    const seals = await run(
      book.owner,
      'select first_seq as first, last_seq as last, entries from seals order by seal_no',
    )
    expect(seals).toEqual([
      { first: 1, last: 3, entries: 3 },
      { first: 4, last: 5, entries: 2 },
    ])
  })

  test('a seal: says what its entries moved and holds the hash of the seal before', async () => {
    await post(book, 1_000)
    await sealAll(book)
    await post(book, 2_000)
    await post(book, 3_000)
    await sealAll(book)
    const [first, second] = await run<{ sumFen: string; hash: Buffer; prevHash: Buffer }>(
      book.owner,
      'select sum_fen as "sumFen", hash, prev_hash as "prevHash" from seals order by seal_no',
    )
    expect([first?.sumFen, second?.sumFen]).toEqual(['1000', '5000'])
    expect(first?.prevHash).toEqual(Buffer.alloc(32))
    expect(second?.prevHash).toEqual(first?.hash)
  })

  test('the signature: is that of the key, whose public half stands beside it', async () => {
    await post(book)
    await sealAll(book)
    const head = only([await ledgerHead(book.api)])
    if (head === undefined) throw new Error('There is no seal.')
    expect(head.publicKey).toEqual(KEY.publicKey)
    expect(head.keyId).toBe(createHash('sha256').update(KEY.publicKey).digest('hex').slice(0, 16))
    expect(isSealedBy(publicKeyOf(head.publicKey), head.hash, head.signature)).toBe(true)
    expect(isSealedBy(publicKeyOf(OTHER_KEY.publicKey), head.hash, head.signature)).toBe(false)
  })

  test('a key that is replaced: leaves the seals of the one before as they are', async () => {
    await post(book)
    await sealAll(book)
    await post(book)
    await sealAll(book, { key: OTHER_KEY })
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, seals: 2 })
  })

  test('a clock that goes back: does not take the time of seals back', async () => {
    const [late, early] = [new Date('2026-03-02T00:00:00Z'), new Date('2026-03-01T00:00:00Z')]
    await post(book)
    await sealAll(book, { now: late })
    await post(book)
    await sealAll(book, { now: early })
    expect((await ledgerHead(book.api))?.sealedAt).toEqual(late)
  })

  test('the head of a Beijing day: is its last seal', async () => {
    for (const at of ['2026-03-01T15:59:59Z', '2026-03-01T16:00:00Z', '2026-03-02T15:59:59Z']) {
      await post(book)
      await sealAll(book, { now: new Date(at) })
    }
    const days = ['2026-02-28', '2026-03-01', '2026-03-02', '2026-03-03']
    const heads = await Promise.all(days.map((day) => ledgerHeadOfDay(book.api, day)))
    expect(heads.map((head) => head?.sealNo)).toEqual([undefined, 1, 3, undefined])
  })

  test('the oldest entry that waits: is known until it is sealed', async () => {
    expect(await oldestUnsealedAt(book.worker)).toBeUndefined()
    await post(book)
    const at = await oldestUnsealedAt(book.worker)
    expect(Math.abs(Date.now() - (at?.getTime() ?? 0))).toBeLessThan(60_000)
    await sealAll(book)
    expect(await oldestUnsealedAt(book.worker)).toBeUndefined()
  })
})

describe('sealing among others', () => {
  test('a posting that commits late: goes into the next seal', async () => {
    const [sealed, committed] = [meeting(), meeting()]
    const late = inTransaction(book.worker, async (tx) => {
      await tx.rows({ text: LATE }, [book.accountId])
      sealed.arrive()
      await committed.met
    })
    await sealed.met
    await post(book)
    expect(await sealEntries(book.worker, round())).toBe(1)
    committed.arrive()
    await late
    expect(await sealEntries(book.worker, round())).toBe(1)
    expect(await counts()).toEqual({ entries: 2, numbered: 2, waiting: 0, highest: 2 })
  })

  test('a sealer that dies in the middle: leaves everything to the next', async () => {
    await post(book)
    const client = new pg.Client({ connectionString: book.workerUrl })
    client.on('error', () => undefined)
    await client.connect()
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    await client.query('begin')
    expect((await client.query('select * from number_entries(100)')).rowCount).toBe(1)
    await run(book.owner, 'select pg_terminate_backend($1)', [rows[0]?.pid])
    await expect.poll(() => sealEntries(book.worker, round()), { timeout: 20_000 }).toBe(1)
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, seals: 1, entries: 1 })
  })

  test('numbers that are given without a seal: are refused when they are committed', async () => {
    await post(book)
    const numbering = inTransaction(book.worker, (tx) =>
      tx.rows({ text: 'select * from number_entries(100)' }, []),
    )
    expect(await refusalOf(numbering)).toBe('journal_order_seal_no_fkey')
    expect(await counts()).toMatchObject({ numbered: 0, waiting: 1 })
  })

  test('two sealers at once: seal every entry once, in one chain', async () => {
    for (let n = 0; n < 30; n += 1) await post(book)
    const other = connect(book.workerUrl)
    try {
      const rounds = Array.from({ length: 40 }, (_, n) =>
        sealEntries(n % 2 === 0 ? book.worker : other, { ...round(4), key: KEY }),
      )
      const sealed = (await Promise.all(rounds)).reduce((sum, each) => sum + each, 0)
      expect(sealed + (await sealAll(book))).toBe(30)
    } finally {
      await other.close()
    }
    expect(await counts()).toEqual({ entries: 30, numbered: 30, waiting: 0, highest: 30 })
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, entries: 30 })
  })

  test('32 connections that post meanwhile: none is left over and no number is', async () => {
    const posting = connect(book.workerUrl, 32)
    const tick = createSealer({
      database: book.worker,
      key: KEY,
      clock: { now: () => new Date() },
    })
    let isPosting = true
    try {
      const sealing = (async () => {
        while (isPosting) await tick()
      })()
      await Promise.all(
        Array.from({ length: 32 }, async () => {
          for (let n = 0; n < 15; n += 1) await post(book, 1_000, posting)
        }),
      )
      isPosting = false
      await sealing
    } finally {
      isPosting = false
      await posting.close()
    }
    await tick()
    expect(await counts()).toEqual({ entries: 480, numbered: 480, waiting: 0, highest: 480 })
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, entries: 480, waiting: 0 })
  })
})

const LATE = `insert into journal_transfers
  (entry_id, n, rule, debit, credit, amount_fen, merchant_id, cause_kind, cause_id, occurred_at)
  values (gen_random_uuid(), 1, 'P1', 'wechat:' || $1, 'sales:demo', 1, 'demo', 'payment',
    gen_random_uuid(), now())`

const lineOf = (entryId: string, n: number): string => `insert into journal_transfers
  (entry_id, n, rule, debit, credit, amount_fen, merchant_id, cause_kind, cause_id, occurred_at)
  select entry_id, ${n}, rule, debit, credit, 1, merchant_id, cause_kind, cause_id, now()
  from journal_transfers where entry_id = '${entryId}' limit 1`

describe('an entry', () => {
  test('a line that comes later, while it waits: is refused', async () => {
    const entryId = await post(book)
    const later = run(book.worker, lineOf(entryId, 9))
    expect(await refusalOf(later)).toBe('journal_unsealed_pkey')
  })

  test('a line that comes later, when it is sealed: is refused', async () => {
    const entryId = await post(book)
    await sealAll(book)
    const later = run(book.worker, lineOf(entryId, 9))
    expect(await refusalOf(later)).toBe('journal_entry_sealed')
  })

  test('a line that comes later, while it is being sealed: is refused', async () => {
    const entryId = await post(book)
    const [numbered, done] = [meeting(), meeting()]
    const client = await book.worker.pool.connect()
    await client.query('begin')
    await client.query('select * from number_entries(100)')
    numbered.arrive()
    const later = refusalOf(run(book.worker, lineOf(entryId, 9)))
    void later.finally(done.arrive)
    await client.query('rollback')
    client.release()
    await done.met
    expect(await later).toBe('journal_unsealed_pkey')
  })

  test('a posting by the owner: is queued and hashed like any other', async () => {
    const entryId = await post(book, 1_000, book.owner)
    await sealAll(book)
    const [row] = await run(book.api, 'select entry_id from journal_order')
    expect(row).toEqual({ entry_id: entryId })
  })

  test('a hash that the posting brings along: is not taken', async () => {
    await run(
      book.owner,
      `insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
         cause_kind, cause_id, occurred_at, row_hash)
       values (gen_random_uuid(), 1, 'P1', 'wechat:' || $1, 'sales:demo', 1, 'demo', 'payment',
         gen_random_uuid(), now(), '\\x00')`,
      [book.accountId],
    )
    await sealAll(book)
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true, entries: 1 })
  })
})
