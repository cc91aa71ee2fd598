import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { openCase, resolveCase } from '../../src/db/cases.js'
import { insertCredential } from '../../src/db/credentials.js'
import { newId } from '../../src/db/ids.js'
import { positionEvents } from '../../src/db/outbox-stream.js'
import { markPlaceRefused } from '../../src/db/payments.js'
import { inTransaction } from '../../src/db/transaction.js'
import { CASE_KINDS } from '../../src/domain/cases.js'
import { StateTotals } from '../../src/engine/state-totals.js'
import { createWorkerMetrics } from '../../src/engine/worker-metrics.js'
import { createUnbalanced } from '../../src/ledger/unbalanced.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'
import { refundFact, Seed } from '../support/seed.js'

const HOUR_MS = 3_600_000
const EVENTS_MAX = 1_000

let database: TestDatabase
let seed: Seed
let registry: Registry
let totals: StateTotals
let weighBook: () => Promise<void>
const clock = { aheadMs: 0, now: () => new Date(Date.now() + clock.aheadMs) }

beforeAll(async () => {
  database = await createTestDatabase()
  seed = await Seed.create(database)
})
afterAll(async () => {
  await seed.close()
  await database.drop()
})
beforeEach(() => {
  clock.aheadMs = HOUR_MS
  registry = new Registry()
  totals = new StateTotals({ database: seed.worker, clock })
  weighBook = createWorkerMetrics({
    registry,
    database: seed.worker,
    clock,
    totals,
    unbalancedFen: createUnbalanced(seed.worker),
  })
})

/** The values of a metric by its labels, as a scrape gives them. */
async function scrape(name: string): Promise<Record<string, number>> {
  const metric = await registry.getSingleMetric(name)?.get()
  const pairs = metric?.values.map(({ labels, value }) => {
    return [Object.values(labels).join(' '), value] as const
  })
  return Object.fromEntries(pairs ?? [])
}

async function count(): Promise<void> {
  await positionEvents(seed.worker, EVENTS_MAX)
  await totals.tick()
}

describe('what a worker measures of the database', () => {
  test('payments_total: counts what was created, paid and refused', async () => {
    await count()
    const before = await scrape('payments_total')
    await seed.paidPayment()
    const refused = await seed.payment()
    await markPlaceRefused(seed.worker, refused.id, 'NOAUTH', new Date())
    await count()
    const after = await scrape('payments_total')
    const grown = (state: string) => (after[state] ?? 0) - (before[state] ?? 0)
    expect([grown('created'), grown('paid'), grown('failed')]).toEqual([2, 1, 1])
  })

  test('payments_total: is not told while history is still read', async () => {
    await seed.paidPayment()
    await seed.paidPayment()
    await positionEvents(seed.worker, EVENTS_MAX)
    const slow = new StateTotals({ database: seed.worker, clock, batchMax: 1 })
    await slow.tick()
    expect(slow.totals()).toEqual([])
    for (let ticks = 0; ticks < 20; ticks += 1) await slow.tick()
    await totals.tick()
    expect(slow.totals()).toEqual(totals.totals())
    expect(slow.totals()).not.toEqual([])
  })

  test('refunds_total: counts states with their causes, also after a restart', async () => {
    await seed.refund(await seed.paidPayment())
    await count()
    const before = await scrape('refunds_total')
    expect(before).toMatchObject({ 'pending ': 1 })
    const again = new StateTotals({ database: seed.worker, clock })
    await again.tick()
    expect(again.totals()).toEqual(totals.totals())
  })

  test('refund_age_seconds: is the age of the oldest refund of each open state', async () => {
    expect(Object.keys(await scrape('refund_age_seconds'))).toEqual(['pending'])
    await seed.approvedRefund(await seed.paidPayment())
    const ages = await scrape('refund_age_seconds')
    expect(ages['approved']).toBeGreaterThanOrEqual(HOUR_MS / 1_000)
    clock.aheadMs = 2 * HOUR_MS
    const later = await scrape('refund_age_seconds')
    expect(later['pending']).toBeGreaterThanOrEqual((2 * HOUR_MS) / 1_000)
  })

  test('inbox_undelivered: counts what nobody applied in ten seconds', async () => {
    expect(await scrape('inbox_undelivered')).toEqual({ '': 0 })
    const refund = await seed.refund(await seed.paidPayment())
    await seed.refundNotice(refund, refundFact(refund, 'success'))
    expect(await scrape('inbox_undelivered')).toEqual({ '': 1 })
    clock.aheadMs = 0
    expect(await scrape('inbox_undelivered')).toEqual({ '': 0 })
  })

  test('cases_open: counts what waits for a person, and falls when it is resolved', async () => {
    const kinds = Object.fromEntries(Object.keys(CASE_KINDS).map((kind) => [kind, 0]))
    expect(await scrape('cases_open')).toEqual(kinds)
    const { id: paymentId } = await seed.paidPayment()
    const { merchantId } = seed.account
    const opened = { kind: 'refund_differs', merchantId, paymentId, amountFen: 1 } as const
    const cause = { causeKind: 'refund', causeId: 'r', detail: {}, now: new Date() } as const
    const id = await inTransaction(seed.worker, (tx) => openCase(tx, { ...opened, ...cause }))
    expect(await scrape('cases_open')).toEqual({ ...kinds, refund_differs: 1 })
    const by = { principalId: seed.account.id, actingUser: 'Bob', note: 'seen' }
    const resolution = { caseId: id ?? '', merchantId, ...by, now: new Date() }
    await inTransaction(seed.owner, (tx) => resolveCase(tx, resolution))
    expect(await scrape('cases_open')).toEqual(kinds)
  })

  test('certificate_expires_seconds: is negative when the certificate has expired', async () => {
    expect(await scrape('certificate_expires_seconds')).toEqual({})
    const now = clock.now()
    const insert = (version: number, inMs: number) =>
      insertCredential(seed.owner, seed.envelope, {
        accountId: seed.account.id,
        kind: 'merchant_certificate',
        version,
        secret: 'a certificate',
        notAfter: new Date(now.getTime() + inMs),
        now,
      })
    await insert(1, -HOUR_MS)
    const expired = (await scrape('certificate_expires_seconds'))[seed.account.mchId]
    expect(expired).toBeLessThan(0)
    await insert(2, HOUR_MS)
    const renewed = (await scrape('certificate_expires_seconds'))[seed.account.mchId]
    expect(renewed).toBeGreaterThan(0)
  })

  test('book_unbalanced: is 0 until somebody writes behind the guards', async () => {
    await weighBook()
    expect(await scrape('book_unbalanced')).toEqual({ '': 0 })
    const refund = await seed.refund(await seed.paidPayment())
    const { id, merchantId } = seed.account
    await seed.worker.rows(
      {
        text: `insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen,
          merchant_id, cause_kind, cause_id, occurred_at)
          values ($1, 1, 'J1', $2, $3, 700, $4, 'refund', $5, now())`,
      },
      [newId(new Date()), `refunds_in_transit:${id}`, `wechat:${id}`, merchantId, refund.id],
    )
    await weighBook()
    expect(await scrape('book_unbalanced')).toEqual({ '': 700 })
  })
})
