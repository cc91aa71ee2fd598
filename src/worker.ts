import { fileURLToPath } from 'node:url'
import { Client } from '@temporalio/client'
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker'
import type { Logger } from 'pino'
import { Gauge, Histogram, Registry } from 'prom-client'
import { Accounts, type AccountsOptions } from './activities/accounts.js'
import type { Clock, OpenAccount } from './activities/dependencies.js'
import { createActivities } from './activities/index.js'
import { Envelope } from './db/envelope.js'
import { Database, SERVICE_LIMITS, type DatabaseOptions } from './db/pool.js'
import { wechatTaskQueue } from './domain/ids.js'
import { Engine } from './engine/client.js'
import { connectEngine } from './engine/connection.js'
import { createDuePayments, type DuePaymentsDependencies } from './engine/due-payments.js'
import { createDueRefunds } from './engine/due-refunds.js'
import { createExternalRefunds } from './engine/external-refunds.js'
import { startLoop, type Loop } from './engine/loop.js'
import { startMetricsServer, type MetricsServer } from './engine/metrics-server.js'
import { createRedelivery } from './engine/redelivery.js'
import { createRetention } from './engine/retention.js'
import { createSurplusRefunds } from './engine/surplus-refunds.js'
import { createSweepMetrics } from './engine/sweep-metrics.js'
import { createSweep } from './engine/sweep.js'
import { StateTotals } from './engine/state-totals.js'
import { createWorkerMetrics } from './engine/worker-metrics.js'
import { oldestUnsealedAt } from './ledger/heads.js'
import { SealingKey } from './ledger/seal-key.js'
import { createSealer } from './ledger/sealer.js'
import { createUnbalanced } from './ledger/unbalanced.js'
import { startWebhooks } from './webhooks/start.js'

/** What a worker is told; secrets stay in here and never reach a history or a log. */
export interface WorkerSettings {
  readonly databaseUrl: string
  readonly masterKey: Buffer
  /** The 32 bytes that seals are signed with; without them the book is not sealed. */
  readonly ledgerKey?: Buffer
  readonly temporalAddress: string
  readonly temporalNamespace: string
  readonly taskQueue: string
  /** What notify URLs start with. */
  readonly publicBaseUrl: string
  readonly liveBaseUrl: string
  /** How accounts of real money reach it: by another site, through a proxy. */
  readonly liveRoute?: NonNullable<AccountsOptions['liveRoute']>
  /** How long calls to the channel may take. */
  readonly channelTimeouts?: NonNullable<AccountsOptions['timeouts']>
  readonly sandbox?: { readonly baseUrl: string; readonly caPem?: string }
  /** Hosts of webhook endpoints that the operator vouches for; none unless given. */
  readonly webhookAllowedHosts?: readonly string[]
  /** A bundle built before; without it the sources are bundled at start. */
  readonly workflowBundlePath?: string
  readonly metrics?: { readonly host: string; readonly port: number }
  readonly logger: Logger
}

export interface RunningWorker {
  readonly metricsPort: number | undefined
  /** Lets what activities and loops have begun end, at the same time, and closes connections. */
  stop(): Promise<void>
}

const WORKFLOW_TASKS_MAX = 300
const LOCAL_ACTIVITIES_MAX = 300
const CHANNEL_ACTIVITIES_MAX = 200
/** One that waits is replayed from its few events when it is called; cached it takes memory. */
const CACHED_WORKFLOWS_MAX = 300
const DATABASE_CONNECTIONS_MAX = 20
const SHUTDOWN_GRACE = '20 s'
const SHUTDOWN_FORCE = '30 s'
const DUE_EVERY_MS = 1_000
const REDELIVER_EVERY_MS = 5_000
const SWEEP_EVERY_MS = 30_000
const RETAIN_EVERY_MS = 3_600_000
const SEAL_EVERY_MS = 1_000
const COUNT_EVERY_MS = 2_000
const BALANCE_EVERY_MS = 60_000

/** How the worker makes those of its parts that a drill may want to be others. */
export interface WorkerMakers {
  readonly clock: Clock
  database(options: DatabaseOptions): Database
  engine(client: Client, taskQueue: string): Engine
  readonly activities: typeof createActivities
  /** Given the channel of each account as it is opened. */
  account(usual: OpenAccount): OpenAccount
  /** What workflows bundled for a drill call outside; ours call nothing. */
  readonly sinks: NonNullable<WorkerOptions['sinks']>
}

const USUAL: WorkerMakers = {
  clock: { now: () => new Date() },
  database: (options) => new Database(options),
  engine: (client, taskQueue) => new Engine(client, taskQueue),
  activities: createActivities,
  account: (usual) => usual,
  sinks: {},
}

/**
 * The composition root of the worker: workflows and their local activities on one queue, channel
 * calls on another, and the loops that ask for due orders, send again what was not applied, remove
 * what is past its time, and seal the book.
 */
export async function startWorker(
  settings: WorkerSettings,
  others: Partial<WorkerMakers> = {},
): Promise<RunningWorker> {
  const make: WorkerMakers = { ...USUAL, ...others }
  const { clock } = make
  const { logger, temporalNamespace: namespace, temporalAddress: address } = settings
  installRuntime(logger)
  const registry = new Registry()
  const database = make.database({
    url: settings.databaseUrl,
    connectionsMax: DATABASE_CONNECTIONS_MAX,
    applicationName: 'yuanlu-worker',
    ...SERVICE_LIMITS,
  })
  const envelope = new Envelope(settings.masterKey)
  const accounts = createAccounts(settings, { database, envelope, clock, registry })
  const openAccount = async (accountId: string) => make.account(await accounts.open(accountId))
  const notifyBaseUrl = settings.publicBaseUrl
  const activities = make.activities({ database, envelope, clock, notifyBaseUrl, openAccount })

  const connection = await NativeConnection.connect({ address })
  const frontend = connectEngine(address)
  const client = new Client({ connection: frontend.connection, namespace })
  const engine = make.engine(client, settings.taskQueue)
  const { sinks } = make
  const workers = await createWorkers(settings, connection, { activities, sinks })
  const running = Promise.all(workers.map((worker) => worker.run()))
  const loops = startLoops({
    settings,
    database,
    envelope,
    engine,
    clock,
    openAccount,
    registry,
  })
  const metrics = settings.metrics && (await startMetricsServer({ registry, ...settings.metrics }))
  logger.info({ taskQueue: settings.taskQueue }, 'worker is running')
  return {
    metricsPort: metrics?.port,
    async stop() {
      await stopAll({ loops, metrics, workers, running })
      await frontend.close()
      await connection.close()
      await accounts.close()
      await database.close()
    },
  }
}

/** What the worker does again and again, beside what workflows ask of it. */
function startLoops(parts: {
  readonly settings: WorkerSettings
  readonly database: Database
  readonly envelope: Envelope
  readonly engine: Engine
  readonly clock: Clock
  readonly openAccount: DuePaymentsDependencies['openAccount']
  readonly registry: Registry
}): Loop[] {
  const { settings, database, envelope, engine, clock, openAccount, registry } = parts
  const { logger, ledgerKey, webhookAllowedHosts: allowedHosts = [] } = settings
  const onError = (error: unknown) => logger.error({ err: error }, 'a loop failed; it goes on')
  const key = ledgerKey && new SealingKey(ledgerKey)
  if (key === undefined) logger.warn('YUANLU_LEDGER_KEY is missing: the book is not sealed')
  else logger.info({ keyId: key.id }, 'the book is sealed with this key')
  gaugeUnsealed(registry, database, clock)
  const totals = new StateTotals({ database, clock })
  const weighBook = createWorkerMetrics({
    registry,
    database,
    clock,
    totals,
    unbalancedFen: createUnbalanced(database),
  })
  const duePayments = createDuePayments({ database, engine, clock, openAccount, onError })
  const dueRefunds = createDueRefunds({ database, engine, clock, openAccount, onError })
  const externalRefunds = createExternalRefunds({
    database,
    engine,
    clock,
    openAccount,
    onError,
  })
  const { counted, onStarted } = createSweepMetrics(registry, logger)
  const redelivery = counted(createRedelivery({ database, engine, clock, onError }))
  const sweep = createSweep({ database, engine, clock, onStarted, onError })
  const surplusRefunds = createSurplusRefunds({ database, engine, clock, onError })
  const retention = createRetention({ database, clock, onError })
  const sealer = createSealer({ database, key, clock })
  return [
    startLoop({ everyMs: DUE_EVERY_MS, tick: toVoid(duePayments), onError }),
    startLoop({ everyMs: DUE_EVERY_MS, tick: toVoid(dueRefunds), onError }),
    startLoop({ everyMs: DUE_EVERY_MS, tick: toVoid(externalRefunds), onError }),
    startLoop({ everyMs: DUE_EVERY_MS, tick: toVoid(surplusRefunds), onError }),
    startLoop({ everyMs: REDELIVER_EVERY_MS, tick: toVoid(redelivery), onError }),
    startLoop({ everyMs: SWEEP_EVERY_MS, tick: toVoid(sweep), onError }),
    startLoop({ everyMs: RETAIN_EVERY_MS, tick: toVoid(retention), onError }),
    startLoop({ everyMs: SEAL_EVERY_MS, tick: toVoid(sealer), onError }),
    startLoop({ everyMs: COUNT_EVERY_MS, tick: toVoid(() => totals.tick()), onError }),
    startLoop({ everyMs: BALANCE_EVERY_MS, tick: weighBook, onError }),
    startWebhooks({ database, envelope, clock, registry, allowedHosts, onError }),
  ]
}

/** Something is wrong with the sealer when this grows; where nothing waits it is 0. */
function gaugeUnsealed(registry: Registry, database: Database, clock: Clock): void {
  const gauge = new Gauge({
    name: 'ledger_oldest_unsealed_seconds',
    help: 'For how long the oldest entry of the book that is not sealed has waited.',
    registers: [registry],
    async collect() {
      const now = clock.now()
      // While the database is away nothing is known, which other metrics tell.
      const oldest = await oldestUnsealedAt(database).catch(() => undefined)
      gauge.set(oldest === undefined ? 0 : Math.max(0, now.getTime() - oldest.getTime()) / 1_000)
    },
  })
}

async function createWorkers(
  settings: WorkerSettings,
  connection: NativeConnection,
  {
    activities,
    sinks,
  }: Pick<WorkerMakers, 'sinks'> & {
    readonly activities: ReturnType<typeof createActivities>
  },
): Promise<[Worker, Worker]> {
  const shared = {
    connection,
    namespace: settings.temporalNamespace,
    activities,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
  } as const
  const workflows = settings.workflowBundlePath
    ? { workflowBundle: { codePath: settings.workflowBundlePath } }
    : { workflowsPath: fileURLToPath(new URL(WORKFLOWS_ENTRY, import.meta.url)) }
  return Promise.all([
    Worker.create({
      ...shared,
      ...workflows,
      taskQueue: settings.taskQueue,
      sinks,
      maxConcurrentWorkflowTaskExecutions: WORKFLOW_TASKS_MAX,
      maxConcurrentLocalActivityExecutions: LOCAL_ACTIVITIES_MAX,
      maxCachedWorkflows: CACHED_WORKFLOWS_MAX,
    }),
    Worker.create({
      ...shared,
      taskQueue: wechatTaskQueue(settings.taskQueue),
      maxConcurrentActivityTaskExecutions: CHANNEL_ACTIVITIES_MAX,
    }),
  ])
}

// From TypeScript sources the bundler wants the .ts file; the compiled image brings its own bundle.
const WORKFLOWS_ENTRY = import.meta.url.endsWith('.ts')
  ? './workflows/index.ts'
  : './workflows/index.js'

function createAccounts(
  settings: WorkerSettings,
  parts: {
    readonly database: Database
    readonly envelope: Envelope
    readonly clock: Clock
    readonly registry: Registry
  },
): Accounts {
  const { registry, ...stores } = parts
  const seconds = new Histogram({
    name: 'channel_requests_seconds',
    help: 'Calls to the channel, by call and kind of outcome.',
    labelNames: ['call', 'result'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 15, 60],
    registers: [registry],
  })
  const { liveBaseUrl, liveRoute, channelTimeouts, sandbox, logger } = settings
  return new Accounts({
    ...stores,
    liveBaseUrl,
    ...(liveRoute === undefined ? {} : { liveRoute }),
    ...(channelTimeouts === undefined ? {} : { timeouts: channelTimeouts }),
    ...(sandbox === undefined ? {} : { sandbox }),
    onCall: ({ call, result, code, durationMs, accountId }) => {
      seconds.observe({ call, result }, durationMs / 1_000)
      logger.debug({ call, result, code, durationMs, accountId }, 'channel call')
    },
  })
}

async function stopAll(parts: {
  readonly loops: readonly Loop[]
  readonly metrics: MetricsServer | undefined
  readonly workers: readonly Worker[]
  readonly running: Promise<unknown>
}): Promise<void> {
  for (const worker of parts.workers) {
    if (worker.getState() === 'RUNNING') worker.shutdown()
  }
  await Promise.all([parts.running, ...parts.loops.map((loop) => loop.stop())])
  await parts.metrics?.stop()
}

/** The runtime is one per process, and a process that is told to stop stops by our own order. */
function installRuntime(logger: Logger): void {
  try {
    Runtime.install({
      shutdownSignals: [],
      logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
        logger.warn({ temporal: level, ...meta }, message)
      }),
    })
  } catch {
    // Another worker of this process has installed it; one is enough.
  }
}

const toVoid = (tick: () => Promise<number>) => async (): Promise<void> => {
  await tick()
}
