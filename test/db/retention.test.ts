import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { afterAll, beforeEach, describe, expect, test } from 'vitest'

import { newId, newOutTradeNo } from '../../src/db/ids.js'
import {
  dropOldBodies,
  ensureBodyPartitions,
  eraseOldPayers,
  forgetOldKeys,
} from '../../src/db/retention.js'
import { KEPT_DAYS, type Kept } from '../../src/domain/retention.js'
import { openBook, run, type Book } from './support/book.js'

const DAY_MS = 86_400_000
const DOCS = new URL('../../docs/reference/retention.md', import.meta.url)

let book: Book
const opened: Book[] = []

beforeEach(async () => {
  book = await openBook()
  opened.push(book)
})

afterAll(() => Promise.all(opened.map(({ close }) => close())))

const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS)

/** A month as the partitions name it: Beijing is eight hours ahead of UTC, all the year. */
function monthOf(instant: Date, monthsLater = 0): string {
  const beijing = new Date(instant.getTime() + 8 * 3_600_000)
  const month = new Date(Date.UTC(beijing.getUTCFullYear(), beijing.getUTCMonth() + monthsLater))
  return `inbox_bodies_${month.toISOString().slice(0, 7).replace('-', '_')}`
}

async function partitions(): Promise<string[]> {
  const rows = await run<{ name: string }>(
    book.owner,
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent = 'inbox_bodies'::regclass order by 1`,
  )
  return rows.map(({ name }) => name).filter((name) => name !== 'inbox_bodies_default')
}

async function addBody(receivedAt: Date): Promise<string> {
  const id = newId(receivedAt)
  await run(book.owner, "insert into inbox_bodies values ($1, $2, '{}', 'sealed')", [
    id,
    receivedAt,
  ])
  return id
}

const placeOf = async (id: string): Promise<string | undefined> =>
  (
    await run<{ name: string }>(
      book.owner,
      'select tableoid::regclass::text as name from inbox_bodies where inbox_id = $1',
      [id],
    )
  )[0]?.name

/** Makes a month by hand, as it would have been made while it was still ahead. */
async function addMonth(instant: Date): Promise<string> {
  const name = monthOf(instant)
  const month = name.slice(-7).replace('_', '-')
  await run(
    book.owner,
    `create table ${name} partition of inbox_bodies
     for values from ('${month}-01T00:00:00+08') to ('${monthOf(instant, 1)
       .slice(-7)
       .replace('_', '-')}-01T00:00:00+08')`,
  )
  return name
}

describe('the months of raw bodies', () => {
  test('this month and the next two: are made once, also by eight workers at a time', async () => {
    const now = new Date()
    const made = await Promise.all(
      Array.from({ length: 8 }, () => ensureBodyPartitions(book.worker, now)),
    )
    expect(made.reduce((sum, count) => sum + count)).toBe(3)
    expect(await partitions()).toEqual([0, 1, 2].map((months) => monthOf(now, months)))
    expect(await ensureBodyPartitions(book.worker, now)).toBe(0)
  })

  test('a month: begins and ends at midnight in Beijing', async () => {
    await ensureBodyPartitions(book.worker, new Date())
    const next = monthOf(new Date(), 1).slice(-7).replace('_', '-')
    const midnight = Date.parse(`${next}-01T00:00:00+08:00`)
    expect(await placeOf(await addBody(new Date(midnight - 1)))).toBe(monthOf(new Date()))
    expect(await placeOf(await addBody(new Date(midnight)))).toBe(monthOf(new Date(), 1))
  })

  test('a body that came before its month was made: is moved into it', async () => {
    const id = await addBody(new Date())
    expect(await placeOf(id)).toBe('inbox_bodies_default')
    await ensureBodyPartitions(book.worker, new Date())
    expect(await placeOf(id)).toBe(monthOf(new Date()))
  })

  test('a body in a month that is made: cannot be changed there either', async () => {
    await ensureBodyPartitions(book.worker, new Date())
    await addBody(new Date())
    const change = run(book.owner, `update ${monthOf(new Date())} set ciphertext = 'other'`)
    await expect(change).rejects.toMatchObject({ constraint: 'inbox_bodies_immutable' })
  })

  test('a clock that is years ahead: makes no months years ahead', async () => {
    await ensureBodyPartitions(book.worker, daysAgo(-3_650))
    await ensureBodyPartitions(book.worker, daysAgo(3_650))
    for (const name of await partitions()) {
      expect(name >= monthOf(daysAgo(31)) && name <= monthOf(daysAgo(-31), 2)).toBe(true)
    }
  })

  test('a month past its time: is dropped whole, and no other', async () => {
    const old = await addMonth(daysAgo(KEPT_DAYS.notification_body + 40))
    const young = await addMonth(daysAgo(KEPT_DAYS.notification_body - 5))
    await addBody(daysAgo(KEPT_DAYS.notification_body + 40))
    expect(await partitions()).toEqual([old, young].toSorted())
    expect(await dropOldBodies(book.worker, new Date())).toBe(1)
    expect(await partitions()).toEqual([young])
    expect(await dropOldBodies(book.worker, new Date())).toBe(0)
  })

  test('without a month: bodies past their time go, and no others', async () => {
    await addBody(daysAgo(KEPT_DAYS.notification_body + 1))
    const young = await addBody(daysAgo(KEPT_DAYS.notification_body - 1))
    await dropOldBodies(book.worker, new Date())
    const left = await run(book.owner, 'select inbox_id as id from inbox_bodies')
    expect(left).toEqual([{ id: young }])
  })

  test('whoever says that it is ten years later: drops nothing young', async () => {
    const young = await addMonth(daysAgo(1))
    const body = await addBody(daysAgo(1))
    const stray = await addBody(daysAgo(80))
    expect(await dropOldBodies(book.worker, daysAgo(-3_650))).toBe(0)
    expect(await partitions()).toEqual([young])
    expect([await placeOf(body), await placeOf(stray)]).toEqual([young, 'inbox_bodies_default'])
  })

  test('without the rule of how long: nothing is dropped', async () => {
    const old = await addMonth(daysAgo(1_000))
    await run(book.owner, 'delete from retention')
    expect(await dropOldBodies(book.worker, new Date())).toBe(0)
    expect(await partitions()).toEqual([old])
  })

  test('a table that is being written to: is left for another time', async () => {
    await addMonth(daysAgo(1_000))
    const client = await book.owner.pool.connect()
    try {
      await client.query('begin')
      await client.query("insert into inbox_bodies values (gen_random_uuid(), now(), '{}', 'x')")
      await expect(dropOldBodies(book.worker, new Date())).rejects.toMatchObject({ code: '55P03' })
    } finally {
      await client.query('rollback')
      client.release()
    }
    expect(await dropOldBodies(book.worker, new Date())).toBe(1)
  })
})

describe('idempotency keys', () => {
  const addKey = (route: string, createdAt: Date) =>
    run(
      book.api,
      `insert into idempotency_keys (merchant_id, client_id, route, key, request_hash, object_id,
         created_at)
       values ($1, $2, $3, gen_random_uuid()::text, 'x', gen_random_uuid(), $4)`,
      [book.merchantId, book.askingKeyId, route, createdAt],
    )
  const left = () =>
    run(
      book.owner,
      `select route, (now()::date - created_at::date) as age from idempotency_keys
       order by route, age`,
    )

  test('keys: go when nobody repeats the call any more, each route in its time', async () => {
    const [payments, refunds] = ['POST /v1/payments', 'POST /v1/refunds']
    for (const route of [payments, refunds, 'POST /v1/other']) {
      for (const age of [20, 40, 390, 410]) await addKey(route, daysAgo(age))
    }
    expect(await forgetOldKeys(book.worker, new Date(), 100)).toBe(4)
    expect(await left()).toEqual([
      ...[20, 40, 390, 410].map((age) => ({ route: 'POST /v1/other', age })),
      { route: payments, age: 20 },
      ...[20, 40, 390].map((age) => ({ route: refunds, age })),
    ])
  })

  test('many: go in batches, and none that is young however late one says it is', async () => {
    for (let count = 0; count < 5; count += 1) await addKey('POST /v1/payments', daysAgo(50))
    await addKey('POST /v1/payments', daysAgo(20))
    const late = daysAgo(-3_650)
    const counts = [3, 3, 3].map(async (limit) => forgetOldKeys(book.worker, late, limit))
    const forgotten = (await Promise.all(counts)).reduce((sum, count) => sum + count)
    expect(forgotten + (await forgetOldKeys(book.worker, late, 3))).toBe(5)
    expect(await left()).toEqual([{ route: 'POST /v1/payments', age: 20 }])
  })
})

describe('payers whose time is over', () => {
  async function addOld(age: number, state: string): Promise<string> {
    const id = newId(daysAgo(age))
    await run(
      book.owner,
      `insert into payments (id, merchant_id, account_id, api_version, mch_id, app_id,
         out_trade_no, description, state, total_fen, channel_request, payer_ref, expires_at,
         created_at, updated_at)
       values ($1, $2, $3, 'v2', $4, $5, $6, 'Tea', $7, 100, 'sealed', $8, $9, $9, $9)`,
      [
        id,
        book.merchantId,
        book.accountId,
        book.mchId,
        book.appId,
        newOutTradeNo(daysAgo(age)),
        state,
        randomBytes(32),
        daysAgo(age),
      ],
    )
    return id
  }

  test('an old payment that is over: loses its payer, and no other does', async () => {
    const closed = await addOld(KEPT_DAYS.payer + 1, 'closed')
    const failed = await addOld(KEPT_DAYS.payer + 2, 'failed')
    await addOld(KEPT_DAYS.payer + 3, 'awaiting_payment')
    await addOld(KEPT_DAYS.payer - 1, 'closed')
    expect(await eraseOldPayers(book.worker, daysAgo(-3_650), 1)).toBe(1)
    expect(await eraseOldPayers(book.worker, daysAgo(-3_650), 100)).toBe(1)
    expect(await eraseOldPayers(book.worker, daysAgo(-3_650), 100)).toBe(0)
    const erased = await run<{ id: string; at: Date; request: Buffer }>(
      book.owner,
      `select id, payer_erased_at as at, channel_request as request from payments
       where payer_ref is null order by created_at desc`,
    )
    expect(erased.map(({ id, request }) => [id, request.length])).toEqual([
      [closed, 0],
      [failed, 0],
    ])
    for (const { at } of erased) expect(at.getTime()).toBeLessThanOrEqual(Date.now() + 1_000)
  })
})

describe('how long things are kept', () => {
  const lines = (): string[][] =>
    readFileSync(DOCS, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()))

  test('the database: knows the days of the domain and no others', async () => {
    const rows = await run<{ what: Kept; days: number }>(
      book.owner,
      'select what, keep_days as days from retention',
    )
    expect(Object.fromEntries(rows.map(({ what, days }) => [what, days]))).toEqual(KEPT_DAYS)
  })

  test('the page: shows the days of the domain and no others', () => {
    const shown = lines().flatMap((cells) => {
      const what = /^`(\w+)`$/.exec(cells[1] ?? '')?.[1]
      const days = /^(\d+) days/.exec(cells[3] ?? '')?.[1]
      return what === undefined || days === undefined ? [] : [[what, Number(days)] as const]
    })
    expect(Object.fromEntries(shown)).toEqual(KEPT_DAYS)
    expect(shown).toHaveLength(Object.keys(KEPT_DAYS).length)
  })

  test('the page: names every table there is, and no other', async () => {
    const tables = await run<{ name: string }>(
      book.owner,
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace
         and relkind in ('r', 'p') and not relispartition`,
    )
    const named = lines().flatMap((cells) =>
      [...(cells[2] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    )
    expect(new Set(named)).toEqual(new Set(tables.map(({ name }) => name)))
  })
})
