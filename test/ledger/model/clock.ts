const START = Date.parse('2026-03-01T02:00:00Z')
const DAY_MS = 86_400_000

/** Business time: a day between two steps, a millisecond between two looks at the clock. */
export class SteppingClock {
  #nowMs = START

  now(): Date {
    this.#nowMs += 1
    return new Date(this.#nowMs)
  }

  nextDay(): void {
    this.#nowMs += DAY_MS
  }

  /** Another merchant: what is too old to be refunded is so after a year. */
  startAgain(): void {
    this.#nowMs = START
  }
}

/** Later than every deadline there is, also than those that were set by what it told before. */
export class LateClock {
  #nowMs = Date.UTC(2100, 0, 1)

  now(): Date {
    this.#nowMs += 2 * DAY_MS
    return new Date(this.#nowMs)
  }
}
