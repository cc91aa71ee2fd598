import { describe, expect, onTestFinished, test } from 'vitest'

import { REFUND_EFFECT, type RefundState } from '../../src/domain/states.js'
import { openBook, run, type Book } from './support/book.js'
import { askedByOwner, makePlan, runWrites, type Plan } from './support/random-writes.js'

async function openOwnBook(): Promise<Book> {
  const book = await openBook()
  onTestFinished(() => book.close())
  return book
}

interface Sums {
  reserved: number
  refunded: number
  settled: number
}

/**
 * Every difference between the counters of the payments and the refunds themselves, added up here
 * by the domain's own table, and everything above what was paid.
 */
async function differences(book: Book): Promise<string[]> {
  const payments = await run<Sums & { id: string; paid: number }>(
    book.owner,
    `select id, coalesce(paid_fen, 0)::bigint as paid, reserved_fen as reserved,
       refunded_fen as refunded, settled_fen as settled from payments order by id`,
  )
  const refunds = await run<{ paymentId: string; state: RefundState; amountFen: number }>(
    book.owner,
    'select payment_id as "paymentId", state, amount_fen as "amountFen" from refunds',
  )
  return payments.flatMap(({ id, paid, ...counters }) => {
    const sums: Sums = { reserved: 0, refunded: 0, settled: 0 }
    for (const { state, amountFen } of refunds.filter(({ paymentId }) => paymentId === id)) {
      const bucket = REFUND_EFFECT[state]
      if (bucket !== 'none') sums[bucket] += amountFen
    }
    const total = sums.reserved + sums.refunded + sums.settled
    const equal = (Object.keys(sums) as (keyof Sums)[]).every((key) => sums[key] === counters[key])
    return [
      ...(equal ? [] : [`${id}: counters differ from the sums`]),
      ...(total <= paid ? [] : [`${id}: ${total} of ${paid} fen`]),
    ]
  })
}

/** The refunds that are not as they were asked for. */
async function changedRefunds(book: Book, { asked }: Plan): Promise<unknown[]> {
  const refunds = await run<{ id: string; paymentId: string; amountFen: number }>(
    book.owner,
    'select id, payment_id as "paymentId", amount_fen as "amountFen" from refunds',
  )
  return refunds.filter(({ id, paymentId, amountFen }) => {
    const terms = asked.get(id)
    return terms?.paymentId !== paymentId || terms.amountFen !== amountFen
  })
}

describe('200 random writes by plain SQL on 8 connections', () => {
  test.each([1, 2, 3])(
    'seed %i: counters equal the sums and never exceed the money',
    async (seed) => {
      const book = await openOwnBook()
      const plan = await makePlan(book, seed)
      const { writes } = plan
      expect(writes).toHaveLength(200)
      expect(new Set(writes.map(({ kind }) => kind)).size).toBe(8)

      const tally = await runWrites(book, writes)

      expect(await differences(book)).toEqual([])
      expect(await changedRefunds(book, plan)).toEqual([])
      expect(tally.accepted).toBeGreaterThanOrEqual(40)
      expect(tally.refused).toBeGreaterThanOrEqual(40)
      expect(tally.accepted + tally.refused + tally.idle).toBe(200)
    },
  )

  test('without the trigger: the same writes break both rules and the check says so', async () => {
    const book = await openOwnBook()
    const { writes } = await makePlan(book, 1)
    await run(book.owner, 'drop trigger refunds_count on refunds')

    await runWrites(book, writes)

    const found = await differences(book)
    expect(found.filter((line) => line.endsWith('counters differ from the sums'))).not.toEqual([])
    expect(found.filter((line) => line.endsWith('fen'))).not.toEqual([])
  })
})

describe('what is asked for past the function, on 4 connections', () => {
  test('the owner, whom no right holds: is refused what exceeds the money', async () => {
    const book = await openOwnBook()
    const writes = askedByOwner(await makePlan(book, 4))
    expect(writes.length).toBeGreaterThan(50)

    const tally = await runWrites(book, writes)

    expect(await differences(book)).toEqual([])
    expect(tally.accepted).toBeGreaterThan(10)
    expect([...tally.refusedBy.keys()]).toEqual(['payments_refunds_within_paid'])
  })
})
