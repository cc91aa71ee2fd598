import type { Disposition, PaymentState, RefundState } from '../../domain/states.js'

/** The four books as they are loaded for the comparison. Money is in fen. */

export interface PaymentEntry {
  readonly id: string
  readonly accountId: string
  readonly outTradeNo: string
  readonly orderRef: string | null
  readonly origin: string
  readonly state: PaymentState
  readonly disposition: Disposition | null
  readonly totalFen: number
  readonly paidFen: number | null
  readonly settlementFen: number | null
  readonly reservedFen: number
  readonly refundedFen: number
  readonly settledFen: number
  readonly overReservedFen: number
  readonly transactionId: string | null
}

export interface RefundEntry {
  readonly id: string
  readonly paymentId: string
  readonly accountId: string
  readonly outRefundNo: string
  readonly origin: string
  readonly state: RefundState
  readonly cause: string | null
  readonly holdReason: string | null
  readonly amountFen: number
  readonly settlementFen: number | null
  readonly isInTransit: boolean
  readonly requestedBy: string | null
  readonly requestedFor: string
  readonly approvalsNeeded: number
}

/** What the channel said, as a row that is applied once. */
export interface InboxEntry {
  readonly id: string
  readonly kind: string
  readonly businessKey: string
  readonly subjectId: string
  readonly source: string
  readonly timesSeen: number
  readonly isApplied: boolean
}

/** What a person said of a refund, as a row that is applied once. */
export interface DecisionEntry {
  readonly id: string
  readonly refundId: string
  readonly verb: string
  readonly principalKind: string
  readonly principalId: string
  readonly actingUser: string
  readonly isSelfApproval: boolean
  readonly outcome: string | null
}

/** What a person said of a refund that is stuck. */
export interface ResolutionEntry {
  readonly id: string
  readonly refundId: string
  readonly verb: string
  readonly outcome: string | null
}

export interface CaseEntry {
  readonly kind: string
  readonly paymentId: string
  readonly amountFen: number
  readonly isOpen: boolean
}

/** An event for the merchant. */
export interface EventEntry {
  readonly paymentId: string
  readonly refundId: string | null
  readonly sequence: number
  readonly type: string
}

export interface TransferEntry {
  readonly entryId: string
  readonly rule: string
  readonly n: number
  readonly debit: string
  readonly credit: string
  readonly amountFen: number
  readonly causeKind: string
  readonly causeId: string
}

/** The last run of a workflow. */
export interface WorkflowEntry {
  readonly workflowId: string
  /** Temporal's own word, such as `RUNNING` or `COMPLETED`. */
  readonly status: string
  /** The states that its transactions on the database answered, oldest first. */
  readonly states: readonly string[]
  /** The state that the workflow itself ended with; null while it runs or when it broke. */
  readonly result: string | null
}

export interface ChannelOrder {
  readonly outTradeNo: string
  readonly transactionId: string | null
  readonly totalFee: number
  readonly tradeState: string
}

export interface ChannelRefund {
  readonly outTradeNo: string
  readonly outRefundNo: string
  readonly refundFee: number
  readonly refundStatus: string
}

export interface ChannelNotification {
  readonly id: string
  readonly kind: string
  readonly outTradeNo: string
  readonly outRefundNo: string | null
  readonly state: string
}

export interface Tables {
  readonly payments: readonly PaymentEntry[]
  readonly refunds: readonly RefundEntry[]
  readonly inbox: readonly InboxEntry[]
  readonly decisions: readonly DecisionEntry[]
  readonly resolutions: readonly ResolutionEntry[]
  readonly cases: readonly CaseEntry[]
  readonly events: readonly EventEntry[]
}

export interface ChannelBook {
  readonly orders: readonly ChannelOrder[]
  readonly refunds: readonly ChannelRefund[]
  readonly notifications: readonly ChannelNotification[]
}

export interface Books {
  readonly merchantId: string
  readonly journal: readonly TransferEntry[]
  readonly tables: Tables
  readonly workflows: readonly WorkflowEntry[]
  readonly channel: ChannelBook
}
