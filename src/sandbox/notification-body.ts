import { randomBytes } from 'node:crypto'
import type { Merchant, Notification } from './records.js'
import { encryptRequestInfo, signFields } from './sign.js'
import { writeFlatXml } from './xml.js'

/**
 * What a delivery carries: the truth, a forgery (another amount under another key), or the truth
 * under a wrong key, by which WeChat Pay probes whether signatures are checked at all.
 */
export type BodyKind = 'genuine' | 'forged' | 'probe'

/** The document that is posted to the merchant. */
export function notificationBody(
  notification: Notification,
  merchant: Merchant,
  kind: BodyKind,
): string {
  const apiKey = kind === 'genuine' ? merchant.apiV2Key : randomBytes(16).toString('hex')
  const told = kind === 'forged' ? withOtherAmount(notification) : notification
  return told.kind === 'payment'
    ? paymentBody(told, merchant, apiKey)
    : refundBody(told, merchant, apiKey)
}

function paymentBody(told: Notification, merchant: Merchant, apiKey: string): string {
  const fields = {
    return_code: 'SUCCESS',
    result_code: 'SUCCESS',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    nonce_str: nonceOf(told),
    sign_type: told.signType === 'MD5' ? '' : told.signType,
    ...told.fields,
  }
  return writeFlatXml({ ...fields, sign: signFields(fields, apiKey, told.signType) })
}

function refundBody(told: Notification, merchant: Merchant, apiKey: string): string {
  return writeFlatXml({
    return_code: 'SUCCESS',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    nonce_str: nonceOf(told),
    req_info: encryptRequestInfo(writeFlatXml(told.fields, 'root'), apiKey),
  })
}

/** Every try of one notification is the same document, so that its nonce comes from its id. */
function nonceOf(told: Notification): string {
  return told.id.replaceAll('-', '')
}

function withOtherAmount(notification: Notification): Notification {
  const fields: Record<string, string> = { ...notification.fields }
  for (const name of ['total_fee', 'cash_fee', 'refund_fee']) {
    if (fields[name] !== undefined) fields[name] = `${fields[name]}00`
  }
  return { ...notification, fields }
}
