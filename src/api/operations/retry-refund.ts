import type { ApiKeyRow } from '../../db/api-keys.js'
import { newId } from '../../db/ids.js'
import { findRefund, type RefundRow } from '../../db/refunds.js'
import { findRetryOf, markRefundRetry } from '../../db/resolutions.js'
import { inTransaction, violatedConstraint } from '../../db/transaction.js'
import { CodedError } from '../../domain/errors.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { findOwnRefund } from './find-own.js'
import { reserveRefund, startReserved } from './reserve-refund.js'
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
  const id = newId(now)
  const payment = { id: closed.paymentId, accountId: closed.accountId }
  const asking = { id, client, payment, accounts, asked: { ...closed, actingUser }, now }
  const asked = inTransaction(context.db, async (tx) => {
    await reserveRefund(tx, asking)
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

async function renewed(context: ApiContext, id: string): Promise<RetryAnswer> {
  const refund = existing(await findRefund(context.db, id))
  await startReserved(context, refund)
  return { kind: 'renewed', refund }
}
