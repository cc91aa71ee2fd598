import pg from 'pg'
import { refuseInsideTransaction } from './transaction-scope.js'

/**
 * A statement with a name is prepared once per connection. The few whose text varies have none.
 */
export interface Statement {
  readonly name?: string
  readonly text: string
}

/** A statement of its own name; two texts never share one. */
export const sql = (name: string, text: string): Statement => ({ name, text })

/** What runs a statement: the pool for single reads, a transaction for everything else. */
export interface Queryable {
  rows<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>
}

export interface DatabaseOptions {
  readonly url: string
  /** Connections held at most. */
  readonly connectionsMax: number
  readonly applicationName: string
  /** How long a connection is waited for; 5 s unless given, as suits those whom somebody awaits. */
  readonly connectTimeoutMs?: number
  /** How long a statement waits for rows that another transaction holds; for ever unless given. */
  readonly lockTimeoutMs?: number
  /** How long a transaction may hold rows and ask for nothing; for ever unless given. */
  readonly idleInTransactionMs?: number
}

const CONNECT_TIMEOUT_MS = 5_000
/** A server that is gone without a word is noticed by what the system sends after this. */
const KEEP_ALIVE_AFTER_MS = 10_000

/**
 * The limits of a service. What holds a row for longer has lost its machine, and whoever waits for
 * it would take one connection after another until none is left for anybody else.
 */
export const SERVICE_LIMITS = { lockTimeoutMs: 20_000, idleInTransactionMs: 60_000 } as const

// bigint columns hold fen and counts, all far inside a safe integer (money.ts bounds them).
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.INT8 && format !== 'binary'
      ? (text: string) => Number(text)
      : pg.types.getTypeParser(oid, format),
}

/** The pool of one process, as one database role. */
export class Database implements Queryable {
  readonly pool: pg.Pool

  constructor(options: DatabaseOptions) {
    this.pool = new pg.Pool({
      connectionString: options.url,
      max: options.connectionsMax,
      application_name: options.applicationName,
      connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      lock_timeout: options.lockTimeoutMs,
      idle_in_transaction_session_timeout: options.idleInTransactionMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
      // Statements that do not wait for each other leave together: one round trip for all.
      pipeline: true,
      types,
    })
    // An idle connection that breaks is replaced by the pool; without a listener it would end us.
    this.pool.on('error', () => undefined)
  }

  /** @throws Error inside a transaction, where this statement would be outside of it. */
  async rows<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    refuseInsideTransaction('A statement on a connection of its own')
    return (await this.pool.query({ ...statement, values: [...values] })).rows as Row[]
  }

  /** True when a trivial statement is answered in time. */
  async isReachable(timeoutMs: number): Promise<boolean> {
    const timeout = new Promise<false>((resolve) => {
      setTimeout(() => resolve(false), timeoutMs).unref()
    })
    const answer = this.pool.query('select 1').then(
      () => true,
      () => false,
    )
    return Promise.race([answer, timeout])
  }

  async close(): Promise<void> {
    await this.pool.end()
  }
}

/** The single row a statement must give. @throws Error when it gives another number of rows. */
export function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined || rows.length > 1) {
    throw new Error(`Expected one row, got ${rows.length}.`)
  }
  return row
}
