import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { Agent } from 'undici'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { findTool } from '../../src/cli/local/tools.js'
import { ApiClient } from '../support/api-client.js'
import { SandboxControl, type SandboxMerchant } from '../support/sandbox.js'
import { eventually } from '../support/stack.js'
import { makeTestFolder } from '../support/test-folder.js'
import { readComposeFile, readEnvironment } from './compose-file.js'
import {
  hasClientPrograms,
  makeDatabases,
  startEmptyServer,
  type EmptyServer,
} from './support/empty-server.js'
import { PlainServices, serviceOf } from './support/plain-services.js'
import { ReplacedNames } from './support/replaced-names.js'

const run = promisify(execFile)

/** How fast the sandbox's clock is set to run, so that a refund does not take its minute. */
const RATE = 60
const MERCHANT_ID = 'compose-shop'

/** What cannot be a plain process here, and what stands in for it. */
const STOOD_IN_FOR = {
  postgres: 'the embedded PostgreSQL',
  temporal: "Temporal's development server",
  'temporal-schema': "the development server's own schema",
  'temporal-ui': 'nothing: no service needs it',
  admin: 'commands by hand, in its environment',
}

let folder: string
let server: EmptyServer
let services: PlainServices
let names: ReplacedNames
let dotEnv: Record<string, string>
let sandbox: SandboxControl
let trusting: Agent
let requester: ApiClient
let approver: ApiClient
let mchId: string

beforeAll(async () => {
  folder = await makeTestFolder('compose')
  const { stdout } = await run('sh', [path.join(cloneRoot, 'deploy', 'make-env.sh')])
  const namespace = `compose-${randomBytes(4).toString('hex')}`
  dotEnv = { ...readEnvironment(stdout), TEMPORAL_NAMESPACE: namespace }
  server = await startEmptyServer(path.join(folder, 'postgres'), dotEnv['POSTGRES_PASSWORD'] ?? '')
  names = await ReplacedNames.choose(
    { postgres: server.address, temporal: inject('temporalAddress') },
    {
      '/app': cloneRoot,
      '/deploy': path.join(cloneRoot, 'deploy'),
      '/sandbox': path.join(folder, 'sandbox'),
    },
  )
  const tools = [path.dirname(process.execPath), path.dirname(findTool('temporalCli'))]
  const searchPath = [...tools, '/usr/bin', '/bin'].join(':')
  services = new PlainServices({ names, dotEnv, folder, searchPath })
})

afterAll(async () => {
  await services.stop()
  await trusting?.close()
  await server.running.stop()
})

interface Found {
  readonly check: string
  readonly fine: boolean
}

const onThisMachine = () => ({ PGHOST: '127.0.0.1', PGPORT: String(server.running.port) })

describe('docker-compose.yml as plain processes', () => {
  test('every service: is started below, or is stood in for', () => {
    const started = ['databases', 'temporal-namespace', 'migrate', 'sandbox', 'worker', 'api']
    const known = new Set([...started, ...Object.keys(STOOD_IN_FOR)])
    expect(new Set(Object.keys(readComposeFile().services))).toEqual(known)
  })

  test('databases: its health check and its script find the server ready', async () => {
    if (!hasClientPrograms) {
      const { POSTGRES_PASSWORD: postgres = '', YUANLU_OWNER_PASSWORD: owner = '' } = dotEnv
      await makeDatabases(server, { postgres, owner })
      return
    }
    expect(await services.isHealthy('postgres', onThisMachine())).toBe(true)
    const said = await services.job('databases', onThisMachine())
    expect(said).toBe('The databases temporal, temporal_visibility and yuanlu are there.\n')
    expect(await services.job('databases', onThisMachine())).toBe(said)
  })

  test('temporal-namespace: makes namespace and search attributes', async () => {
    const said = await services.job('temporal-namespace', { TEMPORAL_SETTLE_SECONDS: '0' })
    expect(said).toContain('and its search attributes are there.')
  }, 60_000)

  test('migrate: runs as an owner who is no superuser, and again without effect', async () => {
    expect(await services.job('migrate')).toContain('Ran 0001-')
    expect(await services.job('migrate')).toBe('The schema is up to date.\n')
  }, 60_000)

  test.each(['api', 'worker', 'sandbox'])(
    'the health check of %s: says no before',
    async (name) => {
      expect(await services.isHealthy(name)).toBe(false)
    },
  )

  test('sandbox, worker, api: become well by their own health checks', async () => {
    for (const name of ['sandbox', 'worker', 'api']) await services.start(name)
    const wellNow = ['sandbox', 'worker', 'api'].map((name) => services.isHealthy(name))
    expect(await Promise.all(wellNow)).toEqual([true, true, true])
    expect(serviceOf('worker').volumes).toEqual(['sandbox-data:/sandbox:ro'])
  }, 240_000)

  test('admin: adds a merchant and two keys by hand', async () => {
    const ca = await readFile(path.join(folder, 'sandbox', 'ca.pem'), 'utf8')
    trusting = new Agent({ connect: { ca } })
    sandbox = new SandboxControl(`https://127.0.0.1:${names.port('9443')}`, trusting)
    await sandbox.setRate(RATE)
    const [merchant] = await sandbox.merchants()
    if (merchant === undefined) throw new Error('The sandbox has no merchant.')
    const added = await services.command(
      'admin',
      ['merchant', 'add', '--file', '-'],
      JSON.stringify(merchantInput(merchant)),
    )
    expect(added.split('\n')).toEqual([
      `Added merchant ${MERCHANT_ID} with its sandbox account ${merchant.mchId}`,
      expect.stringContaining(`CN=${merchant.mchId}`),
      '',
    ])
    mchId = merchant.mchId
    requester = await client('shop', 'payments:write,payments:read,refunds:request,refunds:read')
    approver = await client('office', 'refunds:decide,refunds:read')
  }, 60_000)

  test('admin: doctor and merchant verify find nothing to do', async () => {
    const [doctor, verify] = await Promise.all([
      services.command('admin', ['doctor', '--json', '-'], ''),
      services.command('admin', ['merchant', 'verify', MERCHANT_ID, '--json', '-'], ''),
    ])
    const found = [...(JSON.parse(doctor) as Found[]), ...(JSON.parse(verify) as Found[])]
    expect(found.filter(({ fine, check }) => !fine && check !== 'disk')).toEqual([])
    expect(found.length).toBeGreaterThan(10)
  }, 60_000)

  test('one payment: is taken, and given back through the API', async () => {
    const { id, outTradeNo } = await eventually(async () => {
      const { status, body } = await requester.createPayment({}, 'one')
      return status === 201 && body
    })
    await sandbox.pay({ mchId, outTradeNo })
    await eventually(async () => (await requester.payment(id)).body.state === 'paid')
    const asked = await requester.requestRefund({ paymentId: id, amountFen: 10_000 })
    expect(asked.status).toBe(201)
    await approver.decide(asked.body.id, 'approve')
    const isDone = async () => (await requester.refund(asked.body.id)).body.state === 'done'
    await eventually(isDone, 60_000)
    expect((await requester.payment(id)).body.refundedFen).toBe(10_000)
  }, 120_000)

  test('SIGTERM: ends each of them in order, within its time of grace', async () => {
    expect(await services.stop()).toEqual({
      api: 'api ended with status 0.',
      worker: 'worker ended with status 0.',
      sandbox: 'sandbox ended with status 0.',
    })
  }, 60_000)
})

async function client(name: string, scopes: string): Promise<ApiClient> {
  const args = ['key', 'add', '--merchant', MERCHANT_ID, '--name', name, '--scopes', scopes]
  const key = await services.command('admin', args, '')
  return new ApiClient(`http://127.0.0.1:${names.port('8080')}`, key.trim())
}

const merchantInput = (merchant: SandboxMerchant) => ({
  id: MERCHANT_ID,
  name: '原路小店',
  account: {
    mode: 'sandbox',
    mchId: merchant.mchId,
    appIds: [merchant.appId],
    apiV2Key: merchant.apiV2Key,
    certificate: { p12Base64: merchant.p12Base64 },
    shortName: '原路小店',
    timeScale: 1 / RATE,
  },
})
