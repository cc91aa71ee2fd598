import { randomBytes } from 'node:crypto'

import { pino } from 'pino'
import { Registry } from 'prom-client'

import type { ApiEngine } from '../src/api/context.js'
import { buildApi } from '../src/api/server.js'
import { Envelope } from '../src/db/envelope.js'
import { Database } from '../src/db/pool.js'

/** The OpenAPI document of the routes as they are, built without a database and an engine. */
export async function openApiDocument(): Promise<object> {
  const db = new Database({
    url: 'postgres://nobody@127.0.0.1:1/none',
    connectionsMax: 1,
    applicationName: 'yuanlu-openapi',
  })
  const app = await buildApi({
    db,
    // No route is called, so nothing is asked of the engine.
    engine: {} as ApiEngine,
    isEngineReachable: async () => false,
    envelope: new Envelope(randomBytes(32)),
    clock: { now: () => new Date(0) },
    publicBaseUrl: 'http://127.0.0.1:8080',
    logger: pino({ level: 'silent' }),
    registry: new Registry(),
  })
  try {
    await app.ready()
    return app.swagger()
  } finally {
    await app.close()
    await db.close()
  }
}
