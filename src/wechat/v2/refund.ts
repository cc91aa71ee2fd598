import type { Exchange } from '../client.js'
import { foreignAnswer, incompleteAnswer, readAnswer } from './answer.js'
import type { FailedResult } from './answer.js'
import { feeOf, valueOf } from './fields.js'
import type { RequestFields, V2Merchant } from './request.js'
import type { Fields } from './sign.js'
import { optionalFee } from './transaction.js'
import { cutUtf8, xmlText } from './xml-writer.js'

/** Behind mutual TLS: the merchant's certificate must be on the connection. */
export const REFUND_PATH = '/secapi/pay/refund'

/** `refund_desc`, which the buyer sees, in bytes of UTF-8. */
const REASON_BYTES_MAX = 80

/** A refund to ask for. Fees are fen, and the total is the order's, not what is left of it. */
export interface RefundRequest {
  readonly appId: string
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly totalFee: number
  readonly refundFee: number
  readonly reason: string
  readonly notifyUrl: string
  readonly opUserId: string
}

/**
 * Accepted is not refunded: the money's way is told by refundquery. The amount is the one that
 * WeChat Pay took, which may be another than was asked for.
 */
export interface AcceptedRefund {
  readonly kind: 'accepted'
  readonly refundId: string
  readonly refundFee: number
  readonly settlementRefundFee: number
}

export type RefundResult = AcceptedRefund | FailedResult<'refund'>

/** The fields of refund; the same refund always gives the same fields, as repeating demands. */
export function refundFields(refund: RefundRequest): RequestFields {
  return {
    appid: refund.appId,
    out_trade_no: refund.outTradeNo,
    out_refund_no: refund.outRefundNo,
    total_fee: String(refund.totalFee),
    refund_fee: String(refund.refundFee),
    refund_fee_type: 'CNY',
    refund_desc: cutUtf8(xmlText(refund.reason), REASON_BYTES_MAX),
    notify_url: refund.notifyUrl,
    op_user_id: refund.opUserId,
  }
}

export function readRefund(
  exchange: Exchange,
  refund: RefundRequest,
  merchant: V2Merchant,
): RefundResult {
  const answer = readAnswer('refund', exchange, { merchant, appId: refund.appId })
  return answer.kind === 'good' ? readAccepted(answer.fields, refund) : answer
}

function readAccepted(fields: Fields, refund: RefundRequest): RefundResult {
  const refundId = valueOf(fields, 'refund_id')
  if (refundId === undefined) return incompleteAnswer('refund_id')
  const refundFee = feeOf(fields, 'refund_fee')
  if (refundFee === undefined) return incompleteAnswer('refund_fee')
  const settlementRefundFee = optionalFee(fields, 'settlement_refund_fee', refundFee)
  if (settlementRefundFee === undefined) return incompleteAnswer('settlement_refund_fee')
  if (fields.get('out_trade_no') !== refund.outTradeNo) return foreignAnswer('order')
  if (fields.get('out_refund_no') !== refund.outRefundNo) return foreignAnswer('refund')
  return { kind: 'accepted', refundId, refundFee, settlementRefundFee }
}
