import { beforeEach, describe, expect, test } from 'vitest'

import type { CloseOutcome, OrderOutcome } from '../../src/domain/channel.js'
import { markPlaced, type PaymentRow } from '../../src/db/payments.js'
import { runActivity } from '../support/run-activity.js'
import { paidFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { channel, clock } = workshop

beforeEach(() => {
  channel.calls.length = 0
  channel.answer('queryOrder').answer('closeOrder')
})

const ask = (payment: PaymentRow, purpose: 'query' | 'close') =>
  runActivity(workshop.activities.askPayment, [payment.id, purpose])

async function waiting(): Promise<PaymentRow> {
  const payment = await workshop.seed.payment()
  const now = clock.now()
  await markPlaced(workshop.seed.worker, payment.id, { prepayId: 'wx', now, dueAt: now })
  return workshop.seed.readPayment(payment.id)
}

const factsOf = async ({ id }: PaymentRow): Promise<string[]> =>
  (
    await workshop.seed.look<{ kind: string }>(
      `select fact->>'kind' as kind from inbox where subject_id = $1`,
      id,
    )
  ).map(({ kind }) => kind)

const SILENCE = { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' } as const

describe('askPayment, to query', () => {
  test.each<[OrderOutcome]>([
    [{ kind: 'not_paid' }],
    [{ kind: 'paying' }],
    [{ kind: 'pay_error' }],
    [{ kind: 'not_exist' }],
    [{ kind: 'refused', code: 'NOAUTH', message: '' }],
    [SILENCE],
  ])('$kind: is told, and concludes nothing', async (outcome) => {
    const payment = await waiting()
    channel.answer('queryOrder', outcome)
    expect(await ask(payment, 'query')).toEqual({ said: outcome.kind, isNews: false })
    expect(await factsOf(payment)).toEqual([])
    expect(channel.names()).toEqual(['queryOrder'])
  })

  test('paid: is told and is a fact', async () => {
    const payment = await waiting()
    channel.answer('queryOrder', paidFact(payment))
    expect(await ask(payment, 'query')).toEqual({ said: 'paid', isNews: true })
    expect(await factsOf(payment)).toEqual(['paid'])
  })

  test('paid, which is known: is told and is no news', async () => {
    const payment = await workshop.seed.paidPayment()
    channel.answer('queryOrder', paidFact(payment))
    expect(await ask(payment, 'query')).toEqual({ said: 'paid', isNews: false })
  })
})

describe('askPayment, to close', () => {
  const close = (kind: CloseOutcome['kind']) =>
    channel.answer('closeOrder', { kind } as CloseOutcome)

  test.each(['not_paid', 'pay_error'] as const)('%s: is closed, by a fact', async (kind) => {
    const payment = await waiting()
    channel.answer('queryOrder', { kind })
    close('closed')
    expect(await ask(payment, 'close')).toEqual({ said: 'closed', isNews: true })
    expect(await factsOf(payment)).toEqual(['closed'])
    expect(channel.names()).toEqual(['queryOrder', 'closeOrder'])
  })

  test('paid: is not closed but a fact', async () => {
    const payment = await waiting()
    channel.answer('queryOrder', paidFact(payment))
    expect(await ask(payment, 'close')).toEqual({ said: 'paid', isNews: true })
    expect(channel.names()).toEqual(['queryOrder'])
  })

  test('paid while it was being closed: is asked for again', async () => {
    const payment = await waiting()
    channel.answer('queryOrder', { kind: 'not_paid' }, paidFact(payment))
    close('already_paid')
    expect(await ask(payment, 'close')).toEqual({ said: 'paid', isNews: true })
  })

  test('a buyer who is paying: is left alone', async () => {
    const payment = await waiting()
    channel.answer('queryOrder', { kind: 'paying' })
    expect(await ask(payment, 'close')).toEqual({ said: 'paying', isNews: false })
    expect(channel.names()).toEqual(['queryOrder'])
  })

  test('an order that is still being placed: is not closed, as it may yet exist', async () => {
    const payment = await workshop.seed.payment()
    channel.answer('queryOrder', { kind: 'not_exist' })
    expect(await ask(payment, 'close')).toEqual({ said: 'not_exist', isNews: false })
  })

  test('an order that was placed and is gone: is closed', async () => {
    const payment = await waiting()
    channel.answer('queryOrder', { kind: 'not_paid' })
    close('not_exist')
    expect(await ask(payment, 'close')).toEqual({ said: 'closed', isNews: true })
  })

  test('no answer to closing: concludes nothing', async () => {
    const payment = await waiting()
    channel.answer('queryOrder', { kind: 'not_paid' }).answer('closeOrder', SILENCE)
    expect(await ask(payment, 'close')).toEqual({ said: 'unknown', isNews: false })
    expect(await factsOf(payment)).toEqual([])
  })

  test('a payment that is over: is only asked for', async () => {
    const payment = await workshop.seed.paidPayment()
    channel.answer('queryOrder', paidFact(payment))
    expect(await ask(payment, 'close')).toEqual({ said: 'paid', isNews: false })
  })
})
