import { createPublicKey, verify } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { addKey } from '../../src/cli/merchants.js'
import { newId } from '../../src/db/ids.js'
import { inTransaction } from '../../src/db/transaction.js'
import { fen } from '../../src/domain/money.js'
import { postEntry } from '../../src/ledger/journal.js'
import { postHeld } from '../../src/ledger/postings.js'
import { SealingKey } from '../../src/ledger/seal-key.js'
import { sealEntries } from '../../src/ledger/seal.js'
import { MERCHANT, send, startServer, type ServerUnderTest } from './server-under-test.js'

const KEY = new SealingKey(Buffer.alloc(32, 9))

let server: ServerUnderTest
let key: string

beforeAll(async () => {
  server = await startServer()
  const wanted = { merchantId: MERCHANT.id, name: 'auditor', scopes: ['ledger:read'] }
  key = (await addKey(server.owner, wanted)).key
})
afterAll(() => server.stop())

const head = (query = '', as = key) => send(server, `GET /v1/ledger/head${query}`, { key: as })

async function sealOne(at: string): Promise<void> {
  const now = new Date(at)
  const cause = { merchantId: MERCHANT.id, kind: 'payment' as const, id: newId(now) }
  const parties = { merchantId: MERCHANT.id, accountId: newId(now) }
  await inTransaction(server.worker, (tx) =>
    postEntry(tx, { ...cause, entryId: newId(now), occurredAt: now }, postHeld(parties, fen(1))),
  )
  await sealEntries(server.worker, { key: KEY, entriesMax: 10, now })
}

interface HeadAnswer {
  readonly sealNo: number
  readonly hash: string
  readonly publicKey: string
  readonly signature: string
}

describe('the head of the book', () => {
  test('before the first seal: is not there', async () => {
    expect((await head()).json()).toMatchObject({ status: 404, code: 'not_found' })
  })

  test('the last seal: is answered with what checks its signature', async () => {
    await sealOne('2026-03-01T01:00:00.000Z')
    await sealOne('2026-03-02T01:00:00.000Z')
    const answer = await head()
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toMatchObject({
      sealNo: 2,
      lastSeq: 2,
      keyId: KEY.id,
      sealedAt: '2026-03-02T01:00:00.000Z',
    })
    const { hash, publicKey, signature } = answer.json<HeadAnswer>()
    const [bytes, signed] = [Buffer.from(hash, 'hex'), Buffer.from(signature, 'base64')]
    expect(verify(null, bytes, createPublicKey(publicKey), signed)).toBe(true)
  })

  test('the last seal of a day: is answered where the day has one', async () => {
    expect((await head('?day=2026-03-01')).json()).toMatchObject({ sealNo: 1 })
    for (const day of ['2026-02-28', '2026-02-31', '2026-13-01']) {
      expect((await head(`?day=${day}`)).json()).toMatchObject({ code: 'not_found' })
    }
  })

  test('a day that is none: is refused by its field', async () => {
    expect((await head('?day=yesterday')).json()).toMatchObject({
      code: 'invalid_request',
      errors: [{ field: 'day' }],
    })
  })

  test('a key without the scope: is refused', async () => {
    const wanted = { merchantId: MERCHANT.id, name: 'clerk', scopes: ['payments:read'] }
    const other = (await addKey(server.owner, wanted)).key
    expect((await head('', other)).json()).toMatchObject({ code: 'forbidden' })
    expect((await head('', '')).json()).toMatchObject({ code: 'unauthorized' })
  })
})
