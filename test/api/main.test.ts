import { randomBytes } from 'node:crypto'

import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { createLogger } from '../../src/api/logger.js'
import { startApi, type RunningApi } from '../../src/api/main.js'
import { findFreePort } from '../../src/cli/local/free-port.js'
import { addKey, addMerchant } from '../../src/cli/merchants.js'
import { apiConfig, type ApiConfig } from '../../src/config.js'
import { Envelope } from '../../src/db/envelope.js'
import { Database } from '../../src/db/pool.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'
import { MERCHANT, ORDER } from './server-under-test.js'

let database: TestDatabase
let owner: Database
let key: string
const masterKey = randomBytes(32)
const logger = createLogger('silent', 'api')
/** Two seconds, where nothing else runs; placing by itself would wait for eight. */
const SAID_MS_MAX = 7_000

beforeAll(async () => {
  database = await createTestDatabase()
  owner = new Database({ url: database.ownerUrl, connectionsMax: 1, applicationName: 'test' })
  await addMerchant(owner, new Envelope(masterKey), MERCHANT)
  const scopes = ['payments:write', 'payments:read']
  key = (await addKey(owner, { merchantId: MERCHANT.id, name: 'shop', scopes })).key
})
afterAll(async () => {
  await owner.close()
  await database.drop()
})

const configOf = (environment: Readonly<Record<string, string>> = {}): ApiConfig =>
  apiConfig({
    YUANLU_DATABASE_URL_API: database.apiUrl,
    YUANLU_MASTER_KEY: masterKey.toString('base64'),
    YUANLU_PORT: '0',
    YUANLU_PUBLIC_BASE_URL: 'http://127.0.0.1:8080',
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    ...environment,
  })

async function withApi<T>(config: ApiConfig, use: (api: RunningApi) => Promise<T>): Promise<T> {
  const api = await startApi(config, { logger })
  try {
    return await use(api)
  } finally {
    await api.stop()
  }
}

describe('the API as a process', () => {
  test('with database and engine: is ready', async () => {
    const status = await withApi(configOf(), async ({ url }) => {
      const answer = await request(`${url}/readyz`)
      return [answer.statusCode, await answer.body.json()]
    })
    expect(status).toEqual([200, { status: 'ready', database: true, engine: true }])
  })

  test('without the engine: starts, is not ready, and says so within two seconds', async () => {
    const nobody = `127.0.0.1:${await findFreePort()}`
    await withApi(configOf({ TEMPORAL_ADDRESS: nobody }), async ({ url }) => {
      expect((await request(`${url}/readyz`)).statusCode).toBe(503)
      const startedMs = performance.now()
      const answer = await request(`${url}/v1/payments`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'idempotency-key': 'away',
        },
        body: JSON.stringify(ORDER),
      })
      expect([answer.statusCode, await answer.body.json()]).toMatchObject([
        503,
        { code: 'engine_unavailable' },
      ])
      expect(performance.now() - startedMs).toBeLessThan(SAID_MS_MAX)
    })
  })

  test('with an account of real money: refuses addresses that are not public', async () => {
    const accounts = `update channel_accounts set mode = $1`
    await owner.rows({ text: accounts }, ['live'])
    try {
      await expect(startApi(configOf(), { logger })).rejects.toThrow(
        'YUANLU_PUBLIC_BASE_URL does not do for an account that takes real money: it is not https.',
      )
      const publicBase = { YUANLU_PUBLIC_BASE_URL: 'https://pay.example.com' }
      await withApi(configOf(publicBase), async ({ url }) => {
        expect((await request(`${url}/healthz`)).statusCode).toBe(200)
      })
    } finally {
      await owner.rows({ text: accounts }, ['sandbox'])
    }
  })
})
