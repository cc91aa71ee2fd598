import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Client, Connection } from '@temporalio/client'
import { pino } from 'pino'
import { inject } from 'vitest'

import { startApi } from '../../src/api/main.js'
import { findFreePort } from '../../src/cli/local/free-port.js'
import { addKey, addMerchant } from '../../src/cli/merchants.js'
import { apiConfig } from '../../src/config.js'
import { Envelope } from '../../src/db/envelope.js'
import { Database } from '../../src/db/pool.js'
import { startWorker, type RunningWorker } from '../../src/worker.js'
import { createTestDatabase, type TestDatabase } from './database.js'
import { ApiClient, type PaymentAnswer } from './api-client.js'
import { startTestSandbox, type SandboxMerchant, type TestSandbox } from './sandbox.js'
import { useTestTemporal } from './temporal.js'

/** Everything real and together: database, engine, worker, API, and the sandbox as the channel. */
export interface Stack {
  readonly database: TestDatabase
  /** Connected as the owner, to look at everything. */
  readonly owner: Database
  readonly sandbox: TestSandbox
  readonly merchant: SandboxMerchant
  readonly temporal: Client
  readonly apiUrl: string
  /** A key that asks, and one of another holder that decides. */
  readonly requester: ApiClient
  readonly approver: ApiClient
  readonly secrets: readonly string[]
  /** What the worker would be told, for tests that run it as a process of its own. */
  readonly workerEnvironment: Readonly<Record<string, string>>
  /** Every line that API and worker logged. */
  readonly logLines: readonly string[]
  /** Stops API and worker; what they work on goes on. */
  leave(): Promise<void>
  /** Starts API and worker again after `leave`, with some variables changed. */
  settle(changes: Readonly<Record<string, string>>): Promise<void>
  stop(): Promise<void>
}

export interface StackOptions {
  /** How many times as fast as ours the sandbox's clock runs. */
  readonly rate: number
  /** False when the test runs workers as processes of their own. */
  readonly withWorker?: boolean
  readonly operatorLimitFen?: number
  /** Have the sandbox refuse what WeChat Pay refuses; notifications then have nowhere to go. */
  readonly isStrict?: boolean
  /** Seal the book, which a worker does that has a key for it; it does unless told otherwise. */
  readonly isSealing?: boolean
  /** A Temporal and a database of the test's own, which it may lose. */
  readonly temporalAddress?: string
  readonly database?: TestDatabase
}

export const MERCHANT_ID = 'demo-shop'
/** An appid we know and the channel does not: placing an order with it is refused. */
export const UNBOUND_APP_ID = 'wxffffffffffffffff'

export async function startStack(options: StackOptions): Promise<Stack> {
  const { rate, withWorker = true, operatorLimitFen = 0, isSealing = true } = options
  const { isStrict = false, temporalAddress = inject('temporalAddress') } = options
  const [database, sandbox] = await Promise.all([
    options.database ?? createTestDatabase(),
    startTestSandbox({ rate, strict: isStrict }),
  ])
  const [merchant] = sandbox.merchants
  const masterKey = randomBytes(32)
  const owner = openOwner(database)
  const keys = await setUp(owner, new Envelope(masterKey), merchant, rate, operatorLimitFen)
  const port = await findFreePort()
  const apiUrl = `http://127.0.0.1:${port}`
  const environment = {
    ...addressesOf(database, sandbox),
    YUANLU_MASTER_KEY: masterKey.toString('base64'),
    ...(isSealing ? { YUANLU_LEDGER_KEY: LEDGER_KEY.toString('base64') } : {}),
    YUANLU_PORT: String(port),
    YUANLU_PUBLIC_BASE_URL: isStrict ? 'https://pay.example.com' : apiUrl,
    YUANLU_TASK_QUEUE: useTestTemporal('e2e.test.ts').taskQueue,
    TEMPORAL_ADDRESS: temporalAddress,
  }
  const logLines: string[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(line) })
  const start = async (variables: Readonly<Record<string, string>>) => ({
    api: await startApi(apiConfig(variables), { logger }),
    worker: withWorker ? await runWorker(variables, masterKey, sandbox, logger) : undefined,
  })
  let home: Awaited<ReturnType<typeof start>> | undefined = await start(environment)
  const leave = async (): Promise<void> => {
    await home?.api.stop()
    await home?.worker?.stop()
    home = undefined
  }
  const connection = await Connection.connect({ address: temporalAddress })
  return {
    database,
    owner,
    sandbox,
    merchant,
    apiUrl,
    logLines,
    temporal: new Client({ connection }),
    requester: new ApiClient(apiUrl, keys.requester),
    approver: new ApiClient(apiUrl, keys.approver),
    secrets: [merchant.apiV2Key, masterKey.toString('base64'), keys.requester, keys.approver],
    workerEnvironment: environment,
    leave,
    async settle(changes) {
      home = await start({ ...environment, ...changes })
    },
    async stop() {
      await leave()
      await sandbox.stop()
      await connection.close()
      await owner.close()
      await database.drop()
    },
  }
}

const openOwner = ({ ownerUrl: url }: TestDatabase): Database =>
  new Database({ url, connectionsMax: 2, applicationName: 'test-owner' })

const addressesOf = (database: TestDatabase, sandbox: TestSandbox) => ({
  YUANLU_DATABASE_URL_API: database.apiUrl,
  YUANLU_DATABASE_URL_WORKER: database.workerUrl,
  YUANLU_SANDBOX_URL: sandbox.url,
  YUANLU_SANDBOX_CA: sandbox.caPath,
  YUANLU_WEBHOOK_ALLOW_HOSTS: '127.0.0.1',
  YUANLU_LOG_LEVEL: 'debug',
})

async function setUp(
  owner: Database,
  envelope: Envelope,
  merchant: SandboxMerchant,
  rate: number,
  operatorLimitFen: number,
): Promise<{ requester: string; approver: string }> {
  await addMerchant(owner, envelope, {
    id: MERCHANT_ID,
    name: '原路小店',
    operatorLimitFen,
    account: {
      mode: 'sandbox',
      mchId: merchant.mchId,
      appIds: [merchant.appId, UNBOUND_APP_ID],
      apiV2Key: merchant.apiV2Key,
      shortName: '原路小店',
      timeScale: 1 / rate,
      certificate: { p12Base64: merchant.p12Base64 },
    },
  })
  const add = (name: string, scopes: readonly string[]) =>
    addKey(owner, { merchantId: MERCHANT_ID, name, scopes })
  const requester = await add('shop', [
    'payments:write',
    'payments:read',
    'refunds:request',
    'refunds:read',
  ])
  const approver = await add('office', ['refunds:decide', 'refunds:read', 'payments:read'])
  return { requester: requester.key, approver: approver.key }
}

const LEDGER_KEY = Buffer.alloc(32, 5)

async function runWorker(
  environment: Readonly<Record<string, string>>,
  masterKey: Buffer,
  sandbox: TestSandbox,
  logger: pino.Logger,
): Promise<RunningWorker> {
  return startWorker({
    databaseUrl: environment['YUANLU_DATABASE_URL_WORKER'] ?? '',
    masterKey,
    ...('YUANLU_LEDGER_KEY' in environment ? { ledgerKey: LEDGER_KEY } : {}),
    temporalAddress: environment['TEMPORAL_ADDRESS'] ?? '',
    temporalNamespace: 'default',
    taskQueue: environment['YUANLU_TASK_QUEUE'] ?? '',
    publicBaseUrl: environment['YUANLU_PUBLIC_BASE_URL'] ?? '',
    liveBaseUrl: 'https://127.0.0.1:1',
    webhookAllowedHosts: ['127.0.0.1'],
    sandbox: { baseUrl: sandbox.url, caPem: sandbox.caPem },
    workflowBundlePath: inject('workflowBundlePath'),
    logger,
  })
}

const DAY_S = 86_400

/**
 * Places an order that does not expire while a slow machine looks at it, and that stands at the
 * channel: on a busy machine its caller asks again for what came too late.
 */
export async function placed(
  { requester }: Pick<Stack, 'requester'>,
  order: object = {},
): Promise<PaymentAnswer> {
  const key = randomUUID()
  return eventually(async () => {
    const answer = await requester.createPayment({ expiresInSeconds: DAY_S, ...order }, key)
    return answer.status === 201 && answer.body
  })
}

/** Waits until `look` answers something. @throws Error when it does not in time. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false | null>,
  timeoutMs = 90_000,
  everyMs = 50,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > deadline) throw new Error('It did not happen in time.')
    await sleep(everyMs)
  }
}
