import { signFields } from '../../../src/sandbox/sign.js'
import { writeFlatXml } from '../../../src/sandbox/xml.js'
import type { Exchange } from '../../../src/wechat/client.js'
import type { V2Merchant } from '../../../src/wechat/v2/request.js'

export const API_KEY = '192006250b4c09247ec02edce69f6a2d'
export const APP_ID = 'wxd930ea5d5a258f4f'
export const MCH_ID = '10000100'

export const MERCHANT: V2Merchant = { mchId: MCH_ID, apiKey: API_KEY, signType: 'HMAC-SHA256' }

export type Message = Readonly<Record<string, string>>

const FRAME: Message = {
  return_code: 'SUCCESS',
  return_msg: 'OK',
  appid: APP_ID,
  mch_id: MCH_ID,
  nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
  result_code: 'SUCCESS',
}

export interface Signing {
  readonly apiKey?: string
  readonly signType?: 'MD5' | 'HMAC-SHA256'
}

/**
 * A document signed by the sandbox's code, not by ours: what is tested must not make its own
 * evidence. A field that is empty is left out, also one of the frame.
 */
export function signedXml(message: Message, signing: Signing = {}): string {
  const fields = { ...FRAME, ...message }
  const { apiKey = API_KEY, signType = 'HMAC-SHA256' } = signing
  return writeFlatXml({ ...fields, sign: signFields(fields, apiKey, signType) })
}

export function answerOf(body: string, status = 200): Exchange {
  return { kind: 'answer', status, body: Buffer.from(body, 'utf8') }
}

export function signedAnswer(message: Message, signing?: Signing): Exchange {
  return answerOf(signedXml(message, signing))
}

/** A payment as its notification and a query tell it. */
export const PAID: Message = {
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  is_subscribe: 'Y',
  trade_type: 'JSAPI',
  bank_type: 'CFT',
  total_fee: '1000',
  fee_type: 'CNY',
  cash_fee: '900',
  coupon_fee: '100',
  coupon_count: '1',
  coupon_type_0: 'NO_CASH',
  settlement_total_fee: '950',
  transaction_id: '4200000015201711256947025404',
  out_trade_no: 'T20260101000001',
  time_end: '20260101120000',
}
