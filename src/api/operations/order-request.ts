import type { PlaceOrder } from '../../domain/channel.js'
import { fen } from '../../domain/money.js'
import type { AccountRow } from '../../db/merchants.js'
import { notifyUrl } from '../public-base-url.js'

/** WeChat Pay V2, unifiedorder: `body` has at most 127 bytes. */
const BODY_BYTES_MAX = 127

export interface Order {
  readonly appId: string
  readonly outTradeNo: string
  readonly amountFen: number
  readonly description: string
  readonly openid: string
  readonly payerIp: string
  readonly attach?: string | undefined
  readonly startsAt: Date
  readonly expiresAt: Date
}

/**
 * The canonical request of an order, stored with the payment and repeated unchanged. The channel's
 * own start and expiry are left out where its clock is not ours.
 */
export function orderRequest(
  order: Order,
  account: Pick<AccountRow, 'shortName' | 'notifyToken' | 'timeScale'>,
  publicBaseUrl: string,
): PlaceOrder {
  const { appId, outTradeNo, payerIp, openid, attach } = order
  return {
    appId,
    outTradeNo,
    body: cutUtf8(`${account.shortName}-${order.description}`, BODY_BYTES_MAX),
    totalFen: fen(order.amountFen),
    payerIp,
    openid,
    notifyUrl: notifyUrl(publicBaseUrl, account.notifyToken, 'payment'),
    ...(attach === undefined ? {} : { attach }),
    ...(account.timeScale === 1
      ? { startsAt: order.startsAt.toISOString(), expiresAt: order.expiresAt.toISOString() }
      : {}),
  }
}

/** Cuts a text to a number of UTF-8 bytes without splitting a character. */
export function cutUtf8(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= bytesMax) return text
  let end = bytesMax
  // A byte of the form 10xxxxxx goes on with a character that began before.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.subarray(0, end).toString('utf8')
}
