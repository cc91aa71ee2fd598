import type { PoolClient } from 'pg'
import type { Database, Queryable, Statement } from './pool.js'
import { insideTransaction, refuseInsideTransaction } from './transaction-scope.js'

/**
 * The order in which rows are locked, lowest first. Taking a lower rank while holding a higher one
 * is how deadlocks begin, so it throws. Journal, outbox and audit rows are only ever inserted,
 * under the payment's lock, so they need no rank.
 */
export const LOCK_RANK = {
  idempotencyKey: 1,
  order: 2,
  payment: 3,
  refund: 4,
  account: 5,
  dayTotal: 6,
  message: 7,
} as const

const ATTEMPTS_MAX = 5
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
/** What a statement fails with because one before it has failed: it tells nothing. */
const IN_FAILED_TRANSACTION = '25P02'

/** The inside of one transaction: its statements, and the order in which it locks. */
export class Transaction implements Queryable {
  readonly #client: PoolClient
  readonly #sent: Promise<unknown>[] = []
  #rank = 0

  constructor(client: PoolClient) {
    this.#client = client
  }

  /** Says which rank the next statement locks. @throws Error on an inversion of the lock order. */
  lock(rank: keyof typeof LOCK_RANK): this {
    const next = LOCK_RANK[rank]
    if (next < this.#rank) {
      throw new Error(`Lock order: ${rank} (${next}) is taken after rank ${this.#rank}.`)
    }
    this.#rank = next
    return this
  }

  /**
   * Sends a statement at once. Statements that are sent before one is awaited run in their order
   * and share a round trip; when one fails, those behind it fail too and nothing is stored.
   */
  async rows<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    return (await this.#client.query({ ...statement, values: [...values] })).rows as Row[]
  }

  /**
   * Sends a statement that has nothing to tell. It runs in its place, but is waited for with the
   * commit, whose round trip it shares; its failure is that of the transaction.
   */
  send(statement: Statement, values: readonly unknown[]): void {
    const sent = this.rows(statement, values)
    // Heard at the end of the transaction, which may be some awaits away.
    sent.catch(() => undefined)
    this.#sent.push(sent)
  }

  /** @throws what the first of the statements sent failed with */
  async settled(): Promise<void> {
    await Promise.all(this.#sent)
  }
}

/**
 * Runs `work` in one transaction: commits when it returns, rolls back when it throws, and begins
 * again after a serialization failure or a deadlock, at most five times. `work` must therefore
 * touch nothing but its transaction, and what would is refused (`refuseInsideTransaction`).
 */
export async function inTransaction<T>(
  database: Database,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  refuseInsideTransaction('A second transaction')
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(database, work)
    } catch (error) {
      if (attempt >= ATTEMPTS_MAX || !isWorthRepeating(error)) throw error
    }
  }
}

async function runOnce<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const client = await database.pool.connect()
  let broken: Error | undefined
  const onBroken = (failure: Error): void => {
    broken = failure
  }
  // The pool listens to idle connections only: one that breaks in use would end the process.
  client.on('error', onBroken)
  const tx = new Transaction(client)
  try {
    // Sent ahead of the first statement, whose round trip it shares: it fails with its connection.
    const begun = client.query('begin')
    begun.catch(() => undefined)
    const result = await insideTransaction(() => work(tx))
    await begun
    const committed = client.query('commit')
    committed.catch(() => undefined)
    await tx.settled()
    const { command } = await committed
    // Where a statement had failed and `work` went on, the database answers ROLLBACK to a commit.
    if (command !== 'COMMIT') throw new Error('A failed statement was ignored: nothing is stored.')
    return result
  } catch (error) {
    // A connection that cannot even roll back is thrown away, not put back into the pool.
    await client.query('rollback').catch(onBroken)
    throw await causeOf(tx, error)
  } finally {
    client.off('error', onBroken)
    client.release(broken)
  }
}

/**
 * What was sent without waiting may be why what came behind it failed, and the other way round: of
 * the two it is the one that does not merely say that another failed.
 */
async function causeOf(tx: Transaction, error: unknown): Promise<unknown> {
  const sent = await tx.settled().then(
    () => undefined,
    (failure: unknown) => failure,
  )
  const isConsequence = sent === undefined || sqlState(sent) === IN_FAILED_TRANSACTION
  return isConsequence ? error : sent
}

/** The SQLSTATE of a database error, or undefined for any other. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/** The constraint that refused a write, where the database names one. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof Error && 'constraint' in error && typeof error.constraint === 'string'
    ? error.constraint
    : undefined
}

function isWorthRepeating(error: unknown): boolean {
  const state = sqlState(error)
  return state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED
}
