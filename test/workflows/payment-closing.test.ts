import { randomUUID } from 'node:crypto'

import { describe, expect, test, vi } from 'vitest'

import { askAgain } from '../../src/activities/failures.js'
import { paymentWorkflowId } from '../../src/domain/ids.js'
import type { PaymentSubject } from '../../src/engine/client.js'
import { newPaymentSubject, paymentIn, useMockedPayments } from '../support/mocked-payments.js'
import { inTurn, type Rig } from '../support/mocked-worker.js'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const { withMocks, resultOf } = useMockedPayments()

const expired = () => paymentIn('awaiting_payment', { closesInMs: 0 })
const silentFor = (delayMs: number) =>
  inTurn<undefined>(askAgain('timeout', 'no answer', delayMs), undefined)

/** Waits in real time: whoever asks for the result lets the other waits be skipped. */
async function untilEnded(
  { engine }: Rig,
  { merchantId, outTradeNo }: PaymentSubject,
): Promise<void> {
  const workflowId = paymentWorkflowId(merchantId, outTradeNo)
  const hasEnded = async () => !(await engine.isRunning(workflowId))
  await vi.waitUntil(hasEnded, { timeout: MINUTE_MS, interval: 20 })
}

describe('paymentWorkflow whose channel does not answer at expiry', () => {
  test('a fact that ends it: is settled at once, and nobody asks any more', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        loadPayment: expired,
        queryThenClose: silentFor(DAY_MS),
        settlePayment: () => paymentIn('paid'),
      },
      async (rig) => {
        await rig.engine.resumePayment(payment)
        await rig.tried('queryThenClose')
        await rig.engine.paymentFact(payment, randomUUID())
        await untilEnded(rig, payment)
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        expect(rig.calls).toEqual([
          `local loadPayment("${payment.id}")`,
          `channel queryThenClose("${payment.id}")`,
          `local settlePayment("${payment.id}")`,
        ])
      },
    )
  })

  test('a fact that changes nothing: is settled, and the question goes on', async () => {
    const payment = newPaymentSubject()
    const settlePayment = inTurn(paymentIn('awaiting_payment'), paymentIn('closed'))
    await withMocks(
      payment.id,
      { loadPayment: expired, queryThenClose: silentFor(MINUTE_MS), settlePayment },
      async (rig) => {
        await rig.engine.resumePayment(payment)
        await rig.tried('queryThenClose')
        await rig.engine.paymentFact(payment, randomUUID())
        await rig.tried('settlePayment')
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
        expect(rig.calls.filter((call) => call.includes('queryThenClose'))).toHaveLength(2)
        expect(rig.calls.at(-1)).toBe(`local settlePayment("${payment.id}")`)
      },
    )
  })
})
