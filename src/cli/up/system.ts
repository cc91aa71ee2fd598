import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { Client, Connection } from '@temporalio/client'
import pg from 'pg'

import { migrate } from '../../db/migrate.js'
import { Database } from '../../db/pool.js'
import { ApiClient } from './api-client.js'
import type { Place } from './place.js'
import { choosePorts, type Ports } from './ports.js'
import { SandboxControl } from './sandbox-control.js'
import { commandService, postgresService, temporalService } from './services.js'
import { openShop, type Shop } from './shop.js'
import { keepSecret, newKey, newPassword } from './stored-secret.js'
import type { Service, Supervisor } from './supervisor.js'
import { bundleWorkflows } from './workflow-bundle.js'

/** How many times as fast as ours the sandbox's clock runs: a minute there is 3 s here. */
export const CLOCK_RATE = 20
/** On the sandbox's clock; less than the engine waits, so that the notification comes first. */
const REFUND_DELAY_MS = 40_000

const HOST = '127.0.0.1'
const DATABASE_NAME = 'yuanlu'
const READ_ONLY = '-c default_transaction_read_only=on'
const API_GRACE_MS = 2_000
const WORKER_GRACE_MS = 3_000
const SANDBOX_GRACE_MS = 1_000

/** The running system, and what the demo reads it with. */
export interface System {
  readonly ports: Ports
  readonly shop: Shop
  readonly api: ApiClient
  readonly sandbox: SandboxControl
  readonly temporal: Client
  /** As the API's role, and every transaction read-only. */
  readonly database: Database
  readonly supervisor: Supervisor
  readonly worker: Service
  /** What the addresses of cashier pages start with; with `--lan` a phone reaches it. */
  readonly cashierUrl: string
  /** The merchant's portal in the sandbox, for this machine alone. */
  readonly portalUrl: string
  /** Closes our own connections; the processes are the supervisor's. */
  close(): Promise<void>
}

export interface SystemOptions {
  readonly place: Place
  readonly supervisor: Supervisor
  /** Serve the cashier page to the local network. */
  readonly lan: boolean
  readonly log: (line: string) => void
}

/**
 * Brings everything up, as much as possible at the same time.
 *
 * @throws Error of the first part that does not become ready; stopping the rest is the caller's.
 */
export async function bringUp(options: SystemOptions): Promise<System> {
  const { place, supervisor } = options
  const ports = await choosePorts(place.dataDir)
  const secrets = await keepSecrets(place)
  const bundle = path.join(place.run, 'workflow-bundle.js')
  const environment = environmentOf(ports, secrets, place)
  const worker = commandService({
    name: 'worker',
    args: ['worker', '--workflow-bundle', bundle],
    env: environment.worker,
    place,
    stopGraceMs: WORKER_GRACE_MS,
    yields: true,
  })
  const database = startDatabase(options, ports, secrets)
  const temporal = supervisor.start(temporalService(place, ports))
  const sandbox = startSandbox(options, ports)
  const shop = Promise.all([database, sandbox]).then(([ownerUrl, control]) =>
    openFirstShop(place, ownerUrl, secrets.masterKey, control),
  )
  const api = database.then(() => supervisor.start(apiService(place, environment.api)))
  const needed = [database, temporal, sandbox, bundleWorkflows(bundle)]
  const working = Promise.all(needed).then(() => supervisor.start(worker))
  await Promise.all([shop, api, working])
  const cashierUrl = await readCashierUrl(place)
  // The local network gets the cashier page alone, so the portal then stays behind https.
  const site = options.lan ? sandboxUrlOf(ports) : `http://127.0.0.1:${ports.cashier}`
  const known = { ports, supervisor, worker, cashierUrl, portalUrl: `${site}/portal`, secrets }
  return connect({ ...known, shop: await shop, sandbox: await sandbox })
}

interface Secrets {
  readonly masterKey: string
  readonly ledgerKey: string
  readonly apiPassword: string
  readonly workerPassword: string
}

async function keepSecrets({ dataDir }: Place): Promise<Secrets> {
  const keep = (name: string, make: () => string) => keepSecret(path.join(dataDir, name), make)
  return {
    masterKey: await keep('master-key', newKey),
    ledgerKey: await keep('ledger-key', newKey),
    apiPassword: await keep('api-password', newPassword),
    workerPassword: await keep('worker-password', newPassword),
  }
}

const apiUrlOf = ({ postgres }: Ports, { apiPassword }: Secrets): string =>
  `postgresql://yuanlu_api:${apiPassword}@${HOST}:${postgres}/${DATABASE_NAME}`

const workerUrlOf = ({ postgres }: Ports, { workerPassword }: Secrets): string =>
  `postgresql://yuanlu_worker:${workerPassword}@${HOST}:${postgres}/${DATABASE_NAME}`

function environmentOf(ports: Ports, secrets: Secrets, place: Place) {
  const shared = {
    YUANLU_MASTER_KEY: secrets.masterKey,
    YUANLU_PUBLIC_BASE_URL: `http://${HOST}:${ports.api}`,
    TEMPORAL_ADDRESS: `${HOST}:${ports.temporal}`,
  }
  return {
    api: {
      ...shared,
      YUANLU_DATABASE_URL_API: apiUrlOf(ports, secrets),
      YUANLU_PORT: String(ports.api),
    },
    worker: {
      ...shared,
      YUANLU_DATABASE_URL_WORKER: workerUrlOf(ports, secrets),
      YUANLU_LEDGER_KEY: secrets.ledgerKey,
      YUANLU_METRICS_PORT: String(ports.workerMetrics),
      YUANLU_SANDBOX_URL: sandboxUrlOf(ports),
      YUANLU_SANDBOX_CA: path.join(place.sandbox, 'ca.pem'),
    },
  }
}

const sandboxUrlOf = ({ sandbox }: Ports): string => `https://${HOST}:${sandbox}`

function apiService(place: Place, env: Readonly<Record<string, string>>): Service {
  return commandService({ name: 'api', args: ['api'], env, place, stopGraceMs: API_GRACE_MS })
}

/** Starts PostgreSQL and brings the schema up to date; answers the owner's address. */
async function startDatabase(
  { place, supervisor, log }: SystemOptions,
  ports: Ports,
  secrets: Secrets,
): Promise<string> {
  const service = postgresService(place, ports, log)
  await supervisor.start(service)
  await ensureDatabase(service.superuserUrl())
  const url = new URL(service.superuserUrl())
  url.pathname = `/${DATABASE_NAME}`
  const ownerUrl = url.href
  const roles = { apiUrl: apiUrlOf(ports, secrets), workerUrl: workerUrlOf(ports, secrets) }
  await migrate({ ownerUrl, ...roles })
  return ownerUrl
}

async function ensureDatabase(superuserUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    const found = await client.query('select from pg_database where datname = $1', [DATABASE_NAME])
    if (found.rowCount === 0) await client.query(`create database ${DATABASE_NAME}`)
  } finally {
    await client.end()
  }
}

async function startSandbox(
  { place, supervisor, lan }: SystemOptions,
  ports: Ports,
): Promise<SandboxControl> {
  const args = ['sandbox', '--port', String(ports.sandbox), '--data', place.sandbox]
  args.push('--rate', String(CLOCK_RATE), '--refund-delay', String(REFUND_DELAY_MS))
  args.push('--cashier-port', String(ports.cashier))
  if (lan) args.push('--lan')
  const stopGraceMs = SANDBOX_GRACE_MS
  await supervisor.start(commandService({ name: 'sandbox', args, env: {}, place, stopGraceMs }))
  const caPem = await readFile(path.join(place.sandbox, 'ca.pem'), 'utf8')
  return new SandboxControl(sandboxUrlOf(ports), caPem)
}

/** The sandbox finds out by which address a phone would reach it, and says so when it is ready. */
async function readCashierUrl({ run }: Place): Promise<string> {
  const ready = JSON.parse(await readFile(path.join(run, 'sandbox.ready.json'), 'utf8'))
  return `${(ready as { httpUrl: string }).httpUrl}/cashier`
}

async function openFirstShop(
  place: Place,
  ownerUrl: string,
  masterKey: string,
  control: SandboxControl,
): Promise<Shop> {
  const [merchant] = await control.merchants()
  if (merchant === undefined) throw new Error('The sandbox has no merchant.')
  const file = path.join(place.dataDir, 'demo.json')
  return openShop({ ownerUrl, masterKey, merchant, timeScale: 1 / CLOCK_RATE, file })
}

function connect(
  parts: Omit<System, 'api' | 'temporal' | 'database' | 'close'> & { readonly secrets: Secrets },
): System {
  const { secrets, ...shared } = parts
  const { ports, shop, sandbox } = shared
  const url = new URL(apiUrlOf(ports, secrets))
  url.searchParams.set('options', READ_ONLY)
  const database = new Database({
    url: url.href.replaceAll('+', '%20'),
    connectionsMax: 2,
    applicationName: 'yuanlu-up',
  })
  const connection = Connection.lazy({ address: `${HOST}:${ports.temporal}` })
  return {
    ...shared,
    database,
    temporal: new Client({ connection }),
    api: new ApiClient(`http://${HOST}:${ports.api}`, shop),
    async close() {
      await Promise.all([database.close(), connection.close(), sandbox.close()])
    },
  }
}
