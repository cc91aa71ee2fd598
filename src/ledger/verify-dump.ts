import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TextRow } from '../db/snapshot.js'
import {
  balanceOf,
  dayOf,
  instantUs,
  keyOf,
  numberedEntryOf,
  RowError,
  sealOf,
  transferOf,
  uuid,
} from './book-rows.js'
import { copyLine, copyRow } from './dump-format.js'
import { DumpReader, type DumpBatch } from './dump-reader.js'
import { EntryLines, sortKey } from './entry-lines.js'
import { Findings } from './findings.js'
import { LineSorter } from './sorted-lines.js'
import type { StoredDay } from './verify-days.js'
import { checkEntry, checkTransfer } from './verify-entry.js'
import { UnnumberedCheck } from './verify-unnumbered.js'
import { verifyBook, type Verdict, type VerifyOptions } from './verify.js'

/** How much of the time reading takes; the rest is putting entries in order by their numbers. */
const READING_SHARE = 0.7

/**
 * Checks the book in a dump, which is read once. The rows of a dump come in no particular order, so
 * they are sorted by entry and then by number, in files where they do not fit into memory.
 *
 * @throws DumpError when it is no dump, of another version, cut off, or damaged
 */
export async function verifyDump(file: string, options: VerifyOptions = {}): Promise<Verdict> {
  const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-verify-'))
  try {
    return await new DumpCheck(file, folder, options).run()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

class DumpCheck {
  readonly #file: string
  readonly #options: VerifyOptions
  readonly #reader: DumpReader
  readonly #findings = new Findings()
  readonly #lines = new EntryLines()
  readonly #keys = new Map<string, Buffer>()
  readonly #parts: LineSorter
  readonly #entries: LineSorter
  readonly #seals: LineSorter
  readonly #days: LineSorter
  #transfers = 0
  #latestUs = 0n

  constructor(file: string, folder: string, options: VerifyOptions) {
    this.#file = file
    this.#options = options
    this.#reader = new DumpReader(file)
    const sorter = (name: string): LineSorter => new LineSorter({ folder, name })
    this.#parts = sorter('parts')
    this.#entries = sorter('entries')
    this.#seals = sorter('seals')
    this.#days = sorter('days')
  }

  async run(): Promise<Verdict> {
    await this.#read()
    const waiting = await this.#checkEntries()
    const { onProgress = () => undefined } = this.#options
    onProgress((1 + READING_SHARE) / 2)
    const source = {
      transfers: this.#transfers,
      waiting,
      keys: this.#keys,
      entries: mapped(this.#entries.sorted(), (line) => this.#lines.sumOf(line)),
      seals: mapped(this.#seals.sorted(), (line) => sealOf(rowBehindKey(line))),
      days: daysOf(this.#days.sorted()),
    }
    const verdict = await verifyBook(source, this.#findings, this.#options)
    onProgress(1)
    return verdict
  }

  async #read(): Promise<void> {
    const { size } = await stat(this.#file)
    const { onProgress = () => undefined } = this.#options
    let read = 0
    const onRead = (characters: number): void => {
      read += characters
      onProgress(Math.min(1, read / size) * READING_SHARE)
    }
    for await (const batch of this.#reader.batches(onRead)) {
      this.#takeOrRefuse(batch)
      await this.#parts.makeRoom()
      await this.#seals.makeRoom()
      await this.#days.makeRoom()
    }
  }

  #takeOrRefuse({ table, rows }: DumpBatch): void {
    try {
      for (const row of rows) this.#take(table, row)
    } catch (error) {
      throw error instanceof RowError ? this.#reader.damaged(error.message) : error
    }
  }

  #take(table: DumpBatch['table'], row: TextRow): void {
    switch (table) {
      case 'journal_transfers':
        return this.#takeTransfer(row)
      case 'journal_order':
        return this.#parts.add(this.#lines.number(numberedEntryOf(row)))
      case 'journal_unsealed':
        return this.#parts.add(this.#lines.queued(uuid(row[0])))
      case 'seals':
        return this.#takeSeal(row)
      case 'seal_keys':
        return void this.#keys.set(keyOf(row).id, keyOf(row).publicKey)
      case 'balance_days':
        return this.#days.add(`${dayOf(row).day}\tday\t${copyLine(row)}`)
      case 'balance_checkpoints':
        return this.#days.add(`${balanceOf(row).day}\tof\t${copyLine(row)}`)
      default:
        return table satisfies never
    }
  }

  #takeTransfer(row: TextRow): void {
    const stored = transferOf(row)
    const transfer = checkTransfer(stored)
    this.#transfers += 1
    this.#see(transfer.recordedAtUs)
    this.#parts.add(this.#lines.transfer(stored.entryId, transfer))
  }

  #takeSeal(row: TextRow): void {
    const { sealNo, sealedAtUs } = sealOf(row)
    this.#see(sealedAtUs)
    this.#seals.add(`${sortKey(sealNo)}\t${copyLine(row)}`)
  }

  #see(atUs: bigint): void {
    if (atUs > this.#latestUs) this.#latestUs = atUs
  }

  /** Holds entries to their hashes and puts them in order. @returns how many wait for a seal. */
  async #checkEntries(): Promise<number> {
    const unnumbered = new UnnumberedCheck(this.#takenAtUs(), this.#findings)
    for await (const batch of this.#lines.entries(this.#parts.sorted())) {
      for (const { entryId, numbers, transfers, isQueued } of batch) {
        const isNumbered = numbers.length > 0
        if (isQueued && (isNumbered || transfers.length === 0)) {
          unnumbered.addWronglyQueued(entryId)
        }
        if (!isNumbered) for (const each of transfers) unnumbered.add(entryId, each, isQueued)
        for (const number of numbers) {
          this.#entries.add(this.#lines.sum(checkEntry(number, transfers, this.#findings)))
        }
      }
      await this.#entries.makeRoom()
    }
    return unnumbered.waiting
  }

  /** An export says when it was taken; a dump of another program is as old as its latest row. */
  #takenAtUs(): bigint {
    const { takenAt } = this.#reader
    try {
      return takenAt === undefined ? this.#latestUs : instantUs(takenAt)
    } catch {
      throw this.#reader.damaged('it does not say when it was taken')
    }
  }
}

const rowBehindKey = (line: string): TextRow => copyRow(line.slice(line.indexOf('\t') + 1))

async function* daysOf(batches: AsyncIterable<readonly string[]>): AsyncGenerator<StoredDay[]> {
  let open: (StoredDay & { readonly balances: Map<string, bigint> }) | undefined
  for await (const lines of batches) {
    const closed: StoredDay[] = []
    for (const line of lines) {
      const [key = '', kind, ...values] = line.split('\t')
      const row = copyRow(values.join('\t'))
      if (kind === 'day') {
        if (open !== undefined) closed.push(open)
        open = { ...dayOf(row), balances: new Map() }
      } else if (open?.day === key) {
        const { account, balanceFen } = balanceOf(row)
        open.balances.set(account, balanceFen)
      }
    }
    yield closed
  }
  if (open !== undefined) yield [open]
}

async function* mapped<From, To>(
  batches: AsyncIterable<readonly From[]>,
  convert: (each: From) => To,
): AsyncGenerator<To[]> {
  for await (const batch of batches) yield batch.map(convert)
}
