import { randomBytes } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest'

import type { DoctorConfig } from '../../../src/cli/doctor/config.js'
import { examine, type Machine } from '../../../src/cli/doctor/examine.js'
import type { CheckName, Finding } from '../../../src/cli/doctor/finding.js'
import { addMerchant } from '../../../src/cli/merchants.js'
import { Secret } from '../../../src/config.js'
import { Envelope } from '../../../src/db/envelope.js'
import { Database } from '../../../src/db/pool.js'
import { createTestDatabase, type TestDatabase } from '../../support/database.js'
import { startTestSandbox, type TestSandbox } from '../../support/sandbox.js'

const PLENTY_BYTES = 10 * 1024 ** 3
const DAY_MS = 86_400_000
const YEAR_MS = 365 * DAY_MS
const MASTER_KEY = randomBytes(32)
const PUBLIC_ADDRESS = '93.184.215.14'

let database: TestDatabase
let owner: Database
let sandbox: TestSandbox
let good: DoctorConfig
const servers: Server[] = []

beforeAll(async () => {
  const [made, started] = await Promise.all([createTestDatabase(), startTestSandbox()])
  database = made
  sandbox = started
  owner = new Database({ url: database.ownerUrl, connectionsMax: 2, applicationName: 'test' })
  const [merchant] = sandbox.merchants
  await addMerchant(owner, new Envelope(MASTER_KEY), {
    id: 'tea-house',
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
  good = {
    language: 'en',
    ownerUrl: new Secret(database.ownerUrl),
    apiUrl: new Secret(database.apiUrl),
    workerUrl: new Secret(database.workerUrl),
    masterKey: new Secret(MASTER_KEY),
    temporal: { address: inject('temporalAddress'), namespace: 'default' },
    publicBaseUrl: await serve(likeTheApi),
    wechatBaseUrl: 'https://127.0.0.1:1',
    sandbox: { baseUrl: sandbox.url, caPath: sandbox.caPath },
    webhookAllowedHosts: [],
  }
})
afterAll(async () => {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  await sandbox.stop()
  await owner.close()
  await database.drop()
})
afterEach(() => owner.rows({ text: "delete from schema_migrations where name like '9%'" }, []))

/** What the API answers under /notify/ to a token nobody has. */
const likeTheApi: RequestListener = (request, response) => {
  response.writeHead(request.method === 'POST' ? 404 : 405)
  response.end('{"type":"urn:yuanlu:error:not_found"}')
}

const ENDPOINT = `insert into webhook_endpoints
    (id, merchant_id, url, livemode, api_version, created_at, updated_at)
  values (gen_random_uuid(), 'tea-house', $1, false, 'v1', now(), now())`
/** An endpoint is not removed but switched off, as its merchant would. */
const REMOVED = `update webhook_endpoints
  set enabled = false, disabled_reason = 'by_merchant' where enabled`

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const machine = (changes: Partial<Machine> = {}): Machine => ({
  now: () => new Date(),
  freeBytes: async () => PLENTY_BYTES,
  resolve: async () => [PUBLIC_ADDRESS],
  folder: '/',
  ...changes,
})

async function line(
  check: CheckName,
  changes: Partial<DoctorConfig> = {},
  onMachine: Partial<Machine> = {},
): Promise<Finding> {
  const findings = await examine({ ...good, ...changes }, machine(onMachine))
  const found = findings.find((each) => each.check === check)
  if (found === undefined) throw new Error(`There is no line about ${check}.`)
  return found
}

/** A config without one member. */
const without = (name: 'sandbox'): DoctorConfig => {
  const { [name]: _left, ...rest } = good
  return rest
}

const closed = 'http://127.0.0.1:1'
const live = (baseUrl: string) => ({ ...without('sandbox'), wechatBaseUrl: baseUrl })

describe('yuanlu doctor', () => {
  test('a good system: every line is fine', async () => {
    const findings = await examine(good, machine())
    expect(findings.filter(({ isFine }) => !isFine)).toEqual([])
    expect(findings.map(({ check }) => check)).toEqual([
      'clock',
      'backup-host',
      'notify-url',
      'proxy',
      'migrations',
      'roles',
      'master-key',
      'certificates',
      'webhooks',
      'namespace',
      'disk',
    ])
  })

  test.each([
    ['fast', 120_000, /^The clock is 1[12]\d s fast: have it set by NTP/, /^时钟快了/],
    ['slow', -120_000, /^The clock is 1[12]\d s slow: have it set by NTP/, /^时钟慢了/],
  ])('clock: %s is told, and how much', async (_what, offMs, en, zh) => {
    const now = () => new Date(Date.now() + offMs)
    const found = await line('clock', {}, { now })
    expect(found.isFine).toBe(false)
    expect(found.words.en).toMatch(en)
    expect(found.words.zh).toMatch(zh)
  })

  test.each([
    ['nobody answers', async () => closed, 'does not answer'],
    [
      'an answer has no Date',
      () =>
        serve((_request, response) => {
          response.sendDate = false
          response.end()
        }),
      'writes no Date',
    ],
  ])('clock: %s is told', async (_what, address, text) => {
    const found = (await examine(live(await address()), machine()))[0]
    expect(found).toMatchObject({ check: 'clock', isFine: false })
    expect(found?.words.en).toContain(text)
  })

  test('backup-host: one that does not answer is told, and a sandbox has none', async () => {
    const reached = { ...live(closed), backupUrl: good.publicBaseUrl ?? '' }
    expect(await line('backup-host', reached)).toMatchObject({ isFine: true })
    const down = await examine({ ...live(closed), backupUrl: closed }, machine())
    const found = down.find(({ check }) => check === 'backup-host')
    expect(found?.isFine).toBe(false)
    expect(found?.words.en).toContain(`${closed} does not answer`)
    expect((await line('backup-host', { backupUrl: closed })).words.en).toContain('No backup host')
  })

  test.each([
    ['is down', async () => closed, 'start the API'],
    [
      'takes GET only',
      () => serve((_request, response) => response.writeHead(405).end()),
      'refuses POST with 405',
    ],
    [
      'redirects',
      () =>
        serve((_request, response) =>
          response.writeHead(301, { location: 'https://pay.example.com/' }).end(),
        ),
      'redirects to https://pay.example.com/',
    ],
    [
      'is somebody else',
      () => serve((_request, response) => response.end('<html>hello</html>')),
      'answers 200 and is not the API',
    ],
  ])('notify-url: an address that %s is told', async (_what, address, text) => {
    const found = await line('notify-url', { publicBaseUrl: await address() })
    expect(found.isFine).toBe(false)
    expect(found.words.en).toContain(text)
    expect(found.words.zh).toMatch(/:请/)
  })

  test('proxy: one that is down is told without its password', async () => {
    const reached = new Secret(good.publicBaseUrl ?? '')
    expect(await line('proxy', { proxyUrl: reached })).toMatchObject({ isFine: true })
    const down = await line('proxy', { proxyUrl: new Secret('http://me:secret@127.0.0.1:1') })
    expect(down.isFine).toBe(false)
    expect(down.words.en).toContain('127.0.0.1:1 does not answer')
    expect(JSON.stringify(down)).not.toContain('secret')
  })

  test('migrations: those that have not run are counted', async () => {
    const rows = await owner.rows<{ name: string }>(
      { text: "delete from schema_migrations where name like '0009%' returning name" },
      [],
    )
    const found = await line('migrations')
    for (const { name } of rows) {
      await owner.rows({ text: 'insert into schema_migrations (name) values ($1)' }, [name])
    }
    expect(found.isFine).toBe(false)
    expect(found.words.en).toMatch(/^1 of \d+ migrations have not run: run `yuanlu migrate`/)
  })

  test('migrations: a database of a newer program is told', async () => {
    await owner.rows({ text: "insert into schema_migrations (name) values ('9999-later.sql')" }, [])
    expect((await line('migrations')).words.en).toContain('newer than this program')
  })

  test('migrations: a database that is away is told', async () => {
    const away = new Secret('postgres://nobody:x@127.0.0.1:1/none')
    expect((await line('migrations', { ownerUrl: away })).words.en).toContain('does not answer')
  })

  test.each([
    [
      'the owner in the place of the API',
      'apiUrl',
      () => database.ownerUrl,
      'YUANLU_DATABASE_URL_API connects as yuanlu_owner',
    ],
    [
      'the API in the place of the worker',
      'workerUrl',
      () => database.apiUrl,
      'YUANLU_DATABASE_URL_WORKER connects as yuanlu_api',
    ],
    [
      'a wrong password',
      'apiUrl',
      () => database.apiUrl.replace(/:[^:@]+@/, ':wrong@'),
      'does not connect',
    ],
  ] as const)('roles: %s is told', async (_what, name, url, text) => {
    const found = await line('roles', { [name]: new Secret(url()) })
    expect(found.isFine).toBe(false)
    expect(found.words.en).toContain(text)
  })

  test('master-key: another one than that of the credentials is told', async () => {
    const found = await line('master-key', { masterKey: new Secret(randomBytes(32)) })
    expect(found.isFine).toBe(false)
    expect(found.words.en).toContain('take that from the backup')
  })

  test('certificates: one that expires soon, and one that has, are told', async () => {
    const inYears = (years: number) => ({ now: () => new Date(Date.now() + years * YEAR_MS) })
    const found = await line('certificates', {}, inYears(4.99))
    expect(found.words.en).toMatch(/ expires on \d{4}-\d\d-\d\d: apply for a new one/)
    const late = await line('certificates', {}, inYears(6))
    expect(late.words.en).toContain(' expired on ')
    expect(late.words.zh).toContain('已过期')
  })

  describe('webhooks', () => {
    const URL = 'https://hooks.example.com/secret-path'

    async function withEndpoint(url: string, look: () => Promise<Finding>): Promise<Finding> {
      await owner.rows({ text: ENDPOINT }, [url])
      try {
        return await look()
      } finally {
        await owner.rows({ text: REMOVED }, [])
      }
    }

    test.each([
      ['of a private address', URL, ['93.184.215.14', '10.0.0.7'], 'leads to 10.0.0.7'],
      ['of the metadata of a cloud', URL, ['169.254.169.254'], 'leads to 169.254.169.254'],
      ['that nobody knows', URL, [], 'has a name that nobody knows'],
      ['without TLS', 'http://hooks.example.com/', ['93.184.215.14'], 'does not begin with https'],
      ['on this machine', 'https://localhost/', ['127.0.0.1'], 'is not on the public internet'],
    ])('webhooks: one %s is told, without its path', async (_what, url, addresses, text) => {
      const resolve = async (): Promise<string[]> => addresses
      const found = await withEndpoint(url, () => line('webhooks', {}, { resolve }))
      expect(found.isFine).toBe(false)
      expect(found.words.en).toContain(text)
      expect(found.words.en).toContain('(tea-house)')
      expect(found.words.zh).toMatch(/:请/)
      expect(JSON.stringify(found)).not.toContain('secret-path')
    })

    test('webhooks: one that was vouched for is fine, as is one that is switched off', async () => {
      const http = 'http://receiver:9000/'
      const vouched = { webhookAllowedHosts: ['receiver:9000'] }
      expect((await withEndpoint(http, () => line('webhooks', vouched))).isFine).toBe(true)
      expect(await line('webhooks')).toMatchObject({ isFine: true })
    })

    test('webhooks: a resolver that fails is a name that nobody knows', async () => {
      const resolve = () => Promise.reject(new Error('ENOTFOUND'))
      const found = await withEndpoint(URL, () => line('webhooks', {}, { resolve }))
      expect(found.words.en).toContain('nobody knows')
    })
  })

  test('namespace: one without its search attributes is told which it lacks', async () => {
    const namespace = `bare-${randomBytes(4).toString('hex')}`
    const { address } = good.temporal
    const connection = await Connection.connect({ address })
    const workflowExecutionRetentionPeriod = msToTs(DAY_MS)
    try {
      await connection.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod,
      })
      const found = await vi.waitFor(
        async () => {
          const looked = await line('namespace', { temporal: { address, namespace } })
          expect(looked.words.en).toContain('Search attributes are missing')
          return looked
        },
        { timeout: 90_000, interval: 500 },
      )
      expect(found.isFine).toBe(false)
      expect(found.words.en).toContain('YuanluMerchant, YuanluPayment')
      expect(found.words.zh).toContain('缺少搜索属性')
    } finally {
      await connection.close()
    }
  }, 120_000)

  test('namespace: an unknown one, and a Temporal that is away, are told', async () => {
    const { address } = good.temporal
    const unknown = await line('namespace', { temporal: { address, namespace: 'nobody' } })
    expect(unknown.words.en).toContain('There is no namespace nobody')
    const away = await line('namespace', {
      temporal: { address: '127.0.0.1:1', namespace: 'default' },
    })
    expect(away.words.en).toContain('Temporal does not answer at 127.0.0.1:1')
    expect([unknown.isFine, away.isFine]).toEqual([false, false])
  })

  test('disk: one that is nearly full is told', async () => {
    const found = await line('disk', {}, { freeBytes: async () => 5 * 1024 ** 2 })
    expect(found).toMatchObject({ isFine: false })
    expect(found.words.en).toContain('Only 5 MiB are free')
  })
})
