import { beijingDigits } from './beijing.js'
import { cashFeeOf, paidCouponFields } from './coupons.js'
import type { Order } from './records.js'
import type { Fields } from './sign.js'

/** The fields of a paid order that a query and a payment notification have in common. */
export function paidFields(order: Order): Fields {
  return {
    device_info: order.deviceInfo,
    openid: order.openid,
    is_subscribe: 'N',
    trade_type: order.tradeType,
    bank_type: 'OTHERS',
    total_fee: String(order.totalFee),
    fee_type: 'CNY',
    cash_fee: String(cashFeeOf(order)),
    ...paidCouponFields(order),
    transaction_id: order.transactionId ?? '',
    out_trade_no: order.outTradeNo,
    attach: order.attach,
    time_end: order.paidAtMs === null ? '' : beijingDigits(order.paidAtMs),
  }
}
