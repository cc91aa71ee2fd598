import type {
  CallOptions,
  Channel,
  CloseOutcome,
  FrontEndParameters,
  OrderOutcome,
  PaidFact,
  PlaceOrder,
  PlaceOutcome,
  RefundFact,
  RefundNotice,
  RefundOutcome,
  RefundsOutcome,
  SubmitOutcome,
  SubmitRefund,
} from '../domain/channel.js'
import { createWeChatClient } from './client.js'
import type { Exchange, WeChatClient, WeChatTimeouts } from './client.js'
import { compactOfInstant } from './time.js'
import { CLOSE_ORDER_PATH, closeOrderFields, readCloseOrder } from './v2/close-order.js'
import type { V2Call } from './v2/error-codes.js'
import { signFrontEndParameters } from './v2/front-end.js'
import type { FrontEndOrder } from './v2/front-end.js'
import {
  translatePaymentNotification,
  translateRefundNotification,
  verifyPaymentNotification,
  verifyRefundNotification,
} from './v2/notifications.js'
import type { NotificationKeys, RefusedNotification } from './v2/notifications.js'
import { ORDER_QUERY_PATH, orderQueryFields, readOrderQuery } from './v2/order-query.js'
import type { OrderQueryResult } from './v2/order-query.js'
import { REFUND_PATH, readRefund, refundFields } from './v2/refund.js'
import type { RefundRequest, RefundResult } from './v2/refund.js'
import { collectRefunds, readRefundPage, refundPageFields } from './v2/refund-list.js'
import { REFUND_QUERY_PATH, readRefundQuery, refundQueryFields } from './v2/refund-query.js'
import type { RefundQueryResult, V2Refund } from './v2/refund-query.js'
import { createNonce, writeRequest } from './v2/request.js'
import type { RequestFields, V2Merchant } from './v2/request.js'
import type { SignType } from './v2/sign.js'
import type { V2Transaction } from './v2/transaction.js'
import { readUnifiedOrder, UNIFIED_ORDER_PATH, unifiedOrderFields } from './v2/unified-order.js'
import type { UnifiedOrder } from './v2/unified-order.js'

/** Everything that is needed to speak for one merchant account over V2. */
export interface WeChatAccount {
  readonly mchId: string
  /** Secret: it signs and verifies. */
  readonly apiV2Key: string
  readonly signType: SignType
  /** Sent with refunds as `op_user_id`; the merchant id unless the merchant names another. */
  readonly opUserId: string
  readonly baseUrl: string
  /** Another site of the channel, for calls that found no connection to the first. */
  readonly backupUrl?: string
  /** Secret, for it may hold a password: the proxy that calls go through. */
  readonly proxyUrl?: string
  /** Authorities to trust instead of the system's, for a sandbox. */
  readonly caPem?: string
  /** Secret: without it a refund is refused before anything is sent. */
  readonly clientCertificate?: { readonly certPem: string; readonly keyPem: string }
  readonly timeouts?: WeChatTimeouts
  /** The most connections this account has at a time. */
  readonly connections?: number
}

/** What is told about a finished call, for metrics and logs; it holds no secret and no content. */
export interface CallReport {
  readonly call: V2Call
  /** The kind of outcome, such as `placed` or `unknown`. */
  readonly result: string
  /** The code behind an unknown or refused outcome. */
  readonly code?: string
  readonly durationMs: number
}

export interface WeChatChannelHooks {
  readonly onCall?: (report: CallReport) => void
}

export interface WeChatChannel extends Channel {
  /** Lets running calls end, then closes the account's connections. */
  close(): Promise<void>
}

type Fen = PaidFact['totalFen']

/** Fees of V2 were read as whole, non-negative digits, which is all that the brand promises. */
const fenOf = (fee: number): Fen => fee as Fen

/** The channel port over WeChat Pay V2, for one merchant account. */
export function createWeChatChannel(
  account: WeChatAccount,
  hooks: WeChatChannelHooks = {},
): WeChatChannel {
  const client = createClient(account)
  const merchant: V2Merchant = {
    mchId: account.mchId,
    apiKey: account.apiV2Key,
    signType: account.signType,
  }
  const post = (path: string, fields: RequestFields, options: CallOptions): Promise<Exchange> =>
    client.post(path, writeRequest(fields, merchant, createNonce()), options)
  const observed = observer(hooks)

  return {
    placeOrder: (order, options) =>
      observed('unifiedorder', async (): Promise<PlaceOutcome> => {
        const exchange = await post(UNIFIED_ORDER_PATH, unifiedOrderFields(orderOf(order)), options)
        return readUnifiedOrder(exchange, order, merchant)
      }),
    queryOrder: (order, options) =>
      observed('orderquery', async (): Promise<OrderOutcome> => {
        const exchange = await post(ORDER_QUERY_PATH, orderQueryFields(order), options)
        return orderOutcome(readOrderQuery(exchange, order, merchant))
      }),
    closeOrder: (order, options) =>
      observed('closeorder', async (): Promise<CloseOutcome> => {
        const exchange = await post(CLOSE_ORDER_PATH, closeOrderFields(order), options)
        return readCloseOrder(exchange, order, merchant)
      }),
    submitRefund: (refund, options) =>
      observed('refund', async (): Promise<SubmitOutcome> => {
        if (account.clientCertificate === undefined) return WITHOUT_CERTIFICATE
        const request = refundOf(refund, account.opUserId)
        const exchange = await post(REFUND_PATH, refundFields(request), options)
        return submitOutcome(readRefund(exchange, request, merchant))
      }),
    queryRefund: (refund, options) =>
      observed('refundquery', async (): Promise<RefundOutcome> => {
        const exchange = await post(REFUND_QUERY_PATH, refundQueryFields(refund), options)
        return refundOutcome(readRefundQuery(exchange, refund, merchant))
      }),
    listRefunds: (order, options) =>
      observed('refundquery', async (): Promise<RefundsOutcome> => {
        const list = await collectRefunds(async (offset) => {
          const exchange = await post(REFUND_QUERY_PATH, refundPageFields(order, offset), options)
          return readRefundPage(exchange, order, merchant)
        })
        return list.kind === 'refunds' ? { ...list, refunds: list.refunds.map(refundFact) } : list
      }),
    close: () => client.close(),
  }
}

const WITHOUT_CERTIFICATE = {
  kind: 'refused',
  code: 'no_client_certificate',
  message: 'The account has no API certificate, so the refund was not sent.',
  retry: 'after_change',
  hold: 'credentials',
} as const

function createClient(account: WeChatAccount): WeChatClient {
  const { baseUrl, backupUrl, proxyUrl, caPem } = account
  const { clientCertificate, timeouts, connections } = account
  return createWeChatClient({
    baseUrl,
    ...(backupUrl === undefined ? {} : { backupUrl }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(timeouts === undefined ? {} : { timeouts }),
    ...(connections === undefined ? {} : { connections }),
  })
}

type Observed = <Result extends { readonly kind: string }>(
  call: V2Call,
  run: () => Promise<Result>,
) => Promise<Result>

function observer(hooks: WeChatChannelHooks): Observed {
  return async (call, run) => {
    const startedMs = performance.now()
    const outcome = await run()
    const durationMs = performance.now() - startedMs
    hooks.onCall?.({ call, result: outcome.kind, ...codeOf(outcome), durationMs })
    return outcome
  }
}

function codeOf(outcome: object): { readonly code?: string } {
  return 'code' in outcome && typeof outcome.code === 'string' ? { code: outcome.code } : {}
}

function orderOf(order: PlaceOrder): UnifiedOrder {
  const { startsAt, expiresAt, totalFen, ...same } = order
  return {
    ...same,
    totalFee: totalFen,
    ...(startsAt === undefined ? {} : { timeStart: compactOfInstant(startsAt) }),
    ...(expiresAt === undefined ? {} : { timeExpire: compactOfInstant(expiresAt) }),
  }
}

function refundOf(refund: SubmitRefund, opUserId: string): RefundRequest {
  const { totalFen, refundFen, ...same } = refund
  return { ...same, totalFee: totalFen, refundFee: refundFen, opUserId }
}

function orderOutcome(result: OrderQueryResult): OrderOutcome {
  if (result.kind !== 'paid') return result
  const fact = paidFact(result.transaction)
  return result.hasRefunds ? { ...fact, hasRefunds: true } : fact
}

function submitOutcome(result: RefundResult): SubmitOutcome {
  if (result.kind !== 'accepted') return result
  const { kind, refundId, refundFee, settlementRefundFee } = result
  return { kind, refundId, refundFen: fenOf(refundFee), settlementFen: fenOf(settlementRefundFee) }
}

function refundOutcome(result: RefundQueryResult): RefundOutcome {
  return result.kind === 'refund' ? refundFact(result.refund) : result
}

/** One translation for notifications and queries, so that the same payment is the same fact. */
function paidFact(transaction: V2Transaction): PaidFact {
  const { feeType, totalFee, cashFee, settlementTotalFee, ...same } = transaction
  return {
    kind: 'paid',
    ...same,
    currency: feeType,
    totalFen: fenOf(totalFee),
    cashFen: fenOf(cashFee),
    settlementFen: fenOf(settlementTotalFee),
  }
}

function refundFact(refund: V2Refund): RefundFact {
  const { status, outTradeNo, outRefundNo, refundId, totalFee, successAt } = refund
  return {
    kind: 'refund',
    status,
    outTradeNo,
    outRefundNo,
    refundId,
    refundFen: fenOf(refund.refundFee),
    settlementFen: fenOf(refund.settlementRefundFee),
    ...(totalFee === undefined ? {} : { totalFen: fenOf(totalFee) }),
    ...(successAt === undefined ? {} : { successAt }),
  }
}

/**
 * Reads a payment notification from its raw bytes: verified first, translated after. Never throws;
 * a refusal changes nothing and is answered with `NOTIFICATION_FAIL`.
 */
export function readPaymentNotification(
  body: Uint8Array,
  keys: NotificationKeys,
): PaidFact | RefusedNotification {
  const verified = verifyPaymentNotification(body, keys)
  if (verified.kind === 'refused') return verified
  const translated = translatePaymentNotification(verified.fields)
  return translated.kind === 'refused' ? translated : paidFact(translated.transaction)
}

/** Reads a refund notification from its raw bytes. It is not signed: ask before acting on it. */
export function readRefundNotification(
  body: Uint8Array,
  keys: NotificationKeys,
): RefundNotice | RefusedNotification {
  const verified = verifyRefundNotification(body, keys)
  if (verified.kind === 'refused') return verified
  const translated = translateRefundNotification(verified.fields)
  if (translated.kind === 'refused') return translated
  const { mchId, totalFee, source } = translated.refund
  return { ...refundFact(translated.refund), mchId, totalFen: fenOf(totalFee), source }
}

/** Signs the parameters that open the cashier in a mini-program, for an order that was placed. */
export function signFrontEnd(
  order: FrontEndOrder,
  account: Pick<WeChatAccount, 'apiV2Key' | 'signType'>,
): FrontEndParameters {
  return signFrontEndParameters(order, { apiKey: account.apiV2Key, signType: account.signType })
}
