import { execFile } from 'node:child_process'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { seedBook, type Seeded, type SeedOptions } from '../../src/cli/seed/seed-book.js'
import { openChannelRequest } from '../../src/db/channel-requests.js'
import { Envelope } from '../../src/db/envelope.js'
import type { Database } from '../../src/db/pool.js'
import { PAYMENT_STATES, REFUND_STATES } from '../../src/domain/states.js'
import { balances } from '../../src/ledger/journal.js'
import { SealingKey } from '../../src/ledger/seal-key.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { addMerchant, connect, run } from '../db/support/book.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
const MASTER_KEY = Buffer.alloc(32, 1)
const LEDGER_KEY = Buffer.alloc(32, 7)
const UNTIL = new Date('2026-03-01T12:00:00.000Z')
const DAY_MS = 86_400_000
const SIZE = { payments: 1_200, refunds: 700, days: 90 } as const
const envelope = new Envelope(MASTER_KEY)

/** What is encrypted, and what names it, is not the same twice; all else is. */
const TABLES = [
  `(select id, out_trade_no, order_ref, description, state, disposition, total_fen, paid_fen,
     settlement_fen, reserved_fen, refunded_fen, settled_fen, transaction_id, payer_ref, created_at,
     updated_at from payments)`,
  'refunds',
  'inbox',
  'refund_decisions',
  'journal_transfers',
  'journal_order',
  'outbox',
  'audit',
  'cases',
  'idempotency_keys',
] as const

const optionsFor = (database: TestDatabase): SeedOptions => ({
  ...SIZE,
  ownerUrl: database.ownerUrl,
  envelope,
  key: new SealingKey(LEDGER_KEY),
  merchantId: 'seed',
  seed: 'one',
  until: UNTIL,
  onProgress: () => undefined,
})

async function digests(owner: Database): Promise<string[]> {
  const found: string[] = []
  for (const table of TABLES) {
    const [row] = await run<{ digest: string }>(
      owner,
      `select md5(string_agg(t::text, '|' order by t::text)) as digest from ${table} t`,
    )
    found.push(row?.digest ?? '')
  }
  return found
}

let database: TestDatabase
let owner: Database
let seeded: Seeded
const progress: number[] = []

const count = async (text: string): Promise<number> => {
  const [row] = await run<{ n: number }>(owner, `select count(*) as n from ${text}`)
  return row?.n ?? -1
}

beforeAll(async () => {
  database = await createTestDatabase()
  owner = connect(database.ownerUrl, 2)
  const onProgress = (done: number): void => void progress.push(done)
  seeded = await seedBook({ ...optionsFor(database), onProgress })
}, 120_000)
afterAll(async () => {
  await owner.close()
  await database.drop()
})

describe('a seeded book', () => {
  test('seed: it has as many payments and refunds as were asked for, and tells so', async () => {
    expect(seeded).toMatchObject({ payments: 1_200, refunds: 700, merchantId: 'seed', unsealed: 0 })
    expect(await count('payments')).toBe(1_200)
    expect(await count('refunds')).toBe(700)
    expect(progress.at(-1)).toBe(1)
    expect(progress.length).toBeGreaterThanOrEqual(20)
  })

  test('seed: payments and refunds are in every state that does not pass at once', async () => {
    const states = async (table: string) =>
      (await run<{ state: string }>(owner, `select distinct state from ${table}`))
        .map(({ state }) => state)
        .toSorted()
    // Between created and placed there is less than a second.
    expect(await states('payments')).toEqual(
      PAYMENT_STATES.filter((state) => state !== 'created').toSorted(),
    )
    const found = await states('refunds')
    const lasting = REFUND_STATES.filter((state) => state !== 'approved' && state !== 'refunding')
    expect(found).toEqual(expect.arrayContaining(lasting))
    expect(await count(`payments where disposition = 'held'`)).toBeGreaterThan(0)
  })

  test('seed: no trigger was switched off for it', async () => {
    expect(await count(`pg_trigger where tgenabled <> 'O'`)).toBe(0)
    expect(await count('pg_constraint where not convalidated')).toBe(0)
  })

  test('seed: the sums of every payment are those of its refunds', async () => {
    const wrong = await count(`payments p where (reserved_fen, refunded_fen, settled_fen) <> (
      select coalesce(sum(amount_fen) filter (where bucket = 'reserved'), 0),
        coalesce(sum(amount_fen) filter (where bucket = 'refunded'), 0),
        coalesce(sum(amount_fen) filter (where bucket = 'settled'), 0)
      from refunds r join refund_effects e using (state) where r.payment_id = p.id)`)
    expect(wrong).toBe(0)
  })

  test('seed: the book sums to zero, and what is in transit is what refunds say', async () => {
    const all = await balances(owner)
    expect(all.reduce((sum, { balanceFen }) => sum + balanceFen, 0)).toBe(0)
    const balanceOf = (type: string): number =>
      all.find(({ account }) => account.startsWith(`${type}:`))?.balanceFen ?? 0
    const [sums] = await run<{ transit: number; held: number; sales: number }>(
      owner,
      `select
        (select coalesce(sum(settlement_fen), 0)::bigint from refunds where in_transit) as transit,
        (select sum(settlement_fen)::bigint from payments p where disposition = 'held'
           or disposition = 'surplus' and not exists (select from refunds r
             where r.payment_id = p.id and r.state = 'done')) as held,
        (select sum(paid_fen)::bigint from payments where disposition = 'accepted') as sales`,
    )
    expect(balanceOf('refunds_in_transit')).toBe(sums?.transit)
    expect(balanceOf('suspense')).toBe(-(sums?.held ?? 0))
    expect(balanceOf('sales')).toBe(-(sums?.sales ?? 0))
  })

  test('seed: money that came late goes back as the engine gives it back', async () => {
    const late = `from payments p left join refunds r on r.payment_id = p.id
      where p.disposition = 'surplus'`
    expect(await count(`payments where attention = 'late'`)).toBeGreaterThan(0)
    const wrong = await count(`(select p.id ${late} and (p.attention, r.origin, r.out_refund_no,
        r.amount_fen, r.total_fen, r.requested_for) is distinct from
        ('late', 'system', p.out_trade_no || '-S', p.paid_fen, p.paid_fen, 'yuanlu')) as w`)
    expect(wrong).toBe(0)
    const told = await run<{ types: string }>(
      owner,
      `select string_agg(distinct types, '; ') as types from (
         select string_agg(o.type, ' ' order by o.sequence) as types
         from payments p join outbox o on o.subject = p.id
         where p.disposition = 'surplus' and p.refunded_fen > 0 group by p.id) as each`,
    )
    expect(told).toEqual([
      { types: 'payment.closed payment.surplus refund.approved refund.accepted refund.done' },
    ])
  })

  test('seed: money of another amount is held, and each has its case', async () => {
    const held = await count(
      `payments where disposition = 'held' and attention = 'amount_mismatch'`,
    )
    expect(held).toBeGreaterThan(0)
    expect(await count('cases join case_events on case_id = id')).toBe(held)
    expect(
      await count(`cases c join payments p on p.id = c.payment_id
      where p.disposition = 'held' and c.kind = 'payment_held'`),
    ).toBe(held)
  })

  test('seed: verifying finds nothing wrong, and past days have their balances', async () => {
    const api = connect(database.apiUrl)
    const verdict = await verifyDatabase(api)
    await api.close()
    expect(verdict).toMatchObject({ ok: true, waiting: 0, findings: [], entries: seeded.entries })
    expect(verdict).toMatchObject({ auditLines: await count('audit'), auditWaiting: 0 })
    expect(verdict.seals).toBeGreaterThanOrEqual(20)
    expect(await count('balance_days')).toBeGreaterThanOrEqual(15)
  })

  test('seed: events are dense per payment and in the stream, in the same order', async () => {
    const wrong = await count(`(select position, sequence,
        row_number() over (partition by subject order by position) as nth,
        row_number() over (order by position) as place from outbox) o
      where sequence <> nth or position <> place`)
    expect(wrong).toBe(0)
    const inOrder = await count(`(select created_at,
        lag(created_at) over (partition by subject order by sequence) as before from outbox) o
      where before > created_at`)
    expect(inOrder).toBe(0)
  })

  test('seed: nothing happens before it can, or after the end', async () => {
    expect(await count(`payments where updated_at > '${UNTIL.toISOString()}'`)).toBe(0)
    expect(await count(`refunds where updated_at > '${UNTIL.toISOString()}'`)).toBe(0)
    const from = new Date(UNTIL.getTime() - 91 * DAY_MS).toISOString()
    expect(await count(`payments where created_at < '${from}' or updated_at < created_at`)).toBe(0)
    expect(
      await count(`refunds r join payments p on p.id = r.payment_id
        where r.created_at < p.updated_at or r.first_submitted_at < r.created_at
          or r.done_at < r.first_submitted_at`),
    ).toBe(0)
    expect(await count('inbox where applied_at is null or applied_at < stored_at')).toBe(0)
  })

  test('seed: business is done in Beijing hours', async () => {
    const night = await count(`payments
      where extract(hour from created_at at time zone 'Asia/Shanghai') not between 8 and 22`)
    expect(night).toBe(0)
  })

  test('seed: an open order can be placed again from what is stored', async () => {
    const [open] = await run<{ id: string; outTradeNo: string; totalFen: number; sealed: Buffer }>(
      owner,
      `select id, out_trade_no as "outTradeNo", total_fen as "totalFen",
         channel_request as sealed from payments where state = 'awaiting_payment' limit 1`,
    )
    if (open === undefined) throw new Error('No payment is open.')
    const { outTradeNo, totalFen } = open
    expect(openChannelRequest(envelope, open.id, open.sealed)).toMatchObject({
      outTradeNo,
      totalFen,
    })
  })
})

describe('seeding again', () => {
  test('seed: the same words give the same book, and others another one', async () => {
    const second = await createTestDatabase()
    const third = await createTestDatabase()
    const [sameOwner, otherOwner] = [connect(second.ownerUrl, 1), connect(third.ownerUrl, 1)]
    await seedBook(optionsFor(second))
    await seedBook({ ...optionsFor(third), seed: 'two' })
    const first = await digests(owner)
    expect(await digests(sameOwner)).toEqual(first)
    const others = await digests(otherOwner)
    expect(others.filter((digest, index) => digest === first[index])).toEqual([])
    await Promise.all([sameOwner.close(), otherOwner.close()])
    await Promise.all([second.drop(), third.drop()])
  }, 120_000)

  test('seed: a merchant that exists is refused, and nothing is added', async () => {
    await expect(seedBook(optionsFor(database))).rejects.toThrow(/merchant seed already/)
    expect(await count('payments')).toBe(1_200)
  })

  test('seed: another merchant comes beside the first, in the same sealed book', async () => {
    const options = { ...optionsFor(database), merchantId: 'second', payments: 60, refunds: 120 }
    expect(await seedBook(options)).toMatchObject({ payments: 60, refunds: 120 })
    const api = connect(database.apiUrl)
    expect(await verifyDatabase(api)).toMatchObject({ ok: true })
    await api.close()
  })

  test.each([
    [1, 2],
    [2, 0],
    [7, 14],
    [55, 110],
  ])('seed: %i payments with %i refunds are a book too', async (payments, refunds) => {
    const merchantId = `small-${payments}`
    const made = await seedBook({ ...optionsFor(database), merchantId, payments, refunds })
    expect(made).toMatchObject({ payments, refunds })
  })

  test('seed: a book with real money is left alone', async () => {
    const live = await createTestDatabase()
    const liveOwner = connect(live.ownerUrl, 1)
    await addMerchant(liveOwner, 'real', '1900000077')
    await run(liveOwner, `update channel_accounts set mode = 'live'`)
    await expect(seedBook(optionsFor(live))).rejects.toThrow(/real money/)
    await liveOwner.close()
    await live.drop()
  })
})

describe('yuanlu seed', () => {
  const yuanlu = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const env = {
      YUANLU_DATABASE_URL_OWNER: database.ownerUrl,
      YUANLU_MASTER_KEY: MASTER_KEY.toString('base64'),
      YUANLU_LEDGER_KEY: LEDGER_KEY.toString('base64'),
      ...more,
    }
    return new Promise<{ status: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, [PROGRAM, 'seed', ...args], { env }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
      )
    })
  }

  test('seed command: it tells as JSON what it did', async () => {
    const size = ['--payments', '50', '--refunds', '20', '--merchant', 'told']
    const { status, stdout, stderr } = await yuanlu([...size, '--json', '-'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ merchantId: 'told', payments: 50, refunds: 20 })
  })

  test.each([
    [['--payments', '0'], 'whole number from 1'],
    [['--payments', '1e3'], 'whole number from 1'],
    [['--payments', '10', '--refunds', '21'], 'two refunds per payment'],
    [['--days', '401'], 'whole number from 1 to 400'],
    [['--until', 'yesterday'], 'an instant such as'],
    [['--merchant', 'Not A Slug'], 'cannot be the id of a merchant'],
  ])('seed command: %j is wrong use', async (args, sentence) => {
    const { status, stderr } = await yuanlu(args)
    expect(stderr).toContain(sentence)
    expect(status).toBe(2)
  })

  test('seed command: in production it wants a word more', async () => {
    const size = ['--payments', '1', '--refunds', '0', '--merchant', 'produced']
    const { status, stderr } = await yuanlu(size, { NODE_ENV: 'production' })
    expect(stderr).toContain('say --yes')
    expect(status).toBe(1)
    expect((await yuanlu([...size, '--yes'], { NODE_ENV: 'production' })).status).toBe(0)
  })
})
