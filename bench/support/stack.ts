import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { Agent, request } from 'undici'

import { startChild } from '../../src/cli/local/child.js'
import { findFreePort } from '../../src/cli/local/free-port.js'
import { startPostgres } from '../../src/cli/local/postgres.js'
import { startDevServer } from '../../src/cli/local/temporal.js'
import { findTool } from '../../src/cli/local/tools.js'
import { addKey, addMerchant } from '../../src/cli/merchants.js'
import { bundleWorkflows } from '../../src/cli/up/workflow-bundle.js'
import { Envelope } from '../../src/db/envelope.js'
import { migrate } from '../../src/db/migrate.js'
import { Database } from '../../src/db/pool.js'
import { urlsOf } from './database.js'

const YUANLU = fileURLToPath(new URL('../../bin/yuanlu.mjs', import.meta.url))
const BASELINE = fileURLToPath(new URL('../baseline/worker.ts', import.meta.url))
const READY_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 40_000
/** As `npm start` has it: workers let go first what answers. */
const YIELDING: ReadonlySet<string> = new Set(['worker', 'baseline'])
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
  readonly workerPid: number
  stop(): Promise<void>
}

/** Starts PostgreSQL with fsync on, the dev server in memory, sandbox, worker, API and baseline. */
export async function startBenchStack(): Promise<BenchStack> {
  const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-bench-'))
  // PostgreSQL's own account has to pass through; mkdtemp lets nobody but us.
  await chmod(folder, 0o711)
  const processes = new Processes(folder)
  try {
    return await startAll(processes)
  } catch (error) {
    await processes.stop()
    throw error
  }
}

async function startAll(processes: Processes): Promise<BenchStack> {
  const { superuserUrl, temporalAddress } = await processes.startServers()
  const urls = urlsOf(superuserUrl)
  await migrate(urls)
  const apiPort = await findFreePort()
  const masterKey = randomBytes(32)
  const sandbox = await processes.startSandbox()
  const apiUrl = `http://127.0.0.1:${apiPort}`
  processes.environment = {
    YUANLU_LOG_LEVEL: 'warn',
    YUANLU_MASTER_KEY: masterKey.toString('base64'),
    YUANLU_DATABASE_URL_API: urls.apiUrl,
    YUANLU_DATABASE_URL_WORKER: urls.workerUrl,
    YUANLU_PUBLIC_BASE_URL: apiUrl,
    YUANLU_PORT: String(apiPort),
    YUANLU_SANDBOX_URL: sandbox.url,
    YUANLU_SANDBOX_CA: sandbox.caPath,
    TEMPORAL_ADDRESS: temporalAddress,
  }
  const owner = new Database({ url: urls.ownerUrl, connectionsMax: 2, applicationName: 'bench' })
  processes.onStop(() => owner.close())
  const apiKey = await setUp(owner, new Envelope(masterKey), sandbox.merchant)
  await processes.start('api', [YUANLU, 'api'])
  const workerPid = await processes.startWorker()
  const tsx = ['--import', import.meta.resolve('tsx')]
  await processes.start('baseline', [...tsx, BASELINE, temporalAddress, BASELINE_QUEUE])
  await eventually(() => checkReady(apiUrl))
  return {
    apiUrl,
    sandboxUrl: sandbox.url,
    sandboxAgent: sandbox.agent,
    temporalAddress,
    merchant: sandbox.merchant,
    apiKey,
    owner,
    workerPid,
    stop: () => processes.stop(),
  }
}

/** What was started, stopped in the opposite order. */
class Processes {
  readonly #folder: string
  readonly #closers: (() => Promise<void>)[] = []
  environment: Readonly<Record<string, string>> = {}

  constructor(folder: string) {
    this.#folder = folder
    this.onStop(() => rm(folder, { recursive: true, force: true }))
  }

  onStop(close: () => Promise<void>): void {
    this.#closers.unshift(close)
  }

  async startServers(): Promise<{ superuserUrl: string; temporalAddress: string }> {
    const dataDir = path.join(this.#folder, 'postgres')
    const log = (): void => undefined
    const postgres = await startPostgres({ dataDir, fsync: true, persistent: false, log })
    this.onStop(() => postgres.stop())
    const cliPath = findTool('temporalCli')
    const temporal = await startDevServer({ cliPath, stateDir: this.#folder, uiPort: 'headless' })
    this.onStop(() => temporal.stop())
    return { superuserUrl: postgres.superuserUrl, temporalAddress: temporal.address }
  }

  async startSandbox(): Promise<{
    url: string
    caPath: string
    agent: Agent
    merchant: SandboxMerchant
  }> {
    const port = await findFreePort()
    const dataDir = path.join(this.#folder, 'sandbox')
    const url = `https://127.0.0.1:${port}`
    await this.start('sandbox', [YUANLU, 'sandbox', '--port', `${port}`, '--data', dataDir])
    const caPath = path.join(dataDir, 'ca.pem')
    const ca = await eventually(() => readFile(caPath, 'utf8'))
    const agent = new Agent({ connect: { ca }, connections: 32 })
    this.onStop(() => agent.close())
    const [merchant] = await eventually(async () => {
      const reply = await request(`${url}/_control/merchants`, { dispatcher: agent })
      return (await reply.body.json()) as SandboxMerchant[]
    })
    if (merchant === undefined) throw new Error('The sandbox has no merchant.')
    return { url, caPath, agent, merchant }
  }

  /** With its workflows bundled before, as in an image: no bundler stays in its memory. */
  async startWorker(): Promise<number> {
    const bundle = path.join(this.#folder, 'workflow-bundle.js')
    await bundleWorkflows(bundle)
    return this.start('worker', [YUANLU, 'worker', '--workflow-bundle', bundle])
  }

  /** A process that ends by itself would leave flows waiting for ever, so it ends the benchmark. */
  async start(name: string, args: readonly string[]): Promise<number> {
    const child = await startChild({
      name,
      command: process.execPath,
      args,
      stateDir: this.#folder,
      env: this.environment,
      yields: YIELDING.has(name),
    })
    let isStopping = false
    this.onStop(() => {
      isStopping = true
      return child.stop('SIGTERM', STOP_GRACE_MS)
    })
    void child.exited.then(async (how) => {
      if (isStopping) return
      process.stderr.write(`${how}\n${await readFile(child.logFile, 'utf8')}\n`)
      await this.stop()
      process.exit(1)
    })
    return child.pid
  }

  async stop(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close()
  }
}

async function checkReady(apiUrl: string): Promise<void> {
  const reply = await request(`${apiUrl}/readyz`)
  await reply.body.dump()
  if (reply.statusCode !== 200) throw new Error(`The API is not ready: ${reply.statusCode}.`)
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
