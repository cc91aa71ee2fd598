import type { Static } from 'typebox'
import type { ApiKeyRow } from '../../db/api-keys.js'
import { findPayment, findPaymentByReference, type PaymentRow } from '../../db/payments.js'
import type { Adoption } from '../../domain/adoption.js'
import { CodedError } from '../../domain/errors.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { InvalidFields } from '../field-errors.js'
import type { AdoptPayment } from '../schemas/payment-actions.js'

/** How long a caller waits for a payment to be taken over. */
const ADOPTING_TIMEOUT_MS = 8_000

export interface AdoptCall {
  readonly client: ApiKeyRow
  readonly body: Static<typeof AdoptPayment>
}

/**
 * Takes over a payment that was made before this engine, as WeChat Pay shows it.
 * @throws CodedError `payment_known`, `order_not_paid`, `order_not_adoptable`,
 *   `channel_unavailable`, `engine_unavailable`; InvalidFields for an appid of another merchant
 */
export async function adoptPayment(context: ApiContext, call: AdoptCall): Promise<PaymentRow> {
  const { db, engine, gate } = context
  const { client, body } = call
  await refuseKnown(context, call)
  const adoption: Adoption = {
    accountId: await accountOf(context, client.merchantId, body.appId),
    order: orderOf(body),
    principalId: client.id,
  }
  const adopted = await gate.run(() =>
    engine.adoptPayment(client.merchantId, adoption, ADOPTING_TIMEOUT_MS),
  )
  switch (adopted.outcome) {
    case 'adopted':
      return existing(await findPayment(db, adopted.paymentId))
    case 'known':
      await refuseKnown(context, call)
      throw new CodedError('payment_known')
    case 'not_paid':
      throw new CodedError('order_not_paid')
    case 'not_adoptable':
      throw new CodedError('order_not_adoptable')
    case 'unknown':
    case 'late':
      throw new CodedError('channel_unavailable')
  }
}

function orderOf({ appId, outTradeNo, transactionId }: AdoptCall['body']): Adoption['order'] {
  // The schema wants exactly one of the two.
  return outTradeNo === undefined
    ? { appId, transactionId: transactionId ?? '' }
    : { appId, outTradeNo }
}

async function refuseKnown({ db }: ApiContext, { client, body }: AdoptCall): Promise<void> {
  const { outTradeNo, transactionId } = body
  const known = await findPaymentByReference(db, client.merchantId, {
    ...(outTradeNo === undefined ? {} : { outTradeNo }),
    ...(transactionId === undefined ? {} : { transactionId }),
  })
  if (known !== undefined) throw new CodedError('payment_known', { paymentId: known.id })
}

async function accountOf(
  { accounts }: ApiContext,
  merchantId: string,
  appId: string,
): Promise<string> {
  const own = await accounts.ofMerchant(merchantId)
  const keyed = own.find(({ account }) => account.appIds.includes(appId))
  if (keyed !== undefined) return keyed.account.id
  const detail = { en: 'does not belong to the merchant', zh: '不属于该商户' }
  throw new InvalidFields([{ in: 'body', field: 'appId', detail }])
}
