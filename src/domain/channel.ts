import type { Fen } from './money.js'

/**
 * The port to a payment channel, in the engine's own words. An implementation translates every
 * answer of the channel into one of the outcomes below and never throws for what the channel says:
 * `unknown` is an outcome like any other, because a lost answer says nothing about the money.
 */
export interface Channel {
  placeOrder(order: PlaceOrder, options: CallOptions): Promise<PlaceOutcome>
  queryOrder(order: OrderRef | TransactionRef, options: CallOptions): Promise<OrderOutcome>
  closeOrder(order: OrderRef, options: CallOptions): Promise<CloseOutcome>
  submitRefund(refund: SubmitRefund, options: CallOptions): Promise<SubmitOutcome>
  queryRefund(refund: RefundRef, options: CallOptions): Promise<RefundOutcome>
  /** All refunds of an order, whoever made them. */
  listRefunds(order: OrderRef, options: CallOptions): Promise<RefundsOutcome>
}

export interface CallOptions {
  /** Aborts the call; its outcome is then `unknown`. */
  readonly signal?: AbortSignal
  /** `waiting` when a person waits for the answer (short time-outs), else `background`. */
  readonly urgency: 'waiting' | 'background'
}

/**
 * The canonical request of an order, kept with the payment and repeated unchanged: the channel
 * wants identical parameters when an order number is placed again.
 */
export interface PlaceOrder {
  readonly appId: string
  readonly outTradeNo: string
  readonly body: string
  readonly totalFen: Fen
  readonly payerIp: string
  readonly openid: string
  readonly notifyUrl: string
  readonly attach?: string
  /** ISO instants; left out where the account's clock is not ours (a sandbox with a fast clock). */
  readonly startsAt?: string
  readonly expiresAt?: string
}

export interface OrderRef {
  readonly appId: string
  readonly outTradeNo: string
}

/** An order that was paid, by the channel's own number. */
export interface TransactionRef {
  readonly appId: string
  readonly transactionId: string
}

export interface SubmitRefund extends OrderRef {
  readonly outRefundNo: string
  /** The order's total, not what is left of it. */
  readonly totalFen: Fen
  readonly refundFen: Fen
  readonly reason: string
  readonly notifyUrl: string
}

export interface RefundRef extends OrderRef {
  readonly outRefundNo: string
}

/**
 * What is wrong with the account rather than with one order or refund, so that its other calls
 * would end alike until it is mended: its key, certificate or numbers (`credentials`), a right it
 * was not given (`permission`), its money at the channel (`balance`), or too many calls (`rate`).
 */
export const ACCOUNT_HOLDS = ['credentials', 'permission', 'balance', 'rate'] as const
export type AccountHold = (typeof ACCOUNT_HOLDS)[number]

/** Why an outcome is not known, or which answer of the channel stands behind a refusal. */
export interface ChannelReason {
  /** The channel's own code (`SYSTEMERROR`), or ours for what is not an answer (`timeout`). */
  readonly code: string
  /** The channel's own text, cut to 256 characters; it never holds a secret. */
  readonly message: string
  /** Left out where the answer speaks of this order or refund alone. */
  readonly hold?: AccountHold
}

/** Nothing can be concluded; `retry` says how soon the same call is worth repeating. */
export interface UnknownOutcome extends ChannelReason {
  readonly kind: 'unknown'
  readonly retry: 'soon' | 'later'
}

/** The channel answered that it will not do this, and why. */
export interface RefusedOutcome extends ChannelReason {
  readonly kind: 'refused'
  /** `after_change` (unless said otherwise) once a person has changed something, or never. */
  readonly retry?: 'after_change' | 'never'
}

export type PlaceOutcome =
  | { readonly kind: 'placed'; readonly prepayId: string }
  | { readonly kind: 'already_paid' }
  | { readonly kind: 'closed' }
  | RefusedOutcome
  | UnknownOutcome

/**
 * What the channel says a buyer paid. Equal facts from a notification and a query are equal here.
 */
export interface PaidFact {
  readonly kind: 'paid'
  readonly appId: string
  readonly mchId: string
  readonly outTradeNo: string
  readonly transactionId: string
  readonly currency: string
  readonly totalFen: Fen
  readonly cashFen: Fen
  /** `settlement_total_fee`, else the total: what the merchant is credited. */
  readonly settlementFen: Fen
  /** ISO instant of `time_end`. */
  readonly paidAt: string
  /** Set by a query of an order that somebody has asked a refund of; no notification says so. */
  readonly hasRefunds?: true
}

export type OrderOutcome =
  | PaidFact
  | { readonly kind: 'not_paid' }
  | { readonly kind: 'paying' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'pay_error' }
  | { readonly kind: 'not_exist' }
  | RefusedOutcome
  | UnknownOutcome

export type CloseOutcome =
  | { readonly kind: 'closed' }
  | { readonly kind: 'already_paid' }
  | { readonly kind: 'not_exist' }
  | RefusedOutcome
  | UnknownOutcome

export type SubmitOutcome =
  | {
      readonly kind: 'accepted'
      readonly refundId: string
      readonly refundFen: Fen
      /** `settlement_refund_fee`, else the refund fee: what the merchant is debited. */
      readonly settlementFen: Fen
    }
  /** Known not accepted: the merchant's balance is too low; the same number goes again later. */
  | (ChannelReason & { readonly kind: 'not_enough' })
  /** Known not accepted: too many requests; the same number goes again later. */
  | (ChannelReason & { readonly kind: 'rate_limited' })
  | RefusedOutcome
  | UnknownOutcome

/** The states a refund has at the channel. */
export type RefundStatus = 'processing' | 'success' | 'closed' | 'abnormal'

export interface RefundFact {
  readonly kind: 'refund'
  readonly status: RefundStatus
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly refundId: string
  readonly refundFen: Fen
  /** The total of its order, where the channel says it. */
  readonly totalFen?: Fen
  readonly settlementFen: Fen
  /** ISO instant, when the channel says when. */
  readonly successAt?: string
}

export type RefundOutcome =
  | RefundFact
  | { readonly kind: 'not_exist' }
  | RefusedOutcome
  | UnknownOutcome

export type RefundsOutcome =
  | { readonly kind: 'refunds'; readonly refunds: readonly RefundFact[] }
  | RefusedOutcome
  | UnknownOutcome

/** A refund notification is not signed in V2: what it says only tells that it is worth asking. */
export interface RefundNotice extends RefundFact {
  readonly mchId: string
  readonly totalFen: Fen
  /** `API`, or `VENDOR_PLATFORM` for a refund made by hand in the channel's own portal. */
  readonly source: string
}

/**
 * Arguments of the mini-program's `wx.requestPayment`, plus the appId that takes part in paySign.
 */
export interface FrontEndParameters {
  readonly appId: string
  readonly timeStamp: string
  readonly nonceStr: string
  readonly package: string
  readonly signType: 'MD5' | 'HMAC-SHA256'
  readonly paySign: string
}
