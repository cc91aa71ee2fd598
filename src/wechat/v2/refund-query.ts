import type { Exchange } from '../client.js'
import { instantOfDashed } from '../time.js'
import { foreignAnswer, incompleteAnswer, readAnswer, undecidedState } from './answer.js'
import type { FailedResult } from './answer.js'
import { feeOf, valueOf } from './fields.js'
import type { RequestFields, V2Merchant } from './request.js'
import type { Fields } from './sign.js'
import { optionalFee } from './transaction.js'

export const REFUND_QUERY_PATH = '/pay/refundquery'

export interface RefundNumber {
  readonly appId: string
  readonly outTradeNo: string
  readonly outRefundNo: string
}

/** Where a refund's money is, in the channel's states. */
export type V2RefundStatus = 'processing' | 'success' | 'closed' | 'abnormal'

/** A refund as refundquery and a refund notification describe it. Fees are fen. */
export interface V2Refund {
  readonly status: V2RefundStatus
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly refundId: string
  readonly refundFee: number
  readonly settlementRefundFee: number
  /** The order's, where the answer has it. */
  readonly totalFee?: number
  /** ISO instant, when the channel says when. */
  readonly successAt?: string
}

export type RefundQueryResult =
  | { readonly kind: 'refund'; readonly refund: V2Refund }
  | FailedResult<'refundquery'>

/**
 * `refund_status`. CHANGE means that the card takes no money, so it is back with the merchant;
 * FAIL stands in very old documents for the same. NOTSURE, also old, is no state at all.
 */
const STATUS_OF_V2: ReadonlyMap<string, V2RefundStatus> = new Map([
  ['SUCCESS', 'success'],
  ['PROCESSING', 'processing'],
  ['REFUNDCLOSE', 'closed'],
  ['CHANGE', 'abnormal'],
  ['FAIL', 'abnormal'],
])

export function refundQueryFields(refund: RefundNumber): RequestFields {
  return { appid: refund.appId, out_refund_no: refund.outRefundNo }
}

/** The state that stands behind a `refund_status`; nothing for one that decides nothing. */
export function refundStatusOf(refundStatus: string): V2RefundStatus | undefined {
  return STATUS_OF_V2.get(refundStatus)
}

export function readRefundQuery(
  exchange: Exchange,
  refund: RefundNumber,
  merchant: V2Merchant,
): RefundQueryResult {
  const answer = readAnswer('refundquery', exchange, { merchant, appId: refund.appId })
  if (answer.kind !== 'good') return answer
  const { fields } = answer
  if (fields.get('out_trade_no') !== refund.outTradeNo) return foreignAnswer('order')
  const index = indexOf(fields, refund.outRefundNo)
  if (index === undefined) return incompleteAnswer('out_refund_no')
  return readRefundAt(fields, index, refund)
}

/** Refunds of an order are numbered from 0 by the ending of their fields; which one is ours? */
function indexOf(fields: Fields, outRefundNo: string): string | undefined {
  for (const [name, value] of fields) {
    const index = /^out_refund_no_(\d{1,4})$/.exec(name)?.[1]
    if (index !== undefined && value === outRefundNo) return index
  }
  return undefined
}

/** Reads the refund whose fields end in this index, which has the number that was asked for. */
export function readRefundAt(
  fields: Fields,
  index: string,
  asked: RefundNumber,
): RefundQueryResult {
  const refundStatus = fields.get(`refund_status_${index}`) ?? ''
  const status = refundStatusOf(refundStatus)
  if (status === undefined) return undecided(refundStatus)
  const refundId = valueOf(fields, `refund_id_${index}`)
  if (refundId === undefined) return incompleteAnswer('refund_id')
  const refundFee = feeOf(fields, `refund_fee_${index}`)
  if (refundFee === undefined) return incompleteAnswer('refund_fee')
  const settlementRefundFee = optionalFee(fields, `settlement_refund_fee_${index}`, refundFee)
  if (settlementRefundFee === undefined) return incompleteAnswer('settlement_refund_fee')
  const totalFee = feeOf(fields, 'total_fee')
  if (totalFee === undefined && valueOf(fields, 'total_fee') !== undefined) {
    return incompleteAnswer('total_fee')
  }
  const successAt = instantOfDashed(fields.get(`refund_success_time_${index}`) ?? '')
  const refund: V2Refund = {
    status,
    outTradeNo: asked.outTradeNo,
    outRefundNo: asked.outRefundNo,
    refundId,
    refundFee,
    settlementRefundFee,
    ...(totalFee === undefined ? {} : { totalFee }),
    ...(successAt === undefined ? {} : { successAt }),
  }
  return { kind: 'refund', refund }
}

function undecided(refundStatus: string): RefundQueryResult {
  if (refundStatus === '') return incompleteAnswer('refund_status')
  return undecidedState(refundStatus, 'The refund status decides nothing.')
}
