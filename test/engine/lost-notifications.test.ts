import { beforeEach, describe, expect, test } from 'vitest'

import type { PaymentRow } from '../../src/db/payments.js'
import type { OrderOutcome } from '../../src/domain/channel.js'
import { createDuePayments } from '../../src/engine/due-payments.js'
import { runActivity } from '../support/run-activity.js'
import { paidFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { clock, channel } = workshop
const EXPIRES_IN_S = 1_800
const CLOSES_AT_S = 1_860

beforeEach(() => {
  channel.calls.length = 0
})

const createTick = () =>
  createDuePayments({
    database: workshop.seed.worker,
    clock,
    openAccount: async () => ({ account: workshop.seed.account, channel }),
    onError: (error) => {
      throw error
    },
    engine: {
      paymentFact: async ({ id }) => void (await workshop.activities.settlePayment(id)),
    },
  })

async function placed(): Promise<PaymentRow> {
  const payment = await workshop.seed.payment({ expiresInMs: EXPIRES_IN_S * 1_000 })
  channel.answer('placeOrder', { kind: 'placed', prepayId: 'wx-1' })
  await runActivity(workshop.activities.placePayment, [payment.id])
  return payment
}

/** Lets seconds pass, the loop ticking in each, until the payment is over or they have passed. */
async function secondsUntilOver(payment: PaymentRow, secondsMax: number): Promise<number> {
  const tick = createTick()
  for (let second = 1; second <= secondsMax; second += 1) {
    clock.advance(1_000)
    if ((await tick()) === 0) continue
    const { state } = await workshop.seed.readPayment(payment.id)
    if (state === 'paid' || state === 'closed') return second
  }
  return secondsMax
}

/** The channel as it is when the buyer pays so many seconds from now and no notification comes. */
function paysAfter(payment: PaymentRow, seconds: number): void {
  const paidAtMs = clock.now().getTime() + seconds * 1_000
  channel.queryOrder = async (request, { urgency }): Promise<OrderOutcome> => {
    channel.calls.push({ call: 'queryOrder', request, urgency })
    return clock.now().getTime() >= paidAtMs ? paidFact(payment) : { kind: 'not_paid' }
  }
}

describe('with every notification lost', () => {
  test.each([10, 60, 600])(
    'paid after %i s: is booked within a quarter of that',
    async (paidAtS) => {
      const payment = await placed()
      paysAfter(payment, paidAtS)
      const bookedAtS = await secondsUntilOver(payment, EXPIRES_IN_S)
      expect(await workshop.seed.readPayment(payment.id)).toMatchObject({
        state: 'paid',
        disposition: 'accepted',
      })
      expect(bookedAtS - paidAtS).toBeLessThanOrEqual(Math.max(5, paidAtS / 4))
    },
  )

  test('paid after 1,700 s: is booked by the closing, within a quarter of that', async () => {
    const payment = await placed()
    paysAfter(payment, 1_700)
    expect(await secondsUntilOver(payment, CLOSES_AT_S)).toBe(CLOSES_AT_S)
    await runActivity(workshop.activities.queryThenClose, [payment.id])
    await workshop.activities.settlePayment(payment.id)
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({ disposition: 'accepted' })
    expect(CLOSES_AT_S - 1_700).toBeLessThanOrEqual(1_700 / 4)
  })

  test('never paid: is closed after at most 14 questions', async () => {
    const payment = await placed()
    paysAfter(payment, Infinity)
    channel.answer('closeOrder', { kind: 'closed' })
    await secondsUntilOver(payment, CLOSES_AT_S)
    await runActivity(workshop.activities.queryThenClose, [payment.id])
    await workshop.activities.settlePayment(payment.id)
    expect(await workshop.seed.readPayment(payment.id)).toMatchObject({ state: 'closed' })
    const asked = channel.names().filter((name) => name === 'queryOrder')
    expect(asked.length).toBeLessThanOrEqual(14)
  })
})
