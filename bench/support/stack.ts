import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { Agent, request } from 'undici'

import { startChild, type RunningChild } from '../../src/cli/local/child.js'
import { findFreePort } from '../../src/cli/local/free-port.js'
import { startPostgres } from '../../src/cli/local/postgres.js'
import { startDevServer } from '../../src/cli/local/temporal.js'
import { findTool } from '../../src/cli/local/tools.js'
import { addKey, addMerchant } from '../../src/cli/merchants.js'
import { Envelope } from '../../src/db/envelope.js'
import { migrate } from '../../src/db/migrate.js'
import { Database } from '../../src/db/pool.js'

const YUANLU = fileURLToPath(new URL('../../bin/yuanlu.mjs', import.meta.url))
const BASELINE = fileURLToPath(new URL('../baseline/worker.ts', import.meta.url))
const READY_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 40_000
export const MERCHANT_ID = 'bench-shop'
export const BASELINE_QUEUE = 'baseline'

/** What the sandbox tells of a merchant, as far as a benchmark needs it. */
interface SandboxMerchant {
  readonly mchId: string
  readonly appId: string
  readonly apiV2Key: string
  readonly p12Base64: string
}

/** The servers of a benchmark: each a process of its own, as they run in earnest. */
export interface BenchStack {
  readonly apiUrl: string
  readonly sandboxUrl: string
  /** Speaks to the sandbox's control calls; trusts its authority. */
  readonly sandboxAgent: Agent
  readonly temporalAddress: string
  readonly merchant: SandboxMerchant
  readonly apiKey: string
  readonly owner: Database
  stop(): Promise<void>
}

/** Starts PostgreSQL with fsync on, the dev server in memory, sandbox, worker, API and baseline. */
export async function startBenchStack(): Promise<BenchStack> {
  const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-bench-'))
  // PostgreSQL's own account has to pass through; mkdtemp lets nobody but us.
  await chmod(folder, 0o711)
  const log = (): void => undefined
  const [postgres, temporal] = await Promise.all([
    startPostgres({ dataDir: path.join(folder, 'postgres'), fsync: true, persistent: false, log }),
    startDevServer({ cliPath: findTool('temporalCli'), stateDir: folder, uiPort: 'headless' }),
  ])
  const urls = urlsOf(postgres.superuserUrl)
  await migrate(urls)
  const ports = { sandbox: await findFreePort(), api: await findFreePort() }
  const sandboxUrl = `https://127.0.0.1:${ports.sandbox}`
  const apiUrl = `http://127.0.0.1:${ports.api}`
  const masterKey = randomBytes(32)
  const sandboxData = path.join(folder, 'sandbox')
  const environment = {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'test',
    YUANLU_LOG_LEVEL: 'warn',
    YUANLU_MASTER_KEY: masterKey.toString('base64'),
    YUANLU_DATABASE_URL_API: urls.apiUrl,
    YUANLU_DATABASE_URL_WORKER: urls.workerUrl,
    YUANLU_PUBLIC_BASE_URL: apiUrl,
    YUANLU_PORT: String(ports.api),
    YUANLU_SANDBOX_URL: sandboxUrl,
    YUANLU_SANDBOX_CA: path.join(sandboxData, 'ca.pem'),
    TEMPORAL_ADDRESS: temporal.address,
  }
  const children: RunningChild[] = []
  const start = async (name: string, args: readonly string[]): Promise<void> => {
    const options = { name, command: process.execPath, args, stateDir: folder, env: environment }
    children.push(await startChild(options))
  }
  await start('sandbox', [
    YUANLU,
    'sandbox',
    '--port',
    String(ports.sandbox),
    '--data',
    sandboxData,
  ])
  const ca = await eventually(() => readFile(environment.YUANLU_SANDBOX_CA, 'utf8'))
  const sandboxAgent = new Agent({ connect: { ca }, connections: 32 })
  const merchants = await eventually(async () => {
    const url = `${sandboxUrl}/_control/merchants`
    const reply = await request(url, { dispatcher: sandboxAgent })
    return (await reply.body.json()) as SandboxMerchant[]
  })
  const [merchant] = merchants
  if (merchant === undefined) throw new Error('The sandbox has no merchant.')
  const owner = new Database({ url: urls.ownerUrl, connectionsMax: 2, applicationName: 'bench' })
  const apiKey = await setUp(owner, new Envelope(masterKey), merchant)
  await start('api', [YUANLU, 'api'])
  await start('worker', [YUANLU, 'worker'])
  const tsx = ['--import', 'tsx']
  await start('baseline', [...tsx, BASELINE, temporal.address, BASELINE_QUEUE])
  await eventually(async () => {
    const reply = await request(`${apiUrl}/readyz`)
    await reply.body.dump()
    if (reply.statusCode !== 200) throw new Error(`The API is not ready: ${reply.statusCode}.`)
  })
  return {
    apiUrl,
    sandboxUrl,
    sandboxAgent,
    temporalAddress: temporal.address,
    merchant,
    apiKey,
    owner,
    async stop() {
      await sandboxAgent.close()
      await owner.close()
      await Promise.all(children.map((child) => child.stop('SIGTERM', STOP_GRACE_MS)))
      await Promise.all([postgres.stop(), temporal.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function setUp(
  owner: Database,
  envelope: Envelope,
  merchant: SandboxMerchant,
): Promise<string> {
  await addMerchant(owner, envelope, {
    id: MERCHANT_ID,
    name: 'Bench',
    account: {
      mode: 'sandbox',
      mchId: merchant.mchId,
      appIds: [merchant.appId],
      apiV2Key: merchant.apiV2Key,
      shortName: 'Bench',
      certificate: { p12Base64: merchant.p12Base64 },
    },
  })
  const scopes = ['payments:write', 'payments:read']
  return (await addKey(owner, { merchantId: MERCHANT_ID, name: 'bench', scopes })).key
}

function urlsOf(superuserUrl: string) {
  const compose = (user: string): string => {
    const url = new URL(superuserUrl)
    url.username = user
    url.password = randomBytes(12).toString('hex')
    return url.href
  }
  return {
    ownerUrl: superuserUrl,
    apiUrl: compose('yuanlu_api'),
    workerUrl: compose('yuanlu_worker'),
  }
}

/** Repeats until it does not throw. @throws the last error when that takes too long. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(100)
    }
  }
}
