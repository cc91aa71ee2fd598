import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { findFreePort } from '../cli/local/free-port.js'
import { commandService } from '../cli/up/services.js'
import { openShop, type Shop } from '../cli/up/shop.js'
import { newKey, newPassword } from '../cli/up/stored-secret.js'
import { migrate } from '../db/migrate.js'
import { Database } from '../db/pool.js'
import { CLOCK_RATE, type Ground } from './ground.js'
import type { ShiftableProcess } from './clocks.js'
import type { Profile } from './profiles.js'
import type { Sabotage } from './sabotage/sabotage.js'
import type { SandboxDesk } from './sandbox-desk.js'
import type { ChaosWorld } from './world.js'

const LAUNCH = fileURLToPath(new URL('./processes/launch.mjs', import.meta.url))
const HOST = '127.0.0.1'
const NAMESPACE = 'default'
const API_GRACE_MS = 2_000
const WORKER_GRACE_MS = 3_000
/** The sandbox is on this machine, so what takes longer is a fault. */
const CHANNEL_TIMEOUTS_MS = { connect: 2_000, waiting: 5_000, background: 8_000 }

/** The processes of one drill, on a database and with a merchant of their own. */
export interface ChaosSystem {
  readonly world: ChaosWorld
  readonly shop: Shop
  readonly owner: Database
  readonly taskQueue: string
  /** Where the channel tells of refunds that were made by hand. */
  readonly refundNotifyUrl: string
  readonly workers: readonly ShiftableProcess[]
  readonly apis: readonly ShiftableProcess[]
  close(): Promise<void>
}

export interface SystemWanted {
  readonly profile: Profile
  readonly sabotage: { readonly name: string; readonly bug: Sabotage } | undefined
}

/** Each has a database, a merchant, a queue and processes of its own name. */
let systems = 0

/** Starts APIs and workers as `yuanlu api` and `yuanlu worker` would be, on this ground. */
export async function startSystem(
  ground: Ground,
  desk: SandboxDesk,
  { profile, sabotage }: SystemWanted,
): Promise<ChaosSystem> {
  const name = `chaos${(systems += 1)}`
  const { urls, owner } = await prepareDatabase(ground, name)
  const folder = path.join(ground.place.run, name)
  await mkdir(folder, { mode: 0o700 })
  const masterKey = newKey()
  const shop = await openShop({
    ownerUrl: urls.owner,
    masterKey,
    merchant: await desk.addMerchant(),
    merchantId: name,
    timeScale: 1 / CLOCK_RATE,
    file: path.join(folder, 'shop.json'),
  })
  const ports = await Promise.all(Array.from({ length: profile.apis }, findFreePort))
  const world: ChaosWorld = {
    databaseUrls: urls,
    temporalAddress: ground.temporalAddress,
    namespace: NAMESPACE,
    sandbox: { controlUrl: `${ground.sandboxUrl}/_control`, ca: ground.sandboxCa },
    apiUrls: ports.map((port) => `http://${HOST}:${port}`),
    merchantId: shop.merchantId,
  }
  await sabotage?.bug.plant?.(world)
  const started = (process: NewProcess): Promise<ShiftableProcess> =>
    startProcess(ground, folder, process, sabotage?.name)
  const [apis, workers] = await Promise.all([
    Promise.all(apisOf(name, world, masterKey).map(started)),
    Promise.all(workersOf(name, world, masterKey, { ground, count: profile.workers }).map(started)),
  ])
  return {
    apis,
    workers,
    world,
    shop,
    owner,
    taskQueue: name,
    refundNotifyUrl: `${world.apiUrls[0]}/notify/${await notifyToken(owner)}/refund`,
    async close() {
      await ground.fleet.stop([...apis, ...workers].map((each) => each.name))
      await owner.close()
    },
  }
}

const sharedEnvironment = (name: string, world: ChaosWorld, masterKey: string) => ({
  YUANLU_MASTER_KEY: masterKey,
  YUANLU_TASK_QUEUE: name,
  TEMPORAL_ADDRESS: world.temporalAddress,
})

const apisOf = (name: string, world: ChaosWorld, masterKey: string): NewProcess[] =>
  world.apiUrls.map((url, n) => ({
    kind: 'api',
    name: `${name}-api-${n + 1}`,
    env: {
      ...sharedEnvironment(name, world, masterKey),
      YUANLU_DATABASE_URL_API: world.databaseUrls.api,
      YUANLU_PUBLIC_BASE_URL: url,
      YUANLU_PORT: new URL(url).port,
    },
  }))

/** Each worker has the channel tell another API, so that all of them are told. */
function workersOf(
  name: string,
  world: ChaosWorld,
  masterKey: string,
  { ground, count }: { readonly ground: Ground; readonly count: number },
): NewProcess[] {
  const ledgerKey = newKey()
  return Array.from({ length: count }, (_, n) => ({
    kind: 'worker',
    name: `${name}-worker-${n + 1}`,
    env: {
      ...sharedEnvironment(name, world, masterKey),
      YUANLU_DATABASE_URL_WORKER: world.databaseUrls.worker,
      YUANLU_PUBLIC_BASE_URL: world.apiUrls[n % world.apiUrls.length] ?? '',
      YUANLU_LEDGER_KEY: ledgerKey,
      YUANLU_SANDBOX_URL: ground.sandboxUrl,
      YUANLU_SANDBOX_CA: path.join(ground.place.sandbox, 'ca.pem'),
      YUANLU_WECHAT_CONNECT_MS: String(CHANNEL_TIMEOUTS_MS.connect),
      YUANLU_WECHAT_ANSWER_MS: String(CHANNEL_TIMEOUTS_MS.waiting),
      YUANLU_WECHAT_BACKGROUND_CONNECT_MS: String(CHANNEL_TIMEOUTS_MS.connect),
      YUANLU_WECHAT_BACKGROUND_ANSWER_MS: String(CHANNEL_TIMEOUTS_MS.background),
    },
  }))
}

async function prepareDatabase(ground: Ground, name: string) {
  const ownerUrl = await ground.createDatabase(name)
  const as = (role: string, password: string): string => {
    const url = new URL(ownerUrl)
    url.username = role
    url.password = password
    return url.href
  }
  const urls = {
    owner: ownerUrl,
    api: as('yuanlu_api', newPassword()),
    worker: as('yuanlu_worker', newPassword()),
  }
  await migrate({ ownerUrl, apiUrl: urls.api, workerUrl: urls.worker })
  const owner = new Database({ url: ownerUrl, connectionsMax: 2, applicationName: 'yuanlu-chaos' })
  return { urls, owner }
}

interface NewProcess {
  readonly kind: 'api' | 'worker'
  readonly name: string
  readonly env: Readonly<Record<string, string>>
}

async function startProcess(
  ground: Ground,
  folder: string,
  { kind, name, env }: NewProcess,
  sabotage: string | undefined,
): Promise<ShiftableProcess> {
  const clockFile = path.join(folder, `${name}.clock`)
  await writeFile(clockFile, '0')
  const args = ['--clock', clockFile]
  if (kind === 'worker') args.push('--workflow-bundle', ground.workflowBundle)
  if (sabotage !== undefined) args.push('--sabotage', sabotage)
  const service = commandService({
    name,
    program: [LAUNCH, kind],
    args,
    env,
    place: ground.place,
    stopGraceMs: kind === 'api' ? API_GRACE_MS : WORKER_GRACE_MS,
  })
  await ground.fleet.start(service)
  return { name, clockFile }
}

async function notifyToken(owner: Database): Promise<string> {
  const rows = await owner.rows<{ token: string }>(
    { text: 'select notify_token as token from channel_accounts' },
    [],
  )
  return rows[0]?.token ?? ''
}
