import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { insertEvent } from '../../src/db/outbox.js'
import { lockPayment } from '../../src/db/payments.js'
import { inTransaction } from '../../src/db/transaction.js'
import { addPayment, NOW, openBook, run, type Book } from './support/book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

describe('events for the merchant', () => {
  test('20 transactions at once: number the events of each payment without a gap', async () => {
    const payments = [await addPayment(book), await addPayment(book)]
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        inTransaction(book.worker, async (tx) => {
          const paymentId = payments[n % 2] ?? ''
          await lockPayment(tx, paymentId)
          const event = { id: newId(NOW), paymentId, type: 'payment.paid' as const, now: NOW }
          await insertEvent(tx, { ...event, payload: { n } })
        }),
      ),
    )
    for (const paymentId of payments) {
      const rows = await run<{ sequence: number }>(
        book.api,
        'select sequence from outbox where subject = $1 order by sequence',
        [paymentId],
      )
      expect(rows.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    }
  })

  test('an event of a transaction that fails: leaves its number to the next', async () => {
    const paymentId = await addPayment(book)
    const event = { paymentId, type: 'payment.paid' as const, payload: {}, now: NOW }
    const failing = inTransaction(book.worker, async (tx) => {
      await insertEvent(tx, { ...event, id: newId(NOW) })
      throw new Error('no state')
    })
    await expect(failing).rejects.toThrow('no state')
    await inTransaction(book.worker, (tx) => insertEvent(tx, { ...event, id: newId(NOW) }))
    expect(
      await run(book.api, 'select sequence from outbox where subject = $1', [paymentId]),
    ).toEqual([{ sequence: 1 }])
  })
})
