import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  casesOfPayment,
  countOpenCases,
  eventsOfCase,
  openCase,
  resolveCase,
  type CaseResolution,
} from '../../src/db/cases.js'
import { findPayment } from '../../src/db/payments.js'
import { changeRefund } from '../../src/db/refunds.js'
import { inTransaction } from '../../src/db/transaction.js'
import { CASE_KINDS, type CaseKind } from '../../src/domain/cases.js'
import { addPayment, addRefund, NOW, openBook, run, type Book } from './support/book.js'
import { bookPortal, portalFact } from './support/portal.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})
afterAll(() => book.close())

const LATER = new Date(NOW.getTime() + 60_000)

async function opened(kind: CaseKind, paymentId: string): Promise<string> {
  const about = { kind, merchantId: book.merchantId, paymentId, causeId: paymentId } as const
  const id = await inTransaction(book.worker, (tx) =>
    openCase(tx, { ...about, causeKind: 'payment', amountFen: 1, detail: {}, now: NOW }),
  )
  return id ?? ''
}

const resolve = (caseId: string, change: object = {}): Promise<CaseResolution> =>
  inTransaction(book.api, (tx) =>
    resolveCase(tx, {
      caseId,
      merchantId: book.merchantId,
      principalId: book.approvingKeyId,
      actingUser: 'Bob',
      note: 'the buyer has it once',
      now: LATER,
      ...change,
    }),
  )

const auditOf = (caseId: string) =>
  run(
    book.api,
    `select at, actor_kind, actor_id, acting_user, action, subject_kind, detail
     from audit where subject_id = $1`,
    [caseId],
  )

const stateOf = async (paymentId: string, caseId: string) =>
  (await casesOfPayment(book.api, paymentId)).find(({ id }) => id === caseId)?.state

describe('a case that a person resolves', () => {
  test.each(Object.keys(CASE_KINDS) as CaseKind[])(
    'of the kind %s, whose cause has ended: keeps who did it, in its events and in the audit log',
    async (kind) => {
      const paymentId = await addPayment(book)
      const caseId = await opened(kind, paymentId)
      expect(await resolve(caseId)).toBe('resolved')
      expect(await eventsOfCase(book.api, caseId)).toEqual([
        expect.objectContaining({ type: 'opened', actorKind: 'engine' }),
        {
          type: 'resolved',
          actorKind: 'api_key',
          actorId: book.approvingKeyId,
          actingUser: 'Bob',
          note: 'the buyer has it once',
          at: LATER,
        },
      ])
      expect(await auditOf(caseId)).toEqual([
        {
          at: LATER,
          actor_kind: 'api_key',
          actor_id: book.approvingKeyId,
          acting_user: 'Bob',
          action: 'case.resolve',
          subject_kind: 'case',
          detail: { kind, paymentId },
        },
      ])
    },
  )

  test('by ten at once: is resolved by one of them', async () => {
    const caseId = await opened('refund_after_end', await addPayment(book))
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => resolve(caseId)))
    expect(outcomes.toSorted()).toEqual([
      'resolved',
      ...Array.from({ length: 9 }, () => 'resolved_before'),
    ])
    expect(await auditOf(caseId)).toHaveLength(1)
  })

  test('of another merchant, or that is none: is not found', async () => {
    const paymentId = await addPayment(book)
    const caseId = await opened('refund_after_end', paymentId)
    expect(await resolve(caseId, { merchantId: 'other' })).toBe('not_found')
    expect(await resolve(paymentId)).toBe('not_found')
    expect(await stateOf(paymentId, caseId)).toBe('open')
    expect(await auditOf(caseId)).toEqual([])
  })

  test('changes nothing of its payment', async () => {
    const paymentId = await addPayment(book)
    await addRefund(book, paymentId, 300, 'needs_attention')
    const before = await findPayment(book.api, paymentId)
    expect(await resolve(await opened('refund_differs', paymentId))).toBe('resolved')
    expect(await findPayment(book.api, paymentId)).toEqual(before)
  })
})

describe('a case that the engine resolves', () => {
  test('of held money: is not for people while the money is held', async () => {
    const paymentId = await addPayment(book, { disposition: 'held' })
    const caseId = await opened('payment_held', paymentId)
    expect(await resolve(caseId)).toBe('cause_lasts')
    expect(await stateOf(paymentId, caseId)).toBe('open')
    expect(await auditOf(caseId)).toEqual([])
  })

  test.each([
    ['pending', 'cause_lasts'],
    ['approved', 'cause_lasts'],
    ['refunding', 'cause_lasts'],
    ['needs_attention', 'resolved'],
    ['settled', 'resolved'],
  ] as const)(
    'of what is too much, beside a refund that is %s: %s by a person',
    async (state, outcome) => {
      const paymentId = await addPayment(book)
      await addRefund(book, paymentId, 700, state)
      await bookPortal(book, paymentId, portalFact(400))
      const [found] = await casesOfPayment(book.api, paymentId)
      expect(found?.kind).toBe('refunds_exceed_payment')
      expect(await resolve(found?.id ?? '')).toBe(outcome)
      expect((await findPayment(book.api, paymentId))?.overReservedFen).toBe(100)
    },
  )

  test('of what fits again: was resolved before', async () => {
    const paymentId = await addPayment(book)
    const refundId = await addRefund(book, paymentId, 700)
    await bookPortal(book, paymentId, portalFact(400))
    const [found] = await casesOfPayment(book.api, paymentId)
    await inTransaction(book.worker, (tx) =>
      changeRefund(tx, refundId, { state: 'cancelled' }, NOW),
    )
    expect(await resolve(found?.id ?? '')).toBe('resolved_before')
  })
})

test('how many cases are open: falls when one is resolved', async () => {
  const open = async (kind: CaseKind) =>
    (await countOpenCases(book.worker)).find((each) => each.kind === kind)?.count ?? 0
  const before = await open('refund_differs')
  const caseId = await opened('refund_differs', await addPayment(book))
  expect(await open('refund_differs')).toBe(before + 1)
  await resolve(caseId)
  expect(await open('refund_differs')).toBe(before)
})
