import { randomUUID } from 'node:crypto'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import {
  dropOldAttempts,
  ensureAttemptPartitions,
  forgetOldDeliveries,
} from '../../src/db/retention.js'
import { KEPT_DAYS } from '../../src/domain/retention.js'
import { openBook, run, type Book } from './support/book.js'
import { ENDPOINT } from './support/webhook-texts.js'

const DAY_MS = 86_400_000

let book: Book

beforeEach(async () => {
  book = await openBook()
})

afterEach(() => book.close())

const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS)

async function addAttempt(at: Date): Promise<string> {
  const id = randomUUID()
  await run(
    book.worker,
    `insert into webhook_attempts (delivery_id, n, started_at, duration_ms, status)
     values ($1, 1, $2, 1, 200)`,
    [id, at],
  )
  return id
}

const attempts = async (): Promise<string[]> =>
  (await run<{ id: string }>(book.owner, 'select delivery_id as id from webhook_attempts')).map(
    ({ id }) => id,
  )

const partitions = async (): Promise<string[]> =>
  (
    await run<{ name: string }>(
      book.owner,
      `select inhrelid::regclass::text as name from pg_inherits
       where inhparent = 'webhook_attempts'::regclass order by 1`,
    )
  ).map(({ name }) => name)

async function addDelivery(state: string, at: Date): Promise<string> {
  const id = randomUUID()
  await run(
    book.owner,
    `insert into webhook_deliveries (id, endpoint_id, merchant_id, event_id, type, body, state,
       next_at, finished_at, created_at)
     select $1, id, merchant_id, gen_random_uuid(), 'ping', '{}', $2, $3,
       case when $2 <> 'pending' then $3::timestamptz end, $3
     from webhook_endpoints limit 1`,
    [id, state, at],
  )
  return id
}

describe('attempts', () => {
  test('months: are made for three, and what waited goes to its own', async () => {
    const id = await addAttempt(new Date())
    expect(await ensureAttemptPartitions(book.worker, new Date())).toBe(3)
    expect(await ensureAttemptPartitions(book.worker, new Date())).toBe(0)
    expect((await partitions()).length).toBe(4)
    const waiting = await run(book.owner, 'table webhook_attempts_default')
    expect([waiting, await attempts()]).toEqual([[], [id]])
  })

  test('a month past its time: is dropped, and no other', async () => {
    const young = await addAttempt(daysAgo(KEPT_DAYS.webhook_attempt - 1))
    await addAttempt(daysAgo(KEPT_DAYS.webhook_attempt + 1))
    await run(
      book.owner,
      `create table webhook_attempts_2020_01 partition of webhook_attempts
       for values from ('2020-01-01') to ('2020-02-01')`,
    )
    expect(await dropOldAttempts(book.worker, new Date())).toBe(1)
    expect([await partitions(), await attempts()]).toEqual([['webhook_attempts_default'], [young]])
  })

  test('a stored attempt: never changes', async () => {
    await addAttempt(new Date())
    await expect(run(book.owner, 'update webhook_attempts set status = 500')).rejects.toMatchObject(
      { constraint: 'webhook_attempts_default_immutable' },
    )
  })
})

describe('deliveries', () => {
  test('those that ended and are past their time: go; what waits stays', async () => {
    await run(book.api, ENDPOINT)
    const old = daysAgo(KEPT_DAYS.webhook_delivery + 1)
    await addDelivery('delivered', old)
    await addDelivery('dead', old)
    const pending = await addDelivery('pending', old)
    const young = await addDelivery('delivered', daysAgo(KEPT_DAYS.webhook_delivery - 1))
    expect(await forgetOldDeliveries(book.worker, new Date(), 1)).toBe(1)
    expect(await forgetOldDeliveries(book.worker, new Date(), 100)).toBe(1)
    expect(await forgetOldDeliveries(book.worker, daysAgo(-3_650), 100)).toBe(0)
    const left = await run<{ id: string }>(book.owner, 'select id from webhook_deliveries')
    expect(new Set(left.map(({ id }) => id))).toEqual(new Set([pending, young]))
  })
})
