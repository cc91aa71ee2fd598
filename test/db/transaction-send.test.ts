import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import type { Statement } from '../../src/db/pool.js'
import { inTransaction, violatedConstraint, type Transaction } from '../../src/db/transaction.js'
import { openBook, run, type Book } from './support/book.js'

const PUT: Statement = { text: 'insert into sent values ($1)' }
const COUNT: Statement = { text: 'select count(*) as n from sent' }
const FAIL_ONCE: Statement = { text: `select fail_once()` }

let book: Book

const stored = async (): Promise<number[]> =>
  (await run<{ n: number }>(book.owner, 'select n from sent order by n')).map(({ n }) => n)
const work = <T>(what: (tx: Transaction) => Promise<T>): Promise<T> =>
  inTransaction(book.owner, what)

describe('Transaction.send', () => {
  beforeAll(async () => {
    book = await openBook()
    await run(book.owner, 'create table sent (n int primary key)')
    await run(book.owner, 'create sequence tries')
    await run(
      book.owner,
      `create function fail_once() returns void language plpgsql as $$
       begin
         if nextval('tries') = 1 then
           raise exception 'once' using errcode = '40001';
         end if;
       end $$`,
    )
  })
  beforeEach(() => run(book.owner, 'truncate sent'))
  afterAll(() => book.close())

  test('send: what was sent is stored, in its place', async () => {
    const counts = await work(async (tx) => {
      tx.send(PUT, [1])
      const [between] = await tx.rows<{ n: number }>(COUNT, [])
      tx.send(PUT, [2])
      return between?.n
    })
    expect(counts).toBe(1)
    expect(await stored()).toEqual([1, 2])
  })

  test('send: a failure of it is that of the transaction, and nothing is stored', async () => {
    const failure = work(async (tx) => {
      tx.send(PUT, [1])
      tx.send(PUT, [1])
      tx.send(PUT, [2])
    })
    await expect(failure).rejects.toSatisfy((error) => violatedConstraint(error) === 'sent_pkey')
    expect(await stored()).toEqual([])
  })

  test('send: its failure is told, not that of what came behind it', async () => {
    const failure = work(async (tx) => {
      tx.send(PUT, [1])
      tx.send(PUT, [1])
      await tx.rows(COUNT, [])
    })
    await expect(failure).rejects.toSatisfy((error) => violatedConstraint(error) === 'sent_pkey')
  })

  test('send: a failure before it is told, not that of what was sent behind it', async () => {
    const failure = work(async (tx) => {
      tx.send(PUT, [1])
      const failed = tx.rows(PUT, [1])
      tx.send(PUT, [2])
      await failed
    })
    await expect(failure).rejects.toSatisfy((error) => violatedConstraint(error) === 'sent_pkey')
  })

  test('send: a serialization failure before it is tried again', async () => {
    await run(book.owner, 'alter sequence tries restart')
    await work(async (tx) => {
      const failed = tx.rows(FAIL_ONCE, [])
      tx.send(PUT, [1])
      await failed
    })
    expect(await stored()).toEqual([1])
  })

  test('send: work that throws behind it stores nothing', async () => {
    const failure = work(async (tx) => {
      tx.send(PUT, [1])
      throw new RangeError('no more')
    })
    await expect(failure).rejects.toThrow(new RangeError('no more'))
    expect(await stored()).toEqual([])
  })

  test('send: a serialization failure of it is tried again', async () => {
    await run(book.owner, 'alter sequence tries restart')
    await work(async (tx) => {
      tx.send(PUT, [1])
      tx.send(FAIL_ONCE, [])
    })
    expect(await stored()).toEqual([1])
  })
})
