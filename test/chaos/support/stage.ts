import { randomBytes } from 'node:crypto'

import { pino } from 'pino'
import { inject } from 'vitest'

import { startApi } from '../../../src/api/main.js'
import type { Sabotage } from '../../../src/chaos/sabotage/sabotage.js'
import type { ChaosWorld } from '../../../src/chaos/world.js'
import { findFreePort } from '../../../src/cli/local/free-port.js'
import { addMerchant } from '../../../src/cli/merchants.js'
import { apiConfig } from '../../../src/config.js'
import { Envelope } from '../../../src/db/envelope.js'
import { Database } from '../../../src/db/pool.js'
import { startWorker } from '../../../src/worker.js'
import { createTestDatabase } from '../../support/database.js'
import type { TestSandbox } from '../../support/sandbox.js'

/** How many times as fast as ours the sandbox's clock runs. */
export const RATE = 60

const logger = pino({ level: 'silent' })

/** A system with one known bug in it, composed of the parts that a drill's processes have. */
export interface Stage {
  readonly world: ChaosWorld
  stop(): Promise<void>
}

/**
 * Starts an API and a worker of their own on the servers that a whole test run shares: a fresh
 * database, a merchant that the sandbox has just met, and a queue that nobody else takes from.
 */
export async function openStage(
  name: string,
  sandbox: TestSandbox,
  bug?: Sabotage,
): Promise<Stage> {
  const [database, merchant] = await Promise.all([
    createTestDatabase(),
    sandbox.control.addMerchant(),
  ])
  const merchantId = `shop-${randomBytes(4).toString('hex')}`
  const masterKey = randomBytes(32)
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const taskQueue = `${name}-${merchantId}`
  const temporalAddress = inject('temporalAddress')
  await openShop(database.ownerUrl, masterKey, { merchantId, merchant })
  const world: ChaosWorld = {
    databaseUrls: { owner: database.ownerUrl, api: database.apiUrl, worker: database.workerUrl },
    temporalAddress,
    namespace: 'default',
    sandbox: { controlUrl: `${sandbox.url}/_control`, ca: sandbox.caPem },
    apiUrls: [url],
    merchantId,
  }
  await bug?.plant?.(world)
  const config = apiConfig({
    YUANLU_DATABASE_URL_API: database.apiUrl,
    YUANLU_MASTER_KEY: masterKey.toString('base64'),
    YUANLU_PORT: String(port),
    YUANLU_PUBLIC_BASE_URL: url,
    YUANLU_TASK_QUEUE: taskQueue,
    TEMPORAL_ADDRESS: temporalAddress,
  })
  const api = await startApi(config, { logger, makers: bug?.processes?.api ?? {} })
  const settings = {
    databaseUrl: database.workerUrl,
    masterKey,
    temporalAddress,
    temporalNamespace: 'default',
    taskQueue,
    publicBaseUrl: url,
    liveBaseUrl: 'https://127.0.0.1:1',
    sandbox: { baseUrl: sandbox.url, caPem: sandbox.caPem },
    workflowBundlePath: inject('workflowBundlePath'),
    logger,
  }
  const worker = await startWorker(settings, bug?.processes?.worker ?? {})
  return {
    world,
    async stop() {
      await Promise.all([api.stop(), worker.stop()])
      await database.drop()
    },
  }
}

type Met = Awaited<ReturnType<TestSandbox['control']['addMerchant']>>

async function openShop(
  ownerUrl: string,
  masterKey: Buffer,
  { merchantId, merchant }: { readonly merchantId: string; readonly merchant: Met },
): Promise<void> {
  const owner = new Database({ url: ownerUrl, connectionsMax: 1, applicationName: 'test-owner' })
  await addMerchant(owner, new Envelope(masterKey), {
    id: merchantId,
    name: '原路小店',
    operatorLimitFen: 0,
    account: {
      mode: 'sandbox',
      mchId: merchant.mchId,
      appIds: [merchant.appId],
      apiV2Key: merchant.apiV2Key,
      shortName: '原路小店',
      timeScale: 1 / RATE,
      certificate: { p12Base64: merchant.p12Base64 },
    },
  })
  await owner.close()
}
