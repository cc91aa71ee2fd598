import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { markPlaced, type PaymentRow } from '../../src/db/payments.js'
import type { OrderOutcome } from '../../src/domain/channel.js'
import { createDuePayments } from '../../src/engine/due-payments.js'
import { paidFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const SECOND_MS = 1_000

let told: { outTradeNo: string; inboxId: string }[]
let errors: unknown[]
let isEngineAway: boolean

beforeEach(() => {
  told = []
  errors = []
  isEngineAway = false
  channel.calls.length = 0
  channel.answer('queryOrder')
})

const tick = () =>
  createDuePayments({
    database: workshop.seed.worker,
    clock,
    openAccount: async () => ({ account: workshop.seed.account, channel }),
    onError: (error) => errors.push(error),
    engine: {
      paymentFact: async ({ outTradeNo }, inboxId) => {
        if (isEngineAway) throw new Error('the engine is away')
        told.push({ outTradeNo, inboxId })
      },
    },
  })()

/** A placed payment whose first question is due now. */
async function due(): Promise<PaymentRow> {
  const payment = await workshop.seed.payment()
  const now = clock.now()
  await markPlaced(workshop.seed.worker, payment.id, { prepayId: 'wx', now, dueAt: now })
  return workshop.seed.readPayment(payment.id)
}

const settle = (payment: PaymentRow) => workshop.activities.settlePayment(payment.id)
const factsOf = (payment: PaymentRow) =>
  workshop.seed.look<{ id: string; source: string; signalled: boolean }>(
    `select id, source, signalled_at is not null as signalled from inbox where subject_id = $1`,
    payment.id,
  )

/** Ends a payment, so that the next test's tick does not find it due. */
async function end(payment: PaymentRow): Promise<void> {
  await workshop.seed.paymentFact(payment, { kind: 'closed' })
  await settle(payment)
}

describe('due payments', () => {
  test('a lost notification: the answer is a row, then a message with its id', async () => {
    const payment = await due()
    channel.answer('queryOrder', paidFact(payment))
    expect(await tick()).toBe(1)
    const facts = await factsOf(payment)
    expect(facts).toMatchObject([{ source: 'query', signalled: true }])
    expect(told).toEqual([{ outTradeNo: payment.outTradeNo, inboxId: facts[0]?.id }])
    expect(channel.calls).toMatchObject([
      { request: { outTradeNo: payment.outTradeNo }, urgency: 'background' },
    ])
    await settle(payment)
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({
      state: 'paid',
      dueAt: null,
    })
    clock.advance(3_600_000)
    expect(await tick()).toBe(0)
  })

  test('a notification settled while the channel was asked: one row, and no word', async () => {
    const payment = await due()
    const usual = channel.queryOrder
    onTestFinished(() => {
      channel.queryOrder = usual
    })
    channel.queryOrder = async () => {
      await workshop.seed.paymentFact(payment, paidFact(payment))
      await settle(payment)
      return paidFact(payment)
    }
    expect(await tick()).toBe(1)
    expect(told).toEqual([])
    expect(await factsOf(payment)).toHaveLength(1)
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({ dueAt: null })
  })

  test('an order closed at the channel: is told', async () => {
    const payment = await due()
    channel.answer('queryOrder', { kind: 'closed' })
    await tick()
    expect(told).toHaveLength(1)
    expect(await settle(payment)).toMatchObject({ state: 'closed' })
  })

  test.each<[string, OrderOutcome]>([
    ['not paid', { kind: 'not_paid' }],
    ['paying', { kind: 'paying' }],
    ['failed payment', { kind: 'pay_error' }],
    ['not known', { kind: 'not_exist' }],
    ['refused', { kind: 'refused', code: 'SIGNERROR', message: '' }],
    ['no answer', { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' }],
  ])('%s: stores nothing, tells nobody, and asks again later', async (_name, outcome) => {
    const payment = await due()
    channel.answer('queryOrder', outcome)
    await tick()
    expect(told).toEqual([])
    expect(await factsOf(payment)).toEqual([])
    const { dueAt } = await workshop.seed.readPayment(payment.id)
    expect(dueAt).toEqual(new Date(clock.now().getTime() + 21 * SECOND_MS))
    await end(payment)
  })

  test('questions: come at growing intervals', async () => {
    const payment = await due()
    channel.answer('queryOrder', { kind: 'not_paid' })
    const waits: number[] = []
    for (let n = 0; n < 6; n += 1) {
      expect(await tick()).toBe(1)
      const { dueAt } = await workshop.seed.readPayment(payment.id)
      const waitMs = (dueAt?.getTime() ?? 0) - clock.now().getTime()
      waits.push(waitMs / SECOND_MS)
      clock.advance(waitMs - 1)
      expect(await tick()).toBe(0)
      clock.advance(1)
    }
    // Asked at once here, so the first wait is up to the age of the second question.
    expect(waits).toEqual([21, 11, 15, 22, 32, 48])
    await end(payment)
  })

  test('the engine away: the row stays, unmarked, for the loop that sends again', async () => {
    const payment = await due()
    channel.answer('queryOrder', paidFact(payment))
    isEngineAway = true
    await tick()
    expect(errors).toEqual([new Error('the engine is away')])
    expect(await factsOf(payment)).toMatchObject([{ signalled: false }])
    await settle(payment)
  })

  test('one question that throws: does not stop the others', async () => {
    const [one, other] = [await due(), await due()]
    const usual = channel.queryOrder
    onTestFinished(() => {
      channel.queryOrder = usual
    })
    channel.queryOrder = async (order, options) => {
      if ('outTradeNo' in order && order.outTradeNo === one.outTradeNo) throw new Error('broken')
      return usual(order, options)
    }
    channel.answer('queryOrder', paidFact(other))
    expect(await tick()).toBe(2)
    expect(errors).toEqual([new Error('broken')])
    expect(told).toMatchObject([{ outTradeNo: other.outTradeNo }])
    await settle(other)
    await end(one)
  })

  test('two workers at once: each order is asked for by one of them', async () => {
    const payments = []
    for (let n = 0; n < 6; n += 1) payments.push(await due())
    channel.answer('queryOrder', { kind: 'not_paid' })
    const counts = await Promise.all([tick(), tick()])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(6)
    expect(channel.calls).toHaveLength(6)
    for (const payment of payments) await end(payment)
  })
})
