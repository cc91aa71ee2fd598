import type { Exchange } from '../client.js'
import { foreignAnswer, incompleteAnswer, readAnswer, undecidedState } from './answer.js'
import type { FailedResult } from './answer.js'
import type { RequestFields, V2Merchant } from './request.js'
import type { Fields } from './sign.js'
import { readTransaction } from './transaction.js'
import type { V2Transaction } from './transaction.js'

export const ORDER_QUERY_PATH = '/pay/orderquery'

/** An order by the merchant's own number: the only way to find one that is not paid. */
export interface OrderNumber {
  readonly appId: string
  readonly outTradeNo: string
}

/** An order by the merchant's own number, or by WeChat Pay's once it is paid. */
export type NamedOrder = OrderNumber | { readonly appId: string; readonly transactionId: string }

type UnpaidKind = 'not_paid' | 'paying' | 'closed' | 'pay_error'

export type OrderQueryResult =
  | {
      readonly kind: 'paid'
      readonly transaction: V2Transaction
      /** Some refund of it was asked for, whatever became of it. */
      readonly hasRefunds: boolean
    }
  | { readonly kind: UnpaidKind }
  | FailedResult<'orderquery'>

/**
 * Every `trade_state`. REFUND is a paid order with some refund asked for, whatever became of it;
 * REVOKED ends a payment-code order as closing ends the others.
 */
const KIND_OF_TRADE_STATE: ReadonlyMap<string, UnpaidKind | 'paid'> = new Map([
  ['SUCCESS', 'paid'],
  ['REFUND', 'paid'],
  ['NOTPAY', 'not_paid'],
  ['USERPAYING', 'paying'],
  ['ACCEPT', 'paying'],
  ['CLOSED', 'closed'],
  ['REVOKED', 'closed'],
  ['PAYERROR', 'pay_error'],
])

export function orderQueryFields(order: NamedOrder): RequestFields {
  const [name, number] = numberOf(order)
  return { appid: order.appId, [name]: number }
}

export function readOrderQuery(
  exchange: Exchange,
  order: NamedOrder,
  merchant: V2Merchant,
): OrderQueryResult {
  const answer = readAnswer('orderquery', exchange, { merchant, appId: order.appId })
  if (answer.kind !== 'good') return answer
  const { fields } = answer
  const [name, number] = numberOf(order)
  if ((fields.get(name) ?? number) !== number) return foreignAnswer('order')
  const tradeState = fields.get('trade_state') ?? ''
  const kind = KIND_OF_TRADE_STATE.get(tradeState)
  if (kind === undefined) return unknownTradeState(tradeState)
  return kind === 'paid' ? readPaid(fields) : { kind }
}

const numberOf = (order: NamedOrder) =>
  'outTradeNo' in order
    ? (['out_trade_no', order.outTradeNo] as const)
    : (['transaction_id', order.transactionId] as const)

function unknownTradeState(tradeState: string): OrderQueryResult {
  if (tradeState === '') return incompleteAnswer('trade_state')
  return undecidedState(tradeState, 'The trade state is not one the documentation names.')
}

function readPaid(fields: Fields): OrderQueryResult {
  const transaction = readTransaction(fields)
  if ('lacking' in transaction) return incompleteAnswer(transaction.lacking)
  return { kind: 'paid', transaction, hasRefunds: fields.get('trade_state') === 'REFUND' }
}
