import type { Static } from 'typebox'
import type { ApiKeyRow } from '../../db/api-keys.js'
import { claimIdempotencyKey } from '../../db/idempotency.js'
import { newId, newOutRefundNo } from '../../db/ids.js'
import { findPayment, findPaymentByReference, type PaymentRow } from '../../db/payments.js'
import type { Queryable } from '../../db/pool.js'
import { findRefund, requestRefund as reserve, type RefundRow } from '../../db/refunds.js'
import { inTransaction, type Transaction } from '../../db/transaction.js'
import { nextStepAt } from '../../domain/approval.js'
import { CodedError } from '../../domain/errors.js'
import { APPROVAL_DEADLINE_MS, scaledMs } from '../../domain/waits.js'
import type { KeyedAccount } from '../account-book.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { requestHash } from '../request-hash.js'
import type { RequestRefund } from '../schemas/refund.js'

export const REQUEST_REFUND_ROUTE = 'POST /v1/refunds'

export interface RequestRefundCall {
  readonly client: ApiKeyRow
  readonly idempotencyKey: string
  readonly body: Static<typeof RequestRefund>
}

/**
 * Reserves the amount with its key in one transaction, then starts the refund's workflow. When the
 * engine is away the reservation stands, and the same key starts it later.
 * @throws CodedError
 */
export async function requestRefund(
  context: ApiContext,
  call: RequestRefundCall,
): Promise<RefundRow> {
  const now = context.clock.now()
  // Read before the transaction, which must not wait for a second connection while it holds one.
  const accounts = await context.accounts.ofMerchant(call.client.merchantId)
  const id = await inTransaction(context.db, (tx) => reserveOnce(tx, call, accounts, now))
  const refund = existing(await findRefund(context.db, id))
  // What its rules let go by itself is approved by now.
  if (refund.state === 'pending' || refund.state === 'approved') await start(context, refund)
  return refund
}

/** The id of the refund that stands for this key: a new one, or that of the first call. */
async function reserveOnce(
  tx: Transaction,
  { client, idempotencyKey, body }: RequestRefundCall,
  accounts: readonly KeyedAccount[],
  now: Date,
): Promise<string> {
  const id = newId(now)
  const claim = await claimIdempotencyKey(tx, {
    merchantId: client.merchantId,
    clientId: client.id,
    route: REQUEST_REFUND_ROUTE,
    key: idempotencyKey,
    requestHash: requestHash(body),
    objectId: id,
    now,
  })
  if (claim.kind === 'conflict') throw new CodedError('idempotency_key_reused')
  if (claim.kind === 'known') return claim.objectId
  const payment = await namedPayment(tx, client.merchantId, body)
  const keyed = accounts.find(({ account }) => account.id === payment.accountId)
  if (keyed === undefined) throw new CodedError('account_unusable')
  const decideInMs = scaledMs(APPROVAL_DEADLINE_MS, keyed.account.timeScale)
  const { outcome, leftFen } = await reserve(tx, {
    id,
    merchantId: client.merchantId,
    paymentId: payment.id,
    outRefundNo: newOutRefundNo(now),
    amountFen: body.amountFen,
    reason: body.reason,
    requestedBy: client.id,
    requestedFor: body.actingUser,
    reasonCategory: body.reasonCategory,
    shipped: body.shipped,
    expiresAt: new Date(now.getTime() + decideInMs),
    eventId: newId(now),
    auditId: newId(now),
    now,
  })
  // Thrown inside the transaction, so that a refused request leaves its key unused.
  if (outcome === 'refund_exceeds_payment') throw new CodedError(outcome, { leftFen })
  if (outcome !== 'requested') throw new CodedError(outcome)
  return id
}

async function namedPayment(
  db: Queryable,
  merchantId: string,
  body: RequestRefundCall['body'],
): Promise<PaymentRow> {
  const { paymentId, outTradeNo, transactionId } = body
  const payment =
    paymentId === undefined
      ? await findPaymentByReference(db, merchantId, {
          ...(outTradeNo === undefined ? {} : { outTradeNo }),
          ...(transactionId === undefined ? {} : { transactionId }),
        })
      : await findPayment(db, paymentId)
  if (payment === undefined || payment.merchantId !== merchantId) throw new CodedError('not_found')
  return payment
}

async function start(context: ApiContext, refund: RefundRow): Promise<void> {
  const payment = existing(await findPayment(context.db, refund.paymentId))
  const { outTradeNo } = payment
  const decideInMs = Math.max(0, nextStepAt(refund).getTime() - context.clock.now().getTime())
  const isApproved = refund.state === 'approved'
  await context.gate.run(() =>
    context.engine.startRefund({ ...refund, outTradeNo }, decideInMs, isApproved),
  )
}
