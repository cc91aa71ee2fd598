import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, test } from 'vitest'

import { askAgain } from '../../src/activities/failures.js'
import type { PaymentProgress } from '../../src/activities/progress.js'
import {
  CLOSES_IN_MS,
  newPaymentSubject,
  paymentIn,
  place,
  useMockedPayments,
} from '../support/mocked-payments.js'
import { inTurn } from '../support/mocked-worker.js'

const MINUTE_MS = 60_000
const PATIENCE_MS = 10_000
const awaiting = paymentIn('awaiting_payment', { closesInMs: CLOSES_IN_MS })
const { withMocks, resultOf, elapsedMs, attentionOf } = useMockedPayments()

describe('paymentWorkflow', () => {
  test('paid by a notification: places, settles and ends', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      { placePayment: () => awaiting, settlePayment: () => paymentIn('paid') },
      async (rig) => {
        expect(await place(rig, payment)).toBe('answered')
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        expect(rig.calls).toEqual([
          `local placePayment("${payment.id}")`,
          `local settlePayment("${payment.id}")`,
        ])
      },
    )
  })

  test('created twice: runs once', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      { placePayment: () => awaiting, settlePayment: () => paymentIn('paid') },
      async (rig) => {
        await place(rig, payment)
        await place(rig, payment)
        await rig.engine.paymentFact(payment, randomUUID())
        await resultOf(payment)
        expect(await place(rig, payment)).toBe('answered')
        expect(rig.calls).toHaveLength(2)
      },
    )
  })

  test('a fact that does not settle it: waits on', async () => {
    const payment = newPaymentSubject()
    const settlePayment = inTurn(paymentIn('awaiting_payment'), paymentIn('paid'))
    await withMocks(payment.id, { placePayment: () => awaiting, settlePayment }, async (rig) => {
      await place(rig, payment)
      await rig.engine.paymentFact(payment, randomUUID())
      await rig.tried('settlePayment')
      await rig.engine.paymentFact(payment, randomUUID())
      expect(await resultOf(payment)).toEqual({ state: 'paid' })
      expect(await elapsedMs(payment)).toBeLessThan(CLOSES_IN_MS)
    })
  })

  test('a fact before placing answered: is settled after the answer', async () => {
    const payment = newPaymentSubject()
    let answer: (progress: PaymentProgress) => void = () => undefined
    const answered = new Promise<PaymentProgress>((resolve) => {
      answer = resolve
    })
    await withMocks(
      payment.id,
      { placePayment: () => answered, settlePayment: () => paymentIn('paid') },
      async (rig) => {
        const placing = place(rig, payment)
        await rig.tried('placePayment')
        await rig.engine.paymentFact(payment, randomUUID())
        answer(awaiting)
        expect(await placing).toBe('answered')
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        expect(rig.calls).toHaveLength(2)
      },
    )
  })

  test('placing that does not answer in 1.5 s: goes to the queue of channel calls', async () => {
    const payment = newPaymentSubject()
    let tries = 0
    const placePayment = async () => {
      tries += 1
      if (tries === 1) await sleep(2_500)
      return awaiting
    }
    await withMocks(
      payment.id,
      { placePayment, settlePayment: () => paymentIn('paid') },
      async (rig) => {
        expect(await place(rig, payment)).toBe('answered')
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        expect(rig.calls).toEqual([
          `local placePayment("${payment.id}")`,
          `channel placePayment("${payment.id}")`,
          `local settlePayment("${payment.id}")`,
        ])
      },
    )
  })

  test('placing that fails: is tried once quickly, then again with patience', async () => {
    const payment = newPaymentSubject()
    const placePayment = inTurn<PaymentProgress>(
      askAgain('timeout', 'no answer', 2_000),
      askAgain('timeout', 'no answer', 2_000),
      askAgain('timeout', 'no answer', 5_000),
      paymentIn('failed'),
    )
    await withMocks(payment.id, { placePayment }, async (rig) => {
      const placing = place(rig, payment)
      expect(await resultOf(payment)).toEqual({ state: 'failed' })
      await placing
      const id = `placePayment("${payment.id}")`
      expect(rig.calls).toEqual([`local ${id}`, `channel ${id}`, `channel ${id}`, `channel ${id}`])
    })
  })

  test('placing refused: ends as failed', async () => {
    const payment = newPaymentSubject()
    await withMocks(payment.id, { placePayment: () => paymentIn('failed') }, async (rig) => {
      expect(await place(rig, payment)).toBe('answered')
      expect(await resultOf(payment)).toEqual({ state: 'failed' })
      expect(rig.calls).toEqual([`local placePayment("${payment.id}")`])
    })
  })

  test('placing unknown to the end: the closing finds out', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: inTurn<PaymentProgress>(askAgain('timeout', 'no answer', 5 * MINUTE_MS)),
        loadPayment: () => paymentIn('created'),
        queryThenClose: () => undefined,
        settlePayment: () => paymentIn('closed'),
      },
      async (rig) => {
        const placing = place(rig, payment).catch(() => 'late')
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
        await placing
        expect(rig.calls.filter((call) => !call.includes('placePayment'))).toEqual([
          `local loadPayment("${payment.id}")`,
          `channel queryThenClose("${payment.id}")`,
          `local settlePayment("${payment.id}")`,
        ])
        // The last try ends with the payment's time, not some retries later.
        expect(await elapsedMs(payment)).toBeLessThan(CLOSES_IN_MS + MINUTE_MS)
      },
    )
  })

  test('expiry: queries, closes and ends', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        queryThenClose: () => undefined,
        settlePayment: () => paymentIn('closed'),
      },
      async (rig) => {
        await place(rig, payment)
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
        expect(rig.calls).toEqual([
          `local placePayment("${payment.id}")`,
          `channel queryThenClose("${payment.id}")`,
          `local settlePayment("${payment.id}")`,
        ])
        const elapsed = await elapsedMs(payment)
        expect(elapsed).toBeGreaterThanOrEqual(CLOSES_IN_MS)
        expect(elapsed).toBeLessThan(CLOSES_IN_MS + MINUTE_MS)
      },
    )
  })

  test('expiry that finds it paid: ends as paid', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        queryThenClose: () => undefined,
        settlePayment: () => paymentIn('paid'),
      },
      async (rig) => {
        await place(rig, payment)
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
      },
    )
  })

  test('USERPAYING at expiry: is asked again in 30 s', async () => {
    const payment = newPaymentSubject()
    const queryThenClose = inTurn<undefined>(askAgain('USERPAYING', 'typing', 30_000), undefined)
    await withMocks(
      payment.id,
      { placePayment: () => awaiting, queryThenClose, settlePayment: () => paymentIn('paid') },
      async (rig) => {
        await place(rig, payment)
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        const asked = rig.calls.filter((call) => call.includes('queryThenClose'))
        expect(asked).toHaveLength(2)
        expect(await elapsedMs(payment)).toBeGreaterThanOrEqual(CLOSES_IN_MS + 30_000)
      },
    )
  })

  test('a closing that settled nothing: the channel is asked again in ten minutes', async () => {
    const payment = newPaymentSubject()
    const settlePayment = inTurn(paymentIn('awaiting_payment'), paymentIn('closed'))
    await withMocks(
      payment.id,
      { placePayment: () => awaiting, queryThenClose: () => undefined, settlePayment },
      async (rig) => {
        await place(rig, payment)
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
        const elapsed = await elapsedMs(payment)
        expect(elapsed).toBeGreaterThanOrEqual(CLOSES_IN_MS + 10 * MINUTE_MS)
        expect(elapsed).toBeLessThan(CLOSES_IN_MS + 11 * MINUTE_MS)
      },
    )
  })

  test('a late fact: starts it again from its row and settles without placing', async () => {
    const payment = newPaymentSubject()
    const settlePayment = inTurn(paymentIn('closed'), paymentIn('paid', { attention: 'late' }))
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        queryThenClose: () => undefined,
        settlePayment,
        loadPayment: () => paymentIn('closed'),
      },
      async (rig) => {
        await place(rig, payment)
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
        rig.calls.length = 0
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        expect(rig.calls).toEqual([
          `local loadPayment("${payment.id}")`,
          `local settlePayment("${payment.id}")`,
        ])
        expect(await attentionOf(payment)).toEqual(['late'])
      },
    )
  })

  test('a held payment: asks for a person by YuanluAttention', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        placePayment: () => awaiting,
        settlePayment: () => paymentIn('paid', { attention: 'amount_mismatch' }),
      },
      async (rig) => {
        await place(rig, payment)
        await rig.engine.paymentFact(payment, randomUUID())
        await resultOf(payment)
        expect(await attentionOf(payment)).toEqual(['amount_mismatch'])
      },
    )
  })

  test('prepay again: places the stored request on the queue of channel calls', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      { placePayment: () => awaiting, settlePayment: () => paymentIn('paid') },
      async (rig) => {
        await place(rig, payment)
        expect(await rig.engine.placeAgain(payment, randomUUID(), PATIENCE_MS)).toBe('answered')
        await rig.engine.paymentFact(payment, randomUUID())
        await resultOf(payment)
        const id = `("${payment.id}")`
        expect(rig.calls).toEqual([
          `local placePayment${id}`,
          `channel placePayment${id}`,
          `local settlePayment${id}`,
        ])
      },
    )
  })
})
