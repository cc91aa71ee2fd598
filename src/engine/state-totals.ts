import type { Queryable } from '../db/pool.js'
import { countCreated, countEvents, countFailed, lastPosition } from '../db/state-totals.js'

/** One number of `payments_total` or `refunds_total`. */
export interface StateTotal {
  readonly kind: 'payment' | 'refund'
  readonly state: string
  readonly cause: string
  readonly count: number
}

export interface StateTotalsOptions {
  readonly database: Queryable
  readonly clock: { now(): Date }
  /** How many events are read at a time; a million of history take some seconds at the start. */
  readonly batchMax?: number
}

const BATCH_MAX = 20_000
const FIRST_ID = '00000000-0000-0000-0000-000000000000'
/** A row that is younger may still be followed by one with a smaller id. */
const SETTLED_AFTER_MS = 5_000

/**
 * How often each state was reached, ever. It is read from the database once and from then on only
 * what came since, so every worker tells the same number and a restart loses none.
 */
export class StateTotals {
  readonly #options: StateTotalsOptions
  readonly #events = new Map<string, StateTotal>()
  #position = 0
  #createdId = FIRST_ID
  #created = 0
  #failed = 0
  #isCaughtUp = false

  constructor(options: StateTotalsOptions) {
    this.#options = options
  }

  /** Reads what came since the last tick, a batch of each; answers how much that was. */
  async tick(): Promise<number> {
    const { database, batchMax = BATCH_MAX } = this.#options
    const last = await lastPosition(database)
    const upTo = Math.min(last, this.#position + batchMax)
    const read = upTo - this.#position
    for (const event of await countEvents(database, this.#position, upTo)) this.#add(event)
    this.#position = upTo
    const created = await this.#readCreated(batchMax)
    this.#failed = Math.max(this.#failed, await countFailed(database))
    if (upTo === last && created < batchMax) this.#isCaughtUp = true
    return read + created
  }

  /** The totals, or nothing while history is still read: a counter that jumps would lie. */
  totals(): readonly StateTotal[] {
    if (!this.#isCaughtUp) return []
    const payment = (state: string, count: number): StateTotal => ({
      kind: 'payment',
      state,
      cause: '',
      count,
    })
    return [
      payment('created', this.#created),
      payment('failed', this.#failed),
      ...this.#events.values(),
    ]
  }

  #add(event: StateTotal): void {
    const key = `${event.kind} ${event.state} ${event.cause}`
    const count = (this.#events.get(key)?.count ?? 0) + event.count
    this.#events.set(key, { ...event, count })
  }

  async #readCreated(limit: number): Promise<number> {
    const { database, clock } = this.#options
    const beforeId = idAt(clock.now().getTime() - SETTLED_AFTER_MS)
    const range = { afterId: this.#createdId, beforeId, limit }
    const { count, lastId } = await countCreated(database, range)
    this.#created += count
    this.#createdId = lastId ?? this.#createdId
    return count
  }
}

/** The smallest UUID of version 7 that an instant gives (RFC 9562, section 5.7). */
function idAt(atMs: number): string {
  const hex = Math.max(0, atMs).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`
}
