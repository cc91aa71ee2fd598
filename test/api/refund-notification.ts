import { createCipheriv, createHash } from 'node:crypto'

import { writeXml } from '../../src/wechat/v2/xml-writer.js'
import type { Fields } from './paid-notification.js'
import { API_V2_KEY, APP_ID, MCH_ID } from './server-under-test.js'

/** AES-256-ECB under the lower-case hex of the API key's MD5, in Base64. */
function encrypt(document: string, key: string): string {
  const cipher = createCipheriv('aes-256-ecb', createHash('md5').update(key).digest('hex'), null)
  return Buffer.concat([cipher.update(document, 'utf8'), cipher.final()]).toString('base64')
}

/** What WeChat Pay says of a refund of 1.00 that succeeded. */
export const refundedFields = (outRefundNo: string, outTradeNo: string): Fields => ({
  out_refund_no: outRefundNo,
  out_trade_no: outTradeNo,
  refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS',
  refund_fee: '100',
  refund_id: '50000000000000000000000000000001',
  refund_recv_accout: '支付用户零钱',
  refund_request_source: 'API',
  refund_status: 'SUCCESS',
  settlement_refund_fee: '100',
  settlement_total_fee: '1000',
  success_time: '2026-11-23 12:00:00',
  total_fee: '1000',
  transaction_id: '4200',
})

/** A document as WeChat Pay sends it: not signed, with the fields encrypted inside. */
export function sealedXml(fields: Fields, key = API_V2_KEY): string {
  const document = writeXml(Object.entries(fields)).replaceAll(/(<\/?)xml>/g, '$1root>')
  return writeXml(
    Object.entries({
      return_code: 'SUCCESS',
      appid: APP_ID,
      mch_id: MCH_ID,
      nonce_str: 'n',
      req_info: encrypt(document, key),
    }),
  )
}
