/** The sandbox's time: it runs `rate` times as fast as the machine's and only ever forward. */
export class SandboxClock {
  #baseMs: number
  #realMs = Date.now()
  #rate: number

  constructor(start: { nowMs: number; rate: number }) {
    this.#baseMs = start.nowMs
    this.#rate = start.rate
  }

  get rate(): number {
    return this.#rate
  }

  /** Milliseconds since the epoch, whole. */
  nowMs(): number {
    const elapsedMs = Math.max(0, Date.now() - this.#realMs)
    return Math.floor(this.#baseMs + elapsedMs * this.#rate)
  }

  setRate(rate: number): void {
    this.#rebase(this.nowMs())
    this.#rate = rate
  }

  /** Sets the clock forward; an instant that has passed leaves it as it is. */
  jumpTo(atMs: number): void {
    this.#rebase(Math.max(atMs, this.nowMs()))
  }

  #rebase(nowMs: number): void {
    this.#baseMs = nowMs
    this.#realMs = Date.now()
  }
}
