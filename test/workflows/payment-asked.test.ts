import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { ApplicationFailure } from '@temporalio/common'
import { describe, expect, test } from 'vitest'

import type { PaymentProgress } from '../../src/activities/progress.js'
import type { PaymentSubject } from '../../src/engine/client.js'
import {
  CLOSES_IN_MS,
  newPaymentSubject,
  paymentIn,
  place,
  useMockedPayments,
} from '../support/mocked-payments.js'
import { inTurn, type Rig } from '../support/mocked-worker.js'

const awaiting = paymentIn('awaiting_payment', { closesInMs: CLOSES_IN_MS })
const { withMocks, resultOf, elapsedMs, attentionOf } = useMockedPayments()

const ask = ({ engine }: Rig, payment: PaymentSubject, purpose: 'query' | 'close' = 'query') =>
  engine.askPayment(payment, { purpose, updateId: randomUUID(), timeoutMs: 60_000 })

describe('paymentWorkflow that is asked for', () => {
  test('nothing new: is told, and goes on waiting', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        askPayment: () => ({ said: 'not_paid', isNews: false }),
        settlePayment: () => paymentIn('paid'),
      },
      async (rig) => {
        await place(rig, payment)
        expect(await ask(rig, payment)).toBe('not_paid')
        expect(rig.calls.slice(1)).toEqual([`channel askPayment("${payment.id}", "query")`])
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
      },
    )
  })

  test('news: are settled before they are told, and end it', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        askPayment: () => ({ said: 'paid', isNews: true }),
        settlePayment: () => paymentIn('paid', { attention: 'amount_mismatch' }),
      },
      async (rig) => {
        await place(rig, payment)
        expect(await ask(rig, payment)).toBe('paid')
        expect(rig.calls.slice(1)).toEqual([
          `channel askPayment("${payment.id}", "query")`,
          `local settlePayment("${payment.id}")`,
        ])
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        expect(await attentionOf(payment)).toEqual(['amount_mismatch'])
        expect(await elapsedMs(payment)).toBeLessThan(CLOSES_IN_MS)
      },
    )
  })

  test('closing: is passed on', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        askPayment: (_id, purpose) => ({
          said: purpose === 'close' ? 'closed' : 'not_paid',
          isNews: true,
        }),
        settlePayment: () => paymentIn('closed'),
      },
      async (rig) => {
        await place(rig, payment)
        expect(await ask(rig, payment, 'close')).toBe('closed')
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
      },
    )
  })

  test('an ended one: goes on from its row, answers, and ends again', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        loadPayment: () => paymentIn('closed'),
        askPayment: () => ({ said: 'paid', isNews: true }),
        settlePayment: inTurn(paymentIn('closed'), paymentIn('paid')),
      },
      async (rig) => {
        await place(rig, payment)
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
        rig.calls.length = 0
        expect(await ask(rig, payment)).toBe('paid')
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        expect(rig.calls).toEqual([
          `local loadPayment("${payment.id}")`,
          `channel askPayment("${payment.id}", "query")`,
          `local settlePayment("${payment.id}")`,
        ])
      },
    )
  })

  test('no answer from the activity: is unknown, and asked once only', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        askPayment: () => {
          throw ApplicationFailure.create({ message: 'no row' })
        },
        settlePayment: () => paymentIn('paid'),
      },
      async (rig) => {
        await place(rig, payment)
        expect(await ask(rig, payment)).toBe('unknown')
        expect(rig.calls).toHaveLength(2)
        await rig.engine.paymentFact(payment, randomUUID())
        await resultOf(payment)
      },
    )
  })
})

describe('paymentWorkflow while placing goes on with patience', () => {
  /** The quick try fails, and the patient one answers when it is told to. */
  function slowPlacing() {
    let answer: (progress: PaymentProgress) => void = () => undefined
    const patient = new Promise<PaymentProgress>((resolve) => {
      answer = resolve
    })
    let tries = 0
    const placePayment = (): Promise<PaymentProgress> => {
      tries += 1
      if (tries === 1) throw ApplicationFailure.create({ message: 'no answer yet' })
      return patient
    }
    return { placePayment, answer: (progress: PaymentProgress) => answer(progress) }
  }

  test('a fact that comes meanwhile: is settled at once and ends it', async () => {
    const payment = newPaymentSubject()
    const { placePayment, answer } = slowPlacing()
    await withMocks(
      payment.id,
      { placePayment, settlePayment: () => paymentIn('paid') },
      async (rig) => {
        const placing = place(rig, payment).catch(() => 'late')
        await rig.tried('placePayment', 2)
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        await placing
        answer(awaiting)
      },
    )
  })

  test('a fact that changes nothing: placing is waited for as before', async () => {
    const payment = newPaymentSubject()
    const { placePayment, answer } = slowPlacing()
    const settlePayment = inTurn(paymentIn('created'), paymentIn('paid'))
    await withMocks(payment.id, { placePayment, settlePayment }, async (rig) => {
      const placing = place(rig, payment)
      await rig.tried('placePayment', 2)
      await rig.engine.paymentFact(payment, randomUUID())
      await rig.tried('settlePayment', 1)
      await sleep(50)
      answer(awaiting)
      await placing
      await rig.engine.paymentFact(payment, randomUUID())
      expect(await resultOf(payment)).toEqual({ state: 'paid' })
      expect(rig.calls.filter((call) => call.includes('placePayment'))).toHaveLength(2)
    })
  })
})
