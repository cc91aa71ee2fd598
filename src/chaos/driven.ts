import type { PaymentState, RefundState } from '../domain/states.js'

/** A payment as the API last told of it. */
export interface AnsweredPayment {
  readonly state: PaymentState
  readonly amountFen: number
  readonly refundedFen: number
}

/** A payment that the API took: every one it ever acknowledged, and no other. */
export interface DrivenPayment {
  readonly id: string
  readonly outTradeNo: string
  readonly amountFen: number
  /** Whether the buyer paid it in the sandbox. */
  readonly isPaid: boolean
  /** The API's last answer about it; undefined when it gave none after the first. */
  readonly lastAnswer: AnsweredPayment | undefined
}

/** A refund that the API took: every one it ever acknowledged, and no other. */
export interface DrivenRefund {
  readonly id: string
  readonly outRefundNo: string
  readonly paymentId: string
  readonly outTradeNo: string
  readonly amountFen: number
  /** What the second key decided, as far as the API acknowledged it. */
  readonly decision: 'approve' | 'reject' | undefined
  readonly lastAnswer: { readonly state: RefundState } | undefined
}

/** A refund that was made by hand in the sandbox's portal. */
export interface DrivenPortalRefund {
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly amountFen: number
}

/** What the driver was told, by the API and by the sandbox's control calls. */
export interface DrivenOrders {
  readonly payments: readonly DrivenPayment[]
  readonly refunds: readonly DrivenRefund[]
  readonly portalRefunds: readonly DrivenPortalRefund[]
}
