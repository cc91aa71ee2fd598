const REMEMBERED_MAX = 1_000

interface Entry<T> {
  readonly value: Promise<T>
  readonly readAtMs: number
}

/** Remembers what was found; what was not found, or failed to load, is asked for again. */
export class Remembered<T> {
  readonly #freshMs: number
  readonly #entries = new Map<string, Entry<T>>()

  constructor(freshMs: number) {
    this.#freshMs = freshMs
  }

  async get(key: string, load: () => Promise<T>): Promise<T> {
    const known = this.#entries.get(key)
    if (known !== undefined && performance.now() - known.readAtMs < this.#freshMs) {
      return known.value
    }
    // A bound on memory: whoever guesses addresses must not fill it.
    if (this.#entries.size >= REMEMBERED_MAX) this.#entries.clear()
    const entry = { value: load(), readAtMs: performance.now() }
    this.#entries.set(key, entry)
    const forget = (): void => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key)
    }
    entry.value.then((value) => isNothing(value) && forget(), forget)
    return entry.value
  }
}

const isNothing = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.length === 0)
