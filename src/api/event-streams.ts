import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError } from '../domain/errors.js'

const POLL_MS = 250
const PER_MERCHANT_MAX = 20

/**
 * The open event streams of this process. However many there are, one statement asks for the end of
 * the outbox at most four times a second and wakes them when it has moved.
 */
export class EventStreams {
  readonly #head: () => Promise<number>
  readonly #open = new Map<AbortController, string>()
  readonly #waiting = new Set<() => void>()
  #lastHead = 0
  #polling = false

  constructor(head: () => Promise<number>) {
    this.#head = head
  }

  /**
   * Counts a stream; its signal says when it has to end, because the server does or it was closed.
   * @throws CodedError `too_many_streams`
   */
  enter(merchantId: string): AbortController {
    const own = [...this.#open.values()].filter((each) => each === merchantId)
    if (own.length >= PER_MERCHANT_MAX) {
      throw new CodedError('too_many_streams', { limit: PER_MERCHANT_MAX })
    }
    const controller = new AbortController()
    this.#open.set(controller, merchantId)
    return controller
  }

  leave(controller: AbortController): void {
    controller.abort()
    this.#open.delete(controller)
  }

  /** Waits until there is something behind a position, or the time is over, or the stream ends. */
  async wait(position: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#lastHead > position || signal.aborted) return
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, timeoutMs)
      signal.addEventListener('abort', wake)
      this.#waiting.add(wake)
      if (!this.#polling) void this.#poll()
    })
  }

  /** Ends every stream, so that the server can close. */
  endAll(): void {
    for (const controller of this.#open.keys()) controller.abort()
  }

  async #poll(): Promise<void> {
    this.#polling = true
    while (this.#waiting.size > 0) {
      // A failed question is not told: the streams wait on, and their heartbeats show that they do.
      const head = await this.#head().catch(() => this.#lastHead)
      if (head > this.#lastHead) {
        this.#lastHead = head
        for (const wake of this.#waiting) wake()
      }
      await sleep(POLL_MS)
    }
    this.#polling = false
  }
}
