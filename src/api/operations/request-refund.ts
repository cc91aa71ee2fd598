import type { Static } from 'typebox'
import type { ApiKeyRow } from '../../db/api-keys.js'
import { claimIdempotencyKey } from '../../db/idempotency.js'
import { newId } from '../../db/ids.js'
import { findPayment, findPaymentByReference, type PaymentRow } from '../../db/payments.js'
import type { Queryable } from '../../db/pool.js'
import { findRefund, type RefundRow } from '../../db/refunds.js'
import { inTransaction, type Transaction } from '../../db/transaction.js'
import { CodedError } from '../../domain/errors.js'
import type { KeyedAccount } from '../account-book.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { requestHash } from '../request-hash.js'
import type { RequestRefund } from '../schemas/refund.js'
import { reserveRefund, startReserved } from './reserve-refund.js'

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
  await startReserved(context, refund)
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
  await reserveRefund(tx, { id, client, payment, accounts, asked: body, now })
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
