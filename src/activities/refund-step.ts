import type { RefundedPayment } from '../db/payments.js'
import { changeRefund, setRefundSlot, type RefundChange, type RefundRow } from '../db/refunds.js'
import type { Transaction } from '../db/transaction.js'
import { isRefundOver } from '../domain/states.js'
import { REFUND_SPACING_MS, scaledMs } from '../domain/waits.js'

/** What the row says is left to do about a refund, as one step with at most one external call. */
export type RefundStep =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'wait'; readonly waitMs: number }
  | { readonly kind: 'submit' }
  | { readonly kind: 'query' }

export interface StepContext {
  readonly tx: Transaction
  readonly payment: RefundedPayment
  readonly refund: RefundRow
  readonly timeScale: number
  readonly now: Date
}

/**
 * Chooses the next step under the payment's lock, and claims it when it is a submit: `refunding` is
 * written before the first byte leaves, and every repetition uses the same number and amounts.
 */
export async function claimStep(context: StepContext): Promise<RefundStep> {
  const { refund } = context
  if (isRefundOver(refund.state) || refund.state === 'pending') return { kind: 'nothing' }
  if (refund.state === 'needs_attention') return { kind: 'query' }
  if (refund.state === 'refunding') {
    if (refund.cause === 'accepted') return { kind: 'query' }
    await claimSubmit(context, {})
    return { kind: 'submit' }
  }
  return claimFirstSubmit(context)
}

async function claimFirstSubmit(context: StepContext): Promise<RefundStep> {
  const { tx, payment, refund, timeScale, now } = context
  const spacingMs = scaledMs(REFUND_SPACING_MS, timeScale)
  const slotMs = refund.holdUntil?.getTime() ?? Math.max(ms(payment.refundSlotAt), now.getTime())
  // A slot that is used late would come too near to the next one, so the distance is also kept
  // from when the last refund of this payment was really sent and answered.
  const sendMs = Math.max(slotMs, ms(payment.refundSentAt) + spacingMs)
  const nextMs = Math.max(ms(payment.refundSlotAt), sendMs + spacingMs)
  if (sendMs > now.getTime()) {
    const hold = { holdReason: 'spacing' as const, holdUntil: new Date(sendMs) }
    await Promise.all([
      changeRefund(tx, refund.id, hold, now),
      setRefundSlot(tx, payment.id, { nextAt: new Date(nextMs), sentAt: payment.refundSentAt }),
    ])
    return { kind: 'wait', waitMs: sendMs - now.getTime() }
  }
  await Promise.all([
    claimSubmit(context, { firstSubmittedAt: now, holdReason: null, holdUntil: null }),
    setRefundSlot(tx, payment.id, { nextAt: new Date(nextMs), sentAt: now }),
  ])
  return { kind: 'submit' }
}

async function claimSubmit(context: StepContext, change: RefundChange): Promise<void> {
  const { tx, refund, now } = context
  await changeRefund(
    tx,
    refund.id,
    {
      ...change,
      state: 'refunding',
      cause: 'submitting',
      lastSubmittedAt: now,
      submitCount: refund.submitCount + 1,
    },
    now,
  )
}

const ms = (at: Date | null): number => at?.getTime() ?? 0
