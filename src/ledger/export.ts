import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Database } from '../db/pool.js'
import { inSnapshot, type Snapshot } from '../db/snapshot.js'
import { BOOK_TABLES, textColumns, type BookTable } from './book-rows.js'
import {
  copyLine,
  EXPORT_END,
  EXPORT_FORMAT,
  EXPORT_HEADER,
  EXPORT_TAKEN_AT,
  ROWS_END,
} from './dump-format.js'

const TABLES = Object.keys(BOOK_TABLES) as BookTable[]
const COUNTS = TABLES.map((table) => `(select count(*) from ${table})`)
const COUNT = `select (${COUNTS.join(' + ')})::text`
const NOW = 'select clock_timestamp()::text'

/**
 * Writes what a check of the book needs into a file, as the book is at one moment: plain text that
 * `verifyDump` and psql read. The file appears when it is whole.
 *
 * @param onProgress told how much is done, from 0 to 1
 * @returns how many rows were written
 */
export async function exportBook(
  database: Database,
  file: string,
  onProgress: (done: number) => void = () => undefined,
): Promise<number> {
  const unfinished = `${file}.unfinished`
  try {
    const rows = await inSnapshot(database, (snapshot) => write(snapshot, unfinished, onProgress))
    await rename(unfinished, file)
    return rows
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  }
}

async function write(
  snapshot: Snapshot,
  file: string,
  onProgress: (done: number) => void,
): Promise<number> {
  const [total] = (await snapshot.one(COUNT)).map(Number)
  let rows = 0
  const onRows = (count: number): void => {
    rows += count
    onProgress(rows / (total || 1))
  }
  await pipeline(() => textOf(snapshot, onRows), createWriteStream(file, { mode: 0o600 }))
  return rows
}

async function* textOf(
  snapshot: Snapshot,
  onRows: (count: number) => void,
): AsyncGenerator<string> {
  const [takenAt] = await snapshot.one(NOW)
  yield `${EXPORT_HEADER}${EXPORT_FORMAT}\n${EXPORT_TAKEN_AT}${takenAt}\n`
  for (const table of TABLES) {
    yield `\nCOPY public.${table} (${BOOK_TABLES[table].join(', ')}) FROM stdin;\n`
    for await (const batch of snapshot.batches(`select ${textColumns(table)} from ${table}`)) {
      yield batch.map((row) => `${copyLine(row)}\n`).join('')
      onRows(batch.length)
    }
    yield `${ROWS_END}\n`
  }
  yield `\n${EXPORT_END}\n`
}
