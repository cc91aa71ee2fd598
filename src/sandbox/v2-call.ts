import type { Fault } from './faults.js'
import type { Merchant, Order } from './records.js'
import { refuseBusiness, refuseMissing } from './refusal.js'
import type { Fields, SignType } from './sign.js'
import type { World } from './world.js'

/** An authentic V2 request: signed by its merchant, with its certificate where one is needed. */
export interface V2Call {
  readonly fields: Fields
  readonly merchant: Merchant
  readonly signType: SignType
  /** The serial number of the certificate the caller showed, empty without one. */
  readonly clientCertSerial: string
  readonly fault: Fault | undefined
}

/** Carries out one call and returns the fields of its successful answer. */
export type V2Handler = (call: V2Call, world: World) => Fields

/** A field's value, empty when it was not sent. */
export function valueOf(call: V2Call, name: string): string {
  return call.fields[name] ?? ''
}

/**
 * The order that a call names. When both numbers are given, `transaction_id` wins.
 *
 * @throws RefusedError with LACK_PARAMS, INVALID_TRANSACTIONID or ORDERNOTEXIST
 */
export function namedOrder(call: V2Call, world: World): Order {
  const { mchId } = call.merchant
  const transactionId = valueOf(call, 'transaction_id')
  if (transactionId !== '') {
    const order = world.book.orderByTransactionId(mchId, transactionId)
    if (!order) throw refuseBusiness('INVALID_TRANSACTIONID')
    return order
  }
  const outTradeNo = valueOf(call, 'out_trade_no')
  if (outTradeNo === '') throw refuseMissing('out_trade_no')
  const order = world.book.order(mchId, outTradeNo)
  if (!order) throw refuseBusiness('ORDERNOTEXIST')
  return order
}
