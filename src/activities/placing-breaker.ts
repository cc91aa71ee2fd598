/** How many of an account's last placings are looked at. */
const REMEMBERED_MAX = 20
const SLOW_P50_MS = 500
/** A placing that is not answered by then counts as timed out, also while it goes on. */
const TIMED_OUT_MS = 1_500

interface Placing {
  readonly durationMs: number
  readonly timedOut: boolean
}

/**
 * Tells when an account's channel is so slow that placing orders should not be tried where others
 * are settled: while the last 20 placings had a median over 500 ms, or any of them timed out.
 * Placings on the channel's own queue go on, so it closes again by itself.
 */
export class PlacingBreaker {
  readonly #placings = new Map<string, Placing[]>()

  isOpen(accountId: string): boolean {
    const placings = this.#placings.get(accountId) ?? []
    return placings.some(({ timedOut }) => timedOut) || medianMs(placings) > SLOW_P50_MS
  }

  /** Runs one placing and notes how long it took, or that it is late as soon as it is. */
  async watch<T>(accountId: string, place: () => Promise<T>): Promise<T> {
    const startedMs = performance.now()
    let isNoted = false
    const note = (): void => {
      if (isNoted) return
      isNoted = true
      const durationMs = performance.now() - startedMs
      this.#note(accountId, { durationMs, timedOut: durationMs >= TIMED_OUT_MS })
    }
    const late = setTimeout(note, TIMED_OUT_MS)
    try {
      return await place()
    } finally {
      clearTimeout(late)
      note()
    }
  }

  #note(accountId: string, placing: Placing): void {
    const placings = this.#placings.get(accountId) ?? []
    this.#placings.set(accountId, [...placings, placing].slice(-REMEMBERED_MAX))
  }
}

function medianMs(placings: readonly Placing[]): number {
  const sorted = placings.map(({ durationMs }) => durationMs).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
