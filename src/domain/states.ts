/**
 * The state tables of payments and refunds as data. The database's transition tables are seeded
 * from here and enforced there by triggers; workflow, API and documentation read the same tables.
 */

export const PAYMENT_STATES = ['created', 'awaiting_payment', 'paid', 'closed', 'failed'] as const
export type PaymentState = (typeof PAYMENT_STATES)[number]

export const REFUND_STATES = [
  'pending',
  'approved',
  'refunding',
  'needs_attention',
  'done',
  'settled',
  'failed',
  'rejected',
  'cancelled',
  'expired',
] as const
export type RefundState = (typeof REFUND_STATES)[number]

/** Who or what may take an edge: a channel fact, a person's decision, or time. */
export type Mover = 'channel' | 'person' | 'time' | 'engine'

export interface Edge<S extends string> {
  readonly to: S
  readonly by: Mover
  readonly why: string
}

type Edges<S extends string> = Readonly<Record<S, readonly Edge<S>[]>>

const edge = <S extends string>(to: S, by: Mover, why: string): Edge<S> => ({ to, by, why })

/** `paid` never goes back; what was refunded is a sum beside it. */
export const PAYMENT_EDGES: Edges<PaymentState> = {
  created: [
    edge('awaiting_payment', 'channel', 'the channel placed the order and gave a prepay_id'),
    edge('failed', 'channel', 'the channel refused to place the order'),
    edge('closed', 'channel', 'the channel closed it, or expired and the channel knows no order'),
    edge('paid', 'channel', 'a verified fact arrived before the answer of placing did'),
  ],
  awaiting_payment: [
    edge('paid', 'channel', 'a verified notification or query says it is paid'),
    edge('closed', 'channel', 'the channel closed it at expiry'),
  ],
  paid: [],
  closed: [edge('paid', 'channel', 'the buyer was slow and the money came after closing')],
  failed: [edge('paid', 'channel', 'the money came although placing was refused')],
}

export const REFUND_EDGES: Edges<RefundState> = {
  pending: [
    edge('approved', 'person', 'somebody other than the one who asked approved it'),
    edge('rejected', 'person', 'an approver said no'),
    edge('cancelled', 'person', 'withdrawn before a decision'),
    edge('expired', 'time', 'nobody decided before the deadline'),
  ],
  approved: [
    edge('refunding', 'engine', 'written before the first byte of the first call'),
    edge('cancelled', 'person', 'nothing was ever sent, so it can still be stopped'),
  ],
  refunding: [
    edge('done', 'channel', 'a query says SUCCESS'),
    edge('failed', 'channel', 'a query says the channel closed it for good'),
    edge('needs_attention', 'channel', 'abnormal, definitely refused, or a code nobody knows'),
  ],
  needs_attention: [
    edge('refunding', 'person', 'the same number is submitted again'),
    edge('done', 'channel', 'a query says SUCCESS'),
    edge('settled', 'person', 'given back by other means, with evidence'),
    edge('failed', 'channel', 'a query says that it is closed for good, or was never taken'),
  ],
  done: [],
  settled: [],
  failed: [],
  rejected: [],
  cancelled: [],
  expired: [],
}

/**
 * Who brought a refund into being: a caller of the API, the engine itself, or somebody in the
 * channel's own portal.
 */
export const REFUND_ORIGINS = ['api', 'system', 'external'] as const
export type RefundOrigin = (typeof REFUND_ORIGINS)[number]

/** The states in which a refund may begin. An external one is a fact: on its way, or done. */
export const REFUND_BEGINNINGS: Readonly<Record<RefundOrigin, readonly RefundState[]>> = {
  api: ['pending'],
  system: ['approved'],
  external: ['refunding', 'done'],
}

/** Which counter of its payment a refund's amount stands in. */
export type Bucket = 'reserved' | 'refunded' | 'settled' | 'none'

/** Every refund counts that is not rejected, cancelled, expired or failed. */
export const REFUND_EFFECT: Readonly<Record<RefundState, Bucket>> = {
  pending: 'reserved',
  approved: 'reserved',
  refunding: 'reserved',
  needs_attention: 'reserved',
  done: 'refunded',
  settled: 'settled',
  failed: 'none',
  rejected: 'none',
  cancelled: 'none',
  expired: 'none',
}

/** Why a refund is where it is, within its state. */
export const REFUND_CAUSES = [
  'submitting',
  'accepted',
  'unknown',
  'rate_limited',
  'insufficient_balance',
  'credentials',
  'abnormal',
  'refused',
  'amount_differs',
  'beyond_paid',
] as const
export type RefundCause = (typeof REFUND_CAUSES)[number]

/** Why nothing was sent yet of a refund that is approved. */
export const HOLD_REASONS = [
  'spacing',
  'over_reserved',
  'stopped',
  'credentials',
  'balance',
] as const
export type HoldReason = (typeof HOLD_REASONS)[number]

/**
 * What became of the money of a paid payment: `accepted` for its order, `held` for a person to
 * decide about, or `surplus`, which came late or twice and goes back by itself.
 */
export const DISPOSITIONS = ['accepted', 'held', 'surplus'] as const
export type Disposition = (typeof DISPOSITIONS)[number]

export const isPaymentOver = (state: PaymentState): boolean =>
  state === 'paid' || state === 'closed' || state === 'failed'

/** No message and no fact moves a refund out of these. */
export const isRefundOver = (state: RefundState): boolean => REFUND_EDGES[state].length === 0

/** True once a byte about this refund may have left: from then on only the channel decides. */
export const isRefundSent = (state: RefundState): boolean =>
  state === 'refunding' || state === 'needs_attention'
