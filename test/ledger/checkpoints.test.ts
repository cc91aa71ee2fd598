import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { balancesAt, checkpointBalances } from '../../src/ledger/checkpoints.js'
import { balances } from '../../src/ledger/journal.js'
import { createSealer } from '../../src/ledger/sealer.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { openBook, run, type Book } from '../db/support/book.js'
import { KEY, post, sealAll } from './support/sealed-book.js'

let book: Book

beforeEach(async () => {
  book = await openBook()
})

afterEach(() => book.close())

const HOUR_MS = 3_600_000
const START_MS = Date.parse('2026-03-01T00:00:00Z')
const at = (hours: number): Date => new Date(START_MS + hours * HOUR_MS)

/** Posts an entry as if it had been recorded then, which only the owner can say. */
async function postAt(hours: number, amountFen: number): Promise<void> {
  await run(
    book.owner,
    `insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
       cause_kind, cause_id, occurred_at, recorded_at)
     values (gen_random_uuid(), 1, 'P1', 'wechat:' || $1, 'sales:demo', $2, 'demo', 'payment',
       gen_random_uuid(), $3, $3)`,
    [book.accountId, amountFen, at(hours)],
  )
}

/** The sum as the book's first page would have it, from all rows. */
async function plainSum(instant: Date) {
  return run(
    book.owner,
    `select account, sum(amount)::bigint as "balanceFen" from (
       select debit::text as account, amount_fen as amount, recorded_at from journal_transfers
       union all select credit::text, -amount_fen, recorded_at from journal_transfers
     ) as legs where recorded_at <= $1 group by account order by account collate "C"`,
    [instant],
  )
}

type Step =
  | { readonly do: 'post'; readonly hours: number; readonly amountFen: number }
  | { readonly do: 'seal' | 'keep'; readonly hours: number }

const hours = fc.integer({ min: 0, max: 120 })
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('post' as const),
    hours,
    amountFen: fc.integer({ min: 1, max: 1_000_000 }),
  }),
  fc.record({ do: fc.constant('seal' as const), hours }),
  fc.record({ do: fc.constant('keep' as const), hours }),
)

async function take(step: Step, from: number): Promise<void> {
  const when = from + step.hours
  if (step.do === 'post') await postAt(when, step.amountFen)
  else if (step.do === 'seal') await sealAll(book, { now: at(when), entriesMax: 3 })
  else await checkpointBalances(book.worker, at(when))
}

describe('the balances of a past moment', () => {
  test('any sequence of postings, seals and days: are the plain sum', async () => {
    // The one book grows on, so that each round finds kept days of the rounds before it.
    let from = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { minLength: 5, maxLength: 25 }),
        hours,
        async (all, when) => {
          from += 48
          for (const step of all) await take(step, from)
          for (const instant of [at(from + when), at(from / 2 + when), at(from + 200)]) {
            expect(await balancesAt(book.api, instant)).toEqual(await plainSum(instant))
          }
        },
      ),
      { numRuns: 15 },
    )
    const days = await run(book.api, 'select from balance_days')
    expect(days.length).toBeGreaterThan(4)
    await sealAll(book, { now: at(from + 500) })
    expect(await verifyDatabase(book.api)).toMatchObject({ ok: true })
  })

  test('now: are those of the journal, sealed or not', async () => {
    await post(book)
    await sealAll(book)
    await post(book)
    const later = new Date(Date.now() + HOUR_MS)
    expect(await balancesAt(book.api, later)).toEqual(await balances(book.api))
  })

  test('before the first entry: there are none', async () => {
    await post(book)
    expect(await balancesAt(book.api, new Date(0))).toEqual([])
  })

  test('a moment behind kept days: is not summed up from the beginning', async () => {
    for (let day = 0; day < 4; day += 1) {
      await postAt(24 * day, 100)
      await sealAll(book, { now: at(24 * day + 1) })
      await checkpointBalances(book.worker, at(24 * day + 24))
    }
    await run(book.owner, 'alter table journal_order disable trigger all')
    await run(book.owner, 'delete from journal_order where seq <= 3')
    const [first] = await balancesAt(book.api, at(80))
    expect(first?.balanceFen).toBe(-400)
  })
})

describe('the balances of a day', () => {
  test('a day that is not over: is not kept yet', async () => {
    await postAt(0, 100)
    await sealAll(book, { now: at(1) })
    // Midnight in Beijing is 16:00 in UTC.
    expect(await checkpointBalances(book.worker, at(15.9))).toBe(false)
    expect(await checkpointBalances(book.worker, at(16))).toBe(true)
    expect(await checkpointBalances(book.worker, at(17))).toBe(false)
    expect(await run(book.api, 'select day::text, last_seq from balance_days')).toEqual([
      { day: '2026-03-01', last_seq: 1 },
    ])
  })

  test('a day on which nothing was sealed: has no row of its own', async () => {
    await postAt(0, 100)
    await sealAll(book, { now: at(1) })
    expect(await checkpointBalances(book.worker, at(24))).toBe(true)
    expect(await checkpointBalances(book.worker, at(48))).toBe(false)
  })

  test('another process that seals meanwhile: is left in peace', async () => {
    await postAt(0, 100)
    await sealAll(book, { now: at(1) })
    const sealer = await book.worker.pool.connect()
    await sealer.query('begin')
    await sealer.query('select * from number_entries(1)')
    expect(await checkpointBalances(book.worker, at(24))).toBe(false)
    await sealer.query('rollback')
    sealer.release()
    expect(await checkpointBalances(book.worker, at(24))).toBe(true)
  })

  test('the loop: keeps each day once, when it is over', async () => {
    const clock = { now: () => at(1) }
    const tick = createSealer({ database: book.worker, key: KEY, clock })
    await postAt(0, 100)
    expect(await tick()).toBe(1)
    clock.now = () => at(20)
    expect(await tick()).toBe(0)
    expect(await run(book.api, 'select day::text from balance_days')).toEqual([
      { day: '2026-03-01' },
    ])
  })

  test('a worker without a key: seals nothing', async () => {
    await post(book)
    const tick = createSealer({
      database: book.worker,
      key: undefined,
      clock: { now: () => at(1) },
    })
    expect(await tick()).toBe(0)
    expect(await run(book.api, 'select from seals')).toEqual([])
  })
})
