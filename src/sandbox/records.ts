import type { Fields, SignType } from './sign.js'

/** What the sandbox remembers, as it is kept in memory and in the journal. Money is in fen. */

export interface Merchant {
  readonly mchId: string
  readonly appId: string
  readonly appSecret: string
  readonly apiV2Key: string
  readonly apiV3Key: string
  readonly serialNo: string
  readonly certPem: string
  readonly keyPem: string
  readonly p12Base64: string
  readonly publicKeyId: string
  readonly publicKeyPem: string
}

/** `CASH` was paid for when it was issued; `NO_CASH` is a discount for which nobody pays in. */
export const COUPON_TYPES = ['CASH', 'NO_CASH'] as const
export type CouponType = (typeof COUPON_TYPES)[number]

/** A coupon and how much of it was used or given back. */
export interface Coupon {
  readonly id: string
  readonly type: CouponType
  readonly fee: number
}

export type OrderState = 'NOTPAY' | 'CLOSED' | 'SUCCESS' | 'PAYERROR'

export interface Order {
  readonly mchId: string
  readonly appId: string
  readonly outTradeNo: string
  readonly openid: string
  readonly body: string
  readonly attach: string
  readonly deviceInfo: string
  readonly tradeType: string
  readonly totalFee: number
  readonly notifyUrl: string
  readonly signType: SignType
  /** All parameters but the nonce and the signature: what a repeated request must equal. */
  readonly parameters: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly prepayId: string
  readonly prepayAtMs: number
  readonly state: OrderState
  readonly transactionId: string | null
  readonly paidAtMs: number | null
  /** What the buyer paid with beside cash. */
  readonly coupons: readonly Coupon[]
  /** Whether a refund finds the buyer's card frozen. */
  readonly isCardFrozen: boolean
}

export type RefundStatus = 'PROCESSING' | 'SUCCESS' | 'CHANGE' | 'REFUNDCLOSE'

/** Who asked for a refund: the merchant's program, or a person in the portal. */
export type RefundSource = 'API' | 'VENDOR_PLATFORM'

export interface Refund {
  readonly mchId: string
  readonly appId: string
  readonly outTradeNo: string
  readonly transactionId: string
  readonly outRefundNo: string
  readonly refundId: string
  readonly totalFee: number
  readonly refundFee: number
  /** The part of it that is coupons. */
  readonly coupons: readonly Coupon[]
  readonly source: RefundSource
  readonly refundAccount: string
  readonly notifyUrl: string
  readonly status: RefundStatus
  /** How it ends when its time has come. */
  readonly endsAs: 'SUCCESS' | 'CHANGE'
  /** Empty for a refund made in the portal. */
  readonly clientCertSerial: string
  readonly createdAtMs: number
  readonly dueAtMs: number
  readonly endedAtMs: number | null
}

/** What became of one try to deliver a notification. */
export type TryOutcome = 'success' | 'refused' | 'no_answer' | 'lost'

export interface NotificationTry {
  readonly atMs: number
  /** The HTTP status, null when no answer came or nothing was sent. */
  readonly status: number | null
  /** The first kilobyte of the answer, or why there was none. */
  readonly answer: string | null
  readonly outcome: TryOutcome
  /** The fault that shaped this try. */
  readonly fault: string | null
}

export interface Notification {
  readonly id: string
  readonly kind: 'payment' | 'refund'
  readonly mchId: string
  readonly outTradeNo: string
  readonly outRefundNo: string | null
  readonly url: string
  readonly signType: SignType
  /** The fields before signing; for a refund those of the encrypted inner document. */
  readonly fields: Fields
  readonly firstDueMs: number
  readonly state: 'waiting' | 'delivered' | 'given_up'
  readonly nextTryAtMs: number | null
  /** How many tries of the schedule were made; a repetition by hand or by fault is not one. */
  readonly scheduledTries: number
  readonly tries: readonly NotificationTry[]
}

/** One call received, for proofs such as "the same number twice". */
export interface LoggedCall {
  readonly atMs: number
  readonly call: string
  readonly mchId: string | null
  readonly outTradeNo: string | null
  readonly outRefundNo: string | null
  readonly clientCertSerial: string | null
  /** `SUCCESS`, an error code, or the fault that took the answer away. */
  readonly answered: string
}
