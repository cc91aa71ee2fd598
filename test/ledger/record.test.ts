import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { lockPayment } from '../../src/db/payments.js'
import { inTransaction, type Transaction } from '../../src/db/transaction.js'
import { fen } from '../../src/domain/money.js'
import { journalOf } from '../../src/ledger/journal.js'
import { postPaid } from '../../src/ledger/postings.js'
import { recordChange, type Change } from '../../src/ledger/record.js'
import { addPayment, NOW, openBook, run, type Book } from '../db/support/book.js'
import { refusalOf } from '../db/support/refusal.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const ALICE = { actorKind: 'api_key', actorId: 'key-1', actingUser: 'Alice' } as const

const change = (paymentId: string, differences: Partial<Change> = {}): Change => ({
  type: 'payment.paid',
  actor: ALICE,
  merchantId: book.merchantId,
  paymentId,
  subjectKind: 'payment',
  subjectId: paymentId,
  payload: { paymentId, state: 'paid' },
  detail: { state: 'paid' },
  transfers: postPaid(book, fen(1000), fen(850)),
  occurredAt: NOW,
  now: NOW,
  ...differences,
})

const traces = async (paymentId: string) => ({
  events: await run(book.api, 'select sequence, type from outbox where subject = $1', [paymentId]),
  audit: await run(
    book.api,
    `select at, actor_kind as kind, actor_id as actor, acting_user as who, action, detail
     from audit where subject_id = $1`,
    [paymentId],
  ),
  lines: (await journalOf(book.api, [{ kind: 'payment', id: paymentId }])).map(
    ({ rule, n, amountFen }) => [rule, n, amountFen],
  ),
})

const NOTHING = { events: [], audit: [], lines: [] }

const work = <T>(inside: (tx: Transaction) => Promise<T>): Promise<T> =>
  inTransaction(book.worker, inside)

describe('recording a change', () => {
  test('one statement: writes event, audit line and entry', async () => {
    const paymentId = await addPayment(book)
    await work((tx) => recordChange(tx, change(paymentId)))
    expect(await traces(paymentId)).toEqual({
      events: [{ sequence: 1, type: 'payment.paid' }],
      audit: [
        {
          at: NOW,
          kind: 'api_key',
          actor: 'key-1',
          who: 'Alice',
          action: 'payment.paid',
          detail: { state: 'paid' },
        },
      ],
      lines: [
        ['P1', 1, 850],
        ['P1', 2, 150],
      ],
    })
  })

  test('a change that moves no money: posts nothing', async () => {
    const paymentId = await addPayment(book)
    await work((tx) => recordChange(tx, change(paymentId, { transfers: [] })))
    expect(await traces(paymentId)).toMatchObject({ events: [{ sequence: 1 }], lines: [] })
  })

  test('an entry that was posted before: leaves no event and no audit line', async () => {
    const paymentId = await addPayment(book)
    await work((tx) => recordChange(tx, change(paymentId)))
    const before = await traces(paymentId)
    expect(await refusalOf(work((tx) => recordChange(tx, change(paymentId))))).toBe(
      'journal_posted_once',
    )
    expect(await traces(paymentId)).toEqual(before)
  })

  test('a transaction that fails: leaves nothing, and its number to the next', async () => {
    const paymentId = await addPayment(book)
    const failing = work(async (tx) => {
      await recordChange(tx, change(paymentId))
      throw new Error('not this time')
    })
    await expect(failing).rejects.toThrow('not this time')
    expect(await traces(paymentId)).toEqual(NOTHING)
    await work((tx) => recordChange(tx, change(paymentId)))
    expect(await traces(paymentId)).toMatchObject({ events: [{ sequence: 1 }] })
  })

  test('20 transactions at once: number the events of each payment without a gap', async () => {
    const payments = [await addPayment(book), await addPayment(book)]
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        work(async (tx) => {
          const paymentId = payments[n % 2] ?? ''
          await lockPayment(tx, paymentId)
          const subjectId = newId(NOW)
          await recordChange(
            tx,
            change(paymentId, { subjectKind: 'refund', subjectId, transfers: [] }),
          )
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
})
