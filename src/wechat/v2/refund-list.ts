import type { Exchange } from '../client.js'
import { foreignAnswer, incompleteAnswer, readAnswer } from './answer.js'
import type { FailedResult } from './answer.js'
import { valueOf } from './fields.js'
import type { OrderNumber } from './order-query.js'
import { readRefundAt } from './refund-query.js'
import type { V2Refund } from './refund-query.js'
import type { RequestFields, V2Merchant } from './request.js'
import type { Fields } from './sign.js'

/** WeChat Pay V2, refund: an order has at most 50 of them. */
const REFUNDS_MAX = 50

/** Some of an order's refunds: refundquery by order number answers with ten at a time. */
export type RefundPageResult =
  | {
      readonly kind: 'page'
      readonly refunds: readonly V2Refund[]
      /** How many the order has in all. */
      readonly totalCount: number
    }
  | FailedResult<'refundquery'>

export type RefundListResult =
  | { readonly kind: 'refunds'; readonly refunds: readonly V2Refund[] }
  | Exclude<FailedResult<'refundquery'>, { readonly kind: 'not_exist' }>

/** Asks for an order's refunds, whoever made them, leaving out the first `offset`. */
export function refundPageFields(order: OrderNumber, offset: number): RequestFields {
  return {
    appid: order.appId,
    out_trade_no: order.outTradeNo,
    offset: offset === 0 ? undefined : String(offset),
  }
}

export function readRefundPage(
  exchange: Exchange,
  order: OrderNumber,
  merchant: V2Merchant,
): RefundPageResult {
  const answer = readAnswer('refundquery', exchange, { merchant, appId: order.appId })
  if (answer.kind !== 'good') return answer
  const { fields } = answer
  if (fields.get('out_trade_no') !== order.outTradeNo) return foreignAnswer('order')
  const totalCount = countOf(fields)
  if (totalCount === undefined) return incompleteAnswer('refund_count')
  const refunds: V2Refund[] = []
  for (const [name, outRefundNo] of fields) {
    const index = /^out_refund_no_(\d{1,4})$/.exec(name)?.[1]
    if (index === undefined || outRefundNo === '') continue
    const read = readRefundAt(fields, index, { ...order, outRefundNo })
    if (read.kind !== 'refund') return read
    refunds.push(read.refund)
  }
  return refunds.length === 0
    ? incompleteAnswer('out_refund_no_0')
    : { kind: 'page', refunds, totalCount }
}

function countOf(fields: Fields): number | undefined {
  const count = valueOf(fields, 'total_refund_count') ?? valueOf(fields, 'refund_count') ?? ''
  return /^\d{1,4}$/.test(count) ? Number(count) : undefined
}

/** Puts the pages together. A page that decides nothing leaves the whole undecided. */
export async function collectRefunds(
  ask: (offset: number) => Promise<RefundPageResult>,
): Promise<RefundListResult> {
  const refunds: V2Refund[] = []
  while (refunds.length < REFUNDS_MAX) {
    const page = await ask(refunds.length)
    if (page.kind === 'not_exist') break
    if (page.kind !== 'page') return page
    refunds.push(...page.refunds)
    if (refunds.length >= page.totalCount) break
  }
  return { kind: 'refunds', refunds }
}
