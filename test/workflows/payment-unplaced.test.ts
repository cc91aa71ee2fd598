import { randomUUID } from 'node:crypto'

import { expect, describe, test } from 'vitest'

import {
  CLOSES_IN_MS,
  newPaymentSubject,
  paymentIn,
  place,
  useMockedPayments,
} from '../support/mocked-payments.js'

const unplaced = paymentIn('created', { closesInMs: CLOSES_IN_MS })
const { withMocks, resultOf } = useMockedPayments()

describe('paymentWorkflow that began from a row nobody had placed', () => {
  test('nobody asks: places nothing', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      { loadPayment: () => unplaced, settlePayment: () => paymentIn('closed') },
      async (rig) => {
        await rig.engine.resumePayment(payment)
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
        expect(rig.calls.filter((call) => call.includes('placePayment'))).toEqual([])
      },
    )
  })

  test('its caller asks again: is placed on the queue of channel calls, and waits on', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        loadPayment: () => unplaced,
        placePayment: () => paymentIn('awaiting_payment', { closesInMs: CLOSES_IN_MS }),
        settlePayment: () => paymentIn('paid'),
      },
      async (rig) => {
        await rig.engine.resumePayment(payment)
        expect(await place(rig, payment)).toBe('answered')
        expect(rig.calls).toEqual([
          `local loadPayment("${payment.id}")`,
          `channel placePayment("${payment.id}")`,
        ])
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
      },
    )
  })

  test('the channel refuses it then: is over', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      { loadPayment: () => unplaced, placePayment: () => paymentIn('failed') },
      async (rig) => {
        await rig.engine.resumePayment(payment)
        await place(rig, payment)
        expect(await resultOf(payment)).toEqual({ state: 'failed' })
      },
    )
  })
})
