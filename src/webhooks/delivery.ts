import type { Envelope } from '../db/envelope.js'
import type { Database } from '../db/pool.js'
import { activeWebhookSecrets, disableGoneEndpoint } from '../db/webhook-endpoints.js'
import { claimDeliveries, finishAttempt, type ClaimedDelivery } from '../db/webhook-queue.js'
import { failPoints } from '../domain/fail-points.js'
import { judgeSend, nextTryAt, type SendResult } from '../domain/webhook.js'
import type { Egress } from './egress.js'
import { signedHeaders } from './signature.js'

const AT = failPoints('webhookDelivery', ['send', 'finish', 'disable'])

/** Longer than a try can take, so that a claim ends only with the worker that made it. */
const LEASE_MS = 60_000
const IN_FLIGHT_MAX = 64
/** A server that is slow holds this many of them at most. */
const PER_ENDPOINT_MAX = 8

export type DeliveryResult = 'delivered' | 'retry' | 'dead' | 'disabled'

export interface DeliveryDependencies {
  readonly database: Database
  readonly envelope: Envelope
  readonly clock: { now(): Date }
  readonly egress: Egress
  readonly onResult: (result: DeliveryResult) => void
  readonly onError: (error: unknown) => void
}

export interface Delivery {
  /** Claims what is due and begins to send it. @returns how many it has begun */
  tick(): Promise<number>
  /** Waits until nothing is under way. */
  idle(): Promise<void>
}

/**
 * Sends what is due. A tick does not wait for what it begins, because one slow receiver would keep
 * all others waiting; what is under way is bounded instead.
 */
export function createDelivery(dependencies: DeliveryDependencies): Delivery {
  const { database, clock, onError } = dependencies
  const inFlight = new Set<Promise<void>>()

  return {
    async tick() {
      const limit = IN_FLIGHT_MAX - inFlight.size
      if (limit <= 0) return 0
      const now = clock.now()
      const claimed = await claimDeliveries(database, {
        now,
        leaseUntil: new Date(now.getTime() + LEASE_MS),
        limit,
        perEndpoint: PER_ENDPOINT_MAX,
      })
      for (const delivery of claimed) {
        const sending = deliver(dependencies, delivery).catch(onError)
        inFlight.add(sending)
        void sending.finally(() => inFlight.delete(sending))
      }
      return claimed.length
    },
    async idle() {
      while (inFlight.size > 0) await Promise.all(inFlight)
    },
  }
}

async function deliver(
  dependencies: DeliveryDependencies,
  delivery: ClaimedDelivery,
): Promise<void> {
  const { database, envelope, clock, egress } = dependencies
  const { id: deliveryId, endpointId, eventId, url, body, attempt } = delivery
  const startedAt = clock.now()
  const secrets = await activeWebhookSecrets(database, envelope, endpointId, startedAt)
  // Deleted since it was claimed: nothing is ever sent without a signature.
  if (secrets.length === 0) return
  const begun = performance.now()
  const headers = signedHeaders({ id: eventId, at: startedAt, body }, secrets)
  const result = await AT.send(() => egress({ url, headers, body }))
  const durationMs = Math.round(performance.now() - begun)
  const now = clock.now()
  const after = outcomeOf(delivery, result, now)
  const { state, nextAt } = after
  const tried = { deliveryId, attempt, startedAt, durationMs, result, state, nextAt, now }
  await AT.finish(() => finishAttempt(database, tried))
  if (after.result === 'disabled') {
    await AT.disable(() => disableGoneEndpoint(database, endpointId, now))
  }
  dependencies.onResult(after.result)
}

interface Outcome {
  readonly result: DeliveryResult
  readonly state: 'delivered' | 'dead' | 'pending'
  readonly nextAt: Date | null
}

function outcomeOf(delivery: ClaimedDelivery, result: SendResult, now: Date): Outcome {
  const verdict = judgeSend(result)
  if (verdict === 'delivered') return { result: 'delivered', state: 'delivered', nextAt: null }
  if (verdict === 'gone') return { result: 'disabled', state: 'dead', nextAt: null }
  const { tries, firstTriedAt } = delivery
  const retryAfter = result.kind === 'answered' ? result.retryAfter : undefined
  const nextAt =
    verdict === 'again'
      ? nextTryAt({ tries, firstTriedAt, now, retryAfter, random: Math.random() })
      : undefined
  if (nextAt === undefined) return { result: 'dead', state: 'dead', nextAt: null }
  return { result: 'retry', state: 'pending', nextAt }
}
