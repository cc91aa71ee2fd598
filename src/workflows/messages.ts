import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { defineSignal, defineUpdate } from '@temporalio/workflow'
import type { PaymentSaid } from '../activities/progress.js'
import type { PaymentState, RefundState } from '../domain/states.js'

/**
 * What can be said to a workflow, and what it is started with: ids, amounts, times and states only,
 * so that a history can be read by operators as it is.
 */

export const PAYMENT_WORKFLOW = 'paymentWorkflow'
export const REFUND_WORKFLOW = 'refundWorkflow'
export const ADOPT_WORKFLOW = 'adoptWorkflow'

export interface PaymentInput {
  readonly paymentId: string
  /** Wall-clock milliseconds until closing begins, for a payment that begins now. */
  readonly closesInMs: number
  /** Start from the row, in whatever state it is; a resumed run never places an order by itself. */
  readonly resume: boolean
}

export interface RefundInput {
  readonly refundId: string
  /** Wall-clock milliseconds a decision may take, for a refund that was asked for now. */
  readonly decideInMs: number
  /** The merchant's rules let it go by itself: nobody has to decide. */
  readonly isApproved?: boolean
  readonly resume: boolean
}

export interface PaymentResult {
  readonly state: PaymentState
}

export interface RefundResult {
  readonly state: RefundState
}

/**
 * Waits for the order to be placed; `again` places the stored request anew for a fresh prepay_id.
 */
export const prepayUpdate = defineUpdate<PaymentResult, [{ readonly again: boolean }]>('prepay')

/** What is asked of the channel while somebody waits; the order is closed only where it is open. */
export interface AskRequest {
  readonly purpose?: 'query' | 'close'
}

export interface AskResult {
  readonly said: PaymentSaid['said']
}

/** Asks the channel about this payment now, settles what it says, and answers it. */
export const askUpdate = defineUpdate<AskResult, [AskRequest]>('ask')

/** A fact about this payment or refund stands in the inbox under this id. */
export const factSignal = defineSignal<[inboxId: string]>('fact')

/** A person's decision stands in the decisions table under this id. */
export const decideSignal = defineSignal<[decisionId: string]>('decide')

/** An approval typed by an operator; nobody can prove who it was, so it has a limit of its own. */
export const approveSignal = defineSignal<[{ readonly reason?: string }]>('approve')

/**
 * Ask the channel again at once, and, where an id comes with it, first apply what a person said of
 * the refund in the row of that id.
 */
export const kickSignal = defineSignal<[resolutionId?: string]>('kick')

const { KEYWORD, INT, DATETIME } = SearchAttributeType

export const SEARCH_ATTRIBUTES = {
  merchant: defineSearchAttributeKey('YuanluMerchant', KEYWORD),
  payment: defineSearchAttributeKey('YuanluPayment', KEYWORD),
  order: defineSearchAttributeKey('YuanluOrder', KEYWORD),
  refund: defineSearchAttributeKey('YuanluRefund', KEYWORD),
  amountFen: defineSearchAttributeKey('YuanluAmountFen', INT),
  dueAt: defineSearchAttributeKey('YuanluDueAt', DATETIME),
  /** Set while a person is needed, to the cause; removed when none is. */
  attention: defineSearchAttributeKey('YuanluAttention', KEYWORD),
} as const
