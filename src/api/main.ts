import { Client } from '@temporalio/client'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { ConfigError, type ApiConfig } from '../config.js'
import { Envelope } from '../db/envelope.js'
import { hasLiveAccount } from '../db/merchants.js'
import { Database, SERVICE_LIMITS, type DatabaseOptions } from '../db/pool.js'
import { Engine } from '../engine/client.js'
import { connectEngine } from '../engine/connection.js'
import { createLogger } from './logger.js'
import { whyNotPublic } from './public-base-url.js'
import { buildApi } from './server.js'

const DATABASE_CONNECTIONS_MAX = 20

export interface RunningApi {
  /** Where it listens. */
  readonly url: string
  /** Lets running requests end, then closes the engine's connection and the database's. */
  stop(): Promise<void>
}

/** How the API makes those of its parts that a drill may want to be others. */
export interface ApiMakers {
  readonly clock: { now(): Date }
  database(options: DatabaseOptions): Database
  envelope(masterKey: Buffer): Envelope
  engine(client: Client, taskQueue: string): Engine
}

const USUAL: ApiMakers = {
  clock: { now: () => new Date() },
  database: (options) => new Database(options),
  envelope: (masterKey) => new Envelope(masterKey),
  engine: (client, taskQueue) => new Engine(client, taskQueue),
}

/**
 * The composition root of the API. It starts without the engine, which may come and go, but not
 * without the database, nor with addresses that real notifications could not reach.
 * @throws ConfigError when an account takes real money and the public base URL is not public
 */
export async function startApi(
  config: ApiConfig,
  options: { readonly logger?: Logger; readonly makers?: Partial<ApiMakers> } = {},
): Promise<RunningApi> {
  const make: ApiMakers = { ...USUAL, ...options.makers }
  const logger = options.logger ?? createLogger(config.logLevel, 'api')
  const db = make.database({
    url: config.databaseUrl.reveal(),
    connectionsMax: DATABASE_CONNECTIONS_MAX,
    applicationName: 'yuanlu-api',
    ...SERVICE_LIMITS,
  })
  const engine = connectEngine(config.temporal.address)
  const closeAll = async (): Promise<void> => {
    await engine.close()
    await db.close()
  }
  try {
    await checkPublicBaseUrl(db, config.publicBaseUrl)
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    const { namespace, taskQueue } = config.temporal
    const app = await buildApi({
      db,
      engine: make.engine(new Client({ connection: engine.connection, namespace }), taskQueue),
      isEngineReachable: (timeoutMs) => engine.isReachable(timeoutMs),
      envelope: make.envelope(config.masterKey.reveal()),
      clock: make.clock,
      publicBaseUrl: config.publicBaseUrl,
      webhookAllowedHosts: config.webhookAllowedHosts,
      trustedProxies: config.trustedProxies,
      logger,
      registry,
    })
    const url = await app.listen({ host: config.host, port: config.port })
    return {
      url,
      async stop() {
        await app.close()
        await closeAll()
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function checkPublicBaseUrl(db: Database, publicBaseUrl: string): Promise<void> {
  const why = whyNotPublic(publicBaseUrl)
  if (why === undefined || !(await hasLiveAccount(db))) return
  throw new ConfigError(
    `YUANLU_PUBLIC_BASE_URL does not do for an account that takes real money: ${why}.`,
  )
}
