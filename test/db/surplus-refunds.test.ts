import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { findPayment } from '../../src/db/payments.js'
import { changeRefund, findRefund } from '../../src/db/refunds.js'
import { insertSurplusRefund, unstartedRefunds } from '../../src/db/surplus-refunds.js'
import { inTransaction } from '../../src/db/transaction.js'
import { addPayment, ask, NOW, openBook, type Book } from './support/book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})
afterAll(() => book.close())

/** Surplus money with the refund that goes back by itself. */
async function surplus(): Promise<{ paymentId: string; refundId: string }> {
  const paymentId = await addPayment(book, { totalFen: 900, paidFen: 1000, disposition: 'surplus' })
  const id = newId(NOW)
  await inTransaction(book.worker, async (tx) => {
    insertSurplusRefund(tx, { id, paymentId, outRefundNo: `S${id}`, reason: '退回', now: NOW })
  })
  return { paymentId, refundId: id }
}

/** The channel takes it, and closes it for good. */
async function closed(refundId: string): Promise<void> {
  for (const change of [
    { state: 'refunding', firstSubmittedAt: NOW },
    { state: 'failed' },
  ] as const) {
    await inTransaction(book.worker, (tx) => changeRefund(tx, refundId, change, NOW))
  }
}

describe('a refund of surplus money', () => {
  test('is all that was paid, of the total that the channel has', async () => {
    const { paymentId, refundId } = await surplus()
    expect(await findRefund(book.api, refundId)).toMatchObject({
      origin: 'system',
      state: 'approved',
      amountFen: 1000,
      totalFen: 1000,
    })
    expect(await findPayment(book.api, paymentId)).toMatchObject({ reservedFen: 1000 })
    const waiting = await unstartedRefunds(book.worker, 100)
    expect(waiting.map(({ id }) => id)).toContain(refundId)
  })

  test('while it stands: nothing of the money can be asked for', async () => {
    const { paymentId } = await surplus()
    expect(await ask(book, paymentId, 1)).toMatchObject({ outcome: 'payment_held', leftFen: 0 })
  })

  test('closed by the channel: the money is asked for again, and never more than it', async () => {
    const { paymentId, refundId } = await surplus()
    await closed(refundId)
    expect(await ask(book, paymentId, 1001)).toMatchObject({
      outcome: 'refund_exceeds_payment',
      leftFen: 1000,
    })
    const again = await ask(book, paymentId, 1000)
    expect(again).toMatchObject({ outcome: 'requested', leftFen: 0 })
    expect(await ask(book, paymentId, 1)).toMatchObject({ outcome: 'payment_held', leftFen: 0 })
    expect(await findPayment(book.api, paymentId)).toMatchObject({ reservedFen: 1000 })
  })
})

describe('a refund of money that was accepted although it differs', () => {
  test.each([
    ['more', 900, 1000],
    ['less', 1000, 900],
  ])('%s than was ordered: names the total that the channel has', async (_name, totalFen, paid) => {
    const paymentId = await addPayment(book, { totalFen, paidFen: paid })
    expect(await ask(book, paymentId, paid)).toMatchObject({ outcome: 'requested', leftFen: 0 })
    const [refund] = await book.api.rows<{ totalFen: number }>(
      { text: 'select total_fen as "totalFen" from refunds where payment_id = $1' },
      [paymentId],
    )
    expect(refund?.totalFen).toBe(paid)
  })

  test('held and not decided about: has no refunds', async () => {
    const paymentId = await addPayment(book, { disposition: 'held', paidFen: 900 })
    expect(await ask(book, paymentId, 1)).toMatchObject({ outcome: 'payment_held', leftFen: 0 })
  })
})
