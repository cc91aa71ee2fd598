import { once } from 'node:events'
import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { Registry } from 'prom-client'

import { createLogger } from '../../../src/api/logger.js'
import { buildApi } from '../../../src/api/server.js'
import { markDecisionApplied } from '../../../src/db/decisions.js'
import { Database } from '../../../src/db/pool.js'
import { markResolutionApplied } from '../../../src/db/resolutions.js'
import { inTransaction } from '../../../src/db/transaction.js'
import type { AdoptedOutcome } from '../../../src/domain/adoption.js'
import { DEFAULT_POLICY } from '../../../src/domain/approval.js'
import type { DecisionOutcome } from '../../../src/domain/refund.js'
import type { ResolutionOutcome } from '../../../src/domain/resolution.js'
import type { AskResult } from '../../../src/workflows/messages.js'
import { MERCHANT, send, type ServerUnderTest } from '../server-under-test.js'
import { applyDecision } from './apply-decision.js'

const DAY_MS = 86_400_000
const WAITING_POLLS_MAX = 200
const POLL_MS = 10
/** Nobody listens there. */
const NO_DATABASE_URL = 'postgres://nobody@127.0.0.1:1/nothing'
const PROOF = {
  proves: 'closed',
  askedAt: '2026-03-01T00:00:00.000Z',
  answer: { status: 'closed' },
} as const

type Undo = () => unknown

/** Where a request is sent to, and where what it left is looked for. */
type Target = Pick<ServerUnderTest, 'app' | 'registry' | 'logLines'>

/** Brings about what a request needs to be refused, and takes it back after it. */
export class Stage {
  target: Target
  readonly #server: ServerUnderTest
  readonly #headKey: string
  readonly #undo: Undo[] = []

  constructor(server: ServerUnderTest, headKey: string) {
    this.#server = server
    this.#headKey = headKey
    this.target = server
  }

  later(days: number): void {
    const { clock } = this.#server
    clock.aheadMs = days * DAY_MS
    this.#undo.push(() => (clock.aheadMs = 0))
  }

  refusesOrders(): void {
    const { engine } = this.#server
    engine.placing = 'refused'
    this.#undo.push(() => (engine.placing = 'placed'))
  }

  channelSays(said: AskResult['said']): void {
    const { engine } = this.#server
    engine.onAsk = async () => said
    this.#undo.push(() => (engine.onAsk = async () => 'not_paid'))
  }

  adopts(outcome: 'not_paid' | 'not_adoptable' | AdoptedOutcome): void {
    const { engine } = this.#server
    const adopted = typeof outcome === 'string' ? { outcome } : outcome
    engine.onAdopt = async () => adopted
    this.#undo.push(() => (engine.onAdopt = async () => ({ outcome: 'late' })))
  }

  engineAway(): void {
    const { engine } = this.#server
    engine.reachable = false
    this.#undo.push(() => (engine.reachable = true))
  }

  /** Decisions are judged by the rules of the domain. */
  judges(): void {
    this.#onDecision((id) => applyDecision(this.#server.worker, id))
  }

  decides(outcome: DecisionOutcome): void {
    this.#onDecision((id) =>
      inTransaction(this.#server.worker, (tx) => markDecisionApplied(tx, id, outcome, new Date())),
    )
  }

  #onDecision(apply: (decisionId: string) => Promise<void>): void {
    const { engine } = this.#server
    engine.onDecision = apply
    this.#undo.push(() => (engine.onDecision = async () => undefined))
  }

  resolves(outcome: ResolutionOutcome): void {
    const { engine, worker } = this.#server
    engine.onResolution = (id) =>
      inTransaction(worker, (tx) =>
        markResolutionApplied(tx, id, { outcome, proof: PROOF }, new Date()),
      )
    this.#undo.push(() => (engine.onResolution = async () => undefined))
  }

  /** The merchant's rules want so much time between two refunds of a payment. */
  async wantsBetweenRefunds(seconds: number): Promise<void> {
    await this.#setPolicy({ spacingSeconds: seconds })
    this.#undo.push(() => this.#setPolicy({}))
  }

  async #setPolicy(change: object): Promise<void> {
    const body = { ...DEFAULT_POLICY, ...change, actingUser: 'head' }
    const path = `/v1/merchants/${MERCHANT.id}/policies` as const
    await send(this.#server, `POST ${path}`, { key: this.#headKey, body })
  }

  /** Tops the merchant's endpoints up to so many. */
  async hasEndpoints(count: number): Promise<void> {
    const key = this.#headKey
    const body = { url: 'https://shop.example.com/hook', livemode: false }
    for (let n = 0; n < count; n += 1) {
      const { statusCode } = await send(this.#server, 'POST /v1/webhook-endpoints', { key, body })
      if (statusCode === 409) return
    }
  }

  /** Opens streams on connections of their own, as they would be held open. */
  async followsEvents(count: number): Promise<void> {
    const url = await this.#server.app.listen({ host: '127.0.0.1', port: 0 })
    const authorization = `Bearer ${this.#server.keys.reader}`
    const headers = { authorization, accept: 'text/event-stream' }
    const requests = Array.from({ length: count }, () =>
      get(`${url}/v1/events`, { agent: false, headers }),
    )
    this.#undo.push(() => requests.forEach((request) => request.destroy()))
    await Promise.all(requests.map(answered))
  }

  /** Has the same server without a database answer. */
  async databaseAway(): Promise<void> {
    const { engine, envelope, clock } = this.#server
    const db = new Database({ url: NO_DATABASE_URL, connectionsMax: 1, applicationName: 'test' })
    const registry = new Registry()
    const logLines: string[] = []
    const app = await buildApi({
      db,
      engine: engine.asApiEngine(),
      isEngineReachable: async () => true,
      envelope,
      clock,
      publicBaseUrl: 'http://127.0.0.1:8080',
      logger: createLogger('debug', 'api', { write: (line) => void logLines.push(line) }),
      registry,
    })
    this.target = { app, registry, logLines }
    this.#undo.push(async () => {
      this.target = this.#server
      await app.close()
      await db.close()
    })
  }

  /** Somebody adds the account's next key, and is done while the request waits for the account. */
  addsKeyMeanwhile(): void {
    const { owner, merchant } = this.#server
    let isDone = (): void => undefined
    const adding = inTransaction(owner, async (tx) => {
      await tx.rows({ text: 'select from channel_accounts where id = $1 for update' }, [
        merchant.accountId,
      ])
      await new Promise<void>((resolve) => (isDone = resolve))
      await tx.rows(NEXT_KEY, [merchant.accountId])
    })
    void this.#waitsForLock().then(() => isDone())
    this.#undo.push(() => adding)
  }

  async #waitsForLock(): Promise<void> {
    for (let n = 0; n < WAITING_POLLS_MAX; n += 1) {
      const waiting = await this.#server.owner.rows(WAITING, [])
      if (waiting.length > 0) return
      await sleep(POLL_MS)
    }
  }

  /** Takes back all that was brought about. */
  async clear(): Promise<void> {
    for (const undo of this.#undo.splice(0).toReversed()) await undo()
  }
}

const NEXT_KEY = {
  text: `insert into credential_versions
      (account_id, kind, version, state, kek_id, ciphertext, created_at)
    select account_id, kind, 1 + max(version), 'active', max(kek_id), ''::bytea, now()
    from credential_versions where account_id = $1 and kind = 'v2_key' group by 1, 2`,
}

const WAITING = {
  text: `select from pg_stat_activity where datname = current_database()
    and usename = 'yuanlu_api' and wait_event_type = 'Lock'`,
}

async function answered(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  request.on('error', () => undefined)
  return response.resume()
}
