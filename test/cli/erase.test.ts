import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import path from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { erasePayerOf } from '../../src/cli/erase-payer.js'
import { InputError } from '../../src/cli/merchant-input.js'
import { cloneRoot } from '../../src/cli/local/clone.js'
import { insertCredential } from '../../src/db/credentials.js'
import { Envelope } from '../../src/db/envelope.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'
import { Seed, SEED_OPENID } from '../support/seed.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')

let database: TestDatabase
let seed: Seed
let masterKey: Buffer

beforeAll(async () => {
  database = await createTestDatabase()
  masterKey = randomBytes(32)
  seed = await Seed.create(database, { masterKey })
  await insertCredential(seed.owner, seed.envelope, {
    accountId: seed.account.id,
    kind: 'v2_key',
    version: 1,
    secret: 'x',
    notAfter: null,
    now: new Date(),
  })
})
afterAll(async () => {
  await seed.close()
  await database.drop()
})
beforeEach(async () => {
  await seed.look(
    "update payments set state = 'closed' where state in ('created', 'awaiting_payment')",
  )
  await erase()
})

const erase = (changes: { openid?: string; merchantId?: string; isDryRun?: boolean } = {}) =>
  erasePayerOf(seed.owner, seed.envelope, {
    merchantId: seed.account.merchantId,
    openid: SEED_OPENID,
    isDryRun: false,
    ...changes,
  })

function run(args: readonly string[], input = '') {
  const env = {
    YUANLU_DATABASE_URL_OWNER: database.ownerUrl,
    YUANLU_MASTER_KEY: masterKey.toString('base64'),
  }
  return new Promise<readonly unknown[]>((resolve) => {
    const all = ['erase', '--merchant', seed.account.merchantId, ...args]
    const child = execFile(process.execPath, [PROGRAM, ...all], { env }, (error, stdout, stderr) =>
      resolve([error === null ? 0 : error.code, stdout, stderr]),
    )
    child.stdin?.end(input)
  })
}

describe('erasing a buyer', () => {
  test('a dry run: counts what would go, and changes nothing', async () => {
    await seed.paidPayment()
    await seed.payment()
    const found = { isDryRun: true, payments: 1, bodies: 0, open: 1 }
    expect(await erase({ isDryRun: true })).toEqual(found)
    expect(await erase({ isDryRun: true })).toEqual(found)
  })

  test('more payments than one batch: are all erased', async () => {
    for (let count = 0; count < 5; count += 1) await seed.payment()
    await seed.look(
      `insert into payments (id, merchant_id, account_id, api_version, mch_id, app_id,
         out_trade_no, description, state, total_fen, channel_request, payer_ref, expires_at,
         created_at, updated_at)
       select gen_random_uuid(), merchant_id, account_id, api_version, mch_id, app_id,
         'MANY-' || row_number() over (), description, 'closed', total_fen, channel_request,
         payer_ref, expires_at, created_at, updated_at
       from payments, generate_series(1, 90) where payer_ref is not null`,
    )
    expect(await erase()).toEqual({ isDryRun: false, payments: 450, bodies: 0, open: 5 })
  })

  test('another buyer: is not touched', async () => {
    await seed.paidPayment()
    expect(await erase({ openid: 'somebody-else' })).toMatchObject({ payments: 0, open: 0 })
    expect(await erase({ isDryRun: true })).toMatchObject({ payments: 1 })
  })

  test.each([
    ['an openid with a blank', { openid: 'a b' }, 'This cannot be an openid.'],
    ['no openid', { openid: '' }, 'This cannot be an openid.'],
    ['a merchant nobody knows', { merchantId: 'nobody' }, 'There is no merchant of this id.'],
  ])('%s: is refused', async (_, changes, message) => {
    await expect(erase(changes)).rejects.toThrow(new InputError(message))
  })

  test('another master key: is refused, because it would find nobody', async () => {
    const other = new Envelope(randomBytes(32))
    const { merchantId } = seed.account
    const erasing = erasePayerOf(seed.owner, other, {
      merchantId,
      openid: SEED_OPENID,
      isDryRun: false,
    })
    await expect(erasing).rejects.toThrow('sealed with another master key')
  })
})

describe('yuanlu erase', () => {
  test('a buyer on standard input: is erased, and named nowhere', async () => {
    await seed.paidPayment()
    const would = await run(['--openid', '-', '--dry-run'], `${SEED_OPENID}\n`)
    expect(would).toEqual([
      0,
      'Would erase the buyer from payments: 1, stored notifications: 0.\n',
      '',
    ])
    expect(await run(['--openid', '-', '--json', '-'], SEED_OPENID)).toEqual([
      0,
      '{"isDryRun":false,"payments":1,"bodies":0,"open":0}\n',
      '',
    ])
  })

  test('a buyer with an open payment: ends with 1 and says what is left', async () => {
    await seed.payment()
    expect(await run(['--openid', SEED_OPENID])).toEqual([
      1,
      'Erased the buyer from payments: 0, stored notifications: 0.\n' +
        'Payments still open: 1. Run it again when they are over.\n',
      '',
    ])
  })

  test('what cannot be an openid: ends with 2 and a sentence that does not repeat it', async () => {
    const [status, stdout, stderr] = await run(['--openid', 'a b'])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^This cannot be an openid\.\n/)
  })
})
