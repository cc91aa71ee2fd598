import type { RefundFact, RefundStatus } from './channel.js'
import type { RefundCause, RefundState } from './states.js'

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

/** What is told of a refund when its workflow starts: nothing that names a person. */
export interface RefundSubject {
  readonly id: string
  readonly merchantId: string
  readonly outRefundNo: string
  /** The number of its payment. */
  readonly outTradeNo: string
  readonly amountFen: number
  readonly expiresAt: Date
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
  | { readonly kind: 'move'; readonly to: 'done' | 'failed'; readonly cause: null }
  | {
      readonly kind: 'move'
      readonly to: 'needs_attention'
      readonly cause: 'abnormal' | FactCause
    }
  | { readonly kind: 'stay' }

/** A refund as it stands here, which an answer is held against. */
export interface RefundStanding {
  readonly state: RefundState
  readonly cause: RefundCause | null
  readonly amountFen: number
  /** The total of its order, as it was sent. */
  readonly totalFen: number
}

/**
 * Causes that come from what the channel shows rather than from what it could not do: sending the
 * same number again mends nothing, and the money may stand in transit.
 */
const FACT_CAUSES = ['amount_differs', 'beyond_paid'] as const
export type FactCause = (typeof FACT_CAUSES)[number]

export const isFactCause = (cause: RefundCause | null): cause is FactCause =>
  FACT_CAUSES.some((known) => known === cause)

/** True when the channel shows another amount than was asked for, or another order's total. */
export const isOtherAmount = (
  refund: Pick<RefundStanding, 'amountFen' | 'totalFen'>,
  fact: Pick<RefundFact, 'refundFen' | 'totalFen'>,
): boolean =>
  fact.refundFen !== refund.amountFen || (fact.totalFen ?? refund.totalFen) !== refund.totalFen

/**
 * A channel SUCCESS always wins, also while a person is looking; nothing moves a refund that ended.
 * What shows other amounts is not this refund as it was asked for, and waits for a person.
 */
export function judgeRefundFact(
  refund: RefundStanding,
  fact: Pick<RefundFact, 'status' | 'refundFen' | 'totalFen'>,
): RefundVerdict {
  const { state, cause } = refund
  if (state !== 'refunding' && state !== 'needs_attention') return { kind: 'stay' }
  if (isOtherAmount(refund, fact)) return needsAttention(refund, 'amount_differs')
  switch (fact.status) {
    case 'success':
      // It did not fit, and what was given back of a payment never becomes less.
      return cause === 'beyond_paid' ? { kind: 'stay' } : { kind: 'move', to: 'done', cause: null }
    case 'closed':
      return { kind: 'move', to: 'failed', cause: null }
    case 'abnormal':
      return state === 'refunding' || isFactCause(cause)
        ? needsAttention(refund, 'abnormal')
        : { kind: 'stay' }
    case 'processing':
      return { kind: 'stay' }
  }
}

const needsAttention = (refund: RefundStanding, cause: 'abnormal' | FactCause): RefundVerdict =>
  refund.state === 'needs_attention' && refund.cause === cause
    ? { kind: 'stay' }
    : { kind: 'move', to: 'needs_attention', cause }

/**
 * True when the channel gives back what had ended here without it: the buyer may have it twice,
 * which no state undoes, so a person has to look.
 */
export const isAfterEnd = (state: RefundState, status: RefundStatus): boolean =>
  status === 'success' && (state === 'settled' || state === 'failed')

/** What was paid and given back of a refund's payment. */
interface GivenBack {
  readonly paidFen: number | null
  readonly refundedFen: number
}

/**
 * What a query's answer does in the book, where no more is ever given back than was paid: a success
 * that would be more is the channel's word all the same, so it is told, and a person looks at it.
 */
export function judgeRefundInBook(
  refund: RefundStanding,
  fact: Pick<RefundFact, 'status' | 'refundFen' | 'totalFen'>,
  { paidFen, refundedFen }: GivenBack,
): RefundVerdict {
  const verdict = judgeRefundFact(refund, fact)
  const isBeyond = refundedFen + refund.amountFen > (paidFen ?? 0)
  return verdict.kind === 'move' && verdict.to === 'done' && isBeyond
    ? needsAttention(refund, 'beyond_paid')
    : verdict
}

/** True when an answer moves the refund: an abnormal one is known once it needs attention. */
export const isRefundNews = (
  refund: RefundStanding,
  fact: Pick<RefundFact, 'status' | 'refundFen' | 'totalFen'>,
): boolean => judgeRefundFact(refund, fact).kind === 'move'

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

/**
 * The key of what a query said of a refund. Other amounts than were asked for are part of it, so
 * that a wrong fact can never stand in the way of the right one.
 */
export function queriedFactKey(
  refund: Pick<RefundStanding, 'amountFen' | 'totalFen'> & {
    readonly outRefundNo: string
    readonly submitCount: number
  },
  fact: Pick<RefundFact, 'status' | 'refundFen' | 'totalFen'>,
): string {
  const key = refundFactKey(refund.outRefundNo, fact.status, 'query', refund.submitCount)
  return isOtherAmount(refund, fact) ? `${key}:${fact.refundFen}:${fact.totalFen ?? ''}` : key
}
