/** Items that come some thousand at a time, which costs much less than one at a time. */
export type Batches<Item> = AsyncIterable<readonly Item[]>

export type Group<Item> = readonly [Item, ...Item[]]

export async function* mapped<From, To>(
  batches: Batches<From>,
  convert: (each: From) => To,
): AsyncGenerator<To[]> {
  for await (const batch of batches) yield batch.map(convert)
}

/** Puts together items that follow each other and have the same key. */
export async function* grouped<Item>(
  batches: Batches<Item>,
  keyOf: (item: Item) => string,
): AsyncGenerator<Group<Item>[]> {
  let open: [Item, ...Item[]] | undefined
  let openKey = ''
  for await (const items of batches) {
    const closed: Group<Item>[] = []
    for (const item of items) {
      const key = keyOf(item)
      if (open !== undefined && key === openKey) {
        open.push(item)
        continue
      }
      if (open !== undefined) closed.push(open)
      open = [item]
      openKey = key
    }
    yield closed
  }
  if (open !== undefined) yield [open]
}

/** Two sources in order as one, by a number that each item has; of equals the first source's. */
export async function* inTurns<Item>(
  first: Batches<Item>,
  second: Batches<Item>,
  numberOf: (item: Item) => number,
): AsyncGenerator<Item[]> {
  const one = await Ahead.of(first)
  const other = await Ahead.of(second)
  while (one.next !== undefined || other.next !== undefined) {
    const batch: Item[] = []
    for (let left = BATCH; left > 0; left -= 1) {
      const source = isBefore(one.next, other.next, numberOf) ? one : other
      if (source.next === undefined) break
      batch.push(source.next)
      if (!source.step()) await source.read()
    }
    yield batch
  }
}

const BATCH = 2_000

const isBefore = <Item>(
  one: Item | undefined,
  other: Item | undefined,
  numberOf: (item: Item) => number,
): boolean => one !== undefined && (other === undefined || numberOf(one) <= numberOf(other))

/** The items of a source one at a time, the next one in view. */
export class Ahead<Item> {
  readonly #batches: AsyncIterator<readonly Item[]>
  #batch: readonly Item[] = []
  #at = 0

  private constructor(batches: Batches<Item>) {
    this.#batches = batches[Symbol.asyncIterator]()
  }

  static async of<Item>(batches: Batches<Item>): Promise<Ahead<Item>> {
    const ahead = new Ahead(batches)
    await ahead.read()
    return ahead
  }

  /** Undefined when all were seen. */
  get next(): Item | undefined {
    return this.#batch[this.#at]
  }

  /** Goes on within what was read; false when more must be read first. */
  step(): boolean {
    this.#at += 1
    return this.#at < this.#batch.length
  }

  async read(): Promise<void> {
    this.#at = 0
    do {
      const { done, value } = await this.#batches.next()
      this.#batch = done === true ? [] : value
      if (done === true) return
    } while (this.#batch.length === 0)
  }

  async advance(): Promise<void> {
    if (!this.step()) await this.read()
  }
}
