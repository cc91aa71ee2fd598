import { randomUUID } from 'node:crypto'

import type { PaymentProgress } from '../../src/activities/progress.js'
import { paymentWorkflowId } from '../../src/domain/ids.js'
import type { PaymentState } from '../../src/domain/states.js'
import type { PaymentSubject } from '../../src/engine/client.js'
import type { PaymentResult } from '../../src/workflows/messages.js'
import { upsertedAttention } from './history.js'
import { elapsedMsOf, useMockedTemporal, type Rig } from './mocked-worker.js'

const MINUTE_MS = 60_000
const PATIENCE_MS = 60_000

/** When closing begins in these tests: a minute after half an hour. */
export const CLOSES_IN_MS = 31 * MINUTE_MS

/** A payment that only its workflow knows of. */
export function newPaymentSubject(): PaymentSubject {
  const outTradeNo = `T${randomUUID().replaceAll('-', '').slice(0, 20)}`
  return {
    id: `id-${outTradeNo}`,
    merchantId: 'teahouse',
    outTradeNo,
    orderRef: null,
    totalFen: 10_000,
    expiresAt: new Date(Date.now() + 30 * MINUTE_MS),
  }
}

/** What an activity answers of a payment in this state. */
export const paymentIn = (
  state: PaymentState,
  rest: Partial<PaymentProgress> = {},
): PaymentProgress => ({ state, attention: null, closesInMs: 0, ...rest })

/** Starts a payment as the API does. */
export const place = ({ engine }: Rig, payment: PaymentSubject): Promise<'answered' | 'late'> =>
  engine.placePayment(payment, CLOSES_IN_MS, PATIENCE_MS)

/** A file's Temporal with skipped time, and what is asked of its payments. */
export function useMockedPayments() {
  const temporal = useMockedTemporal()
  const handleOf = ({ merchantId, outTradeNo }: PaymentSubject) =>
    temporal.client.workflow.getHandle<() => Promise<PaymentResult>>(
      paymentWorkflowId(merchantId, outTradeNo),
    )
  return {
    temporal,
    withMocks: temporal.withMocks,
    handleOf,
    resultOf: (payment: PaymentSubject) => handleOf(payment).result(),
    elapsedMs: (payment: PaymentSubject) => elapsedMsOf(handleOf(payment)),
    attentionOf: async (payment: PaymentSubject) =>
      upsertedAttention(await handleOf(payment).fetchHistory()),
  }
}
