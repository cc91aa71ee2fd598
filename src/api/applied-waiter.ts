import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 100

export interface Applied<Outcome> {
  readonly id: string
  readonly outcome: Outcome
}

/**
 * Waits for what people said to be applied. However many requests wait, the process asks the
 * database with one statement for all of them, at most ten times a second.
 */
export class AppliedWaiter<Outcome extends string> {
  readonly #read: (ids: readonly string[]) => Promise<Applied<Outcome>[]>
  readonly #waiting = new Map<string, Set<(outcome: Outcome) => void>>()
  #polling = false

  constructor(read: (ids: readonly string[]) => Promise<Applied<Outcome>[]>) {
    this.#read = read
  }

  /** The outcome once it stands in the row, or undefined when `timeoutMs` is over before. */
  async wait(id: string, timeoutMs: number): Promise<Outcome | undefined> {
    const { promise, resolve } = deferred<Outcome | undefined>()
    const listeners = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, listeners.add(resolve))
    const timer = setTimeout(() => resolve(undefined), timeoutMs)
    if (!this.#polling) void this.#poll()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      listeners.delete(resolve)
      if (listeners.size === 0 && this.#waiting.get(id) === listeners) this.#waiting.delete(id)
    }
  }

  async #poll(): Promise<void> {
    this.#polling = true
    while (this.#waiting.size > 0) {
      // A failed read is not told: each waiter has its own time limit, and the rows stay.
      const applied = await this.#read([...this.#waiting.keys()]).catch(() => [])
      for (const { id, outcome } of applied) {
        for (const resolve of this.#waiting.get(id) ?? []) resolve(outcome)
      }
      await sleep(POLL_MS)
    }
    this.#polling = false
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
