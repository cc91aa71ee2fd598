import type { RefundStatus } from './channel.js'
import type { RefundState } from './states.js'

export type DecisionVerb = 'approve' | 'reject' | 'cancel'

/** The ways a decision comes: from a program's user, from Temporal, by a rule, or by time. */
export const PRINCIPAL_KINDS = ['api_key', 'temporal-operator', 'policy', 'deadline'] as const
export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number]

/** Why a refund is asked for, for the rules of its approval. */
export const REASON_CATEGORIES = [
  'unwanted',
  'defective',
  'not_received',
  'mistake',
  'out_of_stock',
  'other',
] as const
export type ReasonCategory = (typeof REASON_CATEGORIES)[number]

/** Who decided, as far as it can be proved: an API key with its acting user, or nobody known. */
export interface Principal {
  readonly kind: PrincipalKind
  readonly id: string
  readonly actingUser: string
}

export interface RefundTerms {
  readonly state: RefundState
  readonly amountFen: number
  /** Nobody asked for a refund that the engine or somebody in the channel's portal made. */
  readonly requestedBy: string | null
  readonly requestedFor: string
}

/** What an approval is held to besides who asked. */
export interface ApprovalBounds {
  /** What an approval typed into Temporal may release at most. */
  readonly operatorLimitFen: number
  /** How many people have to approve; one unless said otherwise. */
  readonly approvalsNeeded?: number
  /** Who approved first, where two have to. */
  readonly firstApprover?: Principal | undefined
  /** A shop of one said that it approves what it asked for itself, and may. */
  readonly isSelfApproval?: boolean
  /** What may still be approved today by everybody, and by this person; null without a limit. */
  readonly dayLeftFen?: number | null
  readonly personLeftFen?: number | null
}

export type DecisionOutcome =
  | 'applied'
  /** It counts, and another person has to say the same. */
  | 'first_of_two'
  | 'same_principal'
  | 'over_operator_limit'
  | 'operator_not_second'
  | 'over_day_limit'
  | 'over_person_limit'
  | 'already_decided'

export type DecisionVerdict =
  | { readonly outcome: 'applied'; readonly to: 'approved' | 'rejected' | 'cancelled' }
  | { readonly outcome: Exclude<DecisionOutcome, 'applied'> }

/**
 * Whether a decision moves a refund. Approve, reject, cancel and time-out race by the refund's
 * state under the payment's lock; the loser is told that it was decided.
 */
export function judgeDecision(
  terms: RefundTerms,
  verb: DecisionVerb,
  principal: Principal,
  bounds: ApprovalBounds,
): DecisionVerdict {
  if (verb === 'cancel') {
    // Until a byte was sent the request can be withdrawn, also by the one who asked.
    return terms.state === 'pending' || terms.state === 'approved'
      ? { outcome: 'applied', to: 'cancelled' }
      : { outcome: 'already_decided' }
  }
  if (terms.state !== 'pending') return { outcome: 'already_decided' }
  if (verb === 'reject') return { outcome: 'applied', to: 'rejected' }
  const refusal = whyNotApprove(terms, principal, bounds)
  if (refusal !== undefined) return { outcome: refusal }
  const { approvalsNeeded = 1, firstApprover } = bounds
  return approvalsNeeded > 1 && firstApprover === undefined
    ? { outcome: 'first_of_two' }
    : { outcome: 'applied', to: 'approved' }
}

type ApprovalRefusal = Exclude<DecisionOutcome, 'applied' | 'first_of_two' | 'already_decided'>

/** Who may not approve this, then what is too much for them or for the day. */
function whyNotApprove(
  terms: RefundTerms,
  principal: Principal,
  bounds: ApprovalBounds,
): ApprovalRefusal | undefined {
  const { firstApprover, dayLeftFen = null, personLeftFen = null } = bounds
  if (principal.kind === 'temporal-operator') {
    // Nobody can prove who typed it, so it may be the first approver once more.
    if (firstApprover !== undefined) return 'operator_not_second'
    if (terms.amountFen > bounds.operatorLimitFen) return 'over_operator_limit'
  } else if (principal.kind === 'api_key' && isSomebodyBefore(terms, principal, bounds)) {
    return 'same_principal'
  }
  if (dayLeftFen !== null && terms.amountFen > dayLeftFen) return 'over_day_limit'
  if (personLeftFen !== null && terms.amountFen > personLeftFen) return 'over_person_limit'
  return undefined
}

/** Nobody approves what they asked for, but a shop of one; and nobody approves twice. */
function isSomebodyBefore(
  terms: RefundTerms,
  principal: Principal,
  { approvalsNeeded = 1, firstApprover, isSelfApproval = false }: ApprovalBounds,
): boolean {
  const asked = { id: terms.requestedBy, actingUser: terms.requestedFor }
  const isOwn = isSamePrincipal(asked, principal)
  if (isOwn) return !(isSelfApproval && approvalsNeeded < 2)
  return firstApprover !== undefined && isSamePrincipal(firstApprover, principal)
}

/**
 * A key's holder can claim any name and a person can hold two keys, so either being equal is
 * enough to be the same.
 */
export const isSamePrincipal = (
  one: { readonly id: string | null; readonly actingUser: string },
  other: Pick<Principal, 'id' | 'actingUser'>,
): boolean => one.id === other.id || personOf(one) === personOf(other)

/** A person's name as it is compared. */
export const personOf = ({ actingUser }: { readonly actingUser: string }): string =>
  actingUser.trim().toLowerCase()

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

/** True when a status moves the refund: an abnormal one is known once it needs attention. */
export const isRefundNews = (state: RefundState, status: RefundStatus): boolean =>
  judgeRefundStatus(state, status).kind === 'move'

/**
 * The key under which a fact about a refund is kept once per account and source. A refund that is
 * sent again may end the same way again, so the key counts the sends; the first has no number.
 */
export const refundFactKey = (
  outRefundNo: string,
  status: RefundStatus,
  source: 'notify' | 'query',
  submitCount = 1,
): string => `${outRefundNo}:${status}:${source}${submitCount > 1 ? `:${submitCount}` : ''}`
