import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  activeCredentials,
  insertCredential,
  type CredentialKind,
} from '../../src/db/credentials.js'
import { Envelope } from '../../src/db/envelope.js'
import { addMerchant, NOW, openBook, run, type Book } from './support/book.js'

const KINDS: readonly CredentialKind[] = ['v2_key', 'merchant_certificate', 'merchant_private_key']
const envelope = new Envelope(randomBytes(32))
let book: Book
let otherAccountId: string

const store = (accountId: string, kind: CredentialKind, version: number): Promise<void> =>
  insertCredential(book.owner, envelope, {
    accountId,
    kind,
    version,
    secret: `${kind} ${version}`,
    notAfter: null,
    now: NOW,
  })

beforeAll(async () => {
  book = await openBook()
  otherAccountId = (await addMerchant(book.owner, 'other', '1900000002')).accountId
  for (const kind of KINDS) {
    await store(book.accountId, kind, 1)
    await store(book.accountId, kind, 2)
  }
})

afterAll(() => book.close())

describe('credentials', () => {
  test('two versions while a key is replaced: the newest comes first', async () => {
    const keys = await activeCredentials(book.worker, envelope, book.accountId, 'v2_key')
    expect(keys).toEqual(['v2_key 2', 'v2_key 1'])
  })

  test.each([
    // kind                 | versions the API sees | versions the worker sees
    ['v2_key', 2, 2],
    ['merchant_certificate', 0, 2],
    ['merchant_private_key', 0, 2],
  ] as const)('%s: the API sees %i versions, the worker %i', async (kind, api, worker) => {
    const seen = (database: Book['api']) =>
      activeCredentials(database, envelope, book.accountId, kind)
    expect((await seen(book.api)).length).toBe(api)
    expect((await seen(book.worker)).length).toBe(worker)
  })

  test('the API by plain SQL: finds no row of any other kind', async () => {
    const kinds = await run(book.api, 'select distinct kind from credential_versions')
    expect(kinds).toEqual([{ kind: 'v2_key' }])
  })

  test('a retired version: is not used any more', async () => {
    await run(
      book.owner,
      `update credential_versions set state = 'retired'
       where account_id = $1 and kind = 'merchant_certificate' and version = 1`,
      [book.accountId],
    )
    const kind = 'merchant_certificate'
    const found = await activeCredentials(book.worker, envelope, book.accountId, kind)
    expect(found).toEqual(['merchant_certificate 2'])
  })

  test('what is stored: holds no secret and names the master key without telling it', async () => {
    const rows = await run<{ ciphertext: Buffer; kek: string }>(
      book.worker,
      'select ciphertext, kek_id as kek from credential_versions',
    )
    expect(rows).toHaveLength(6)
    for (const { ciphertext, kek } of rows) {
      expect(ciphertext.toString('latin1')).not.toMatch(/v2_key|merchant_/)
      expect(kek).toBe(envelope.kekId)
    }
  })

  test('a ciphertext copied to another account: does not open', async () => {
    await run(
      book.owner,
      `insert into credential_versions
       select $1, kind, version, state, not_after, kek_id, ciphertext, created_at
       from credential_versions where account_id = $2 and kind = 'v2_key'`,
      [otherAccountId, book.accountId],
    )
    await expect(
      activeCredentials(book.worker, envelope, otherAccountId, 'v2_key'),
    ).rejects.toThrow('unable to authenticate data')
  })
})
