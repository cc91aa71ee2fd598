import { randomUUID } from 'node:crypto'

import { describe, expect, test } from 'vitest'

import { paymentWorkflowId } from '../../src/domain/ids.js'
import { PAYMENT_STATES, type PaymentState } from '../../src/domain/states.js'
import { PAYMENT_WORKFLOW, prepayUpdate, type PaymentResult } from '../../src/workflows/messages.js'
import {
  CLOSES_IN_MS,
  newPaymentSubject,
  paymentIn,
  place,
  useMockedPayments,
} from '../support/mocked-payments.js'
import { inTurn } from '../support/mocked-worker.js'

const MINUTE_MS = 60_000
const awaiting = paymentIn('awaiting_payment', { closesInMs: CLOSES_IN_MS })
const { temporal, withMocks, handleOf, resultOf, elapsedMs } = useMockedPayments()

describe('paymentWorkflow and what is typed into Temporal', () => {
  const junk: [string, unknown[]][] = [
    ['nothing', []],
    ['null', [null]],
    ['a number', [42]],
    ['an object', [{ state: 'paid', totalFen: 1 }]],
    ['a very long text', ['x'.repeat(10_000)]],
  ]
  test.each(junk)(
    'a raw fact signal with %s: only makes it look into its rows',
    async (_name, args) => {
      const payment = newPaymentSubject()
      const settlePayment = inTurn(paymentIn('awaiting_payment'), paymentIn('paid'))
      await withMocks(payment.id, { placePayment: () => awaiting, settlePayment }, async (rig) => {
        await place(rig, payment)
        await handleOf(payment).signal('fact', ...args)
        await handleOf(payment).signal('nobody-listens', ...args)
        await rig.tried('settlePayment')
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'paid' })
        expect(rig.calls.slice(1)).toEqual(Array(2).fill(`local settlePayment("${payment.id}")`))
      })
    },
  )

  test.each(junk)(
    'a raw prepay update with %s: answers the state and stalls nothing',
    async (_name, args) => {
      const payment = newPaymentSubject()
      await withMocks(
        payment.id,
        { placePayment: () => awaiting, settlePayment: () => paymentIn('paid') },
        async (rig) => {
          await place(rig, payment)
          const answer = await handleOf(payment).executeUpdate<PaymentResult, [unknown]>(
            prepayUpdate.name,
            { args: args as [unknown] },
          )
          expect(answer).toEqual({ state: 'awaiting_payment' })
          await rig.engine.paymentFact(payment, randomUUID())
          expect(await resultOf(payment)).toEqual({ state: 'paid' })
        },
      )
    },
  )
})

describe('paymentWorkflow started from its row', () => {
  const outcomes: Readonly<Record<PaymentState, PaymentState>> = {
    created: 'closed',
    awaiting_payment: 'closed',
    paid: 'paid',
    closed: 'closed',
    failed: 'failed',
  }

  test.each(PAYMENT_STATES.map((from) => ({ from, to: outcomes[from] })))(
    '$from: ends as $to and never places',
    async ({ from, to }) => {
      const payment = newPaymentSubject()
      const isOpen = from !== to
      await withMocks(
        payment.id,
        {
          loadPayment: () => paymentIn(from, { closesInMs: CLOSES_IN_MS }),
          queryThenClose: () => undefined,
          settlePayment: () => paymentIn('closed'),
        },
        async ({ calls }) => {
          await temporal.client.workflow.start(PAYMENT_WORKFLOW, {
            taskQueue: temporal.taskQueue,
            workflowId: paymentWorkflowId(payment.merchantId, payment.outTradeNo),
            args: [{ paymentId: payment.id, closesInMs: 0, resume: true }],
          })
          expect(await resultOf(payment)).toEqual({ state: to })
          const id = `("${payment.id}")`
          const closing = [`channel queryThenClose${id}`, `local settlePayment${id}`]
          expect(calls).toEqual([`local loadPayment${id}`, ...(isOpen ? closing : [])])
          const elapsed = await elapsedMs(payment)
          if (isOpen) expect(elapsed).toBeGreaterThanOrEqual(CLOSES_IN_MS)
          else expect(elapsed).toBeLessThan(MINUTE_MS)
        },
      )
    },
  )

  test('a row past its expiry: begins to close at once', async () => {
    const payment = newPaymentSubject()
    await withMocks(
      payment.id,
      {
        loadPayment: () => paymentIn('awaiting_payment'),
        queryThenClose: () => undefined,
        settlePayment: inTurn(paymentIn('awaiting_payment'), paymentIn('closed')),
      },
      async (rig) => {
        await rig.engine.paymentFact(payment, randomUUID())
        expect(await resultOf(payment)).toEqual({ state: 'closed' })
        expect(await elapsedMs(payment)).toBeLessThan(MINUTE_MS)
      },
    )
  })
})
