import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { findRefund, listRefunds, type RequestOutcome } from '../../src/db/refunds.js'
import { REFUND_EFFECT, REFUND_STATES } from '../../src/domain/states.js'
import {
  addPayment,
  addRefund,
  ask,
  countersOf,
  openBook,
  run,
  type Book,
  type PaymentOptions,
} from './support/book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

describe('asking for a refund', () => {
  // payment | refunds there are | asked for | outcome | left
  const ROWS: readonly (readonly [PaymentOptions, number[], number, RequestOutcome, number])[] = [
    [{ state: 'created' }, [], 1, 'payment_not_paid', 0],
    [{ state: 'awaiting_payment' }, [], 1, 'payment_not_paid', 0],
    [{ state: 'closed' }, [], 1, 'payment_not_paid', 0],
    [{ state: 'failed' }, [], 1, 'payment_not_paid', 0],
    [{ disposition: 'held', paidFen: 900 }, [], 1, 'payment_held', 0],
    [{}, [], 1, 'requested', 999],
    [{}, [], 1000, 'requested', 0],
    [{}, [], 1001, 'refund_exceeds_payment', 1000],
    [{}, [400, 600], 1, 'refund_exceeds_payment', 0],
    [{}, [400], 600, 'requested', 0],
    [{}, [400], 601, 'refund_exceeds_payment', 600],
  ]

  test.each(ROWS)('%o with refunds %o, asking %i: %s, %i left', async (options, there, ...row) => {
    const [amountFen, outcome, leftFen] = row
    const paymentId = await addPayment(book, options)
    for (const amount of there) await addRefund(book, paymentId, amount)
    expect(await ask(book, paymentId, amountFen)).toMatchObject({ outcome, leftFen })
  })

  test('a payment that is not there, or of another merchant: is not found', async () => {
    expect(await ask(book, newId(new Date()), 1)).toMatchObject({ outcome: 'not_found' })
    const paymentId = await addPayment(book)
    const foreign = { ...book, merchantId: 'other' }
    expect(await ask(foreign, paymentId, 1)).toMatchObject({ outcome: 'not_found' })
  })

  test('a request that is refused: leaves no refund, event or audit line', async () => {
    const paymentId = await addPayment(book)
    const count = () =>
      run(
        book.owner,
        `select (select count(*) from refunds) as refunds, (select count(*) from outbox) as events,
           (select count(*) from audit) as lines`,
      )
    const before = await count()
    await ask(book, paymentId, 1001)
    expect(await count()).toEqual(before)
  })

  test('a request that is accepted: is one refund, one event and one audit line', async () => {
    const paymentId = await addPayment(book)
    const { id } = await ask(book, paymentId, 250)
    expect(await findRefund(book.api, id)).toMatchObject({
      state: 'pending',
      amountFen: 250,
      totalFen: 1000,
      requestedBy: book.askingKeyId,
      requestedFor: 'Alice',
      firstSubmittedAt: null,
    })
    expect(
      await run(book.api, 'select sequence, type, payload from outbox where subject = $1', [
        paymentId,
      ]),
    ).toMatchObject([{ sequence: 1, type: 'refund.requested', payload: { refundId: id } }])
    expect(
      await run(book.api, 'select action, acting_user as who from audit where subject_id = $1', [
        id,
      ]),
    ).toEqual([{ action: 'refund.request', who: 'Alice' }])
  })

  test('50 parallel requests of 10.00 on 100.00: exactly ten are accepted', async () => {
    const paymentId = await addPayment(book, { totalFen: 10_000 })
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(book, paymentId, 1_000)))
    const outcomes = answers.map(({ outcome }) => outcome).toSorted()
    expect(outcomes).toEqual([
      ...Array.from({ length: 40 }, () => 'refund_exceeds_payment'),
      ...Array.from({ length: 10 }, () => 'requested'),
    ])
    expect(await countersOf(book, paymentId)).toEqual({ reserved: 10_000, refunded: 0, settled: 0 })
    const sequences = await run<{ sequence: number }>(
      book.api,
      'select sequence from outbox where subject = $1 order by sequence',
      [paymentId],
    )
    expect(sequences.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})

describe('the counters of a payment', () => {
  test.each(REFUND_STATES)('a refund that is %s: stands where the domain says', async (state) => {
    const paymentId = await addPayment(book)
    await addRefund(book, paymentId, 300, state)
    const none = { reserved: 0, refunded: 0, settled: 0 }
    const bucket = REFUND_EFFECT[state]
    expect(await countersOf(book, paymentId)).toEqual(
      bucket === 'none' ? none : { ...none, [bucket]: 300 },
    )
    const left = bucket === 'none' ? 1000 : 700
    expect(await ask(book, paymentId, left + 1)).toMatchObject({
      outcome: 'refund_exceeds_payment',
      leftFen: left,
    })
    expect(await ask(book, paymentId, left)).toMatchObject({ outcome: 'requested', leftFen: 0 })
  })
})

describe('lists of refunds', () => {
  test('by state and by payment: hold what they say, newest first', async () => {
    const paymentId = await addPayment(book)
    const pending = await addRefund(book, paymentId, 1)
    const done = await addRefund(book, paymentId, 2, 'done')
    const list = async (query: object) =>
      (await listRefunds(book.api, { merchantId: 'demo', paymentId, limit: 10, ...query })).map(
        ({ id }) => id,
      )
    expect(await list({})).toEqual([pending, done].toSorted().toReversed())
    expect(await list({ state: 'done' })).toEqual([done])
    expect(await list({ merchantId: 'other' })).toEqual([])
  })
})
