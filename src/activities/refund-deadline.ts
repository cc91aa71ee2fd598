import { EVERYBODY, lockDayTotals } from '../db/day-totals.js'
import { findDecision, recordDeadlineApproval } from '../db/decisions.js'
import { newId } from '../db/ids.js'
import { findAccount, type AccountRow } from '../db/merchants.js'
import { findPolicy } from '../db/policies.js'
import { changeRefund, type RefundChange } from '../db/refunds.js'
import { DEFAULT_POLICY, deadlineStep, nextStepAt, type DeadlineStep } from '../domain/approval.js'
import type { Actor } from '../ledger/record.js'
import { applyDecision } from './apply-decision.js'
import type { ActivityDependencies, Clock } from './dependencies.js'
import { refundProgress } from './ledger-load.js'
import type { RefundProgress } from './progress.js'
import { recordOfRefund } from './refund-record.js'
import { withLockedRefund, type LockedRefund } from './refund-transaction.js'

const DEADLINE: Actor = { actorKind: 'deadline', actorId: 'yuanlu', actingUser: null }

/**
 * Takes the step that is due when nobody decided: reminds at half time, then escalates, approves
 * what is small and unshipped, or closes, as the refund's policy says.
 */
export async function passRefundDeadline(
  { database, clock }: ActivityDependencies,
  refundId: string,
): Promise<RefundProgress> {
  return withLockedRefund(database, refundId, async (locked) => {
    const { tx, refund } = locked
    if (refund.state !== 'pending') return refundProgress(refund, clock)
    // A worker that took the step and did not live to say so is followed by one that asks for it.
    if (nextStepAt(refund) > clock.now()) return refundProgress(refund, clock)
    const { policyVersion: version, merchantId, accountId } = refund
    const policy = version === null ? undefined : await findPolicy(tx, merchantId, version)
    const { atDeadline, approveUpToFen } = policy ?? DEFAULT_POLICY
    const account = atDeadline === 'approve' ? await findAccount(tx, accountId) : undefined
    const dayLeftFen = account === undefined ? null : await leftToday(locked, account, clock.now())
    const step = deadlineStep(refund, { atDeadline, approveUpToFen }, dayLeftFen)
    if (step !== 'approve') return note(locked, step, clock)
    return (await approve(locked, account, clock)) ?? note(locked, 'escalate', clock)
  })
}

async function leftToday(
  { tx, refund }: LockedRefund,
  { dayLimitFen }: AccountRow,
  now: Date,
): Promise<number | null> {
  if (dayLimitFen === null) return null
  const day = { merchantId: refund.merchantId, persons: [EVERYBODY], now }
  return dayLimitFen - ((await lockDayTotals(tx, day)).get(EVERYBODY) ?? 0)
}

/** Undefined where the database knows a reason against it that was not seen here. */
async function approve(
  locked: LockedRefund,
  account: AccountRow | undefined,
  clock: Clock,
): Promise<RefundProgress | undefined> {
  const { tx, refund } = locked
  const now = clock.now()
  const id = newId(now)
  if (!(await recordDeadlineApproval(tx, { id, refundId: refund.id, now }))) return undefined
  const decision = await findDecision(tx, id)
  return decision && applyDecision(locked, decision, account, clock)
}

async function note(
  { tx, refund }: LockedRefund,
  step: Exclude<DeadlineStep, 'approve'>,
  clock: Clock,
): Promise<RefundProgress> {
  const now = clock.now()
  const { type, text, change } = STEPS[step](now)
  const changed = { ...refund, ...change }
  const facts = { state: changed.state }
  await Promise.all([
    changeRefund(tx, refund.id, change, now),
    recordOfRefund(tx, refund, { type, actor: DEADLINE, facts, now }),
  ])
  return refundProgress(changed, clock, text)
}

interface Noted {
  readonly type: 'refund.reminder' | 'refund.escalated' | 'refund.expired'
  readonly text: string | null
  readonly change: RefundChange
}

const STEPS: Readonly<Record<Exclude<DeadlineStep, 'approve'>, (now: Date) => Noted>> = {
  remind: (now) => ({
    type: 'refund.reminder',
    text: 'Half of the time for a decision is over.',
    change: { remindedAt: now },
  }),
  escalate: (now) => ({
    type: 'refund.escalated',
    text: 'Nobody decided in time; it was escalated and waits once more.',
    change: { escalatedAt: now },
  }),
  close: () => ({ type: 'refund.expired', text: null, change: { state: 'expired' } }),
}
