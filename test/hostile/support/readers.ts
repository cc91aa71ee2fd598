import { readPaymentNotification, readRefundNotification } from '../../../src/wechat/channel.js'
import { readXml, XmlError } from '../../../src/wechat/v2/xml.js'
import { API_V2_KEY, APP_ID, MCH_ID } from './target.js'

const KEYS = { mchId: MCH_ID, appIds: [APP_ID], apiKeys: [API_V2_KEY] }
/** An answer of the channel may be larger than a notification. */
const ANSWER_BYTES_MAX = 256 * 1_024

/**
 * Reads bytes as every reader of the channel's messages does, also of those that come as answers.
 * @throws whatever a reader throws that is not its own way to refuse
 */
export function readInProcess(body: Buffer): void {
  readPaymentNotification(body, KEYS)
  readRefundNotification(body, KEYS)
  for (const roots of [['xml'], ['root']]) {
    try {
      readXml(body, { bytesMax: ANSWER_BYTES_MAX, roots })
    } catch (error) {
      if (!(error instanceof XmlError)) throw error
    }
  }
}
