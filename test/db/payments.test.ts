import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  claimDuePayments,
  findPayment,
  findPaymentByNumber,
  findPaymentByReference,
  listPayments,
  lockForSettling,
  markPlaced,
  markPlaceRefused,
  setDueAt,
} from '../../src/db/payments.js'
import { inTransaction } from '../../src/db/transaction.js'
import { PAYMENT_STATES } from '../../src/domain/states.js'
import { addPayment, NOW, openBook, run, type Book } from './support/book.js'
import { refusalOf } from './support/refusal.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const later = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000)
const stateOf = async (id: string) => (await findPayment(book.api, id))?.state

describe('payments', () => {
  test.each(PAYMENT_STATES)(
    'a payment: can be brought to %s by the steps of its roles',
    async (state) => {
      const id = await addPayment(book, { state })
      expect(await stateOf(id)).toBe(state)
    },
  )

  test.each(['paid', 'closed', 'failed'] as const)(
    'the answer of placing that comes when it is %s: changes nothing',
    async (state) => {
      const id = await addPayment(book, { state })
      const before = await findPayment(book.api, id)
      await markPlaced(book.worker, id, { prepayId: 'late', now: later(5), dueAt: later(20) })
      await markPlaceRefused(book.worker, id, 'LATE', later(5))
      expect(await findPayment(book.api, id)).toEqual(before)
    },
  )

  test('a payment: is found by either number, by its own merchant only', async () => {
    const id = await addPayment(book)
    const payment = await findPayment(book.api, id)
    const outTradeNo = payment?.outTradeNo ?? ''
    const transactionId = payment?.transactionId ?? ''
    const find = async (merchantId: string, reference: object) =>
      (await findPaymentByReference(book.api, merchantId, reference))?.id
    expect(await findPaymentByNumber(book.api, book.accountId, outTradeNo)).toEqual(payment)
    expect(await find('demo', { outTradeNo })).toBe(id)
    expect(await find('demo', { transactionId })).toBe(id)
    expect(await find('other', { outTradeNo })).toBeUndefined()
    expect(await find('demo', {})).toBeUndefined()
  })

  test('an order: has one open payment at a time and at most one that is accepted', async () => {
    const options = { orderRef: 'order-9' }
    const first = await addPayment(book, { ...options, state: 'awaiting_payment' })
    expect(await refusalOf(addPayment(book, { ...options, state: 'created' }))).toBe(
      'payments_order_ref_open_once',
    )
    await run(book.worker, "update payments set state = 'closed' where id = $1", [first])
    const second = await addPayment(book, options)
    expect(await refusalOf(addPayment(book, options))).toBe('payments_order_ref_accepted_once')
    const held = await addPayment(book, { ...options, disposition: 'held' }).catch(() => undefined)
    expect(held).toBeUndefined()

    const paid = async (id: string) =>
      (await inTransaction(book.worker, (tx) => lockForSettling(tx, id)))?.orderPaid
    expect([await paid(first), await paid(second)]).toEqual([true, false])
  })

  test('a list: goes on behind its cursor, newest first, without a gap', async () => {
    const seen: string[] = []
    const query = { merchantId: 'demo', limit: 3 }
    let page = await listPayments(book.api, query)
    while (page.length > 0) {
      seen.push(...page.map(({ id }) => id))
      const after = page.at(-1)
      page = await listPayments(book.api, { ...query, after })
    }
    const rows = await run<{ id: string }>(
      book.owner,
      'select id from payments order by created_at desc, id desc',
    )
    expect(seen).toEqual(rows.map(({ id }) => id))
    expect(seen.length).toBeGreaterThan(6)
  })
})

describe('questions that are due', () => {
  test('four workers at once: ask for each payment once and none twice', async () => {
    await run(book.worker, 'update payments set due_at = null')
    const due = new Set<string>()
    for (let count = 0; count < 12; count += 1) {
      const id = await addPayment(book, { state: 'awaiting_payment' })
      await setDueAt(book.worker, id, later(-1))
      due.add(id)
    }
    const notYet = await addPayment(book, { state: 'awaiting_payment' })
    await setDueAt(book.worker, notYet, later(1))

    const claims = await Promise.all(
      Array.from({ length: 4 }, () => claimDuePayments(book.worker, NOW, 90, 5)),
    )
    const claimed = claims.flat()
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(claimed.length)
    const rest = await claimDuePayments(book.worker, NOW, 90, 50)
    const all = [...claimed, ...rest]
    expect(new Set(all.map(({ id }) => id))).toEqual(due)
    for (const payment of all) expect([payment.dueAt, payment.dueCount]).toEqual([later(90), 1])
  })

  test.each(['paid', 'closed', 'failed'] as const)(
    'a payment that is %s: is not asked for',
    async (state) => {
      const id = await addPayment(book, { state })
      await setDueAt(book.worker, id, later(-1))
      expect((await findPayment(book.api, id))?.dueAt).toBeNull()
    },
  )
})
