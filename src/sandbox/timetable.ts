import type { SandboxClock } from './clock.js'

interface Entry {
  readonly dueMs: number
  readonly run: () => Promise<void>
}

/** Node's timers overflow beyond 24.8 days; a long wait is cut into shorter ones. */
const WAIT_MAX_MS = 60 * 60 * 1000

/** What is to happen at which instant of the sandbox's clock. */
export class Timetable {
  readonly #clock: SandboxClock
  readonly #onError: (error: unknown) => void
  readonly #running = new Set<Promise<void>>()
  #entries: Entry[] = []
  #timer: NodeJS.Timeout | undefined
  #isStopped = false
  #advancing: Promise<void> = Promise.resolve()

  constructor(clock: SandboxClock, onError: (error: unknown) => void) {
    this.#clock = clock
    this.#onError = onError
  }

  /** Runs `run` when the clock reaches `dueMs`; entries of one instant keep their order. */
  schedule(dueMs: number, run: () => Promise<void>): void {
    if (this.#isStopped) return
    let index = this.#entries.length
    while (index > 0 && (this.#entries[index - 1]?.dueMs ?? 0) > dueMs) index -= 1
    this.#entries.splice(index, 0, { dueMs, run })
    if (index === 0) this.rearm()
  }

  /** To be called after the clock's rate has changed. */
  rearm(): void {
    clearTimeout(this.#timer)
    const next = this.#entries[0]
    if (!next || this.#isStopped) return
    const waitMs = Math.max(0, (next.dueMs - this.#clock.nowMs()) / this.#clock.rate)
    this.#timer = setTimeout(() => this.#tick(), Math.min(Math.ceil(waitMs), WAIT_MAX_MS))
  }

  /**
   * Moves the clock by `advanceMs`, stopping at each instant on the way where something is due
   * and finishing it, so that what happens carries the time at which it was due.
   */
  advance(advanceMs: number): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advance(advanceMs))
    return this.#advancing
  }

  /** Forgets all entries and waits for what is running. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#entries = []
    await Promise.all(this.#running)
  }

  async #advance(advanceMs: number): Promise<void> {
    const targetMs = this.#clock.nowMs() + advanceMs
    await Promise.all(this.#running)
    for (;;) {
      const next = this.#entries[0]
      if (!next || next.dueMs > targetMs || this.#isStopped) break
      this.#entries.shift()
      this.#clock.jumpTo(next.dueMs)
      this.#start(next)
      await Promise.all(this.#running)
    }
    this.#clock.jumpTo(targetMs)
    this.rearm()
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs()
    while ((this.#entries[0]?.dueMs ?? Infinity) <= nowMs) {
      const entry = this.#entries.shift()
      if (entry) this.#start(entry)
    }
    this.rearm()
  }

  #start(entry: Entry): void {
    const running = entry.run().catch(this.#onError)
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
  }
}
