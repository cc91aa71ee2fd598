import { Client } from '@temporalio/client'
import type { Logger } from 'pino'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { ConfigError, type ApiConfig } from '../config.js'
import { Envelope } from '../db/envelope.js'
import { hasLiveAccount } from '../db/merchants.js'
import { Database } from '../db/pool.js'
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

/**
 * The composition root of the API. It starts without the engine, which may come and go, but not
 * without the database, nor with addresses that real notifications could not reach.
 * @throws ConfigError when an account takes real money and the public base URL is not public
 */
export async function startApi(
  config: ApiConfig,
  options: { readonly logger?: Logger } = {},
): Promise<RunningApi> {
  const logger = options.logger ?? createLogger(config.logLevel, 'api')
  const db = new Database({
    url: config.databaseUrl.reveal(),
    connectionsMax: DATABASE_CONNECTIONS_MAX,
    applicationName: 'yuanlu-api',
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
      engine: new Engine(new Client({ connection: engine.connection, namespace }), taskQueue),
      isEngineReachable: (timeoutMs) => engine.isReachable(timeoutMs),
      envelope: new Envelope(config.masterKey.reveal()),
      clock: { now: () => new Date() },
      publicBaseUrl: config.publicBaseUrl,
      webhookAllowedHosts: config.webhookAllowedHosts,
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
