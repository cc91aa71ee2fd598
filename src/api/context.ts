import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Envelope } from '../db/envelope.js'
import type { Database } from '../db/pool.js'
import type { Engine } from '../engine/client.js'
import type { AccountBook } from './account-book.js'
import type { DecisionOutcome } from '../domain/refund.js'
import type { ResolutionOutcome } from '../domain/resolution.js'
import type { AppliedWaiter } from './applied-waiter.js'
import type { ChangeWaiter } from './change-waiter.js'
import type { EngineGate } from './engine-gate.js'
import type { ApiMetrics } from './metrics.js'
import type { SignalledFacts } from './signalled-facts.js'

/** Business time; SQL gets its instant from here as a parameter. */
export interface Clock {
  now(): Date
}

/** What the API asks of the engine. */
export type ApiEngine = Pick<
  Engine,
  | 'placePayment'
  | 'placeAgain'
  | 'startRefund'
  | 'paymentFact'
  | 'refundFact'
  | 'refundDecision'
  | 'refundKick'
  | 'askPayment'
  | 'adoptPayment'
>

/** What the API is made of; only a composition root constructs it. */
export interface ApiDeps {
  /** As the role `yuanlu_api`. */
  readonly db: Database
  readonly engine: ApiEngine
  /** True when the engine answers a trivial question within `timeoutMs`. */
  readonly isEngineReachable: (timeoutMs: number) => Promise<boolean>
  readonly envelope: Envelope
  readonly clock: Clock
  /** What notify URLs start with. */
  readonly publicBaseUrl: string
  /** Hosts of webhook endpoints that the operator vouches for; none unless given. */
  readonly webhookAllowedHosts?: readonly string[]
  /** Proxies whose word on where a call comes from is taken; none unless given. */
  readonly trustedProxies?: readonly string[]
  readonly logger: Logger
  readonly registry: Registry
}

/** The dependencies with what the API keeps in memory of its own. */
export interface ApiContext extends ApiDeps {
  readonly gate: EngineGate
  readonly accounts: AccountBook
  readonly waiter: AppliedWaiter<DecisionOutcome>
  readonly resolutions: AppliedWaiter<ResolutionOutcome>
  /** Waits for decisions about held money. */
  readonly facts: AppliedWaiter<string>
  readonly changes: ChangeWaiter
  readonly signalled: SignalledFacts
  readonly metrics: ApiMetrics
}
