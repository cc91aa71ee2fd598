import { randomUUID } from 'node:crypto'

import type { RefundProgress } from '../../src/activities/progress.js'
import { refundWorkflowId } from '../../src/domain/ids.js'
import type { RefundState } from '../../src/domain/states.js'
import type { RefundSubject } from '../../src/domain/refund.js'
import type { RefundResult } from '../../src/workflows/messages.js'
import { upsertedAttention } from './history.js'
import { elapsedMsOf, useMockedTemporal, type Rig } from './mocked-worker.js'

/** How long a decision may take in these tests. */
export const DAY_MS = 24 * 60 * 60_000

/** A refund that only its workflow knows of. */
export function newRefundSubject(): RefundSubject {
  const outRefundNo = `R${randomUUID().replaceAll('-', '').slice(0, 20)}`
  return {
    id: `id-${outRefundNo}`,
    merchantId: 'teahouse',
    outRefundNo,
    outTradeNo: `T${outRefundNo}`,
    amountFen: 1_000,
    expiresAt: new Date(Date.now() + DAY_MS),
  }
}

/** What an activity answers of a refund in this state. */
export const refundIn = (
  state: RefundState,
  rest: Partial<RefundProgress> = {},
): RefundProgress => ({ state, cause: null, note: null, decideInMs: 0, ...rest })

/** What a decision does, by its id: a test sends the verdict in the id's place. */
export const decideById = (_refundId: string, decisionId: string): RefundProgress =>
  refundIn(decisionId as RefundState)

/** Starts a refund as the API does. */
export const startRefund = ({ engine }: Rig, refund: RefundSubject): Promise<void> =>
  engine.startRefund(refund, DAY_MS)

/** A file's Temporal with skipped time, and what is asked of its refunds. */
export function useMockedRefunds() {
  const temporal = useMockedTemporal()
  const handleOf = ({ merchantId, outRefundNo }: RefundSubject) =>
    temporal.client.workflow.getHandle<() => Promise<RefundResult>>(
      refundWorkflowId(merchantId, outRefundNo),
    )
  return {
    temporal,
    withMocks: temporal.withMocks,
    handleOf,
    resultOf: (refund: RefundSubject) => handleOf(refund).result(),
    elapsedMs: (refund: RefundSubject) => elapsedMsOf(handleOf(refund)),
    attentionOf: async (refund: RefundSubject) =>
      upsertedAttention(await handleOf(refund).fetchHistory()),
    /** What the Temporal UI shows of a running workflow. */
    detailsOf: async (refund: RefundSubject): Promise<string> => {
      const query = '__temporal_workflow_metadata'
      const metadata = await handleOf(refund).query<{ currentDetails?: string }>(query)
      return metadata.currentDetails ?? ''
    },
  }
}
