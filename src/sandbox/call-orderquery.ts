import { OUT_TRADE_NO, checkFields } from './fields.js'
import { tradeStateOf } from './order.js'
import type { TradeState } from './order.js'
import { paidFields } from './paid-fields.js'
import type { Fields } from './sign.js'
import type { V2Call } from './v2-call.js'
import { namedOrder } from './v2-call.js'
import type { World } from './world.js'

const RULES = [
  { name: 'transaction_id', bytesMax: 32 },
  { name: 'out_trade_no', bytesMax: 32, pattern: OUT_TRADE_NO },
]

const STATE_TEXTS: Readonly<Record<TradeState, string>> = {
  SUCCESS: '支付成功',
  REFUND: '订单发生过退款,退款详情请查询退款单',
  NOTPAY: '订单未支付',
  CLOSED: '订单已关闭',
  PAYERROR: '支付失败',
}

/** `/pay/orderquery`: an order's state; what was paid only once it is paid. */
export function orderquery(call: V2Call, world: World): Fields {
  checkFields(call.fields, RULES)
  const order = namedOrder(call, world)
  const tradeState = tradeStateOf(order, world.book, world.clock.nowMs())
  const state = { trade_state: tradeState, trade_state_desc: STATE_TEXTS[tradeState] }
  if (order.state === 'SUCCESS') return { ...paidFields(order), ...state }
  return {
    device_info: order.deviceInfo,
    out_trade_no: order.outTradeNo,
    total_fee: String(order.totalFee),
    ...state,
  }
}
