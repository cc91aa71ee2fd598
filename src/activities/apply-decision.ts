import { auditRefund } from '../db/audit.js'
import { addToDayTotals, EVERYBODY, lockDayTotals } from '../db/day-totals.js'
import {
  decidingKeys,
  firstApproval,
  markDecisionApplied,
  type DecisionRow,
} from '../db/decisions.js'
import { newId } from '../db/ids.js'
import type { AccountRow } from '../db/merchants.js'
import { changeRefund } from '../db/refunds.js'
import {
  judgeDecision,
  personOf,
  type ApprovalBounds,
  type DecisionOutcome,
  type DecisionVerdict,
  type Principal,
} from '../domain/refund.js'
import type { Actor } from '../ledger/record.js'
import type { Clock } from './dependencies.js'
import { refundProgress } from './ledger-load.js'
import type { RefundProgress } from './progress.js'
import { recordOfRefund } from './refund-record.js'
import type { LockedRefund } from './refund-transaction.js'

type Account = Pick<
  AccountRow,
  'operatorLimitFen' | 'selfApproval' | 'dayLimitFen' | 'personDayLimitFen'
>

/** Moves the refund by a decision, or writes down why it does not; once for each decision. */
export async function applyDecision(
  locked: LockedRefund,
  decision: DecisionRow,
  account: Account | undefined,
  clock: Clock,
): Promise<RefundProgress> {
  const { tx, refund } = locked
  if (decision.appliedAt !== null) return refundProgress(refund, clock)
  const now = clock.now()
  const principal = principalOf(decision)
  const counted = countedPersons(decision, account)
  const bounds = await boundsOf(locked, decision, account, { persons: counted, now })
  const verdict = judgeDecision(refund, decision.verb, principal, bounds)
  if (verdict.outcome !== 'applied') return decline(locked, decision, verdict, clock)
  if (verdict.to === 'approved' && counted.length > 0) {
    const day = { merchantId: refund.merchantId, persons: counted, now }
    await addToDayTotals(tx, day, refund.amountFen)
  }
  const facts = { state: verdict.to, decisionId: decision.id, reason: decision.reason }
  await Promise.all([
    changeRefund(tx, refund.id, { state: verdict.to }, now),
    markDecisionApplied(tx, decision.id, 'applied', now),
    recordOfRefund(tx, refund, {
      type: EVENTS[verdict.to],
      actor: actorOf(decision),
      facts: bounds.isSelfApproval === true ? { ...facts, ...SELF_APPROVED } : facts,
      now,
    }),
  ])
  return refundProgress({ ...refund, state: verdict.to }, clock)
}

/** The mark in the audit of what one person asked for and approved. */
const SELF_APPROVED = { selfApproval: '自审' }

const EVENTS = {
  approved: 'refund.approved',
  rejected: 'refund.rejected',
  cancelled: 'refund.cancelled',
} as const

const principalOf = (decision: DecisionRow): Principal => ({
  kind: decision.principalKind,
  id: decision.principalId,
  actingUser: decision.actingUser,
})

const actorOf = (decision: DecisionRow): Actor => ({
  actorKind: decision.principalKind,
  actorId: decision.principalId,
  actingUser: decision.actingUser,
})

/** In whose sums of the day an approval counts: only where there is a limit to hold it to. */
function countedPersons(decision: DecisionRow, account: Account | undefined): string[] {
  if (decision.verb !== 'approve' || account === undefined) return []
  const isPerson =
    decision.principalKind === 'api_key' || decision.principalKind === 'temporal-operator'
  return [
    ...(account.dayLimitFen === null ? [] : [EVERYBODY]),
    ...(account.personDayLimitFen === null || !isPerson ? [] : [personOf(decision)]),
  ]
}

async function boundsOf(
  { tx, refund }: LockedRefund,
  decision: DecisionRow,
  account: Account | undefined,
  { persons, now }: { readonly persons: readonly string[]; readonly now: Date },
): Promise<ApprovalBounds> {
  const { approvalsNeeded, merchantId } = refund
  const bounds = { operatorLimitFen: account?.operatorLimitFen ?? 0, approvalsNeeded }
  if (decision.verb !== 'approve' || refund.state !== 'pending') return bounds
  const first = approvalsNeeded > 1 ? await firstApproval(tx, refund.id) : undefined
  const isAlone =
    decision.selfApproval &&
    account?.selfApproval === true &&
    (await decidingKeys(tx, merchantId)) <= 1
  const spent =
    persons.length === 0
      ? new Map<string, number>()
      : await lockDayTotals(tx, { merchantId, persons, now })
  return {
    ...bounds,
    firstApprover: first === undefined ? undefined : principalOf(first),
    isSelfApproval: isAlone,
    dayLeftFen: leftOf(account?.dayLimitFen, spent.get(EVERYBODY)),
    personLeftFen: leftOf(account?.personDayLimitFen, spent.get(personOf(decision))),
  }
}

const leftOf = (limitFen: number | null = null, spentFen?: number) =>
  limitFen === null || spentFen === undefined ? null : Math.max(0, limitFen - spentFen)

/** The first of two counts and is told; whatever else moves nothing stands in the audit alone. */
async function decline(
  { tx, refund }: LockedRefund,
  decision: DecisionRow,
  { outcome }: Exclude<DecisionVerdict, { readonly outcome: 'applied' }>,
  clock: Clock,
): Promise<RefundProgress> {
  const now = clock.now()
  const actor = actorOf(decision)
  const facts = { decisionId: decision.id, reason: decision.reason }
  await markDecisionApplied(tx, decision.id, outcome, now)
  if (outcome === 'first_of_two') {
    const type = 'refund.first_approved'
    await recordOfRefund(tx, refund, { type, actor, facts: { state: 'pending', ...facts }, now })
  } else {
    auditRefund(tx, {
      id: newId(now),
      merchantId: refund.merchantId,
      actor,
      action: `refund.${decision.verb}_refused`,
      refundId: refund.id,
      detail: { ...facts, outcome },
      now,
    })
  }
  return refundProgress(refund, clock, NOTES[outcome])
}

const NOTES: Readonly<Record<Exclude<DecisionOutcome, 'applied'>, string>> = {
  first_of_two: 'Approved by the first of two people; somebody else has to approve it, too.',
  same_principal: 'Refused: who asked for a refund or approved it first may not approve it.',
  over_operator_limit:
    'Refused: an approval typed into Temporal may not release this much. Approve through the API.',
  operator_not_second:
    'Refused: an approval typed into Temporal is never the second of two. Approve through the API.',
  over_day_limit: 'Refused: the approvals of today would come to more than the limit of the day.',
  over_person_limit: 'Refused: this person has approved as much as one may on a day.',
  already_decided: 'A decision came too late: this refund was decided before.',
}
