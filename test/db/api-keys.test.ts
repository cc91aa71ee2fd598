import { createHash } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { createApiKey, findApiKey, SCOPES } from '../../src/db/api-keys.js'
import { newId } from '../../src/db/ids.js'
import { NOW, openBook, run, type Book } from './support/book.js'
import { refusalOf } from './support/refusal.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const create = (database: Book['api'], id: string): Promise<string> =>
  createApiKey(database, {
    id,
    merchantId: book.merchantId,
    name: 'shop',
    scopes: ['payments:write', 'refunds:read'],
    now: NOW,
  })

describe('API keys', () => {
  test('a new key: is found by the whole of it, with its scopes', async () => {
    const id = newId(NOW)
    const key = await create(book.owner, id)
    expect(key).toMatch(/^yk_[\w-]{43}$/)
    expect(await findApiKey(book.api, key)).toEqual({
      id,
      merchantId: book.merchantId,
      name: 'shop',
      scopes: ['payments:write', 'refunds:read'],
    })
  })

  test('what is stored: is the hash, never the key', async () => {
    const id = newId(NOW)
    const key = await create(book.owner, id)
    const rows = await run(
      book.owner,
      'select key_hash as hash, k::text as text from api_keys k where id = $1',
      [id],
    )
    expect(rows).toMatchObject([{ hash: createHash('sha256').update(key).digest() }])
    expect(JSON.stringify(rows)).not.toContain(key.slice(3))
  })

  test.each([
    ['nothing', () => ''],
    ['another prefix', (key: string) => key.replace('yk_', 'sk_')],
    ['a blank behind', (key: string) => `${key} `],
    ['a character less', (key: string) => key.slice(0, -1)],
    ['other letters', (key: string) => key.toUpperCase()],
    ['a pattern', () => 'yk_%'],
  ])('%s: finds no key', async (_, change) => {
    const key = await create(book.owner, newId(NOW))
    expect(await findApiKey(book.api, change(key))).toBeUndefined()
  })

  test('a revoked key: is found no more', async () => {
    const id = newId(NOW)
    const key = await create(book.owner, id)
    await run(book.owner, 'update api_keys set revoked_at = now() where id = $1', [id])
    expect(await findApiKey(book.api, key)).toBeUndefined()
  })

  test.each(['api', 'worker'] as const)('the role of the %s: makes no key', async (role) => {
    expect(await refusalOf(create(book[role], newId(NOW)))).toBe(
      'permission denied for table api_keys',
    )
  })

  test('the scopes: are one per thing that can be done', () => {
    expect(SCOPES).toEqual([
      'payments:write',
      'payments:read',
      'refunds:request',
      'refunds:decide',
      'refunds:read',
      'cases:read',
      'ledger:read',
      'merchants:read',
      'merchants:write',
      'audit:read',
      'webhooks:read',
      'webhooks:write',
    ])
  })
})
