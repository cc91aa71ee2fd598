import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { callChannel } from '../../src/activities/channel-call.js'
import { inTransaction, type Transaction } from '../../src/db/transaction.js'
import { runActivity } from '../support/run-activity.js'
import { openBook, run, type Book } from './support/book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const inActivity = <T>(work: () => Promise<T>): Promise<T> => runActivity(work, [])
const one = { text: 'select 1 as one' }
const ask = () => callChannel(async () => 'answered')

const WORKS: readonly (readonly [string, (tx: Transaction) => Promise<unknown>])[] = [
  ['a call to the channel', ask],
  ['a statement on another connection', () => book.api.rows(one, [])],
  ['a second transaction', () => inTransaction(book.worker, async () => 'nested')],
]

describe('inside a transaction', () => {
  test.each(WORKS)('%s: is refused', async (_, work) => {
    const attempt = inActivity(() => inTransaction(book.worker, work))
    await expect(attempt).rejects.toThrow('inside a transaction: only its own statements')
  })

  test('its own statements: are run', async () => {
    expect(await inTransaction(book.worker, (tx) => tx.rows(one, []))).toEqual([{ one: 1 }])
  })

  test('what came before and comes after: is not inside', async () => {
    const calls = inActivity(async () => {
      const before = await ask()
      await inTransaction(book.worker, (tx) => tx.rows(one, []))
      return [before, await ask(), await run(book.api, 'select 1 as one')]
    })
    await expect(calls).resolves.toEqual(['answered', 'answered', [{ one: 1 }]])
  })

  test('work that goes on behind the end: is not inside any more', async () => {
    let later: Promise<string> | undefined
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const answered = inActivity(async () => {
      await inTransaction(book.worker, async () => {
        later = ended.then(ask)
      })
      end()
      return later
    })
    await expect(answered).resolves.toBe('answered')
  })
})

describe('statements that are sent together', () => {
  test('they run in their order and see each other', async () => {
    await run(book.owner, 'create table steps (n int primary key)')
    const seen = await inTransaction(book.owner, (tx) =>
      Promise.all([
        tx.rows({ text: 'insert into steps values (1)' }, []),
        tx.rows({ text: 'insert into steps values (2)' }, []),
        tx.rows({ text: 'select n from steps order by n' }, []),
      ]),
    )
    expect(seen[2]).toEqual([{ n: 1 }, { n: 2 }])
  })

  test('one of them fails: its error is told, nothing is stored, all goes on', async () => {
    const work = inTransaction(book.owner, (tx) =>
      Promise.all([
        tx.rows({ text: 'insert into steps values (3)' }, []),
        tx.rows({ text: 'insert into steps values (3)' }, []),
        tx.rows({ name: 'steps_four', text: 'insert into steps values (4)' }, []),
      ]),
    )
    await expect(work).rejects.toThrow('duplicate key value violates unique constraint')
    await inTransaction(book.owner, (tx) =>
      tx.rows({ name: 'steps_four', text: 'insert into steps values (4)' }, []),
    )
    expect(await run(book.owner, 'select n from steps where n > 2')).toEqual([{ n: 4 }])
  })
})
