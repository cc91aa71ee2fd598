import { beforeAll, describe, expect, test } from 'vitest'

import type { PaymentProgress } from '../../src/activities/progress.js'
import {
  findPayment,
  markPlaced,
  markPlaceRefused,
  type PaymentRow,
} from '../../src/db/payments.js'
import type { PaidFact } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import type { PaymentFact } from '../../src/domain/payment.js'
import { balances, journalOf } from '../../src/ledger/journal.js'
import { failureOf, runActivity } from '../support/run-activity.js'
import { paidFact, type Seed } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock } = workshop
let seed: Seed

beforeAll(() => {
  seed = workshop.seed
})

function settle(paymentId: string): Promise<PaymentProgress> {
  clock.advance(1_000)
  return runActivity(workshop.activities.settlePayment, [paymentId])
}

interface Traces {
  readonly journal: string[]
  readonly events: string[]
  readonly audit: string[]
  readonly facts: (string | null)[]
}

/** All that a settling leaves behind for a payment, in short words. */
async function tracesOf(paymentId: string): Promise<Traces> {
  const lines = await journalOf(seed.owner, [{ kind: 'payment', id: paymentId }])
  const events = await seed.look<{ type: string }>(
    'select type from outbox where subject = $1 order by sequence',
    paymentId,
  )
  const audit = await seed.look<{ action: string; actor: string }>(
    'select action, actor_kind as actor from audit where subject_id = $1 order by at, ctid',
    paymentId,
  )
  const facts = await seed.look<{ outcome: string | null }>(
    'select outcome from inbox where subject_id = $1 order by stored_at, id',
    paymentId,
  )
  return {
    journal: lines.map(({ rule, n, amountFen }) => `${rule}.${n} ${amountFen}`),
    events: events.map(({ type }) => type),
    audit: audit.map(({ action, actor }) => `${actor} ${action}`),
    facts: facts.map(({ outcome }) => outcome),
  }
}

const NOTHING = { journal: [], events: [], audit: [] }
const told = (type: string) => ({ events: [type], audit: [`channel ${type}`] })

/** Brings a new payment into a state by the facts and answers that lead there. */
async function paymentIn(state: 'created' | 'awaiting_payment' | 'closed' | 'failed') {
  const payment = await seed.payment()
  const now = seed.clock.now()
  if (state === 'failed') await markPlaceRefused(seed.worker, payment.id, 'NOAUTH', now)
  else if (state !== 'created') {
    await markPlaced(seed.worker, payment.id, { prepayId: 'wx1', now, dueAt: now })
  }
  if (state === 'closed') {
    await seed.paymentFact(payment, { kind: 'closed' })
    await settle(payment.id)
    clock.advance(1_000)
  }
  return payment
}

describe('settlePayment', () => {
  interface Case {
    readonly from: 'created' | 'awaiting_payment' | 'closed' | 'failed'
    readonly fact: Partial<PaidFact> | 'closed'
    readonly row: Partial<PaymentRow>
    readonly outcome: string
    readonly journal?: string[]
    readonly event?: string
  }
  const paid = { state: 'paid', disposition: 'accepted', attention: null, paidFen: 10_000 } as const
  const held = { state: 'paid', disposition: 'held' } as const
  const late = { state: 'paid', disposition: 'surplus', attention: 'late' } as const

  test.each<[string, Case]>([
    [
      'a matching payment is accepted',
      {
        from: 'awaiting_payment',
        fact: {},
        row: { ...paid, dueAt: null },
        outcome: 'accepted',
        journal: ['P1.1 10000'],
        event: 'payment.paid',
      },
    ],
    [
      'a payment known before placing answered is accepted',
      {
        from: 'created',
        fact: {},
        row: paid,
        outcome: 'accepted',
        journal: ['P1.1 10000'],
        event: 'payment.paid',
      },
    ],
    [
      'the part that coupons paid is a cost of its own',
      {
        from: 'awaiting_payment',
        fact: { cashFen: fen(9_000), settlementFen: fen(9_500) },
        row: { ...paid, cashFen: 9_000, settlementFen: 9_500 },
        outcome: 'accepted',
        journal: ['P1.1 9500', 'P1.2 500'],
        event: 'payment.paid',
      },
    ],
    [
      'another amount is held',
      {
        from: 'awaiting_payment',
        fact: { totalFen: fen(9_999), settlementFen: fen(9_999) },
        row: { ...held, attention: 'amount_mismatch', paidFen: 9_999 },
        outcome: 'held',
        journal: ['P2.1 9999'],
        event: 'payment.held',
      },
    ],
    [
      'another currency is held',
      {
        from: 'awaiting_payment',
        fact: { currency: 'HKD' },
        row: { ...held, attention: 'currency_mismatch' },
        outcome: 'held',
        journal: ['P2.1 10000'],
        event: 'payment.held',
      },
    ],
    [
      'money after closing is surplus and goes back',
      {
        from: 'closed',
        fact: {},
        row: { ...late, reservedFen: 10_000 },
        outcome: 'surplus',
        journal: ['P2.1 10000'],
        event: 'payment.surplus',
      },
    ],
    [
      'money after a refused placing is surplus and goes back',
      {
        from: 'failed',
        fact: {},
        row: late,
        outcome: 'surplus',
        journal: ['P2.1 10000'],
        event: 'payment.surplus',
      },
    ],
    [
      'another merchant changes nothing',
      {
        from: 'awaiting_payment',
        fact: { mchId: '1900000002' },
        row: { state: 'awaiting_payment', paidFen: null },
        outcome: 'foreign',
      },
    ],
    [
      'another appid changes nothing',
      {
        from: 'awaiting_payment',
        fact: { appId: 'wx0000000000000002' },
        row: { state: 'awaiting_payment', paidFen: null },
        outcome: 'foreign',
      },
    ],
    [
      'a close of an open payment closes it',
      {
        from: 'awaiting_payment',
        fact: 'closed',
        row: { state: 'closed', dueAt: null },
        outcome: 'closed',
        event: 'payment.closed',
      },
    ],
    [
      'a close of a payment never placed closes it',
      {
        from: 'created',
        fact: 'closed',
        row: { state: 'closed' },
        outcome: 'closed',
        event: 'payment.closed',
      },
    ],
    [
      'a close of a refused payment changes nothing',
      {
        from: 'failed',
        fact: 'closed',
        row: { state: 'failed', failureCode: 'NOAUTH' },
        outcome: 'already_over',
      },
    ],
  ])('%s, and settling again changes nothing', async (_name, wanted) => {
    const payment = await paymentIn(wanted.from)
    const before = await tracesOf(payment.id)
    const fact: PaymentFact =
      wanted.fact === 'closed' ? { kind: 'closed' } : paidFact(payment, wanted.fact)
    await seed.paymentFact(payment, fact)

    const progress = await settle(payment.id)

    const row = await findPayment(seed.worker, payment.id)
    expect(row).toMatchObject(wanted.row)
    const isSurplus = row?.disposition === 'surplus'
    expect(progress).toMatchObject({
      state: row?.state,
      attention: isSurplus ? null : row?.attention,
    })
    const after = await tracesOf(payment.id)
    const news = wanted.event === undefined ? NOTHING : told(wanted.event)
    expect(after).toEqual({
      journal: [...before.journal, ...(wanted.journal ?? [])],
      events: [...before.events, ...news.events, ...(isSurplus ? ['refund.approved'] : [])],
      audit: [...before.audit, ...news.audit],
      facts: [...before.facts, wanted.outcome],
    })

    expect(await settle(payment.id)).toEqual(progress)
    expect(await tracesOf(payment.id)).toEqual(after)
    expect(await findPayment(seed.worker, payment.id)).toEqual(row)
  })

  test('a second payment of one order: goes back, the first stays accepted', async () => {
    const first = await seed.payment({ orderRef: 'order-7' })
    await seed.paymentFact(first, { kind: 'closed' })
    await settle(first.id)
    await seed.paidPayment({ orderRef: 'order-7' })
    await seed.paymentFact(first, paidFact(first))
    await settle(first.id)
    expect(await seed.readPayment(first.id)).toMatchObject({
      state: 'paid',
      disposition: 'surplus',
      attention: 'late',
    })
    const third = await seed.payment({ orderRef: 'order-7' })
    await seed.paymentFact(third, paidFact(third))
    await settle(third.id)
    expect(await seed.readPayment(third.id)).toMatchObject({
      disposition: 'surplus',
      attention: 'double_payment',
    })
  })

  test('two facts of one transaction, applied together: the second is a duplicate', async () => {
    const payment = await seed.payment()
    await seed.paymentFact(payment, paidFact(payment))
    clock.advance(1_000)
    await seed.paymentFact(payment, paidFact(payment, { settlementFen: fen(9_000) }))
    await settle(payment.id)
    expect(await tracesOf(payment.id)).toMatchObject({
      journal: ['P1.1 10000'],
      facts: ['accepted', 'duplicate'],
    })
  })

  test('a wrong fact first: does not stand in the way of the right one', async () => {
    const payment = await paymentIn('awaiting_payment')
    await seed.paymentFact(payment, paidFact(payment, { mchId: '1900000002', totalFen: fen(1) }))
    clock.advance(1_000)
    await seed.paymentFact(payment, paidFact(payment))
    await settle(payment.id)
    expect(await seed.readPayment(payment.id)).toMatchObject({ disposition: 'accepted' })
    expect((await tracesOf(payment.id)).facts).toEqual(['foreign', 'accepted'])
  })

  test.each([
    ['of the same transaction is a duplicate', {}, 'duplicate'],
    [
      'of another transaction is foreign',
      { transactionId: '4200000000000000000000000001' },
      'foreign',
    ],
  ])('a fact about a paid payment: %s', async (_name, changes, outcome) => {
    const payment = await seed.paidPayment()
    clock.advance(1_000)
    const fact = paidFact(payment, { cashFen: fen(1), totalFen: fen(10_001), ...changes })
    await seed.paymentFact(payment, fact)
    const before = await seed.readPayment(payment.id)
    await settle(payment.id)
    expect(await seed.readPayment(payment.id)).toEqual(before)
    expect((await tracesOf(payment.id)).facts).toEqual(['accepted', outcome])
  })

  test('ten at a time: book it once', async () => {
    const payment = await paymentIn('awaiting_payment')
    await seed.paymentFact(payment, paidFact(payment))
    await Promise.all(Array.from({ length: 10 }, () => settle(payment.id)))
    expect(await tracesOf(payment.id)).toMatchObject({
      journal: ['P1.1 10000'],
      events: ['payment.paid'],
    })
  })

  test('the book: sums to zero after all of this', async () => {
    const accounts = await balances(seed.owner)
    expect(accounts.length).toBeGreaterThan(2)
    expect(accounts.reduce((sum, { balanceFen }) => sum + balanceFen, 0)).toBe(0)
  })

  test('an id of nowhere: fails until there is such a row', async () => {
    const failure = await failureOf(settle('00000000-0000-7000-8000-000000000000'))
    expect(failure).toEqual({ type: 'NO_SUCH_ROW', retryMs: 60_000, benign: false })
  })
})
