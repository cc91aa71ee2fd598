import { signFields, type SignType } from '../../src/wechat/v2/sign.js'
import { writeXml } from '../../src/wechat/v2/xml-writer.js'
import { API_V2_KEY, APP_ID, MCH_ID, OPENID } from './server-under-test.js'

export type Fields = Readonly<Record<string, string>>

/** A key that no account of ours has. */
export const OTHER_KEY = 'ffffffffffffffffffffffffffffffff'

/** What WeChat Pay says of an order of 10.00 that was paid. */
export const paidFields = (outTradeNo: string): Fields => ({
  appid: APP_ID,
  bank_type: 'OTHERS',
  cash_fee: '1000',
  fee_type: 'CNY',
  is_subscribe: 'N',
  mch_id: MCH_ID,
  nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
  openid: OPENID,
  out_trade_no: outTradeNo,
  result_code: 'SUCCESS',
  return_code: 'SUCCESS',
  time_end: '20261123120000',
  total_fee: '1000',
  trade_type: 'JSAPI',
  transaction_id: `4200${outTradeNo}`,
})

/** A document as WeChat Pay sends it: every field, and the sign over them. */
export function signedXml(fields: Fields, key = API_V2_KEY, type: SignType = 'MD5'): string {
  const entries = new Map(Object.entries(fields))
  return writeXml(entries.set('sign', signFields(entries, key, type)))
}
