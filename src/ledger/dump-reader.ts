import { open as openFile } from 'node:fs/promises'
import type { TextRow } from '../db/snapshot.js'
import { BOOK_TABLES, type BookTable } from './book-rows.js'
import {
  copyRow,
  EXPORT_END,
  EXPORT_FORMAT,
  EXPORT_HEADER,
  EXPORT_TAKEN_AT,
  FORMAT_WITHOUT_AUDIT,
  PG_DUMP_END,
  PG_DUMP_HEADER,
  ROWS_END,
} from './dump-format.js'
import { LineTooLongError, readLines } from './lines.js'

export type DumpProblem = 'not_a_dump' | 'other_version' | 'cut_off' | 'damaged'

/** What is given as a dump cannot be checked; one sentence says why. */
export class DumpError extends Error {
  override readonly name = 'DumpError'
  readonly problem: DumpProblem

  constructor(problem: DumpProblem, message: string) {
    super(message)
    this.problem = problem
  }
}

/** Some rows of one table, with the values in the order of `BOOK_TABLES`. */
export interface DumpBatch {
  readonly table: BookTable
  readonly rows: readonly TextRow[]
}

const MAGIC: readonly (readonly [string, string])[] = [
  ['5047444d50', 'an archive of pg_dump: only its plain format can be read'],
  ['1f8b', 'compressed: unpack it first'],
  ['28b52ffd', 'compressed: unpack it first'],
  ['04224d18', 'compressed: unpack it first'],
]
const MAGIC_BYTES = 5
/** What dumps from before the audit log was sealed have not: these columns, these tables. */
const SINCE_AUDIT: Readonly<Partial<Record<BookTable, string>>> = {
  journal_order: 'kind',
  audit: 'recorded_at',
}
const AUDIT_TABLES: readonly BookTable[] = ['audit', 'audit_unsealed']
const FORMATS = [FORMAT_WITHOUT_AUDIT, EXPORT_FORMAT]
const INSERT = /^INSERT INTO (?:"?[a-z_]+"?\.)?"?([a-z_]+)"? /
const COPY = /^COPY (?:"?[a-z_]+"?\.)?"?([a-z_]+)"? \((.*)\) FROM stdin;$/

/** Reads the tables of the book from an export of ours, or from a plain one of pg_dump. */
export class DumpReader {
  readonly #file: string
  readonly #seen = new Set<BookTable>()
  /** The rows that come now are of this table, or of one that is passed over. */
  #open: { readonly table: BookTable | undefined; readonly order: readonly number[] } | undefined
  #line = 0
  #kind: 'export' | 'pg_dump' | undefined
  #isComplete = false
  /** A row of the book stands in it as a statement of its own. */
  #hasInserts = false
  /** The tables that are as they were before the audit log was sealed. */
  readonly #old = new Set<BookTable>()
  /** When an export of ours was taken, as the database writes an instant. */
  takenAt: string | undefined

  constructor(file: string) {
    this.#file = file
  }

  /**
   * @param onRead told how many characters were read
   * @throws DumpError when it is no dump, of another version, cut off, or damaged
   */
  async *batches(onRead: (characters: number) => void): AsyncGenerator<DumpBatch> {
    await this.#refuseOtherFormats()
    const lines = readLines(this.#file, onRead)
    for (;;) {
      const { done, value } = await lines.next().catch(explainRead)
      if (done === true) {
        this.#end(value)
        return
      }
      yield* this.#take(value)
    }
  }

  /** False when it was made before the audit log was sealed; known once all was read. */
  get hasAudit(): boolean {
    return !this.#old.has('journal_order')
  }

  /** Names the place for whatever is wrong with a value. */
  damaged(what: string): DumpError {
    return new DumpError('damaged', `The dump is damaged before line ${this.#line + 1}: ${what}.`)
  }

  async #refuseOtherFormats(): Promise<void> {
    const handle = await openFile(this.#file)
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0)
      const begin = buffer.subarray(0, bytesRead).toString('hex')
      const known = MAGIC.find(([magic]) => begin.startsWith(magic))
      if (known !== undefined) throw new DumpError('not_a_dump', `The file is ${known[1]}.`)
    } finally {
      await handle.close()
    }
  }

  *#take(lines: readonly string[]): Generator<DumpBatch> {
    let rows: TextRow[] = []
    for (const line of lines) {
      const open = this.#open
      this.#line += 1
      if (open === undefined) this.#readText(line)
      else if (line === ROWS_END) {
        if (open.table !== undefined) yield { table: open.table, rows }
        rows = []
        this.#open = undefined
      } else if (open.table !== undefined) rows.push(this.#readRow(line, open.order))
    }
    if (this.#open?.table !== undefined) yield { table: this.#open.table, rows }
  }

  #readRow(line: string, order: readonly number[]): TextRow {
    const values = copyRow(line)
    if (values.length !== order.length)
      throw this.damaged('a row has not as many values as columns')
    const row: (string | null)[] = []
    for (const [at, place] of order.entries()) row[place] = values[at] ?? null
    return row
  }

  #readText(line: string): void {
    if (this.#kind === undefined) this.#readHeader(line)
    if (this.#isComplete && this.#kind === 'export') throw this.damaged('it goes on after its end')
    if (line === (this.#kind === 'export' ? EXPORT_END : PG_DUMP_END)) this.#isComplete = true
    if (line.startsWith(EXPORT_TAKEN_AT)) {
      this.takenAt = line.slice(EXPORT_TAKEN_AT.length)
    }
    const [, inserted] = INSERT.exec(line) ?? []
    if (inserted !== undefined && Object.hasOwn(BOOK_TABLES, inserted)) this.#hasInserts = true
    const [, table, columns] = COPY.exec(line) ?? []
    if (table !== undefined && columns !== undefined) this.#openTable(table, columns)
  }

  #readHeader(line: string): void {
    if (line === PG_DUMP_HEADER) this.#kind = 'pg_dump'
    else if (FORMATS.some((format) => line === `${EXPORT_HEADER}${format}`)) this.#kind = 'export'
    else if (line.startsWith(EXPORT_HEADER)) {
      const format = line.slice(EXPORT_HEADER.length)
      const read = FORMATS.join(' and ')
      const what = `The export is of format ${format}, and this program reads ${read}.`
      throw new DumpError('other_version', what)
    } else if (line !== '' && line !== '--') {
      throw new DumpError('not_a_dump', 'The file is neither a ledger export nor a plain pg_dump.')
    }
  }

  #openTable(name: string, list: string): void {
    if (!Object.hasOwn(BOOK_TABLES, name)) {
      this.#open = { table: undefined, order: [] }
      return
    }
    const table = name as BookTable
    const wanted: readonly string[] = BOOK_TABLES[table]
    const columns = list.split(', ').map((column) => column.replaceAll('"', ''))
    const missing = wanted.filter((column) => !columns.includes(column))
    const unknown = columns.filter((column) => !wanted.includes(column))
    const isOld = missing.length === 1 && missing[0] === SINCE_AUDIT[table]
    if (isOld) this.#old.add(table)
    else if (missing.length > 0) throw otherVersion(`${table} lacks ${missing[0]}`)
    if (unknown.length > 0) throw otherVersion(`${table} has ${unknown[0]}`)
    const isUnsealed = isOld && table === 'audit'
    if (!isUnsealed) this.#seen.add(table)
    this.#open = {
      table: isUnsealed ? undefined : table,
      order: columns.map((column) => wanted.indexOf(column)),
    }
  }

  #end(hasLastLineEnd: boolean): void {
    if (this.#kind === undefined) {
      throw new DumpError('not_a_dump', 'The file is neither a ledger export nor a plain pg_dump.')
    }
    if (!this.#isComplete || this.#open !== undefined || !hasLastLineEnd) {
      throw new DumpError('cut_off', 'The dump is cut off: its last line is missing.')
    }
    if (this.#hasInserts) {
      const what = 'The dump has its rows as INSERT: make it without --inserts.'
      throw new DumpError('not_a_dump', what)
    }
    const tables = Object.keys(BOOK_TABLES) as BookTable[]
    if (!this.hasAudit && this.#seen.has('audit')) throw otherVersion('journal_order lacks kind')
    const absent = tables
      .filter((table) => !this.#seen.has(table))
      .filter((table) => this.hasAudit || !AUDIT_TABLES.includes(table))
    if (absent.length > 0) {
      const what = `The dump is of another version, or of a part: ${absent[0]} is not in it.`
      throw new DumpError('other_version', what)
    }
  }
}

const otherVersion = (which: string): DumpError =>
  new DumpError('other_version', `The dump is of another version: ${which}.`)

function explainRead(error: unknown): never {
  if (!(error instanceof LineTooLongError)) throw error
  throw new DumpError('not_a_dump', 'The file is neither a ledger export nor a plain pg_dump.')
}
