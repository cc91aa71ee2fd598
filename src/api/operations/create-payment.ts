import type { Static } from 'typebox'
import type { ApiKeyRow } from '../../db/api-keys.js'
import { sealChannelRequest } from '../../db/channel-requests.js'
import { claimIdempotencyKey } from '../../db/idempotency.js'
import { newId, newOutTradeNo } from '../../db/ids.js'
import { payerRef } from '../../db/payers.js'
import { findPayment, insertPayment, listPayments, type NewPayment } from '../../db/payments.js'
import { inTransaction, violatedConstraint, type Transaction } from '../../db/transaction.js'
import { CodedError, type ErrorCode } from '../../domain/errors.js'
import { PAYMENT_EXPIRY_MS, scaledMs } from '../../domain/waits.js'
import type { KeyedAccount } from '../account-book.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { InvalidFields } from '../field-errors.js'
import { whyNotPublic } from '../public-base-url.js'
import { requestHash } from '../request-hash.js'
import type { CreatePayment } from '../schemas/payment.js'
import { orderRequest } from './order-request.js'
import { makePayable, PLACING_TIMEOUT_MS, type Payable } from './payable.js'

export const CREATE_PAYMENT_ROUTE = 'POST /v1/payments'

export interface CreatePaymentCall {
  readonly client: ApiKeyRow
  readonly idempotencyKey: string
  readonly body: Static<typeof CreatePayment>
  /** Where the call came from, for a body that names no payer's address. */
  readonly callerIp: string
}

/**
 * Writes the payment with its key in one transaction, then has it placed. The same key goes on
 * where the first call was, whatever became of that.
 * @throws CodedError, InvalidFields
 */
export async function createPayment(
  context: ApiContext,
  call: CreatePaymentCall,
): Promise<Payable> {
  const untilMs = performance.now() + PLACING_TIMEOUT_MS
  const keyed = await chooseAccount(context, call)
  const payment = newPayment(context, call, keyed)
  const id = await inTransaction(context.db, (tx) => writeOnce(tx, call, payment)).catch(explain)
  const row = existing(await findPayment(context.db, id))
  return makePayable(context, row, untilMs)
}

interface Chosen {
  readonly account: KeyedAccount['account']
  readonly appId: string
}

async function chooseAccount(context: ApiContext, call: CreatePaymentCall): Promise<Chosen> {
  const accounts = await context.accounts.ofMerchant(call.client.merchantId)
  const { appId } = call.body
  const keyed =
    appId === undefined
      ? accounts[0]
      : accounts.find(({ account }) => account.appIds.includes(appId))
  if (keyed === undefined && appId !== undefined && accounts.length > 0) {
    const detail = { en: 'does not belong to the merchant', zh: '不属于该商户' }
    throw new InvalidFields([{ in: 'body', field: 'appId', detail }])
  }
  const chosen = appId ?? keyed?.account.appIds[0]
  if (keyed === undefined || chosen === undefined || keyed.apiV2Keys.length === 0) {
    throw new CodedError('account_unusable')
  }
  // Real money is never taken where its notification could not arrive.
  if (keyed.account.mode === 'live' && whyNotPublic(context.publicBaseUrl) !== undefined) {
    throw new CodedError('account_unusable')
  }
  return { account: keyed.account, appId: chosen }
}

function newPayment(context: ApiContext, call: CreatePaymentCall, chosen: Chosen): NewPayment {
  const { account, appId } = chosen
  const { amountFen, description, openid, attach, orderRef, expiresInSeconds } = call.body
  const { merchantId } = call.client
  const now = context.clock.now()
  const id = newId(now)
  const outTradeNo = call.body.outTradeNo ?? newOutTradeNo(now)
  const expiresInMs =
    expiresInSeconds === undefined ? PAYMENT_EXPIRY_MS.usual : expiresInSeconds * 1_000
  const expiresAt = new Date(now.getTime() + scaledMs(expiresInMs, account.timeScale))
  const payerIp = call.body.payerIp ?? plainIp(call.callerIp)
  const order = { appId, outTradeNo, amountFen, description, openid, payerIp, attach }
  const request = orderRequest(
    { ...order, startsAt: now, expiresAt },
    account,
    context.publicBaseUrl,
  )
  return {
    id,
    merchantId,
    accountId: account.id,
    mchId: account.mchId,
    appId,
    outTradeNo,
    orderRef: orderRef ?? null,
    description,
    totalFen: amountFen,
    channelRequest: sealChannelRequest(context.envelope, id, request),
    payerRef: payerRef(context.envelope, merchantId, openid),
    expiresAt,
    now,
  }
}

/** An IPv4 address that came through an IPv6 socket is written as what it is. */
const plainIp = (ip: string): string => ip.replace(/^::ffff:(?=\d+\.)/i, '')

/** The id of the payment that stands for this key: this one, or the one of the first call. */
async function writeOnce(
  tx: Transaction,
  call: CreatePaymentCall,
  payment: NewPayment,
): Promise<string> {
  const claim = await claimIdempotencyKey(tx, {
    merchantId: payment.merchantId,
    clientId: call.client.id,
    route: CREATE_PAYMENT_ROUTE,
    key: call.idempotencyKey,
    requestHash: requestHash(call.body),
    objectId: payment.id,
    now: payment.now,
  })
  if (claim.kind === 'conflict') throw new CodedError('idempotency_key_reused')
  if (claim.kind === 'known') return claim.objectId
  await refusePaidOrder(tx, payment)
  await insertPayment(tx, payment)
  return payment.id
}

/** How many payments of one order are looked through for one that is paid. */
const PAID_OF_ORDER_MAX = 50

async function refusePaidOrder(tx: Transaction, payment: NewPayment): Promise<void> {
  const { merchantId, orderRef } = payment
  if (orderRef === null) return
  const paid = await listPayments(tx, {
    merchantId,
    orderRef,
    state: 'paid',
    limit: PAID_OF_ORDER_MAX,
  })
  if (paid.some(({ disposition }) => disposition === 'accepted')) {
    throw new CodedError('order_ref_open')
  }
}

const BY_CONSTRAINT: Readonly<Record<string, ErrorCode>> = {
  payments_mch_id_out_trade_no_key: 'out_trade_no_used',
  payments_merchant_id_out_trade_no_key: 'out_trade_no_used',
  payments_order_ref_open_once: 'order_ref_open',
}

function explain(error: unknown): never {
  const code = BY_CONSTRAINT[violatedConstraint(error) ?? '']
  throw code === undefined ? error : new CodedError(code)
}
