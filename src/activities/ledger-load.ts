import { findAccount } from '../db/merchants.js'
import { findPayment, type PaymentRow } from '../db/payments.js'
import { findRefund, type RefundRow } from '../db/refunds.js'
import { nextStepAt } from '../domain/approval.js'
import { CLOSE_GRACE_MS, scaledMs } from '../domain/waits.js'
import type { ActivityDependencies, Clock } from './dependencies.js'
import { noSuchRow } from './failures.js'
import type { PaymentProgress, RefundProgress } from './progress.js'

/** Reading a row so that a workflow can go on from it, in whatever state it is. */
export function createLoads({ database, clock }: ActivityDependencies) {
  return {
    async loadPayment(paymentId: string): Promise<PaymentProgress> {
      const payment = await findPayment(database, paymentId)
      if (payment === undefined) throw noSuchRow('payment', paymentId)
      const account = await findAccount(database, payment.accountId)
      return paymentProgress(payment, account?.timeScale ?? 1, clock)
    },

    async loadRefund(refundId: string): Promise<RefundProgress> {
      const refund = await findRefund(database, refundId)
      if (refund === undefined) throw noSuchRow('refund', refundId)
      return refundProgress(refund, clock)
    },
  }
}

/** What a workflow has to know of a payment; closing begins a grace after its expiry. */
export function paymentProgress(
  payment: PaymentRow,
  timeScale: number,
  clock: Clock,
): PaymentProgress {
  const closesAt = payment.expiresAt.getTime() + scaledMs(CLOSE_GRACE_MS, timeScale)
  return {
    state: payment.state,
    attention: attentionOf(payment),
    closesInMs: Math.max(0, closesAt - clock.now().getTime()),
  }
}

/** Surplus money needs nobody: it goes back by itself. */
export const attentionOf = ({
  disposition,
  attention,
}: Pick<PaymentRow, 'disposition' | 'attention'>): string | null =>
  disposition === 'surplus' ? null : attention

/** What a workflow has to know of a refund, and a note for whoever looks at it. */
export function refundProgress(
  refund: RefundRow,
  clock: Clock,
  note: string | null = null,
): RefundProgress {
  return {
    state: refund.state,
    cause: refund.cause,
    note,
    decideInMs: Math.max(0, nextStepAt(refund).getTime() - clock.now().getTime()),
  }
}
