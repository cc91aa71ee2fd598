import type { PoolClient } from 'pg'
import type { Database } from './pool.js'

/** The values of a row, each as the database writes it in text; null stays null. */
export type TextRow = readonly (string | null)[]

const ROWS_PER_FETCH = 2_000

/** One unchanging view of the database, for what reads more than fits into memory. */
export class Snapshot {
  readonly #client: PoolClient
  #cursors = 0

  constructor(client: PoolClient) {
    this.#client = client
  }

  /**
   * The rows of a query, some thousand at a time; several queries may be read in turns. The columns
   * must be text: instants and bytes then look the same wherever they are read.
   */
  async *batches(text: string): AsyncGenerator<readonly TextRow[]> {
    this.#cursors += 1
    const cursor = `snapshot_${this.#cursors}`
    await this.#client.query(`declare ${cursor} no scroll cursor for ${text}`)
    for (;;) {
      const { rows } = await this.#client.query<string[]>({
        text: `fetch ${ROWS_PER_FETCH} from ${cursor}`,
        rowMode: 'array',
      })
      if (rows.length > 0) yield rows
      if (rows.length < ROWS_PER_FETCH) break
    }
    await this.#client.query(`close ${cursor}`)
  }

  /** The single row of a query that gives one. */
  async one(text: string): Promise<TextRow> {
    for await (const [row] of this.batches(text)) if (row !== undefined) return row
    throw new Error('The query gives no row.')
  }
}

const SETTINGS = [
  'begin isolation level repeatable read read only',
  "set local timezone to 'UTC'",
  "set local datestyle to 'ISO'",
  "set local bytea_output to 'hex'",
  // All rows are fetched, so what counts is the last one and not the first.
  'set local cursor_tuple_fraction to 1',
]

/** Reads in one transaction that sees the database as it is now, and changes nothing. */
export async function inSnapshot<T>(
  database: Database,
  read: (snapshot: Snapshot) => Promise<T>,
): Promise<T> {
  const client = await database.pool.connect()
  let broken: Error | undefined
  const onBroken = (failure: Error): void => {
    broken = failure
  }
  client.on('error', onBroken)
  try {
    for (const setting of SETTINGS) await client.query(setting)
    return await read(new Snapshot(client))
  } finally {
    await client.query('rollback').catch(onBroken)
    client.off('error', onBroken)
    client.release(broken)
  }
}
