import type { Static } from 'typebox'
import type { DecisionRow } from '../db/decisions.js'
import type { PaymentRow } from '../db/payments.js'
import type { RefundRow } from '../db/refunds.js'
import { addFen, fen, subtractFen, ZERO_FEN } from '../domain/money.js'
import { isRefundSent } from '../domain/states.js'
import { DISPOSITION_WORDS, PAYMENT_WORDS, refundWords } from '../domain/words.js'
import type { Payable } from './operations/payable.js'
import type { PayablePayment, Payment } from './schemas/payment.js'
import type { Decision, Refund, RefundWithDecisions } from './schemas/refund.js'

/** How long a caller should leave a call alone that was not finished in time, in seconds. */
export const RETRY_AFTER_S = 2

/** How rows are shown to callers: what is not named here is not told. */

export function paymentView(row: PaymentRow): Static<typeof Payment> {
  return {
    id: row.id,
    outTradeNo: row.outTradeNo,
    orderRef: row.orderRef,
    description: row.description,
    mchId: row.mchId,
    appId: row.appId,
    state: row.state,
    disposition: row.disposition,
    attention: row.attention,
    failureCode: row.failureCode,
    words: wordsOf(row),
    amountFen: row.totalFen,
    paidFen: row.paidFen,
    reservedFen: row.reservedFen,
    refundedFen: row.refundedFen,
    refundableFen: refundableFen(row),
    transactionId: row.transactionId,
    expiresAt: row.expiresAt.toISOString(),
    paidAt: instantOf(row.paidAt),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** What was not simply accepted has a word of its own. */
function wordsOf({ state, disposition }: PaymentRow): { zh: string; en: string } {
  return disposition === null || disposition === 'accepted'
    ? PAYMENT_WORDS[state]
    : DISPOSITION_WORDS[disposition]
}

export function payableView({ payment, frontEnd }: Payable): Static<typeof PayablePayment> {
  return { ...paymentView(payment), frontEnd }
}

function refundableFen(row: PaymentRow): number {
  if (row.paidFen === null || row.disposition === 'held') return ZERO_FEN
  const taken = addFen(fen(row.reservedFen), fen(row.refundedFen), fen(row.settledFen))
  // More may be spoken for than was paid, by a refund of the channel's own portal.
  return taken >= row.paidFen ? ZERO_FEN : subtractFen(fen(row.paidFen), taken)
}

export function refundView(row: RefundRow): Static<typeof Refund> {
  return {
    id: row.id,
    outRefundNo: row.outRefundNo,
    paymentId: row.paymentId,
    origin: row.origin,
    amountFen: row.amountFen,
    state: row.state,
    cause: row.cause,
    words: refundWords(row.state, row.cause),
    reason: row.reason,
    reasonCategory: row.reasonCategory,
    shipped: row.shipped,
    policyVersion: row.policyVersion,
    approvalsNeeded: row.approvalsNeeded,
    requestedBy: row.requestedBy,
    actingUser: row.requestedFor,
    holdReason: row.holdReason,
    holdUntil: instantOf(row.holdUntil),
    lastCode: row.lastCode,
    lastMessage: row.lastMessage,
    refundId: row.refundId,
    retryOf: row.retryOf,
    slow: row.slowAt !== null && isRefundSent(row.state),
    submitCount: row.submitCount,
    expiresAt: row.expiresAt.toISOString(),
    remindedAt: instantOf(row.remindedAt),
    escalatedAt: instantOf(row.escalatedAt),
    firstSubmittedAt: instantOf(row.firstSubmittedAt),
    acceptedAt: instantOf(row.acceptedAt),
    doneAt: instantOf(row.doneAt),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

export function refundWithDecisionsView(
  refund: RefundRow,
  decisions: readonly DecisionRow[],
): Static<typeof RefundWithDecisions> {
  return { ...refundView(refund), decisions: decisions.map(decisionView) }
}

function decisionView(row: DecisionRow): Static<typeof Decision> {
  return {
    id: row.id,
    verb: row.verb,
    principalKind: row.principalKind,
    principalId: row.principalId,
    actingUser: row.actingUser,
    reason: row.reason,
    selfApproval: row.selfApproval,
    storedAt: row.storedAt.toISOString(),
    appliedAt: instantOf(row.appliedAt),
    outcome: row.outcome,
  }
}

const instantOf = (date: Date | null): string | null => date?.toISOString() ?? null
