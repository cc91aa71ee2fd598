import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Ahead } from './batches.js'
import { readLines } from './lines.js'

export interface LineSorterOptions {
  /** Where what does not fit into memory is put meanwhile. */
  readonly folder: string
  /** Tells the files of one sorter from those of another. */
  readonly name: string
  /** How many characters are kept in memory before they are put into a file. */
  readonly charactersMax?: number
}

const CHARACTERS_MAX = 8 * 1024 * 1024
/** So many files are open at most while they are merged. */
const RUNS_MAX = 128
/** How much of each is read at a time: all of them stand in memory together. */
const RUN_CHUNK_BYTES = 128 * 1024
const LINES_PER_BATCH = 2_000

/**
 * Sorts any number of lines in a bounded amount of memory: what does not fit is put into sorted
 * files, which are merged in the end. Lines are ordered by their UTF-16 code units.
 */
export class LineSorter {
  readonly #options: LineSorterOptions
  readonly #charactersMax: number
  #lines: string[] = []
  #characters = 0
  #runs: string[] = []
  #files = 0

  constructor(options: LineSorterOptions) {
    this.#options = options
    this.#charactersMax = options.charactersMax ?? CHARACTERS_MAX
  }

  add(line: string): void {
    this.#lines.push(line)
    this.#characters += line.length
  }

  /** To be awaited now and then while lines are added: here memory is given back. */
  async makeRoom(): Promise<void> {
    if (this.#characters < this.#charactersMax) return
    this.#runs.push(await this.#write(inBatches(this.#lines.toSorted(byCodeUnits))))
    this.#lines = []
    this.#characters = 0
    if (this.#runs.length >= RUNS_MAX) {
      const merged = await this.#write(merge(this.#runs.map(readRun)))
      await Promise.all(this.#runs.map((file) => rm(file)))
      this.#runs = [merged]
    }
  }

  /** All lines in order, in batches. No line may be added any more. */
  sorted(): AsyncIterable<readonly string[]> {
    const inMemory = inBatches(this.#lines.toSorted(byCodeUnits))
    this.#lines = []
    if (this.#runs.length === 0) return inMemory
    return merge([...this.#runs.map(readRun), inMemory])
  }

  async #write(batches: AsyncIterable<readonly string[]>): Promise<string> {
    const file = path.join(this.#options.folder, `${this.#options.name}-${this.#files}`)
    this.#files += 1
    await pipeline(() => textOf(batches), createWriteStream(file, { mode: 0o600 }))
    return file
  }
}

const readRun = (file: string): AsyncIterable<string[]> =>
  readLines(file, undefined, RUN_CHUNK_BYTES)

async function* textOf(batches: AsyncIterable<readonly string[]>): AsyncGenerator<string> {
  for await (const batch of batches) if (batch.length > 0) yield `${batch.join('\n')}\n`
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

async function* inBatches(lines: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let at = 0; at < lines.length; at += LINES_PER_BATCH) {
    yield lines.slice(at, at + LINES_PER_BATCH)
  }
}

type Run = Ahead<string>

async function* merge(
  sources: readonly AsyncIterable<readonly string[]>[],
): AsyncGenerator<readonly string[]> {
  const heap: Run[] = []
  for (const source of sources) {
    const run = await Ahead.of(source)
    if (run.next !== undefined) heap.push(run)
  }
  for (let at = (heap.length >> 1) - 1; at >= 0; at -= 1) sink(heap, at)
  let batch: string[] = []
  for (let least = heap[0]; least?.next !== undefined; least = heap[0]) {
    batch.push(least.next)
    if (batch.length >= LINES_PER_BATCH) {
      yield batch
      batch = []
    }
    if (!least.step()) await least.read()
    if (least.next === undefined) {
      const last = heap.pop()
      if (last !== undefined && last !== least) heap[0] = last
    }
    sink(heap, 0)
  }
  yield batch
}

/** Moves an element of a binary heap down until none below it is less. */
function sink(heap: Run[], from: number): void {
  for (let at = from; ;) {
    const [left, right] = [2 * at + 1, 2 * at + 2]
    let least = at
    if (isLess(heap[left], heap[least])) least = left
    if (isLess(heap[right], heap[least])) least = right
    const [above, below] = [heap[at], heap[least]]
    if (least === at || above === undefined || below === undefined) return
    heap[at] = below
    heap[least] = above
    at = least
  }
}

const isLess = (a: Run | undefined, b: Run | undefined): boolean =>
  a?.next !== undefined && b?.next !== undefined && a.next < b.next
