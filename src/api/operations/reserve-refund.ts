import type { ApiKeyRow } from '../../db/api-keys.js'
import { newId, newOutRefundNo } from '../../db/ids.js'
import { findPayment, type PaymentRow } from '../../db/payments.js'
import { requestRefund, type RefundRequest, type RefundRow } from '../../db/refunds.js'
import type { Transaction } from '../../db/transaction.js'
import { nextStepAt } from '../../domain/approval.js'
import { CodedError } from '../../domain/errors.js'
import { APPROVAL_DEADLINE_MS, scaledMs } from '../../domain/waits.js'
import type { KeyedAccount } from '../account-book.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'

export interface Reservation {
  /** The refund's id to be. */
  readonly id: string
  readonly client: ApiKeyRow
  readonly payment: Pick<PaymentRow, 'id' | 'accountId'>
  readonly accounts: readonly KeyedAccount[]
  readonly asked: Pick<RefundRequest, 'amountFen' | 'reason' | 'reasonCategory' | 'shipped'> & {
    readonly actingUser: string
  }
  readonly now: Date
}

/**
 * Reserves an amount of a payment, as its merchant's rules allow. It throws inside the transaction,
 * so that a refused request leaves nothing.
 * @throws CodedError `account_unusable`, `refund_exceeds_payment`, or why the payment has no refund
 */
export async function reserveRefund(tx: Transaction, reservation: Reservation): Promise<void> {
  const { id, client, payment, accounts, asked, now } = reservation
  const keyed = accounts.find(({ account }) => account.id === payment.accountId)
  if (keyed === undefined) throw new CodedError('account_unusable')
  const decideInMs = scaledMs(APPROVAL_DEADLINE_MS, keyed.account.timeScale)
  const { outcome, leftFen } = await requestRefund(tx, {
    id,
    merchantId: client.merchantId,
    paymentId: payment.id,
    outRefundNo: newOutRefundNo(now),
    amountFen: asked.amountFen,
    reason: asked.reason,
    requestedBy: client.id,
    requestedFor: asked.actingUser,
    reasonCategory: asked.reasonCategory,
    shipped: asked.shipped,
    expiresAt: new Date(now.getTime() + decideInMs),
    eventId: newId(now),
    auditId: newId(now),
    now,
  })
  if (outcome === 'refund_exceeds_payment') throw new CodedError(outcome, { leftFen })
  if (outcome !== 'requested') throw new CodedError(outcome)
}

/**
 * Starts the workflow of a refund that is reserved. Starting it again is harmless, and is how a
 * start that failed is made good; one that was decided meanwhile needs none.
 * @throws CodedError `engine_unavailable`
 */
export async function startReserved(context: ApiContext, refund: RefundRow): Promise<void> {
  // What the merchant's rules let go by itself is approved by now.
  if (refund.state !== 'pending' && refund.state !== 'approved') return
  const { db, engine, gate, clock } = context
  const { outTradeNo } = existing(await findPayment(db, refund.paymentId))
  const decideInMs = Math.max(0, nextStepAt(refund).getTime() - clock.now().getTime())
  const isApproved = refund.state === 'approved'
  await gate.run(() => engine.startRefund({ ...refund, outTradeNo }, decideInMs, isApproved))
}
