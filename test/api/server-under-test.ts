import { randomBytes } from 'node:crypto'

import type { LightMyRequestResponse } from 'fastify'
import { Registry } from 'prom-client'

import type { ApiEngine } from '../../src/api/context.js'
import { createLogger } from '../../src/api/logger.js'
import { buildApi } from '../../src/api/server.js'
import type { ApiServer } from '../../src/api/server-type.js'
import { addKey, addMerchant, type AddedMerchant } from '../../src/cli/merchants.js'
import { Envelope } from '../../src/db/envelope.js'
import { markPlaced, markPlaceRefused } from '../../src/db/payments.js'
import { Database, only } from '../../src/db/pool.js'
import { inTransaction } from '../../src/db/transaction.js'
import type { AdoptedOutcome } from '../../src/domain/adoption.js'
import type { AskResult } from '../../src/workflows/messages.js'
import { markPaid } from '../db/support/mark-paid.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'

export const APP_ID = 'wx2421b1c4370ec43b'
export const MCH_ID = '1900000109'
export const API_V2_KEY = '192006250b4c09247ec02edce69f6a2d'
export const OPENID = 'oUpF8uMuAJO2pxb1Q9zNjWeS6o'

export const MERCHANT = {
  id: 'tea-house',
  name: '茶馆',
  account: {
    mode: 'sandbox' as const,
    mchId: MCH_ID,
    appIds: [APP_ID],
    apiV2Key: API_V2_KEY,
    shortName: '茶馆',
  },
}

export const ORDER = { amountFen: 1_000, description: '青团', openid: OPENID }

/** What became of a payment, an engine standing in for the workflows that would do it. */
type Placing = 'placed' | 'refused' | 'late' | 'away'

/** Records what it is asked; it moves payments as the worker's role does, and no refunds. */
export class StandInEngine {
  placing: Placing = 'placed'
  reachable = true
  readonly calls: { readonly name: string; readonly id: string; readonly argument: unknown }[] = []
  onDecision: (decisionId: string) => Promise<void> = async () => undefined
  onResolution: (resolutionId: string) => Promise<void> = async () => undefined
  onAsk: (paymentId: string) => Promise<AskResult['said'] | 'late'> = async () => 'not_paid'
  onAdopt: () => Promise<AdoptedOutcome | { outcome: 'late' }> = async () => ({ outcome: 'late' })
  onPaymentFact: (paymentId: string) => Promise<void> = async () => undefined
  readonly #worker: Database

  constructor(worker: Database) {
    this.#worker = worker
  }

  asApiEngine(): ApiEngine {
    return {
      placePayment: async ({ id }, closesInMs) => {
        this.#called('placePayment', id, closesInMs)
        return this.#place(id)
      },
      placeAgain: async ({ id }, updateId) => {
        this.#called('placeAgain', id, updateId)
        return this.#place(id)
      },
      adoptPayment: async (merchantId, adoption) => {
        this.#called('adoptPayment', merchantId, adoption)
        return this.onAdopt()
      },
      askPayment: async ({ id }, { purpose }) => {
        this.#called('askPayment', id, purpose)
        return this.onAsk(id)
      },
      startRefund: async ({ id }, decideInMs) => this.#called('startRefund', id, decideInMs),
      paymentFact: async ({ id }, inboxId) => {
        this.#called('paymentFact', id, inboxId)
        await this.onPaymentFact(id)
      },
      refundFact: async ({ id }, inboxId) => this.#called('refundFact', id, inboxId),
      refundKick: async ({ id }, resolutionId) => {
        this.#called('refundKick', id, resolutionId)
        await this.onResolution(resolutionId ?? '')
      },
      refundDecision: async ({ id }, decisionId) => {
        this.#called('refundDecision', id, decisionId)
        await this.onDecision(decisionId)
      },
    }
  }

  #called(name: string, id: string, argument: unknown): void {
    if (!this.reachable) throw new Error('14 UNAVAILABLE: no connection')
    this.calls.push({ name, id, argument })
  }

  async #place(id: string): Promise<'answered' | 'late'> {
    const now = new Date()
    if (this.placing === 'away') throw new Error('14 UNAVAILABLE: no connection')
    if (this.placing === 'late') return 'late'
    if (this.placing === 'refused') await markPlaceRefused(this.#worker, id, 'NOAUTH', now)
    else await markPlaced(this.#worker, id, { prepayId: `wx${id}`.slice(0, 36), now, dueAt: now })
    return 'answered'
  }
}

interface Keys {
  readonly asker: string
  readonly approver: string
  readonly reader: string
}

/** The server with a real database and a stand-in for the engine. */
export interface ServerUnderTest {
  readonly app: ApiServer
  readonly envelope: Envelope
  readonly owner: Database
  readonly worker: Database
  readonly database: TestDatabase
  readonly engine: StandInEngine
  readonly merchant: AddedMerchant
  readonly keys: Keys
  readonly logLines: string[]
  readonly registry: Registry
  readonly clock: { aheadMs: number; now(): Date }
  stop(): Promise<void>
}

/** @param trustedProxies whose word on where a call comes from is taken */
export async function startServer(
  trustedProxies: readonly string[] = [],
): Promise<ServerUnderTest> {
  const database = await createTestDatabase()
  const open = (url: string): Database =>
    new Database({ url, connectionsMax: 5, applicationName: 'test' })
  const owner = open(database.ownerUrl)
  const db = open(database.apiUrl)
  const worker = open(database.workerUrl)
  const envelope = new Envelope(randomBytes(32))
  const merchant = await addMerchant(owner, envelope, MERCHANT)
  const keys = await makeKeys(owner)
  const engine = new StandInEngine(worker)
  const logLines: string[] = []
  const registry = new Registry()
  const clock = { aheadMs: 0, now: () => new Date(Date.now() + clock.aheadMs) }
  const app = await buildApi({
    db,
    engine: engine.asApiEngine(),
    isEngineReachable: async () => engine.reachable,
    envelope,
    clock,
    publicBaseUrl: 'http://127.0.0.1:8080',
    trustedProxies,
    logger: createLogger('debug', 'api', { write: (line) => void logLines.push(line) }),
    registry,
  })
  return {
    app,
    envelope,
    owner,
    worker,
    database,
    engine,
    merchant,
    keys,
    logLines,
    registry,
    clock,
    async stop() {
      await app.close()
      await Promise.all([owner.close(), db.close(), worker.close()])
      await database.drop()
    },
  }
}

async function makeKeys(owner: Database): Promise<Keys> {
  const add = async (name: string, ...scopes: string[]): Promise<string> =>
    (await addKey(owner, { merchantId: MERCHANT.id, name, scopes })).key
  return {
    asker: await add('shop', 'payments:write', 'payments:read', 'refunds:request', 'refunds:read'),
    approver: await add('office', 'refunds:decide', 'refunds:read'),
    reader: await add('report', 'payments:read'),
  }
}

interface Sent {
  readonly key?: string | undefined
  readonly idempotencyKey?: string | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends JSON as one API key; a body that is text is sent as it is. */
export function send(
  server: ServerUnderTest,
  call: `${'GET' | 'POST' | 'PUT'} ${string}`,
  { key = server.keys.asker, idempotencyKey, body, headers = {} }: Sent = {},
): Promise<LightMyRequestResponse> {
  const [method, url] = call.split(' ') as ['GET' | 'POST' | 'PUT', string]
  return server.app.inject({
    method,
    url,
    headers: {
      ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined
      ? {}
      : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

let count = 0
/** A key for a call that is made once. */
export const onceKey = (): string => `key-${(count += 1)}`

/** Creates a payment and has it paid in full, as the worker's role would. */
export async function paidPayment(
  server: ServerUnderTest,
  amountFen = 10_000,
  disposition: 'accepted' | 'held' = 'accepted',
): Promise<{ id: string; outTradeNo: string; transactionId: string }> {
  const created = await send(server, 'POST /v1/payments', {
    idempotencyKey: onceKey(),
    body: { ...ORDER, amountFen },
  })
  const { id, outTradeNo } = created.json<{ id: string; outTradeNo: string }>()
  const transactionId = `42${randomBytes(12).toString('hex')}`
  const now = new Date()
  await inTransaction(server.worker, (tx) =>
    markPaid(tx, id, {
      disposition,
      attention: null,
      paidFen: amountFen,
      cashFen: amountFen,
      settlementFen: amountFen,
      transactionId,
      paidAt: now,
      now,
    }),
  )
  return { id, outTradeNo, transactionId }
}

const TABLES = [
  'payments',
  'refunds',
  'refund_decisions',
  'inbox',
  'idempotency_keys',
  'journal_transfers',
  'outbox',
  'audit',
] as const

/** How many rows each table has that a call could write to. */
export async function rowCounts(server: ServerUnderTest): Promise<Record<string, number>> {
  const columns = TABLES.map((name) => `(select count(*) from ${name}) as ${name}`).join(', ')
  return only(await server.owner.rows<Record<string, number>>({ text: `select ${columns}` }, []))
}
