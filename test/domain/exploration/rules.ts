import { deadlineStep } from '../../../src/domain/approval.js'
import { judgePayment } from '../../../src/domain/payment.js'
import { isRefundNews, judgeDecision, judgeRefundInBook } from '../../../src/domain/refund.js'
import { judgeResolution, judgeRetry, proofOf } from '../../../src/domain/resolution.js'
import {
  PAYMENT_EDGES,
  REFUND_BEGINNINGS,
  REFUND_EDGES,
  REFUND_EFFECT,
} from '../../../src/domain/states.js'
import {
  postAccepted,
  postAdopted,
  postDone,
  postHeld,
  postHeldAccepted,
  postPaid,
  postReturned,
  postSettledOtherwise,
} from '../../../src/ledger/postings.js'

/** Every table and pure function that the exploration walks; each can be broken on purpose. */
export const RULES = {
  paymentEdges: PAYMENT_EDGES,
  refundEdges: REFUND_EDGES,
  refundEffect: REFUND_EFFECT,
  refundBeginnings: REFUND_BEGINNINGS,
  judgePayment,
  judgeDecision,
  judgeRefundInBook,
  isRefundNews,
  judgeRetry,
  judgeResolution,
  proofOf,
  deadlineStep,
  postPaid,
  postHeld,
  postHeldAccepted,
  postAccepted,
  postDone,
  postReturned,
  postSettledOtherwise,
  postAdopted,
  /** What `claimStep` asks of the payment before anything is sent; it is no function by itself. */
  isSendable: (overReservedFen: number): boolean => overReservedFen === 0,
}

export type Rules = typeof RULES
