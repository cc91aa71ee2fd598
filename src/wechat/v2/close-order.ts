import type { Exchange } from '../client.js'
import { readAnswer } from './answer.js'
import type { FailedResult } from './answer.js'
import type { OrderNumber } from './order-query.js'
import type { RequestFields, V2Merchant } from './request.js'

export const CLOSE_ORDER_PATH = '/pay/closeorder'

export type CloseOrderResult = { readonly kind: 'closed' } | FailedResult<'closeorder'>

export function closeOrderFields(order: OrderNumber): RequestFields {
  return { appid: order.appId, out_trade_no: order.outTradeNo }
}

/** Closing is re-entrant: an order that is closed already is a success. */
export function readCloseOrder(
  exchange: Exchange,
  order: OrderNumber,
  merchant: V2Merchant,
): CloseOrderResult {
  const answer = readAnswer('closeorder', exchange, { merchant, appId: order.appId })
  return answer.kind === 'good' ? { kind: 'closed' } : answer
}
