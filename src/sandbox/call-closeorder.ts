import { OUT_TRADE_NO, checkFields } from './fields.js'
import { isClosed } from './order.js'
import { refuseBusiness } from './refusal.js'
import type { Fields } from './sign.js'
import type { V2Call } from './v2-call.js'
import { valueOf } from './v2-call.js'
import type { World } from './world.js'

const RULES = [
  { name: 'out_trade_no', isRequired: true, bytesMax: 32, pattern: OUT_TRADE_NO },
] as const

/** `/pay/closeorder`: closes an unpaid order; closing it again succeeds. */
export function closeorder(call: V2Call, world: World): Fields {
  checkFields(call.fields, RULES)
  const order = world.book.order(call.merchant.mchId, valueOf(call, 'out_trade_no'))
  if (!order) throw refuseBusiness('ORDERNOTEXIST')
  if (order.state === 'SUCCESS') throw refuseBusiness('ORDERPAID')
  if (!isClosed(order, world.clock.nowMs())) world.book.putOrder({ ...order, state: 'CLOSED' })
  return { result_msg: 'OK' }
}
