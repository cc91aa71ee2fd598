import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TextRow } from '../db/snapshot.js'
import { grouped, mapped, type Batches } from './batches.js'
import {
  auditTextOf,
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
import { EntryLines, sortKey, type EntryParts } from './entry-lines.js'
import { Findings } from './findings.js'
import { LineSorter } from './sorted-lines.js'
import { checkAuditEntry, checkAuditLine } from './verify-audit.js'
import type { StoredDay } from './verify-days.js'
import { checkEntry, checkTransfer, type EntrySum, type NumberedEntry } from './verify-entry.js'
import { UnnumberedCheck, type Waiting } from './verify-unnumbered.js'
import { verifyBook, type Verdict, type VerifyOptions } from './verify.js'

/** What sorts a day before its balances, behind the day. */
const DAY = ' 0'
const DAY_BALANCE = ' 1'
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
      hasAudit: this.#reader.hasAudit,
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
        return this.#parts.add(this.#lines.queued('entry', uuid(row[0])))
      case 'seals':
        return this.#takeSeal(row)
      case 'seal_keys':
        return void this.#keys.set(keyOf(row).id, keyOf(row).publicKey)
      case 'balance_days':
        return this.#days.add(`${dayOf(row, []).day}${DAY}\t${copyLine(row)}`)
      case 'balance_checkpoints':
        return this.#days.add(`${balanceOf(row).day}${DAY_BALANCE}\t${copyLine(row)}`)
      case 'audit':
        return this.#takeAuditLine(row)
      case 'audit_unsealed':
        return this.#parts.add(this.#lines.queued('audit', uuid(row[0])))
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

  #takeAuditLine(row: TextRow): void {
    const stored = auditTextOf(row)
    const line = checkAuditLine(stored)
    this.#see(line.recordedAtUs)
    this.#parts.add(this.#lines.auditLine(stored.id, line))
  }

  #takeSeal(row: TextRow): void {
    const { sealNo, sealedAtUs } = sealOf(row)
    this.#see(sealedAtUs)
    this.#seals.add(`${sortKey(sealNo)}\t${copyLine(row)}`)
  }

  #see(atUs: bigint): void {
    if (atUs > this.#latestUs) this.#latestUs = atUs
  }

  /** Holds what is sealed to its hashes and puts it in order. @returns what waits for a seal. */
  async #checkEntries(): Promise<Waiting> {
    const unnumbered = new UnnumberedCheck(this.#takenAtUs(), this.#findings)
    for await (const batch of this.#lines.entries(this.#parts.sorted())) {
      for (const parts of batch) {
        if (parts.numbers.length === 0) addUnnumbered(unnumbered, parts)
        for (const number of parts.numbers) {
          this.#entries.add(this.#lines.sum(this.#checkNumbered(number, parts)))
        }
        if (parts.isQueued && (parts.numbers.length > 0 || !hasRows(parts))) {
          unnumbered.addWronglyQueued(parts.kind, parts.entryId)
        }
      }
      await this.#entries.makeRoom()
    }
    return unnumbered.waiting
  }

  #checkNumbered(number: NumberedEntry, { kind, transfers, auditLines }: EntryParts): EntrySum {
    return kind === 'entry'
      ? checkEntry(number, transfers, this.#findings)
      : checkAuditEntry(number, auditLines, this.#findings)
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

const hasRows = ({ transfers, auditLines }: EntryParts): boolean =>
  transfers.length + auditLines.length > 0

function addUnnumbered(check: UnnumberedCheck, parts: EntryParts): void {
  const { entryId, transfers, auditLines, isQueued } = parts
  for (const each of transfers) check.add(entryId, each, isQueued)
  for (const each of auditLines) check.addAuditLine(entryId, each, isQueued)
}

const rowBehindKey = (line: string): TextRow => copyRow(line.slice(line.indexOf('\t') + 1))

/** The lines of a day come one after another: first the day itself, then its balances. */
async function* daysOf(lines: Batches<string>): AsyncGenerator<StoredDay[]> {
  for await (const groups of grouped(lines, (line) => line.slice(0, line.indexOf(' ')))) {
    yield groups
      .filter(([first]) => first.slice(first.indexOf(' ')).startsWith(DAY))
      .map(([first, ...rest]) => dayOf(rowBehindKey(first), rest.map(rowBehindKey)))
  }
}
