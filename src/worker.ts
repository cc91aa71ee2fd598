import { fileURLToPath } from 'node:url'
import { Client } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import type { Logger } from 'pino'
import { Histogram, Registry } from 'prom-client'
import { Accounts } from './activities/accounts.js'
import { createActivities } from './activities/index.js'
import { Envelope } from './db/envelope.js'
import { Database } from './db/pool.js'
import { wechatTaskQueue } from './domain/ids.js'
import { Engine } from './engine/client.js'
import { connectEngine } from './engine/connection.js'
import { createDuePayments } from './engine/due-payments.js'
import { startLoop, type Loop } from './engine/loop.js'
import { startMetricsServer, type MetricsServer } from './engine/metrics-server.js'
import { createRedelivery } from './engine/redelivery.js'

/** What a worker is told; secrets stay in here and never reach a history or a log. */
export interface WorkerSettings {
  readonly databaseUrl: string
  readonly masterKey: Buffer
  readonly temporalAddress: string
  readonly temporalNamespace: string
  readonly taskQueue: string
  /** What notify URLs start with. */
  readonly publicBaseUrl: string
  readonly liveBaseUrl: string
  readonly sandbox?: { readonly baseUrl: string; readonly caPem?: string }
  /** A bundle built before; without it the sources are bundled at start. */
  readonly workflowBundlePath?: string
  readonly metrics?: { readonly host: string; readonly port: number }
  readonly logger: Logger
}

export interface RunningWorker {
  readonly metricsPort: number | undefined
  /** Lets running activities end, then stops loops, workers and connections, in that order. */
  stop(): Promise<void>
}

const WORKFLOW_TASKS_MAX = 300
const LOCAL_ACTIVITIES_MAX = 300
const CHANNEL_ACTIVITIES_MAX = 200
const CACHED_WORKFLOWS_MAX = 2_000
const DATABASE_CONNECTIONS_MAX = 20
const SHUTDOWN_GRACE = '20 s'
const SHUTDOWN_FORCE = '30 s'
const DUE_EVERY_MS = 1_000
const REDELIVER_EVERY_MS = 5_000

const clock = { now: () => new Date() }

/**
 * The composition root of the worker: workflows and their local activities on one queue, channel
 * calls on another, and the loops that ask for due orders and send again what was not applied.
 */
export async function startWorker(settings: WorkerSettings): Promise<RunningWorker> {
  const { logger, temporalNamespace: namespace, temporalAddress: address } = settings
  installRuntime(logger)
  const registry = new Registry()
  const database = new Database({
    url: settings.databaseUrl,
    connectionsMax: DATABASE_CONNECTIONS_MAX,
    applicationName: 'yuanlu-worker',
  })
  const envelope = new Envelope(settings.masterKey)
  const accounts = createAccounts(settings, database, envelope, registry)
  const openAccount = accounts.open.bind(accounts)
  const notifyBaseUrl = settings.publicBaseUrl
  const activities = createActivities({ database, envelope, clock, notifyBaseUrl, openAccount })

  const connection = await NativeConnection.connect({ address })
  const frontend = connectEngine(address)
  const client = new Client({ connection: frontend.connection, namespace })
  const engine = new Engine(client, settings.taskQueue)
  const workers = await createWorkers(settings, connection, activities)
  const running = Promise.all(workers.map((worker) => worker.run()))
  const onError = (error: unknown) => logger.error({ err: error }, 'a loop failed; it goes on')
  const loops = [
    startLoop({
      everyMs: DUE_EVERY_MS,
      tick: toVoid(createDuePayments({ database, engine, clock, openAccount, onError })),
      onError,
    }),
    startLoop({
      everyMs: REDELIVER_EVERY_MS,
      tick: toVoid(createRedelivery({ database, engine, clock, onError })),
      onError,
    }),
  ]
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

async function createWorkers(
  settings: WorkerSettings,
  connection: NativeConnection,
  activities: ReturnType<typeof createActivities>,
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
  database: Database,
  envelope: Envelope,
  registry: Registry,
): Accounts {
  const seconds = new Histogram({
    name: 'channel_requests_seconds',
    help: 'Calls to the channel, by call and kind of outcome.',
    labelNames: ['call', 'result'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 15, 60],
    registers: [registry],
  })
  const { liveBaseUrl, sandbox, logger } = settings
  return new Accounts({
    database,
    envelope,
    clock,
    liveBaseUrl,
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
  await Promise.all(parts.loops.map((loop) => loop.stop()))
  for (const worker of parts.workers) {
    if (worker.getState() === 'RUNNING') worker.shutdown()
  }
  await parts.running
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
