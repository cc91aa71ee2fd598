import { newId } from '../db/ids.js'
import type { Database } from '../db/pool.js'
import { inTransaction, type Transaction } from '../db/transaction.js'
import {
  insertDeliveries,
  lockWebhookCursor,
  moveWebhookCursor,
  nextStretch,
  wantedEvents,
  type WantedEvent,
} from '../db/webhook-fan-out.js'
import { failPoints } from '../domain/fail-points.js'
import { eventBody } from './body.js'

/** The transaction is begun each time, mostly for nothing; what it does for events is marked. */
const AT = failPoints('webhookFanOut', ['insert', 'moveCursor'])

const EVENTS_MAX = 200
/** Then the loop looks up, so that a worker that is told to stop stops. */
const ROUNDS_MAX = 50

export interface FanOutDependencies {
  readonly database: Database
  readonly clock: { now(): Date }
}

/**
 * Hands events out: for each endpoint that wants one a delivery, in the order of the stream. The
 * cursor moves in the transaction that writes them, so that none is missed and none comes twice.
 * @returns a tick for a loop; it answers how many events it has read
 */
export function createFanOut({ database, clock }: FanOutDependencies) {
  return async function tick(): Promise<number> {
    let read = 0
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const count = await inTransaction(database, (tx) => handOut(tx, clock.now()))
      read += count
      if (count < EVENTS_MAX) break
    }
    return read
  }
}

async function handOut(tx: Transaction, now: Date): Promise<number> {
  const after = await lockWebhookCursor(tx)
  if (after === undefined) return 0
  const { count, position } = await nextStretch(tx, after, EVENTS_MAX)
  if (count === 0) return 0
  const wanted = await wantedEvents(tx, after, position)
  if (wanted.length > 0) {
    const bodies = await bodiesOf(tx, wanted)
    const deliveries = wanted.map((event) => ({
      id: newId(now),
      event,
      body: bodies.get(event.id) ?? '',
    }))
    await AT.insert(() => insertDeliveries(tx, deliveries, now))
  }
  await AT.moveCursor(() => moveWebhookCursor(tx, position))
  return count
}

/** One body for each event, however many endpoints it goes to. */
async function bodiesOf(
  tx: Transaction,
  wanted: readonly WantedEvent[],
): Promise<ReadonlyMap<string, string>> {
  const events = new Map(wanted.map((event) => [event.id, event]))
  return new Map(
    await Promise.all(
      [...events.values()].map(async (event) => [event.id, await eventBody(tx, event)] as const),
    ),
  )
}
