import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { cloneRoot } from '../../../src/cli/local/clone.js'
import { verifyMerchant, type MerchantCheck } from '../../../src/cli/doctor/merchant-checks.js'
import { rotateCredentials } from '../../../src/cli/merchant-rotate.js'
import { addMerchant } from '../../../src/cli/merchants.js'
import { activeCredentials, insertCredential } from '../../../src/db/credentials.js'
import { Envelope } from '../../../src/db/envelope.js'
import { Database } from '../../../src/db/pool.js'
import { createTestDatabase, type TestDatabase } from '../../support/database.js'
import { startTestSandbox, type TestSandbox } from '../../support/sandbox.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
const MERCHANT_ID = 'tea-house'
const YEAR_MS = 365 * 86_400_000
const masterKey = randomBytes(32)
const envelope = new Envelope(masterKey)

let database: TestDatabase
let owner: Database
let sandbox: TestSandbox
let accountId: string
let check: MerchantCheck

beforeAll(async () => {
  const [made, started] = await Promise.all([createTestDatabase(), startTestSandbox()])
  database = made
  sandbox = started
  owner = new Database({ url: database.ownerUrl, connectionsMax: 2, applicationName: 'test' })
  const [merchant] = sandbox.merchants
  const added = await addMerchant(owner, envelope, {
    id: MERCHANT_ID,
    name: '茶馆',
    account: {
      mode: 'sandbox',
      mchId: merchant.mchId,
      appIds: [merchant.appId],
      apiV2Key: merchant.apiV2Key,
      certificate: { p12Base64: merchant.p12Base64 },
      shortName: '茶馆',
    },
  })
  accountId = added.accountId
  check = {
    db: owner,
    envelope,
    merchantId: MERCHANT_ID,
    live: { baseUrl: 'https://127.0.0.1:1' },
    sandbox: { baseUrl: sandbox.url, caPem: sandbox.caPem },
    now: () => new Date(),
    webhookAllowedHosts: [],
    resolve: async () => ['93.184.215.14'],
  }
})
afterAll(async () => {
  await sandbox.stop()
  await owner.close()
  await database.drop()
})

async function says(changes: Partial<MerchantCheck> = {}): Promise<Record<string, string>> {
  const findings = await verifyMerchant({ ...check, ...changes })
  return Object.fromEntries(
    findings.map(({ check: name, isFine, words }) => [name, `${isFine} ${words.en}`]),
  )
}

async function store(kind: 'v2_key' | 'merchant_certificate', version: number, secret: string) {
  const now = new Date()
  await insertCredential(owner, envelope, {
    accountId,
    kind,
    version,
    secret,
    notAfter: null,
    now,
  })
}

const forget = (kind: string, version: number) =>
  owner.rows(
    { text: "update credential_versions set state = 'retired' where kind = $1 and version = $2" },
    [kind, version],
  )

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[], input: string, language = 'en_US.UTF-8'): Promise<Ended> {
  const env = {
    LANG: language,
    YUANLU_DATABASE_URL_OWNER: database.ownerUrl,
    YUANLU_MASTER_KEY: masterKey.toString('base64'),
    YUANLU_SANDBOX_URL: sandbox.url,
    YUANLU_SANDBOX_CA: sandbox.caPath,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
  }
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin?.end(input)
  })
}

describe('yuanlu merchant verify', () => {
  test('a good merchant: every line is fine', async () => {
    const found = await says()
    expect(Object.values(found).every((line) => line.startsWith('true'))).toBe(true)
    expect(Object.keys(found)).toEqual(['api-key', 'certificates', 'clock', 'webhooks'])
  })

  test('a wrong key: is told by the channel itself', async () => {
    await store('v2_key', 2, 'f'.repeat(32))
    const found = await says()
    await forget('v2_key', 2)
    expect(found['api-key']).toMatch(/^false WeChat Pay refuses the key of \d+ \(.*签名错误/)
  })

  test('a channel that is away: is not taken for a wrong key', async () => {
    const away = { baseUrl: 'https://127.0.0.1:1' }
    const found = await says({ sandbox: away })
    expect(found['api-key']).toMatch(/^false .* did not say whether it takes the key/)
    expect(found['clock']).toMatch(/^false .* does not answer/)
  })

  test('the certificate of another merchant: is told whose it is', async () => {
    const [, other] = sandbox.merchants
    await store('merchant_certificate', 2, other.certPem)
    const found = await says()
    await forget('merchant_certificate', 2)
    expect(found['certificates']).toContain(` belongs to ${other.mchId}: `)
  })

  test('a certificate that has expired: is told', async () => {
    const found = await says({ now: () => new Date(Date.now() + 6 * YEAR_MS) })
    expect(found['certificates']).toMatch(/^false .* expired on /)
    expect(found['clock']).toMatch(/^false The clock is \d+ s fast/)
  })

  test('an address nobody posts to: is told', async () => {
    const found = await says({ publicBaseUrl: 'http://127.0.0.1:1' })
    expect(found['notify-url']).toMatch(/^false .* does not answer: start the API/)
  })

  test('the command: status 0 when fine, 1 when not, in the language of the reader', async () => {
    const good = await run(['merchant', 'verify', MERCHANT_ID, '--json', '-'], '')
    expect([good.status, good.stderr]).toEqual([0, ''])
    expect(JSON.parse(good.stdout)).toContainEqual(
      expect.objectContaining({ check: 'api-key', fine: true }),
    )
    await store('v2_key', 3, 'f'.repeat(32))
    const bad = await run(['merchant', 'verify', MERCHANT_ID], '', 'zh_CN.UTF-8')
    await forget('v2_key', 3)
    expect(bad.status).toBe(1)
    expect(bad.stdout).toMatch(/^待办 {2}api-key {7}微信支付不认可商户/m)
    const nobody = await run(['merchant', 'verify', 'nobody'], '')
    expect([nobody.status, nobody.stderr]).toEqual([1, 'There is no merchant of this id.\n'])
  }, 120_000)
})

describe('yuanlu merchant rotate', () => {
  const rotate = (value: object, language?: string) =>
    run(['merchant', 'rotate', MERCHANT_ID, '--file', '-'], JSON.stringify(value), language)

  test('the certificate of another: is refused with its number, and nothing changes', async () => {
    const [, other] = sandbox.merchants
    const { certPem, keyPem } = other
    const { status, stderr } = await rotate({
      apiV2Key: 'a'.repeat(32),
      certificate: { certPem, keyPem },
    })
    expect([status, stderr]).toEqual([1, `The certificate belongs to merchant ${other.mchId}.\n`])
    const keys = await activeCredentials(owner, envelope, accountId, 'v2_key')
    expect(keys).toEqual([sandbox.merchants[0].apiV2Key])
  })

  test('a new certificate: is imported, and said in the language of the reader', async () => {
    const { certPem, keyPem, mchId } = sandbox.merchants[0]
    const { status, stdout } = await rotate({ certificate: { certPem, keyPem } }, 'zh_CN.UTF-8')
    expect(status).toBe(0)
    expect(stdout).toMatch(new RegExp(`^证书已导入:CN=${mchId}, .*有效期至 \\d{4}-`))
  })

  test('new keys: the one before still counts, those before it do not', async () => {
    const renew = (apiV2Key: string) =>
      rotateCredentials(owner, envelope, MERCHANT_ID, { apiV2Key })
    await renew('a'.repeat(32))
    await renew('b'.repeat(32))
    const keys = await activeCredentials(owner, envelope, accountId, 'v2_key')
    expect(keys).toEqual(['b'.repeat(32), 'a'.repeat(32)])
  })

  test('a file without any of them, and one with a bad key: are wrong use', async () => {
    const empty = await rotate({})
    expect(empty.status).toBe(2)
    const bad = await rotate({ apiV2Key: 'short-secret' })
    expect(bad.status).toBe(2)
    expect(bad.stderr).not.toContain('short-secret')
  })
})
