import { instantOfDashed } from '../time.js'
import { feeOf, valueOf } from './fields.js'
import { refundStatusOf } from './refund-query.js'
import type { V2Refund } from './refund-query.js'
import { decryptReqInfo } from './req-info.js'
import { verifyFields } from './sign.js'
import type { Fields } from './sign.js'
import { optionalFee, readTransaction } from './transaction.js'
import type { V2Transaction } from './transaction.js'
import { readXml, XmlError } from './xml.js'
import { writeXml } from './xml-writer.js'

/** The exact documented body that ends the delivery of a notification. */
export const NOTIFICATION_SUCCESS = writeXml([
  ['return_code', 'SUCCESS'],
  ['return_msg', 'OK'],
])

/** A body that makes the channel send the notification again: in V2 the body decides. */
export const NOTIFICATION_FAIL = writeXml([
  ['return_code', 'FAIL'],
  ['return_msg', 'NOT STORED'],
])

/** Why a notification is refused; the codes are logged and counted, never the content. */
export type NotificationRefusal =
  | 'too_large'
  | 'malformed'
  | 'foreign_merchant'
  | 'foreign_app'
  | 'unsigned'
  | 'bad_signature'
  | 'not_success'
  | 'incomplete'

export interface RefusedNotification {
  readonly kind: 'refused'
  readonly reason: NotificationRefusal
}

/** Whom notifications of one account may come for, and what they may be signed with. */
export interface NotificationKeys {
  readonly mchId: string
  /** When given, the appids that belong to the account. */
  readonly appIds?: readonly string[]
  /** Every API key that is valid now: while a key is rotated there are two. */
  readonly apiKeys: readonly string[]
}

/** The fields of a notification that is genuine (payment) or could be opened (refund). */
export interface VerifiedNotification {
  readonly kind: 'verified'
  readonly fields: Fields
}

/** A refund as its notification tells it. Not signed in V2: a reason to ask, not a proof. */
export interface V2RefundNotification extends V2Refund {
  readonly mchId: string
  readonly totalFee: number
  /** `refund_request_source`: API, or VENDOR_PLATFORM for one made by hand. */
  readonly source: string
}

/** First step of a payment notification: is it ours, and signed with a key of ours? */
export function verifyPaymentNotification(
  body: Uint8Array,
  keys: NotificationKeys,
): VerifiedNotification | RefusedNotification {
  const fields = readFields(body, 'xml')
  if ('kind' in fields) return fields
  const stranger = strangerAmong(fields, keys)
  if (stranger !== undefined) return stranger
  if (valueOf(fields, 'sign') === undefined) return refuse('unsigned')
  const signed = keys.apiKeys.some((apiKey) => verifyFields(fields, apiKey))
  return signed ? { kind: 'verified', fields } : refuse('bad_signature')
}

/** Second step: what the buyer paid. A notification of a failure is not a payment. */
export function translatePaymentNotification(
  fields: Fields,
): { readonly kind: 'paid'; readonly transaction: V2Transaction } | RefusedNotification {
  const codes = [fields.get('return_code') ?? 'SUCCESS', fields.get('result_code')]
  if (codes.some((code) => code !== 'SUCCESS')) return refuse('not_success')
  const transaction = readTransaction(fields)
  return 'lacking' in transaction ? refuse('incomplete') : { kind: 'paid', transaction }
}

/**
 * First step of a refund notification: it is ours when one of our keys opens `req_info`. The
 * fields are those inside, with the merchant number of the envelope as `mch_id`.
 */
export function verifyRefundNotification(
  body: Uint8Array,
  keys: NotificationKeys,
): VerifiedNotification | RefusedNotification {
  const envelope = readFields(body, 'xml')
  if ('kind' in envelope) return envelope
  const stranger = strangerAmong(envelope, keys)
  if (stranger !== undefined) return stranger
  if (envelope.get('return_code') !== 'SUCCESS') return refuse('not_success')
  const reqInfo = valueOf(envelope, 'req_info')
  if (reqInfo === undefined) return refuse('unsigned')
  for (const apiKey of keys.apiKeys) {
    const fields = openReqInfo(reqInfo, apiKey)
    if (fields !== undefined) {
      return { kind: 'verified', fields: new Map(fields).set('mch_id', keys.mchId) }
    }
  }
  return refuse('bad_signature')
}

/** Second step: what the notification says about the refund. */
export function translateRefundNotification(
  fields: Fields,
): { readonly kind: 'refund'; readonly refund: V2RefundNotification } | RefusedNotification {
  const mchId = valueOf(fields, 'mch_id')
  const outTradeNo = valueOf(fields, 'out_trade_no')
  const outRefundNo = valueOf(fields, 'out_refund_no')
  const refundId = valueOf(fields, 'refund_id')
  if (!mchId || !outTradeNo || !outRefundNo || !refundId) return refuse('incomplete')
  const fees = readRefundFees(fields)
  if (fees === undefined) return refuse('incomplete')
  const successAt = instantOfDashed(fields.get('success_time') ?? '')
  const refund: V2RefundNotification = {
    mchId,
    outTradeNo,
    outRefundNo,
    refundId,
    ...fees,
    // A state that is not known yet is still worth a query, which will name it.
    status: refundStatusOf(fields.get('refund_status') ?? '') ?? 'processing',
    source: valueOf(fields, 'refund_request_source') ?? 'API',
    ...(successAt === undefined ? {} : { successAt }),
  }
  return { kind: 'refund', refund }
}

type RefundFees = Pick<V2RefundNotification, 'totalFee' | 'refundFee' | 'settlementRefundFee'>

function readRefundFees(fields: Fields): RefundFees | undefined {
  const totalFee = feeOf(fields, 'total_fee')
  const refundFee = feeOf(fields, 'refund_fee')
  if (totalFee === undefined || refundFee === undefined) return undefined
  const settlementRefundFee = optionalFee(fields, 'settlement_refund_fee', refundFee)
  return settlementRefundFee === undefined
    ? undefined
    : { totalFee, refundFee, settlementRefundFee }
}

function readFields(body: Uint8Array, root: 'xml' | 'root'): Fields | RefusedNotification {
  try {
    return readXml(body, { roots: [root] })
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    return refuse(error.reason === 'too_large' ? 'too_large' : 'malformed')
  }
}

function openReqInfo(reqInfo: string, apiKey: string): Fields | undefined {
  const document = decryptReqInfo(reqInfo, apiKey)
  if (document === undefined) return undefined
  // A wrong key passes the padding now and then, and then the document is no XML.
  const fields = readFields(document, 'root')
  return 'kind' in fields ? undefined : fields
}

function strangerAmong(fields: Fields, keys: NotificationKeys): RefusedNotification | undefined {
  if (fields.get('mch_id') !== keys.mchId) return refuse('foreign_merchant')
  if (keys.appIds !== undefined && !keys.appIds.includes(fields.get('appid') ?? '')) {
    return refuse('foreign_app')
  }
  return undefined
}

function refuse(reason: NotificationRefusal): RefusedNotification {
  return { kind: 'refused', reason }
}
