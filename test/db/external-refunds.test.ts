import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  casesOfPayment,
  openCase,
  resolveCase,
  type CaseResolution,
  type NewCase,
} from '../../src/db/cases.js'
import type { ExternalRefundOutcome } from '../../src/db/external-refunds.js'
import { findPayment } from '../../src/db/payments.js'
import { changeRefund, findRefund, type RefundChange } from '../../src/db/refunds.js'
import { inTransaction } from '../../src/db/transaction.js'
import { CASE_KINDS } from '../../src/domain/cases.js'
import type { RefundFact } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { REFUND_BEGINNINGS } from '../../src/domain/states.js'
import { REFUND_ORIGIN_WORDS } from '../../src/domain/words.js'
import { journalOf } from '../../src/ledger/journal.js'
import { postAccepted, postAdopted } from '../../src/ledger/postings.js'
import { addPayment, addRefund, ask, NOW, openBook, run, type Book } from './support/book.js'
import { bookPortal, portalFact } from './support/portal.js'
import { refusalOf } from './support/refusal.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

type Booked = Extract<ExternalRefundOutcome, { outcome: 'booked' }>

async function booked(paymentId: string, fact: RefundFact): Promise<Booked> {
  const answer = await bookPortal(book, paymentId, fact)
  if (answer.outcome !== 'booked') throw new Error(`It was not booked: ${answer.outcome}.`)
  return answer
}

const move = (id: string, change: RefundChange): Promise<void> =>
  inTransaction(book.worker, (tx) => changeRefund(tx, id, change, NOW))

const linesOf = async (id: string) =>
  (await journalOf(book.owner, [{ kind: 'refund', id }])).map(
    ({ rule, n, debit, credit, amountFen }) => ({ rule, n, debit, credit, amountFen }),
  )

/** Reserved, refunded, settled, and what is too much. */
async function counters(paymentId: string): Promise<number[]> {
  const payment = await findPayment(book.owner, paymentId)
  if (payment === undefined) throw new Error('There is no such payment.')
  return [payment.reservedFen, payment.refundedFen, payment.settledFen, payment.overReservedFen]
}

const casesOf = async (paymentId: string) =>
  (await casesOfPayment(book.api, paymentId))
    .map(({ kind, state, amountFen }) => `${kind} ${state} ${amountFen}`)
    .toSorted()

describe('a refund made in the portal that is done', () => {
  test('booking it: makes the row, its entry, its event and a line of the audit log', async () => {
    const paymentId = await addPayment(book)
    const fact = portalFact(400, {
      settlementFen: fen(340),
      successAt: '2026-02-28T20:00:00.000Z',
    })
    const { refundId, state, overReservedFen, caseId } = await booked(paymentId, fact)
    expect({ state, overReservedFen, caseId }).toEqual({
      state: 'done',
      overReservedFen: 0,
      caseId: null,
    })
    expect(await findRefund(book.api, refundId)).toMatchObject({
      origin: 'external',
      state: 'done',
      amountFen: 400,
      totalFen: 1000,
      settlementFen: 340,
      outRefundNo: fact.outRefundNo,
      refundId: fact.refundId,
      requestedBy: null,
      reason: REFUND_ORIGIN_WORDS.external.zh,
      submitCount: 0,
      inTransit: false,
      doneAt: new Date('2026-02-28T20:00:00.000Z'),
    })
    expect(await counters(paymentId)).toEqual([0, 400, 0, 0])
    expect(await linesOf(refundId)).toEqual(postAdopted(book, fen(400), fen(340)))
    const [line] = await journalOf(book.owner, [{ kind: 'refund', id: refundId }])
    expect(line?.businessDay).toBe('2026-03-01')
    const told = { state: 'done', origin: 'external', refundAtChannel: fact.refundId }
    expect(
      await run(
        book.api,
        `select o.type, o.sequence, o.payload, a.actor_kind, a.detail from outbox o
         join audit a on a.action = o.type where o.subject = $1 and a.subject_id = $2`,
        [paymentId, refundId],
      ),
    ).toEqual([
      {
        type: 'refund.external',
        sequence: 1,
        payload: expect.objectContaining({ ...told, refundId, paymentId, amountFen: 400 }),
        actor_kind: 'channel',
        detail: expect.objectContaining({ ...told, amountFen: 400, overReservedFen: 0 }),
      },
    ])
  })

  test('of money that was held: leaves from suspense', async () => {
    const paymentId = await addPayment(book, { disposition: 'held', paidFen: 900 })
    const { refundId } = await booked(paymentId, portalFact(900))
    expect(await linesOf(refundId)).toEqual(postAdopted(book, fen(900), fen(900), 'suspense'))
  })

  test('more settled than the refund: only the refund is posted', async () => {
    const paymentId = await addPayment(book)
    const { refundId } = await booked(paymentId, portalFact(100, { settlementFen: fen(101) }))
    expect(await linesOf(refundId)).toEqual(postAdopted(book, fen(100), fen(100)))
  })

  test('all of it paid by coupons: touches nothing that the channel holds', async () => {
    const paymentId = await addPayment(book)
    const { refundId } = await booked(paymentId, portalFact(100, { settlementFen: fen(0) }))
    expect(await linesOf(refundId)).toEqual(postAdopted(book, fen(100), fen(0)))
  })
})

describe('a refund made in the portal that is on its way', () => {
  test.each(['processing', 'abnormal'] as const)(
    '%s: begins as accepted, reserved and in transit',
    async (status) => {
      const paymentId = await addPayment(book)
      const { refundId, state } = await booked(paymentId, portalFact(400, { status }))
      expect(state).toBe('refunding')
      expect(await findRefund(book.api, refundId)).toMatchObject({
        cause: 'accepted',
        inTransit: true,
        transitRound: 1,
        submitCount: 0,
        firstSubmittedAt: NOW,
        acceptedAt: NOW,
        doneAt: null,
      })
      expect(await counters(paymentId)).toEqual([400, 0, 0, 0])
      expect(await linesOf(refundId)).toEqual(postAccepted(book, fen(400), 1))
    },
  )

  test('closed before anybody heard of it: writes nothing', async () => {
    const paymentId = await addPayment(book)
    const fact = portalFact(400, { status: 'closed' })
    expect(await bookPortal(book, paymentId, fact)).toEqual({ outcome: 'nothing_moved' })
    expect(await counters(paymentId)).toEqual([0, 0, 0, 0])
    expect(await run(book.owner, 'select from outbox where subject = $1', [paymentId])).toEqual([])
  })

  test('a status nobody knows: is refused', async () => {
    const paymentId = await addPayment(book)
    const fact = portalFact(400, { status: 'PROCESSING' as 'processing' })
    expect(await refusalOf(bookPortal(book, paymentId, fact))).toBe('external_refunds_status')
  })
})

describe('a refund made in the portal that is seen again', () => {
  test('told twice, by either number, done or not: is known', async () => {
    const paymentId = await addPayment(book)
    const fact = portalFact(400)
    const { refundId } = await booked(paymentId, fact)
    const before = await counters(paymentId)
    for (const again of [
      fact,
      { ...fact, status: 'closed' as const },
      { ...fact, outRefundNo: 'other' },
      { ...fact, refundId: 'other' },
    ]) {
      const known = { outcome: 'known', refundId, state: 'done' }
      expect(await bookPortal(book, paymentId, again)).toEqual(known)
    }
    expect(await counters(paymentId)).toEqual(before)
    expect(await linesOf(refundId)).toHaveLength(1)
  })

  test('told twenty times at once: is booked once', async () => {
    const paymentId = await addPayment(book)
    const fact = portalFact(400)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => bookPortal(book, paymentId, fact)),
    )
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual([
      'booked',
      ...Array.from({ length: 19 }, () => 'known'),
    ])
  })

  test('a refund of ours that the channel shows: is ours', async () => {
    const paymentId = await addPayment(book)
    const id = await addRefund(book, paymentId, 100, 'refunding')
    const ours = await findRefund(book.api, id)
    const fact = portalFact(100, { outRefundNo: ours?.outRefundNo ?? '' })
    expect(await bookPortal(book, paymentId, fact)).toEqual({
      outcome: 'known',
      refundId: id,
      state: 'refunding',
    })
  })
})

describe('a refund made in the portal that does not fit', () => {
  test('beside requests of ours: raises what is too much by just that, with a case', async () => {
    const paymentId = await addPayment(book)
    await addRefund(book, paymentId, 800, 'pending')
    const { overReservedFen, caseId } = await booked(paymentId, portalFact(400))
    expect(overReservedFen).toBe(200)
    expect(await counters(paymentId)).toEqual([800, 400, 0, 200])
    expect(await casesOfPayment(book.api, paymentId)).toMatchObject([
      { id: caseId, kind: 'refunds_exceed_payment', amountFen: 200, state: 'open' },
    ])
    await booked(paymentId, portalFact(300, { status: 'processing' }))
    expect(await counters(paymentId)).toEqual([1100, 400, 0, 500])
    expect(await casesOf(paymentId)).toEqual([
      'refunds_exceed_payment open 200',
      'refunds_exceed_payment open 300',
    ])
  })

  test('while more is spoken for than was paid: nothing is asked for, nothing sent', async () => {
    const paymentId = await addPayment(book)
    const approved = await addRefund(book, paymentId, 600, 'approved')
    await booked(paymentId, portalFact(700))
    expect(await ask(book, paymentId, 1)).toMatchObject({
      outcome: 'refund_exceeds_payment',
      leftFen: 0,
    })
    const sent: RefundChange = { state: 'refunding', cause: 'submitting', firstSubmittedAt: NOW }
    expect(await refusalOf(move(approved, sent))).toBe('refunds_stopped')
  })

  test('what is released: lowers it, down to nothing, and resolves the case', async () => {
    const paymentId = await addPayment(book)
    const [one, two, three] = [
      await addRefund(book, paymentId, 100, 'pending'),
      await addRefund(book, paymentId, 500, 'approved'),
      await addRefund(book, paymentId, 300, 'approved'),
    ]
    await booked(paymentId, portalFact(400))
    expect(await counters(paymentId)).toEqual([900, 400, 0, 300])
    await move(one, { state: 'rejected' })
    expect(await counters(paymentId)).toEqual([800, 400, 0, 200])
    expect(await casesOf(paymentId)).toEqual(['refunds_exceed_payment open 300'])
    await move(two, { state: 'cancelled' })
    expect(await counters(paymentId)).toEqual([300, 400, 0, 0])
    expect(await casesOf(paymentId)).toEqual(['refunds_exceed_payment resolved 300'])
    expect(
      await run(
        book.api,
        `select n, type, actor_kind, note from case_events e join cases c on c.id = e.case_id
         where c.payment_id = $1 order by n`,
        [paymentId],
      ),
    ).toEqual([
      { n: 1, type: 'opened', actor_kind: 'engine', note: null },
      { n: 2, type: 'resolved', actor_kind: 'engine', note: 'it fits again' },
    ])
    await move(three, { state: 'refunding', cause: 'submitting', firstSubmittedAt: NOW })
    expect(await ask(book, paymentId, 300)).toMatchObject({ outcome: 'requested', leftFen: 0 })
  })

  test('beside one given back by other means: stays too much, resolved or not', async () => {
    const paymentId = await addPayment(book)
    await addRefund(book, paymentId, 700, 'settled')
    const { caseId } = await booked(paymentId, portalFact(1000))
    expect(await counters(paymentId)).toEqual([0, 1000, 700, 700])
    const resolution = {
      caseId: caseId ?? '',
      merchantId: book.merchantId,
      principalId: book.approvingKeyId,
      actingUser: 'Bob',
      note: 'the buyer keeps it',
      now: NOW,
    }
    const resolve = (change: object = {}): Promise<CaseResolution> =>
      inTransaction(book.api, (tx) => resolveCase(tx, { ...resolution, ...change }))
    expect(await resolve({ merchantId: 'other' })).toBe('not_found')
    expect(await resolve()).toBe('resolved')
    expect(await resolve()).toBe('resolved_before')
    expect(await casesOf(paymentId)).toEqual(['refunds_exceed_payment resolved 700'])
    expect(await counters(paymentId)).toEqual([0, 1000, 700, 700])
  })

  test('beyond what was paid: books nothing and opens one case', async () => {
    const paymentId = await addPayment(book)
    await booked(paymentId, portalFact(700))
    const fact = portalFact(301)
    const answer = await bookPortal(book, paymentId, fact)
    expect(answer).toMatchObject({ outcome: 'exceeds_paid' })
    expect(await bookPortal(book, paymentId, fact)).toEqual(answer)
    expect(await counters(paymentId)).toEqual([0, 700, 0, 0])
    expect(await casesOf(paymentId)).toEqual(['refund_beyond_paid open 301'])
  })
})

describe('a refund made in the portal of a payment', () => {
  test.each(['created', 'awaiting_payment', 'closed', 'failed'] as const)(
    'that is %s here: is not booked yet',
    async (state) => {
      const paymentId = await addPayment(book, { state })
      expect(await bookPortal(book, paymentId, portalFact(1))).toEqual({
        outcome: 'payment_not_paid',
      })
    },
  )

  test('that is not here: is not found', async () => {
    expect(await bookPortal(book, book.accountId, portalFact(1))).toEqual({ outcome: 'not_found' })
  })
})

describe('cases', () => {
  test('opening one twice for a cause: opens it once', async () => {
    const paymentId = await addPayment(book, { disposition: 'held', paidFen: 900 })
    const opened: NewCase = {
      kind: 'payment_held',
      merchantId: book.merchantId,
      paymentId,
      causeKind: 'payment',
      causeId: paymentId,
      amountFen: 900,
      detail: { attention: 'amount_mismatch' },
      now: NOW,
    }
    const open = () => inTransaction(book.worker, (tx) => openCase(tx, opened))
    const [first, second] = [await open(), await open()]
    expect(second).toBeNull()
    expect(await casesOfPayment(book.api, paymentId)).toMatchObject([{ id: first, state: 'open' }])
  })

  test('the kinds: are those of the domain, also after another migration', async () => {
    const kinds = await run<{ kind: string; meaning: string }>(book.api, 'table case_kinds')
    expect(Object.fromEntries(kinds.map(({ kind, meaning }) => [kind, meaning]))).toEqual(
      Object.fromEntries(Object.entries(CASE_KINDS).map(([kind, { meaning }]) => [kind, meaning])),
    )
  })

  test('where refunds begin: equals the table of the domain', async () => {
    const rows = await run<{ line: string }>(
      book.api,
      `select origin || ' ' || state as line from refund_beginnings`,
    )
    expect(rows.map(({ line }) => line).toSorted()).toEqual(
      Object.entries(REFUND_BEGINNINGS)
        .flatMap(([origin, states]) => states.map((state) => `${origin} ${state}`))
        .toSorted(),
    )
  })
})
