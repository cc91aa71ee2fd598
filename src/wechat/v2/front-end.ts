import { createNonce } from './request.js'
import { signFields } from './sign.js'
import type { SignType } from './sign.js'

/** Arguments of `wx.requestPayment`, and the appId that only takes part in the signature. */
export interface V2FrontEndParameters {
  readonly appId: string
  /** Seconds since 1970, as a string. */
  readonly timeStamp: string
  readonly nonceStr: string
  readonly package: string
  readonly signType: SignType
  readonly paySign: string
}

export interface FrontEndOrder {
  readonly appId: string
  readonly prepayId: string
  /** When it is signed, in milliseconds since 1970. */
  readonly nowMs: number
  readonly nonce?: string
}

/**
 * Signs what the mini-program needs to open the cashier. The signature type must be the one that
 * unifiedorder was called with.
 */
export function signFrontEndParameters(
  order: FrontEndOrder,
  merchant: { readonly apiKey: string; readonly signType: SignType },
): V2FrontEndParameters {
  const parameters = {
    appId: order.appId,
    timeStamp: String(Math.floor(order.nowMs / 1000)),
    nonceStr: order.nonce ?? createNonce(),
    package: `prepay_id=${order.prepayId}`,
    signType: merchant.signType,
  }
  const fields = new Map(Object.entries(parameters))
  return { ...parameters, paySign: signFields(fields, merchant.apiKey, merchant.signType) }
}
