import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { Database } from '../../src/db/pool.js'
import {
  inTransaction,
  LOCK_RANK,
  sqlState,
  violatedConstraint,
  type Transaction,
} from '../../src/db/transaction.js'
import { openBook, run, type Book } from './support/book.js'
import { meeting, type Meeting } from './support/meeting.js'

let book: Book
let database: Database

beforeAll(async () => {
  book = await openBook()
  database = book.owner
  await run(
    database,
    'create table counters (id int primary key, value int not null check (value < 100))',
  )
})

afterAll(() => book.close())

const put = (tx: Transaction, id: number): Promise<unknown> =>
  tx.rows({ text: 'insert into counters values ($1, 0)' }, [id])
const bump = (tx: Transaction, id: number): Promise<unknown> =>
  tx.rows({ text: 'update counters set value = value + 1 where id = $1' }, [id])

async function valueOf(id: number): Promise<number | undefined> {
  const rows = await run<{ value: number }>(database, 'select value from counters where id = $1', [
    id,
  ])
  return rows[0]?.value
}

const failure = (code: string): Error => Object.assign(new Error(`failure ${code}`), { code })

describe('transactions', () => {
  test('work that returns: is stored and its result answered', async () => {
    const answer = await inTransaction(database, async (tx) => {
      await put(tx, 1)
      return 'stored'
    })
    expect([answer, await valueOf(1)]).toEqual(['stored', 0])
  })

  test('work that throws: leaves nothing, and the error is its own', async () => {
    const error = new Error('no more')
    const work = inTransaction(database, async (tx) => {
      await put(tx, 2)
      throw error
    })
    await expect(work).rejects.toBe(error)
    expect(await valueOf(2)).toBeUndefined()
  })

  test('a statement that failed and was ignored: never looks as if it were stored', async () => {
    const work = inTransaction(database, async (tx) => {
      await put(tx, 3)
      await tx.rows({ text: 'select no_such_column from counters' }, []).catch(() => undefined)
      return 'stored'
    })
    await expect(work).rejects.toThrow('A failed statement was ignored: nothing is stored.')
    expect(await valueOf(3)).toBeUndefined()
  })

  test.each([
    ['a serialization failure', '40001'],
    ['a deadlock', '40P01'],
  ])('%s: begins again, without what the first try wrote', async (_, code) => {
    let tries = 0
    const id = code === '40001' ? 4 : 5
    await inTransaction(database, async (tx) => {
      tries += 1
      await put(tx, id)
      await bump(tx, id)
      if (tries < 5) throw failure(code)
    })
    expect([tries, await valueOf(id)]).toEqual([5, 1])
  })

  test('a transaction that fails for ever: is given up after five tries', async () => {
    let tries = 0
    const work = inTransaction(database, async () => {
      tries += 1
      throw failure('40001')
    })
    await expect(work).rejects.toThrow('failure 40001')
    expect(tries).toBe(5)
  })

  test('any other error: is not repeated', async () => {
    let tries = 0
    const work = inTransaction(database, async (tx) => {
      tries += 1
      await tx.rows({ text: 'insert into counters values (6, 100)' }, [])
    })
    const error = await work.catch((caught: unknown) => caught)
    expect([tries, sqlState(error), violatedConstraint(error)]).toEqual([
      1,
      '23514',
      'counters_value_check',
    ])
  })

  test('two that really lock crosswise: both end, each having done its work once', async () => {
    await run(database, 'insert into counters values (7, 0), (8, 0)')
    const [one, two] = [meeting(), meeting()]
    const cross = (first: number, second: number, mine: Meeting, theirs: Meeting) =>
      inTransaction(database, async (tx) => {
        await bump(tx, first)
        mine.arrive()
        await theirs.met
        await bump(tx, second)
      })
    await Promise.all([cross(7, 8, one, two), cross(8, 7, two, one)])
    expect([await valueOf(7), await valueOf(8)]).toEqual([2, 2])
  })

  test('a connection that broke: is not used again', async () => {
    const work = inTransaction(book.api, (tx) =>
      tx.rows({ text: 'select pg_terminate_backend(pg_backend_pid())' }, []),
    )
    await expect(work).rejects.toThrow(/terminat/)
    expect(await run(book.api, 'select 1 as one')).toEqual([{ one: 1 }])
  })
})

describe('the order of locks', () => {
  const RANKS = Object.entries(LOCK_RANK) as [keyof typeof LOCK_RANK, number][]

  test('the ranks: from the idempotency key to the message', () => {
    expect(RANKS.toSorted((one, two) => one[1] - two[1]).map(([name]) => name)).toEqual([
      'idempotencyKey',
      'order',
      'payment',
      'refund',
      'account',
      'dayTotal',
      'message',
    ])
  })

  test.each(RANKS.flatMap(([first]) => RANKS.map(([second]) => [first, second] as const)))(
    '%s and then %s: only upwards',
    async (first, second) => {
      const work = inTransaction(database, async (tx) => {
        tx.lock(first)
        tx.lock(second)
      })
      if (LOCK_RANK[second] >= LOCK_RANK[first]) await expect(work).resolves.toBeUndefined()
      else await expect(work).rejects.toThrow(/^Lock order: /)
    },
  )
})
