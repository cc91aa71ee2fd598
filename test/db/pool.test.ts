import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

import { isDatabaseAway } from '../../src/db/away.js'
import { Database, only } from '../../src/db/pool.js'
import { inTransaction } from '../../src/db/transaction.js'
import { PAYMENT_FEN_MAX } from '../../src/domain/money.js'
import { connect, openBook, run, type Book } from './support/book.js'
import { meeting } from './support/meeting.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

describe('the pool', () => {
  test('amounts: come back as numbers, sums and counts too', async () => {
    const [row] = await run(
      book.api,
      `select ${PAYMENT_FEN_MAX}::bigint as fen, sum(1)::bigint as sum, count(*) as count,
         null::bigint as nothing`,
    )
    expect(row).toEqual({ fen: PAYMENT_FEN_MAX, sum: 1, count: 1, nothing: null })
  })

  test('a server that is there: is reachable', async () => {
    expect(await book.api.isReachable(2_000)).toBe(true)
  })

  test('a server that is not there: is not reachable, and the error says it is away', async () => {
    const url = new URL(book.apiUrl)
    url.port = '1'
    const database = connect(url.href, 1)
    onTestFinished(() => database.close())
    expect(await database.isReachable(2_000)).toBe(false)
    const error = await run(database, 'select 1').catch((caught: unknown) => caught)
    expect(isDatabaseAway(error)).toBe(true)
  })

  test('a server that never answers: is given up after the time allowed', async () => {
    const silent = createServer()
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve)
    })
    onTestFinished(() => {
      silent.close()
    })
    const { port } = silent.address() as AddressInfo
    const database = connect(`postgresql://nobody:x@127.0.0.1:${port}/none`, 1)
    const startedAt = performance.now()
    expect(await database.isReachable(100)).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(3_000)
  })

  test('rows that somebody holds: are waited for as long as is allowed', async () => {
    const database = new Database({
      url: book.workerUrl,
      connectionsMax: 1,
      applicationName: 'yuanlu-test',
      lockTimeoutMs: 50,
      idleInTransactionMs: 3_600_000,
    })
    onTestFinished(() => database.close())
    const [held, over] = [meeting(), meeting()]
    const holder = inTransaction(book.owner, async (tx) => {
      await tx.rows({ text: 'lock table stream_cursors in access exclusive mode' }, [])
      held.arrive()
      await over.met
    })
    await held.met
    const read = () => run(database, 'select from stream_cursors')
    const error = await read().catch((caught: unknown) => caught)
    over.arrive()
    await holder
    expect(isDatabaseAway(error)).toBe(true)
    // Its only connection is free again.
    await read()
    const name = 'idle_in_transaction_session_timeout'
    expect(await run(database, `select current_setting('${name}') as value`)).toEqual([
      { value: '1h' },
    ])
  })

  test.each([
    ['57P01', true],
    ['08006', true],
    ['53300', true],
    ['55P03', true],
    ['25P03', true],
    ['ECONNREFUSED', true],
    ['23505', false],
    ['42501', false],
    ['40001', false],
    ['YL001', false],
  ])('an error %s: means the database is away %s', (code, away) => {
    expect(isDatabaseAway(Object.assign(new Error('x'), { code }))).toBe(away)
  })

  test('one row: is that row, and any other number is an error', () => {
    expect(only([7])).toBe(7)
    expect(() => only([])).toThrow('Expected one row, got 0.')
    expect(() => only([1, 2])).toThrow('Expected one row, got 2.')
  })
})
