import type { RefundStatus } from './channel.js'
import type { RefundState } from './states.js'

export type DecisionVerb = 'approve' | 'reject' | 'cancel'
export type PrincipalKind = 'api_key' | 'temporal-operator'

/** Who decided, as far as it can be proved: an API key with its acting user, or nobody known. */
export interface Principal {
  readonly kind: PrincipalKind
  readonly id: string
  readonly actingUser: string
}

export interface RefundTerms {
  readonly state: RefundState
  readonly amountFen: number
  readonly requestedBy: string
  readonly requestedFor: string
}

export type DecisionOutcome =
  | 'applied'
  | 'same_principal'
  | 'over_operator_limit'
  | 'already_decided'

export type DecisionVerdict =
  | { readonly outcome: 'applied'; readonly to: 'approved' | 'rejected' | 'cancelled' }
  | { readonly outcome: Exclude<DecisionOutcome, 'applied'> }

/**
 * Whether a decision moves a refund. Approve, reject, cancel and time-out race by the refund's
 * state under the payment's lock; the loser is told that it was decided.
 * @param operatorLimitFen what an approval typed into Temporal may release at most
 */
export function judgeDecision(
  terms: RefundTerms,
  verb: DecisionVerb,
  principal: Principal,
  operatorLimitFen: number,
): DecisionVerdict {
  if (verb === 'cancel') {
    // Until a byte was sent the request can be withdrawn, also by the one who asked.
    return terms.state === 'pending' || terms.state === 'approved'
      ? { outcome: 'applied', to: 'cancelled' }
      : { outcome: 'already_decided' }
  }
  if (terms.state !== 'pending') return { outcome: 'already_decided' }
  if (verb === 'reject') return { outcome: 'applied', to: 'rejected' }
  if (principal.kind === 'temporal-operator') {
    return terms.amountFen <= operatorLimitFen
      ? { outcome: 'applied', to: 'approved' }
      : { outcome: 'over_operator_limit' }
  }
  return isSamePrincipal(terms, principal)
    ? { outcome: 'same_principal' }
    : { outcome: 'applied', to: 'approved' }
}

/**
 * Nobody approves what they asked for. A key's holder can claim any name and a person can hold two
 * keys, so either being equal is enough to refuse.
 */
const isSamePrincipal = (terms: RefundTerms, principal: Principal): boolean =>
  terms.requestedBy === principal.id ||
  terms.requestedFor.trim().toLowerCase() === principal.actingUser.trim().toLowerCase()

/** What a query's answer does to a refund that was sent. */
export type RefundVerdict =
  | { readonly kind: 'move'; readonly to: 'done' | 'failed' | 'needs_attention' }
  | { readonly kind: 'stay' }

/**
 * A channel SUCCESS always wins, also while a person is looking; nothing moves a refund that ended.
 */
export function judgeRefundStatus(state: RefundState, status: RefundStatus): RefundVerdict {
  if (state !== 'refunding' && state !== 'needs_attention') return { kind: 'stay' }
  switch (status) {
    case 'success':
      return { kind: 'move', to: 'done' }
    case 'closed':
      return { kind: 'move', to: 'failed' }
    case 'abnormal':
      return state === 'refunding' ? { kind: 'move', to: 'needs_attention' } : { kind: 'stay' }
    case 'processing':
      return { kind: 'stay' }
  }
}

/** The key under which a fact about a refund is kept once per account and source. */
export const refundFactKey = (
  outRefundNo: string,
  status: RefundStatus,
  source: 'notify' | 'query',
): string => `${outRefundNo}:${status}:${source}`
