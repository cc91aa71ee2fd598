import type { PlaceOrder } from '../../domain/channel.js'
import { fen } from '../../domain/money.js'
import type { AccountRow } from '../../db/merchants.js'
import { notifyUrl } from '../public-base-url.js'

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
    body: `${account.shortName}-${order.description}`,
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
