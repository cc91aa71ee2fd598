import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel } from '../domain/channel.js'

/**
 * WeChat Pay V2 lets a merchant number place about 500 orders and ask for 1800 a second. The rest
 * of each is left to whatever else runs under the same number.
 */
const PLACINGS_PER_SECOND = 450
const QUERIES_PER_SECOND = 1_600
/** What may go at once after a pause, in milliseconds of the rate. */
const BURST_MS = 100

/** A bucket of calls: each takes its turn, and only who is ahead of the rate waits. */
export class RateBucket {
  readonly #intervalMs: number
  #freeAtMs = 0

  constructor(perSecond: number) {
    this.#intervalMs = 1_000 / perSecond
  }

  /** Takes a turn. @returns how long to wait for it, in milliseconds */
  take(nowMs: number): number {
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs)
    const waitMs = this.#freeAtMs - nowMs - BURST_MS
    this.#freeAtMs += this.#intervalMs
    return Math.max(0, waitMs)
  }
}

/** The same channel, with its orders placed and asked for no faster than the channel takes them. */
export function atOrderRates<C extends Channel>(channel: C): C {
  const placings = new RateBucket(PLACINGS_PER_SECOND)
  const queries = new RateBucket(QUERIES_PER_SECOND)
  return {
    ...channel,
    placeOrder: async (order, options) => {
      await turn(placings, options.signal)
      return channel.placeOrder(order, options)
    },
    queryOrder: async (order, options) => {
      await turn(queries, options.signal)
      return channel.queryOrder(order, options)
    },
  }
}

async function turn(bucket: RateBucket, signal: AbortSignal | undefined): Promise<void> {
  const waitMs = bucket.take(performance.now())
  // A call that is aborted while it waits is made all the same, and answers that it was aborted.
  if (waitMs > 0)
    await sleep(waitMs, undefined, { ...(signal && { signal }) }).catch(() => undefined)
}
