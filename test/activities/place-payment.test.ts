import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'

import type { PaymentRow } from '../../src/db/payments.js'
import type { PlaceOutcome } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { createTestActivities, failureOf, runActivity } from '../support/run-activity.js'
import { paidFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const MINUTE_MS = 60_000

beforeEach(() => {
  channel.calls.length = 0
})

const place = (payment: PaymentRow, attempt = 1) =>
  runActivity(workshop.activities.placePayment, [payment.id], { attempt })

/** Activities with a memory of their own of how slow the channel was. */
const freshWorkshop = () => ({ activities: createTestActivities(workshop.seed, channel) })

const answerPlace = (...outcomes: PlaceOutcome[]) => channel.answer('placeOrder', ...outcomes)

describe('placePayment', () => {
  test('a placed order: awaits payment, and is asked for in 13 seconds', async () => {
    const payment = await workshop.seed.payment({ expiresInMs: 30 * MINUTE_MS })
    answerPlace({ kind: 'placed', prepayId: 'wx-1' })
    expect(await place(payment)).toEqual({
      state: 'awaiting_payment',
      attention: null,
      // Closing begins a minute after expiry.
      closesInMs: 31 * MINUTE_MS,
    })
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({
      state: 'awaiting_payment',
      prepayId: 'wx-1',
      prepayAt: clock.now(),
      dueAt: new Date(clock.now().getTime() + 13_000),
    })
    expect(channel.calls).toMatchObject([
      {
        call: 'placeOrder',
        urgency: 'waiting',
        request: { outTradeNo: payment.outTradeNo, totalFen: 10_000, openid: 'openid-of-nobody' },
      },
    ])
  })

  test('a placed order: is not placed again while its prepay_id is young', async () => {
    const payment = await workshop.seed.payment()
    answerPlace({ kind: 'placed', prepayId: 'wx-1' })
    await place(payment)
    clock.advance(110 * MINUTE_MS)
    expect(await place(payment)).toMatchObject({ state: 'awaiting_payment' })
    expect(channel.names()).toEqual(['placeOrder'])
  })

  test('an old prepay_id: the same request goes again and the new one is kept', async () => {
    const payment = await workshop.seed.payment({ expiresInMs: 1_000 * MINUTE_MS })
    answerPlace({ kind: 'placed', prepayId: 'wx-1' }, { kind: 'placed', prepayId: 'wx-2' })
    await place(payment)
    clock.advance(110 * MINUTE_MS + 1)
    expect(await place(payment)).toMatchObject({ state: 'awaiting_payment' })
    const [first, second] = channel.calls
    expect(second).toEqual(first)
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({
      prepayId: 'wx-2',
      prepayAt: clock.now(),
    })
  })

  test('an old prepay_id that is refused: leaves the payment waiting', async () => {
    const payment = await workshop.seed.payment({ expiresInMs: 1_000 * MINUTE_MS })
    answerPlace(
      { kind: 'placed', prepayId: 'wx-1' },
      { kind: 'refused', code: 'NOAUTH', message: 'no' },
    )
    await place(payment)
    clock.advance(111 * MINUTE_MS)
    expect(await place(payment)).toMatchObject({ state: 'awaiting_payment' })
  })

  test('a refusal: fails the payment with the channel code', async () => {
    const payment = await workshop.seed.payment()
    answerPlace({ kind: 'refused', code: 'APPID_MCHID_NOT_MATCH', message: 'no' })
    expect(await place(payment)).toMatchObject({ state: 'failed' })
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({
      state: 'failed',
      failureCode: 'APPID_MCHID_NOT_MATCH',
      dueAt: null,
    })
    const events = await workshop.seed.look<{ type: string; payload: object }>(
      'select type, payload from outbox where subject = $1',
      payment.id,
    )
    expect(events).toMatchObject([
      { type: 'payment.failed', payload: { failureCode: 'APPID_MCHID_NOT_MATCH' } },
    ])
  })

  test.each([
    [1, 2_000],
    [2, 5_000],
    [3, 15_000],
    [4, 30_000],
    [5, 60_000],
    [6, 300_000],
    [60, 300_000],
  ])('an unknown answer at attempt %i: the same request again after %i ms', async (attempt, ms) => {
    const payment = await workshop.seed.payment()
    answerPlace({ kind: 'unknown', code: 'timeout', message: 'no answer', retry: 'soon' })
    const failure = await failureOf(place(payment, attempt))
    expect(failure).toEqual({ type: 'timeout', retryMs: ms, benign: false })
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({ state: 'created' })
  })

  test('already paid: is asked for and booked at once', async () => {
    const payment = await workshop.seed.payment()
    answerPlace({ kind: 'already_paid' })
    channel.answer('queryOrder', paidFact(payment))
    expect(await place(payment)).toMatchObject({ state: 'paid', attention: null })
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({ disposition: 'accepted' })
  })

  test('already paid, but not as ordered: is held, and asks for a person', async () => {
    const payment = await workshop.seed.payment()
    answerPlace({ kind: 'already_paid' })
    channel.answer('queryOrder', paidFact(payment, { totalFen: fen(20_000) }))
    expect(await place(payment)).toMatchObject({ state: 'paid', attention: 'amount_mismatch' })
  })

  test('already paid, and no answer how: the loop of due orders asks at once', async () => {
    const payment = await workshop.seed.payment()
    answerPlace({ kind: 'already_paid' })
    channel.answer('queryOrder', { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' })
    expect(await place(payment)).toMatchObject({ state: 'created' })
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({ dueAt: clock.now() })
  })

  test('closed at the channel: is a fact like any other, settled at once', async () => {
    const payment = await workshop.seed.payment()
    answerPlace({ kind: 'closed' })
    expect(await place(payment)).toMatchObject({ state: 'closed' })
    const facts = await workshop.seed.look(
      'select outcome, source from inbox where subject_id = $1',
      payment.id,
    )
    expect(facts).toEqual([{ outcome: 'closed', source: 'query' }])
  })

  test('a fact that was faster: the late answer of placing changes nothing', async () => {
    const payment = await workshop.seed.payment()
    const usual = channel.placeOrder
    onTestFinished(() => {
      channel.placeOrder = usual
    })
    channel.placeOrder = async (order, options) => {
      channel.calls.push({ call: 'placeOrder', request: order, urgency: options.urgency })
      await workshop.seed.paymentFact(payment, { kind: 'closed' })
      await workshop.activities.settlePayment(payment.id)
      return { kind: 'placed', prepayId: 'wx-late' }
    }
    expect(await place(payment)).toMatchObject({ state: 'closed' })
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({ prepayId: null })
  })

  test('a channel that was slow: the quick try fails at once', async () => {
    const { activities } = freshWorkshop()
    const usual = channel.placeOrder
    // Only time that is measured: what waits for the database has its own.
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => {
      vi.useRealTimers()
      channel.placeOrder = usual
    })
    channel.placeOrder = async () => {
      vi.advanceTimersByTime(600)
      return { kind: 'placed', prepayId: 'wx-slow' }
    }
    const placeBy = async (isLocal: boolean) => {
      const payment = await workshop.seed.payment()
      return runActivity(activities.placePayment, [payment.id], { isLocal })
    }
    expect(await placeBy(true)).toMatchObject({ state: 'awaiting_payment' })
    expect(await failureOf(placeBy(true))).toMatchObject({ type: 'BreakerOpen', benign: true })
    channel.placeOrder = async () => ({ kind: 'placed', prepayId: 'wx-quick' })
    expect(await placeBy(false)).toMatchObject({ state: 'awaiting_payment' })
    expect(await placeBy(false)).toMatchObject({ state: 'awaiting_payment' })
    expect(await placeBy(true)).toMatchObject({ state: 'awaiting_payment' })
  })

  test('a payment that is over: is not placed', async () => {
    const payment = await workshop.seed.paidPayment()
    expect(await place(payment)).toMatchObject({ state: 'paid' })
    expect(channel.names()).toEqual([])
  })

  test('an id of nowhere: fails until there is such a row', async () => {
    const nowhere = {
      ...(await workshop.seed.payment()),
      id: '00000000-0000-7000-8000-000000000000',
    }
    expect(await failureOf(place(nowhere))).toMatchObject({ type: 'NO_SUCH_ROW' })
  })
})
