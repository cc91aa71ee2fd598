import { setTimeout as sleep } from 'node:timers/promises'
import type { Standing } from '../db/standings.js'

const POLL_MS = 250

/**
 * Waits until a payment or a refund stands elsewhere. However many callers wait, the process asks
 * the database with one statement for all of them, four times a second.
 */
export class ChangeWaiter {
  readonly #read: (ids: readonly string[]) => Promise<Standing[]>
  readonly #waiting = new Map<string, Set<(standing: string) => void>>()
  readonly #stopping = new AbortController()
  #isPolling = false

  constructor(read: (ids: readonly string[]) => Promise<Standing[]>) {
    this.#read = read
  }

  /** Returns once the object's standing is not `from` any more, or when `timeoutMs` is over. */
  async wait(id: string, from: string, timeoutMs: number): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const listeners = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, listeners)
    let listener: (standing: string) => void = () => undefined
    const over = new AbortController()
    const changed = new Promise<void>((resolve) => {
      listener = (standing) => {
        if (standing !== from) resolve()
      }
      listeners.add(listener)
    })
    if (!this.#isPolling) void this.#poll()
    try {
      const signal = AbortSignal.any([over.signal, this.#stopping.signal])
      await Promise.race([changed, pause(timeoutMs, signal)])
    } finally {
      over.abort()
      listeners.delete(listener)
      if (listeners.size === 0 && this.#waiting.get(id) === listeners) this.#waiting.delete(id)
    }
  }

  /** Lets everybody go, so that a server that closes does not wait for those who wait. */
  stop(): void {
    this.#stopping.abort()
  }

  async #poll(): Promise<void> {
    this.#isPolling = true
    while (this.#waiting.size > 0) {
      await pause(POLL_MS, this.#stopping.signal)
      // A failed read is not told: each waiter has its own time limit, and the rows stay.
      const standings = await this.#read([...this.#waiting.keys()]).catch(() => [])
      for (const { id, standing } of standings) {
        for (const listener of this.#waiting.get(id) ?? []) listener(standing)
      }
    }
    this.#isPolling = false
  }
}

/** Waits, but no longer than until it is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
