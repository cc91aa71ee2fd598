import { randomBytes } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { parseMerchant } from '../../src/cli/merchant-input.js'
import { addKey, addMerchant } from '../../src/cli/merchants.js'
import { findApiKey } from '../../src/db/api-keys.js'
import { activeCredentials } from '../../src/db/credentials.js'
import { Envelope } from '../../src/db/envelope.js'
import { findAccountByToken } from '../../src/db/merchants.js'
import { Database } from '../../src/db/pool.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'

const KEY = '192006250b4c09247ec02edce69f6a2d'
const ACCOUNT = {
  mode: 'sandbox' as const,
  mchId: '1900000109',
  appIds: ['wx2421b1c4370ec43b'],
  apiV2Key: KEY,
  shortName: '茶馆',
}
const MERCHANT = { id: 'tea-house', name: '茶馆', account: ACCOUNT }

let database: TestDatabase
let owner: Database
let api: Database
const envelope = new Envelope(randomBytes(32))

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Database({ url: database.ownerUrl, connectionsMax: 2, applicationName: 'test' })
  api = new Database({ url: database.apiUrl, connectionsMax: 2, applicationName: 'test' })
})
afterAll(async () => {
  await Promise.all([owner.close(), api.close()])
  await database.drop()
})

describe('adding a merchant', () => {
  test('a good one: stands with its account, defaults and sealed key', async () => {
    const added = await addMerchant(owner, envelope, MERCHANT)
    const account = await findAccountByToken(api, added.notifyToken)
    expect(account).toMatchObject({
      id: added.accountId,
      merchantId: 'tea-house',
      signType: 'MD5',
      opUserId: '1900000109',
      timeScale: 1,
      operatorLimitFen: 0,
    })
    expect(added.notifyToken.length).toBeGreaterThanOrEqual(22)
    expect(await activeCredentials(api, envelope, added.accountId, 'v2_key')).toEqual([KEY])
  })

  test('the same again: is refused, whole', async () => {
    await expect(addMerchant(owner, envelope, MERCHANT)).rejects.toThrow(
      'A merchant of this id exists already.',
    )
    await expect(addMerchant(owner, envelope, { ...MERCHANT, id: 'other' })).rejects.toThrow(
      'An account of this mchId exists already.',
    )
    await expect(
      addKey(owner, { merchantId: 'other', name: 'x', scopes: ['payments:read'] }),
    ).rejects.toThrow('There is no merchant of this id.')
  })

  test.each([
    ['certPem', { certPem: 'no certificate', keyPem: 'no key' }, 'not a certificate'],
    ['p12Base64', { p12Base64: 'AAAA' }, 'not a certificate'],
  ])('a wrong certificate as %s: is told without its content', async (_form, certificate, text) => {
    const account = { ...ACCOUNT, mchId: '1900000110', certificate }
    await expect(
      addMerchant(owner, envelope, { ...MERCHANT, id: 'third', account }),
    ).rejects.toThrow(text)
  })

  test.each([
    ['a list', [], 'The merchant must be object.'],
    ['no id', { ...MERCHANT, id: undefined }, "The merchant must have required property 'id'."],
    ['an id with a space', { ...MERCHANT, id: 'tea house' }, 'id must be a slug'],
    ['an unknown member', { ...MERCHANT, key: KEY }, 'additional properties: key.'],
    ['a negative limit', { ...MERCHANT, operatorLimitFen: -1 }, 'operatorLimitFen must be >= 0.'],
    [
      'a wrong mode',
      { ...MERCHANT, account: { ...ACCOUNT, mode: 'test' } },
      'account.mode must be',
    ],
    ['no appid', { ...MERCHANT, account: { ...ACCOUNT, appIds: [] } }, 'account.appIds must'],
    ['a short key', { ...MERCHANT, account: { ...ACCOUNT, apiV2Key: 'hush' } }, 'account.apiV2Key'],
    [
      'half a certificate',
      { ...MERCHANT, account: { ...ACCOUNT, certificate: { certPem: 'hush' } } },
      'account.certificate must be {certPem, keyPem} or {p12Base64}.',
    ],
    [
      'a live account with a fast clock',
      { ...MERCHANT, account: { ...ACCOUNT, mode: 'live', timeScale: 0.5 } },
      'account.timeScale must be 1',
    ],
  ])('%s: is refused in one sentence', (_what, value, sentence) => {
    expect(() => parseMerchant(JSON.parse(JSON.stringify(value)))).toThrow(sentence)
    expect(() => parseMerchant(value)).not.toThrow(/hush/)
  })
})

describe('making an API key', () => {
  test('a good one: is found by what was shown, with its scopes', async () => {
    const scopes = ['payments:read', 'refunds:decide']
    const { key } = await addKey(owner, { merchantId: 'tea-house', name: 'office', scopes })
    expect(key).toMatch(/^yk_[\w-]{43}$/)
    expect(await findApiKey(api, key)).toMatchObject({ name: 'office', scopes })
  })

  test.each([
    ['no scope', { name: 'x', scopes: [] }, 'at least one scope'],
    ['an unknown scope', { name: 'x', scopes: ['all'] }, 'There is no such scope'],
    ['no name', { name: '', scopes: ['payments:read'] }, 'A name has 1 to 64 characters.'],
  ])('%s: is refused', async (_what, input, sentence) => {
    await expect(addKey(owner, { merchantId: 'tea-house', ...input })).rejects.toThrow(sentence)
  })
})
