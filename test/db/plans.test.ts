import { randomBytes, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

import { seedBook } from '../../src/cli/seed/seed-book.js'
import { Envelope } from '../../src/db/envelope.js'
import type * as Pool from '../../src/db/pool.js'
import type { Statement } from '../../src/db/pool.js'
import { SealingKey } from '../../src/ledger/seal-key.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'
import { connect, run } from './support/book.js'
import { CALLS, PLANS_MERCHANT } from './support/calls.js'
import { indexesOf, isCall, loadStatements, scannedWhole } from './support/query-plans.js'
import type { PlanNode } from './support/query-plans.js'

const { noted } = vi.hoisted(() => ({ noted: new Map<string, Statement>() }))

vi.mock('../../src/db/pool.js', async (original) => {
  const pool = await original<typeof Pool>()
  const sql = (name: string, text: string): Statement => {
    noted.set(name, { name, text })
    return pool.sql(name, text)
  }
  return { ...pool, sql }
})

const PAYMENTS = 20_000
const REFUNDS = 6_000
const UNTIL = new Date('2026-03-01T12:00:00Z')

/** What grows with every payment: none of it is ever read whole to answer one question. */
const GROWING = new Set([
  'audit',
  'case_events',
  'cases',
  'idempotency_keys',
  'inbox',
  'journal_order',
  'journal_transfers',
  'outbox',
  'payments',
  'refund_decisions',
  'refunds',
])

/** These read much because they tell of much. */
const READS_MUCH: Readonly<Record<string, string>> = {
  balances_at: 'it sums what was recorded since the balances of a day',
  book_unbalanced: 'it sums the same, and what is in transit, for a gauge',
  journal_balances: 'the balance of every account is the sum of the whole journal',
}

/** How many rows a list gives decides how it is read, so these are planned with their values. */
const LISTS = ['audit_list', 'cases_list', 'payments_list', 'refunds_list'] as const

/** More than a believable book has, of which few are open. */
const MANY_CASES = `
  insert into cases (id, merchant_id, kind, payment_id, cause_kind, cause_id, amount_fen, detail,
    state, opened_at, resolved_at)
  select gen_random_uuid(), merchant_id, 'payment_held', id, 'payment', id::text, 1, '{}',
    case when n % 50 = 0 then 'open' else 'resolved' end, created_at,
    case when n % 50 = 0 then null else created_at end
  from (select *, row_number() over () as n from payments) numbered
  on conflict do nothing`

const THEIR_EVENTS = `insert into case_events (case_id, n, type, actor_kind, actor_id, at)
  select id, 1, 'opened', 'engine', 'yuanlu', opened_at from cases on conflict do nothing`

let database: TestDatabase
let owner: ReturnType<typeof connect>
/** Rows of the book that statements may be asked about. */
const ids = { payment: '', open: '', refund: '', account: '', key: '' }

beforeAll(async () => {
  database = await createTestDatabase()
  owner = connect(database.ownerUrl, 2)
  await seedBook({
    ownerUrl: database.ownerUrl,
    envelope: new Envelope(randomBytes(32)),
    key: new SealingKey(randomBytes(32)),
    merchantId: PLANS_MERCHANT,
    seed: '1',
    payments: PAYMENTS,
    refunds: REFUNDS,
    days: 400,
    until: UNTIL,
    onProgress: () => undefined,
  })
  const [found] = await run<typeof ids>(
    owner,
    `select
       (select id from payments where disposition = 'accepted' and reserved_fen + refunded_fen = 0
        limit 1) as payment,
       (select id from payments where state = 'awaiting_payment' limit 1) as open,
       (select id from refunds where state = 'pending' limit 1) as refund,
       (select id from channel_accounts) as account,
       (select id from api_keys limit 1) as key`,
  )
  Object.assign(ids, found)
  await run(owner, MANY_CASES)
  await run(owner, THEIR_EVENTS)
  await run(owner, 'analyze cases, case_events')
  await loadStatements()
}, 300_000)

afterAll(async () => {
  await owner.close()
  await database.drop()
})

type Explained = readonly { readonly 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }[]

/** Without values a statement is explained as it is planned for any of them. */
async function planOf(text: string, values?: readonly unknown[]): Promise<PlanNode> {
  const client = await owner.pool.connect()
  try {
    const { rows } =
      values === undefined
        ? await client.query(`explain (format json, generic_plan) ${text}`)
        : await client.query(`explain (format json) ${text}`, [...values])
    const plan = (rows as Explained)[0]?.['QUERY PLAN'][0]?.Plan
    if (plan === undefined) throw new Error('The database explained nothing.')
    return plan
  } finally {
    client.release()
  }
}

const statement = (name: string): Statement => {
  const found = noted.get(name)
  if (found === undefined) throw new Error(`There is no statement ${name}.`)
  return found
}
const growing = (tables: readonly string[]): string[] => tables.filter((name) => GROWING.has(name))

describe('plans: every statement', () => {
  test('plans: no statement reads a growing table whole', async () => {
    const wrong: string[] = []
    for (const [name, { text }] of noted) {
      if (name in READS_MUCH || LISTS.some((list) => list === name)) continue
      const scanned = growing(scannedWhole(await planOf(text)))
      if (scanned.length > 0) wrong.push(`${name} reads the whole of ${scanned.join(', ')}`)
    }
    expect(wrong).toEqual([])
    expect(noted.size).toBeGreaterThan(60)
  })

  test('plans: what is said to read much exists and does', async () => {
    for (const name of Object.keys(READS_MUCH)) {
      const scanned = growing(scannedWhole(await planOf(statement(name).text)))
      expect(scanned, name).not.toEqual([])
    }
  })
})

describe('plans: lists', () => {
  const cursor = [new Date('2025-09-01T00:00:00Z'), randomUUID()] as const
  const none = [null, null] as const

  test.each([
    ['all', [null, null, ...none, 21], 'payments_by_time'],
    ['the next page', [null, null, ...cursor, 21], 'payments_by_time'],
    ['of the usual state', ['paid', null, ...none, 21], 'payments_by_time'],
    ['of a rare state', ['failed', null, ...none, 21], 'payments_by_state'],
    ['the next page of a rare state', ['closed', null, ...cursor, 21], 'payments_by_state'],
    ['of an order', [null, 'SO-unknown', ...none, 21], 'payments_by_order_ref'],
    ['of an order in a state', ['paid', 'SO-unknown', ...none, 50], 'payments_by_order_ref'],
  ] as const)('plans: payments, %s, by their index', async (_what, values, index) => {
    const plan = await planOf(statement('payments_list').text, [PLANS_MERCHANT, ...values])
    expect(indexesOf(plan)).toEqual([index])
  })

  test.each([
    ['all', () => [null, null, ...none, 21], 'refunds_by_time'],
    ['the next page', () => [null, null, ...cursor, 21], 'refunds_by_time'],
    ['of the usual state', () => ['done', null, ...none, 21], 'refunds_by_time'],
    ['of a rare state', () => ['settled', null, ...none, 21], 'refunds_by_state'],
    ['of a payment', () => [null, ids.payment, ...none, 21], 'refunds_by_payment'],
  ] as const)('plans: refunds, %s, by their index', async (_what, values, index) => {
    const plan = await planOf(statement('refunds_list').text, [PLANS_MERCHANT, ...values()])
    expect(indexesOf(plan)).toEqual([index])
  })

  test.each([
    ['all', () => [null, null, null, null, ...none, 21], 'audit_by_time'],
    ['the next page', () => [null, null, null, null, ...cursor, 21], 'audit_by_time'],
    ['of a payment', () => [null, null, ids.payment, null, ...none, 21], 'audit_by_subject'],
  ] as const)('plans: the audit log, %s, by its index', async (_what, values, index) => {
    const plan = await planOf(statement('audit_list').text, [PLANS_MERCHANT, ...values()])
    expect(indexesOf(plan)).toEqual([index])
  })

  test.each([
    ['all', () => [null, null, null, ...none, 21], 'cases_by_time'],
    ['the next page', () => [null, null, null, ...cursor, 21], 'cases_by_time'],
    ['that are open', () => ['open', null, null, ...none, 21], 'cases_open'],
    ['of a payment', () => [null, null, ids.payment, ...none, 21], 'cases_by_payment'],
  ] as const)('plans: cases, %s, by their index', async (_what, values, index) => {
    const plan = await planOf(statement('cases_list').text, [PLANS_MERCHANT, ...values()])
    expect(indexesOf(plan)).toEqual([index])
  })
})

describe('plans: loops', () => {
  test('plans: the sweep, by the two indexes of what is not over', async () => {
    const text = statement('sweep_watched').text
    const nothing = [new Date('2020-01-01T00:00:00Z'), 100]
    for (const values of [undefined, nothing]) {
      const indexes = indexesOf(await planOf(text, values)).toSorted()
      expect(indexes).toEqual(['payments_pkey', 'payments_watched', 'refunds_watched'])
    }
  })
})

describe('plans: functions', () => {
  test('plans: every statement that only calls a function is called here', () => {
    const calls = [...noted].flatMap(([name, { text }]) => (isCall(text) ? [name] : []))
    expect(Object.keys(CALLS).toSorted()).toEqual(calls.toSorted())
  })

  test.each(Object.keys(CALLS))('plans: %s reads no growing table whole', async (name) => {
    const { before, refusedBy, values = () => [] } = CALLS[name] ?? {}
    const client = await owner.pool.connect()
    try {
      await client.query('begin')
      if (before !== undefined) await client.query(before)
      const scanned = async (): Promise<Map<string, number>> => {
        const { rows } = await client.query<{ name: string; scans: number }>(
          'select relname as name, seq_scan as scans from pg_stat_xact_user_tables',
        )
        return new Map(rows.map((row) => [row.name, row.scans]))
      }
      const earlier = await scanned()
      const called = client.query('savepoint called').then(() => {
        return client.query(statement(name).text, [...values(ids)])
      })
      if (refusedBy === undefined) await called
      else {
        await expect(called).rejects.toMatchObject({ constraint: refusedBy })
        await client.query('rollback to savepoint called')
      }
      const later = await scanned()
      const tables = [...later.keys()].filter((key) => later.get(key) !== earlier.get(key))
      expect(growing(tables)).toEqual([])
    } finally {
      await client.query('rollback')
      client.release()
    }
  })
})
