import type { Exchange } from '../client.js'
import { incompleteAnswer, readAnswer } from './answer.js'
import type { FailedResult } from './answer.js'
import { valueOf } from './fields.js'
import type { RequestFields, V2Merchant } from './request.js'
import { cutUtf8, xmlText } from './xml-writer.js'

export const UNIFIED_ORDER_PATH = '/pay/unifiedorder'

/** An order to place (trade type JSAPI, which mini-programs use too). The total is fen. */
export interface UnifiedOrder {
  readonly appId: string
  readonly outTradeNo: string
  readonly body: string
  readonly totalFee: number
  readonly payerIp: string
  readonly openid: string
  readonly notifyUrl: string
  readonly attach?: string
  /** Beijing time, `yyyyMMddHHmmss`. */
  readonly timeStart?: string
  readonly timeExpire?: string
}

/** WeChat Pay V2, unifiedorder: `body` has at most 127 bytes. */
const BODY_BYTES_MAX = 127

export type UnifiedOrderResult =
  | { readonly kind: 'placed'; readonly prepayId: string }
  | FailedResult<'unifiedorder'>

/** The fields of unifiedorder; the same order always gives the same fields, as re-entry demands. */
export function unifiedOrderFields(order: UnifiedOrder): RequestFields {
  return {
    appid: order.appId,
    body: cutUtf8(xmlText(order.body), BODY_BYTES_MAX),
    attach: order.attach,
    out_trade_no: order.outTradeNo,
    fee_type: 'CNY',
    total_fee: String(order.totalFee),
    spbill_create_ip: plainAddress(order.payerIp),
    time_start: order.timeStart,
    time_expire: order.timeExpire,
    notify_url: order.notifyUrl,
    trade_type: 'JSAPI',
    openid: order.openid,
  }
}

/** Without what a socket adds to an address: the zone of a link, the mapping of IPv4. */
function plainAddress(ip: string): string {
  return ip.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
}

export function readUnifiedOrder(
  exchange: Exchange,
  order: Pick<UnifiedOrder, 'appId'>,
  merchant: V2Merchant,
): UnifiedOrderResult {
  const answer = readAnswer('unifiedorder', exchange, { merchant, appId: order.appId })
  if (answer.kind !== 'good') return answer
  const prepayId = valueOf(answer.fields, 'prepay_id')
  return prepayId === undefined ? incompleteAnswer('prepay_id') : { kind: 'placed', prepayId }
}
