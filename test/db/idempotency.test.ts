import { createHash } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { claimIdempotencyKey, type Claim } from '../../src/db/idempotency.js'
import { inTransaction } from '../../src/db/transaction.js'
import { NOW, openBook, run, type Book } from './support/book.js'
import { meeting } from './support/meeting.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

interface Ask {
  readonly key: string
  readonly body?: string
  readonly route?: string
  readonly clientId?: string
}

/** Claims a key for a new object in a transaction of its own, which may fail behind the claim. */
async function claim(ask: Ask, then?: () => Promise<void>): Promise<Claim & { mine: string }> {
  const objectId = newId(NOW)
  const claimed = await inTransaction(book.api, async (tx) => {
    const answer = await claimIdempotencyKey(tx, {
      merchantId: book.merchantId,
      clientId: ask.clientId ?? book.askingKeyId,
      route: ask.route ?? 'POST /v1/refunds',
      key: ask.key,
      requestHash: createHash('sha256')
        .update(ask.body ?? 'body')
        .digest(),
      objectId,
      now: NOW,
    })
    await then?.()
    return answer
  })
  return { ...claimed, mine: objectId }
}

describe('idempotency keys', () => {
  test('50 parallel claims of one key: one is new, the others know its object', async () => {
    const claims = await Promise.all(Array.from({ length: 50 }, () => claim({ key: 'parallel' })))
    const fresh = claims.filter(({ kind }) => kind === 'new')
    expect(fresh).toHaveLength(1)
    const known = claims.flatMap((one) => (one.kind === 'known' ? [one.objectId] : []))
    expect(known).toEqual(Array.from({ length: 49 }, () => fresh[0]?.mine))
    expect(
      await run(book.owner, "select key from idempotency_keys where key = 'parallel'"),
    ).toEqual([{ key: 'parallel' }])
  })

  test('the same key with another body: is a conflict, however often', async () => {
    expect((await claim({ key: 'body', body: 'one' })).kind).toBe('new')
    for (const body of ['two', 'two', 'One']) {
      expect((await claim({ key: 'body', body })).kind).toBe('conflict')
    }
    expect((await claim({ key: 'body', body: 'one' })).kind).toBe('known')
  })

  test.each([
    ['another route', { route: 'POST /v1/payments' }],
    ['another API key', { clientId: 'approving' }],
    ['another key', { key: 'Scope' }],
  ])('%s: is another claim', async (_, other) => {
    await claim({ key: 'scope' })
    const clientId = 'clientId' in other ? book.approvingKeyId : book.askingKeyId
    expect((await claim({ key: 'scope', ...other, clientId })).kind).toBe('new')
  })

  test('a claim that was rolled back: leaves the key to whoever waited for it', async () => {
    const began = meeting()
    const failing = claim({ key: 'rolled back' }, async () => {
      began.arrive()
      await new Promise((resolve) => setTimeout(resolve, 100))
      throw new Error('no object')
    })
    await began.met
    const waiting = claim({ key: 'rolled back' })
    await expect(failing).rejects.toThrow('no object')
    expect((await waiting).kind).toBe('new')
  })
})
