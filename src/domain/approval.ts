import type { ReasonCategory } from './refund.js'

/** How many people have to approve a refund: it goes by itself, or one, or two. */
export type Approvals = 0 | 1 | 2

/** One rule; what it leaves out fits everything. */
export interface ApprovalRule {
  /** Refunds of at most this. */
  readonly upToFen?: number | null
  /** Payments at most this many times 24 hours old. */
  readonly withinDays?: number | null
  /** What nobody said is neither shipped nor unshipped. */
  readonly shipped?: boolean | null
  readonly reasonCategories?: readonly ReasonCategory[] | null
  readonly approvals: Approvals
}

export const AT_DEADLINE = ['escalate', 'approve', 'close'] as const
export type AtDeadline = (typeof AT_DEADLINE)[number]

/** One version of a merchant's rules; a refund keeps the one that it was asked for under. */
export interface ApprovalPolicy {
  /** The first that fits decides; the last one fits everything. */
  readonly rules: readonly ApprovalRule[]
  /** What a Beijing day's approvals may come to, of everybody and of each person; or no limit. */
  readonly dayLimitFen: number | null
  readonly personDayLimitFen: number | null
  /** Two requests for one payment are at least this far apart; 0 asks for nothing. */
  readonly spacingSeconds: number
  readonly deadlineSeconds: number
  readonly atDeadline: AtDeadline
  /** What is approved at the deadline is at most this, and was not shipped. */
  readonly approveUpToFen: number | null
}

/** What holds where a merchant has said nothing. */
export const DEFAULT_POLICY: ApprovalPolicy = {
  rules: [{ approvals: 1 }],
  dayLimitFen: null,
  personDayLimitFen: null,
  spacingSeconds: 0,
  deadlineSeconds: 24 * 3_600,
  atDeadline: 'escalate',
  approveUpToFen: null,
}

/** What a rule looks at. */
export interface ApprovalTerms {
  readonly amountFen: number
  readonly paymentAgeMs: number
  readonly shipped: boolean | null
  readonly reasonCategory: ReasonCategory
}

const DAY_MS = 24 * 3_600_000

/**
 * How many people have to approve a refund. The database decides so when a refund is asked for
 * (`approvals_needed` in its schema), and a test holds both to each other.
 */
export function approvalsNeeded(rules: readonly ApprovalRule[], terms: ApprovalTerms): Approvals {
  // A list that nothing of fits asks for the most: it was not written to let this one go.
  return rules.find((rule) => fits(rule, terms))?.approvals ?? 2
}

const isLeftOut = (condition: unknown): condition is null | undefined =>
  condition === null || condition === undefined

function fits(rule: ApprovalRule, terms: ApprovalTerms): boolean {
  const { upToFen, withinDays, shipped, reasonCategories } = rule
  return (
    (isLeftOut(upToFen) || terms.amountFen <= upToFen) &&
    (isLeftOut(withinDays) || terms.paymentAgeMs <= withinDays * DAY_MS) &&
    (isLeftOut(shipped) || terms.shipped === shipped) &&
    (isLeftOut(reasonCategories) || reasonCategories.includes(terms.reasonCategory))
  )
}

/** What is wrong with a policy that its shape does not show. */
export type PolicyFault =
  | 'rules_not_total'
  | 'rule_never_reached'
  | 'approve_needs_amount'
  | 'amount_without_approve'

/**
 * A policy is total: its last rule fits everything, and no rule before it does, because those
 * behind such a rule would never be looked at.
 */
export function policyFaults(policy: ApprovalPolicy): readonly PolicyFault[] {
  const fitsAll = policy.rules.map((rule) => fitsEverything(rule))
  const approves = policy.atDeadline === 'approve'
  const faults: readonly (PolicyFault | false)[] = [
    fitsAll.at(-1) !== true && 'rules_not_total',
    fitsAll.slice(0, -1).includes(true) && 'rule_never_reached',
    approves && policy.approveUpToFen === null && 'approve_needs_amount',
    !approves && policy.approveUpToFen !== null && 'amount_without_approve',
  ]
  return faults.filter((fault) => fault !== false)
}

const fitsEverything = ({ upToFen, withinDays, shipped, reasonCategories }: ApprovalRule) =>
  [upToFen, withinDays, shipped, reasonCategories].every(isLeftOut)

/** What happens to a refund that nobody decided: first a reminder, then what its policy says. */
export type DeadlineStep = 'remind' | 'escalate' | 'approve' | 'close'

export interface DeadlineTerms {
  readonly amountFen: number
  readonly shipped: boolean | null
  readonly approvalsNeeded: number
  readonly expiresAt: Date
  /** Half time; null for a refund that is not reminded of. */
  readonly remindAt: Date | null
  readonly remindedAt: Date | null
  readonly escalatedAt: Date | null
  readonly createdAt: Date
}

/**
 * The step that is due when a wait for a decision is over. Escalating gives the deadline once more,
 * and what was escalated closes in the end.
 * @param dayLeftFen what may still be approved today, or null without a limit
 */
export function deadlineStep(
  terms: DeadlineTerms,
  policy: Pick<ApprovalPolicy, 'atDeadline' | 'approveUpToFen'>,
  dayLeftFen: number | null,
): DeadlineStep {
  if (terms.remindAt !== null && terms.remindedAt === null) return 'remind'
  if (terms.escalatedAt !== null || policy.atDeadline === 'close') return 'close'
  return policy.atDeadline === 'approve' && isSmall(terms, policy.approveUpToFen, dayLeftFen)
    ? 'approve'
    : 'escalate'
}

function isSmall(
  { amountFen, shipped, approvalsNeeded: needed }: DeadlineTerms,
  upToFen: number | null,
  dayLeftFen: number | null,
): boolean {
  const isLittle = upToFen !== null && amountFen <= upToFen
  return isLittle && shipped === false && needed < 2 && amountFen <= (dayLeftFen ?? amountFen)
}

/** When the next of these steps is due. */
export function nextStepAt(terms: DeadlineTerms): Date {
  if (terms.remindAt !== null && terms.remindedAt === null) return terms.remindAt
  if (terms.escalatedAt === null) return terms.expiresAt
  const deadlineMs = terms.expiresAt.getTime() - terms.createdAt.getTime()
  return new Date(terms.escalatedAt.getTime() + deadlineMs)
}
