import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'

import { createRetention } from '../../src/engine/retention.js'
import { createTestDatabase } from '../support/database.js'
import { Seed } from '../support/seed.js'

async function withSeed(work: (seed: Seed, ownerUrl: string) => Promise<void>): Promise<void> {
  const { drop, ...urls } = await createTestDatabase()
  const seed = await Seed.create(urls)
  try {
    await work(seed, urls.ownerUrl)
  } finally {
    await seed.close()
    await drop()
  }
}

const DAY_MS = 86_400_000

const addOldKeys = (seed: Seed, count: number) =>
  seed.look(
    `insert into idempotency_keys (merchant_id, client_id, route, key, request_hash, object_id,
       created_at)
     select $1, $2, 'POST /v1/payments', n::text, 'x', gen_random_uuid(), $3
     from generate_series(1, $4::int) n`,
    seed.account.merchantId,
    seed.asker,
    new Date(Date.now() - 60 * DAY_MS),
    count,
  )

function retention(seed: Seed, errors: unknown[] = []) {
  const onError = (error: unknown): void => void errors.push(error)
  return createRetention({ database: seed.worker, clock: seed.clock, onError })
}

describe('retention', () => {
  test('the first tick: makes room for what comes; the next finds nothing to do', () =>
    withSeed(async (seed) => {
      expect(await retention(seed)()).toBe(6)
      expect(await retention(seed)()).toBe(0)
    }))

  test('more than a batch: goes in one tick', () =>
    withSeed(async (seed) => {
      await addOldKeys(seed, 2_500)
      expect(await retention(seed)()).toBe(2_506)
    }))

  test('four workers at once: do it once', () =>
    withSeed(async (seed) => {
      await addOldKeys(seed, 500)
      const errors: unknown[] = []
      const counts = await Promise.all([1, 2, 3, 4].map(() => retention(seed, errors)()))
      expect(errors).toEqual([])
      expect(counts.reduce((sum, count) => sum + count)).toBe(506)
    }))

  test.each([
    ['bodies', 7_202_613, 3],
    ['webhook attempts', 7_202_616, 3],
    ['payers', 7_202_617, 6],
  ])('another worker at %s: keeps nobody from the rest', (_what, lock, made) =>
    withSeed(async (seed, connectionString) => {
      const other = new pg.Client({ connectionString })
      await other.connect()
      await other.query('select pg_advisory_lock($1)', [lock])
      expect(await retention(seed)()).toBe(made)
      await other.end()
      // The lock goes with the session, a moment after the client has left.
      await vi.waitFor(async () => expect(await retention(seed)()).toBe(6 - made), 20_000)
    }),
  )

  test('a step that fails: is reported, and the others are done', () =>
    withSeed(async (seed) => {
      await addOldKeys(seed, 5)
      await seed.look('revoke execute on function drop_inbox_bodies from yuanlu_worker')
      const errors: unknown[] = []
      expect(await retention(seed, errors)()).toBe(11)
      expect(errors).toMatchObject([{ code: '42501' }])
    }))
})
