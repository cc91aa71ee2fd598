import { DEFAULT_POLICY } from '../../../src/domain/approval.js'
import type { DecisionVerb } from '../../../src/domain/refund.js'
import {
  insertRefund,
  moveRefund,
  refundAt,
  spokenFen,
  withRefund,
  type Change,
  type Message,
  type Trial,
} from './trial.js'
import {
  newRefund,
  NOW,
  PRINCIPALS,
  REFUNDS_MAX,
  YESTERDAY,
  type RefundPart,
  type Who,
  type World,
} from './world.js'

/** What people and deadlines do with a refund before anything of it was sent. */

const OPERATOR_LIMIT_FEN = 1

export const request = (amountFen: number): Message => ({
  name: `request: ${amountFen}`,
  apply: (world, trial) => requested(world, amountFen, trial),
})

/** The request as `refund_refusal` judges it: what is spoken for already cannot be asked for. */
export function requested(world: World, amountFen: number, trial: Trial): World {
  const { state, disposition, paidFen } = world.payment
  const isRefundable = state === 'paid' && disposition !== 'held'
  const leftFen = Math.max(0, (paidFen ?? 0) - spokenFen(world))
  if (!isRefundable || amountFen > leftFen || world.refunds.length >= REFUNDS_MAX) return world
  const refund = newRefund({ state: 'pending', origin: 'api', amountFen })
  const [beginning = 'pending'] = trial.rules.refundBeginnings.api
  return insertRefund(world, { ...refund, state: beginning }, trial)
}

export const decide =
  (verb: DecisionVerb, who: Who, dayLeftFen: number | null = null): Change =>
  (world, index, trial) => {
    const refund = refundAt(world, index)
    if (refund.state === 'unseen') return world
    if (who === 'policy' && (refund.amountFen > 1 || refund.reminded)) return world
    const first = refund.firstApprover === null ? undefined : PRINCIPALS[refund.firstApprover]
    const bounds = {
      operatorLimitFen: OPERATOR_LIMIT_FEN,
      approvalsNeeded: who === 'policy' ? 0 : refund.amountFen,
      firstApprover: first,
      dayLeftFen,
    }
    const { id, actingUser } = PRINCIPALS.asker
    const { state, amountFen } = refund
    const terms = { state, amountFen, requestedBy: id, requestedFor: actingUser }
    const verdict = trial.rules.judgeDecision(terms, verb, PRINCIPALS[who], bounds)
    if (verdict.outcome === 'first_of_two') {
      return who === 'third' ? world : withRefund(world, index, { firstApprover: who })
    }
    if (verdict.outcome !== 'applied') return world
    if (verdict.to === 'approved') watchApproval(refund, who, dayLeftFen, trial)
    return moveRefund(world, index, { to: verdict.to }, trial)
  }

/** Who may let money go, said again in other words than the rule's. */
function watchApproval(refund: RefundPart, who: Who, dayLeftFen: number | null, trial: Trial) {
  const { faults } = trial
  const persons = [refund.firstApprover, who].filter((each) => each !== null)
  if (persons.includes('asker')) faults.add('approved by who asked')
  const isAlone = new Set(persons).size < refund.amountFen
  if (isAlone) faults.add('approved by fewer people than it needs')
  if (who === 'operator' && refund.amountFen > OPERATOR_LIMIT_FEN) {
    faults.add('an operator approved more than the limit')
  }
  if (dayLeftFen !== null && refund.amountFen > dayLeftFen) {
    faults.add('approved beyond the limit of the day')
  }
}

export const deadline =
  (atDeadline: 'escalate' | 'approve' | 'close'): Change =>
  (world, index, trial) => {
    const refund = refundAt(world, index)
    if (refund.state !== 'pending') return world
    const terms = {
      amountFen: refund.amountFen,
      shipped: false,
      approvalsNeeded: refund.amountFen,
      expiresAt: NOW,
      remindAt: YESTERDAY,
      remindedAt: refund.reminded ? YESTERDAY : null,
      escalatedAt: refund.escalated ? YESTERDAY : null,
      createdAt: YESTERDAY,
    }
    const policy = { ...DEFAULT_POLICY, atDeadline, approveUpToFen: 1 }
    const step = trial.rules.deadlineStep(terms, policy, null)
    if (step === 'remind') return withRefund(world, index, { reminded: true })
    if (step === 'escalate') return withRefund(world, index, { escalated: true })
    if (step === 'approve') return decide('approve', 'deadline')(world, index, trial)
    return moveRefund(world, index, { to: 'expired' }, trial)
  }
