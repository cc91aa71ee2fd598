import type { ApiKeyRow } from '../../db/api-keys.js'
import { newId, newOutRefundNo } from '../../db/ids.js'
import { findPayment } from '../../db/payments.js'
import { findRefund, requestRefund, type RefundRow } from '../../db/refunds.js'
import { findRetryOf, markRefundRetry } from '../../db/resolutions.js'
import { inTransaction, violatedConstraint } from '../../db/transaction.js'
import { nextStepAt } from '../../domain/approval.js'
import { CodedError } from '../../domain/errors.js'
import { APPROVAL_DEADLINE_MS, scaledMs } from '../../domain/waits.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { findOwnRefund } from './find-own.js'
import { resolveRefund } from './resolve-refund.js'

export interface RetryCall {
  readonly client: ApiKeyRow
  readonly refundId: string
  readonly actingUser: string
  readonly reason: string
}

export type RetryAnswer =
  /** The same refund under the same number, or (`renewed`) a new one that waits for approval. */
  | { readonly kind: 'retried' | 'renewed'; readonly refund: RefundRow }
  | { readonly kind: 'recorded'; readonly resolutionId: string }

/**
 * Tries a refund again: the same number as long as the channel may know it, and, once it is closed
 * for good, a new request that names the old one, after the channel has just said so again.
 * @throws CodedError
 */
export async function retryRefund(context: ApiContext, call: RetryCall): Promise<RetryAnswer> {
  const { client, refundId, actingUser, reason } = call
  const refund = await findOwnRefund(context.db, client, refundId)
  const isClosed = refund.state === 'failed'
  if (isClosed) {
    const known = await findRetryOf(context.db, refundId)
    if (known !== undefined) return renewed(context, known)
  } else if (!RETRIED.includes(refund.state)) {
    throw new CodedError('refund_state_conflict', { state: refund.state })
  }
  const verb = isClosed ? 'renew' : 'retry'
  const answer = await resolveRefund(context, refund, {
    client,
    actingUser,
    verb,
    evidence: reason,
  })
  if (answer.kind !== 'applied') return { kind: 'recorded', resolutionId: answer.resolutionId }
  return isClosed
    ? renewed(context, await renew(context, call, refund, answer.resolutionId))
    : { kind: 'retried', refund: answer.refund }
}

const RETRIED: readonly RefundRow['state'][] = ['approved', 'refunding', 'needs_attention']

/** The new request, its reservation and its tie to the closed one, in one transaction. */
async function renew(
  context: ApiContext,
  { client, actingUser }: RetryCall,
  closed: RefundRow,
  resolutionId: string,
): Promise<string> {
  const now = context.clock.now()
  const accounts = await context.accounts.ofMerchant(client.merchantId)
  const keyed = accounts.find(({ account }) => account.id === closed.accountId)
  if (keyed === undefined) throw new CodedError('account_unusable')
  const decideInMs = scaledMs(APPROVAL_DEADLINE_MS, keyed.account.timeScale)
  const id = newId(now)
  const asked = inTransaction(context.db, async (tx) => {
    const { outcome, leftFen } = await requestRefund(tx, {
      id,
      merchantId: client.merchantId,
      paymentId: closed.paymentId,
      outRefundNo: newOutRefundNo(now),
      amountFen: closed.amountFen,
      reason: closed.reason,
      requestedBy: client.id,
      requestedFor: actingUser,
      reasonCategory: closed.reasonCategory,
      shipped: closed.shipped,
      expiresAt: new Date(now.getTime() + decideInMs),
      eventId: newId(now),
      auditId: newId(now),
      now,
    })
    if (outcome === 'refund_exceeds_payment') throw new CodedError(outcome, { leftFen })
    if (outcome !== 'requested') throw new CodedError(outcome)
    await markRefundRetry(tx, { refundId: id, retryOf: closed.id, resolutionId, now })
  })
  return asked.then(
    () => id,
    (error: unknown) => standing(context, closed.id, error),
  )
}

/** Where another call was faster its request stands; a proof may have grown old meanwhile. */
async function standing({ db }: ApiContext, closedId: string, error: unknown): Promise<string> {
  const constraint = violatedConstraint(error)
  if (constraint === 'refunds_retry_has_proof') throw new CodedError('refund_not_proved')
  const known = await findRetryOf(db, closedId)
  if (known === undefined) throw error
  return known
}

/** Starting the workflow again is harmless, and is how a start that failed is made good. */
async function renewed(context: ApiContext, id: string): Promise<RetryAnswer> {
  const { db, engine, gate, clock } = context
  const refund = existing(await findRefund(db, id))
  // What the merchant's rules let go by itself is approved by now.
  if (refund.state === 'pending' || refund.state === 'approved') {
    const { outTradeNo } = existing(await findPayment(db, refund.paymentId))
    const decideInMs = Math.max(0, nextStepAt(refund).getTime() - clock.now().getTime())
    const isApproved = refund.state === 'approved'
    await gate.run(() => engine.startRefund({ ...refund, outTradeNo }, decideInMs, isApproved))
  }
  return { kind: 'renewed', refund }
}
