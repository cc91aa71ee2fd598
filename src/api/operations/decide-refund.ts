import type { ApiKeyRow } from '../../db/api-keys.js'
import {
  decisionsOf,
  markDecisionSignalled,
  recordDecision,
  type DecisionRow,
} from '../../db/decisions.js'
import { newId } from '../../db/ids.js'
import { findPayment } from '../../db/payments.js'
import type { Queryable } from '../../db/pool.js'
import { findRefund, type RefundRow } from '../../db/refunds.js'
import { CodedError, type ErrorCode } from '../../domain/errors.js'
import { judgeDecision, type DecisionOutcome, type DecisionVerb } from '../../domain/refund.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { findOwnRefund } from './find-own.js'

/** How long a caller waits for the workflow to take note of a decision. */
const APPLYING_TIMEOUT_MS = 5_000

export interface DecisionCall {
  readonly client: ApiKeyRow
  readonly refundId: string
  readonly verb: DecisionVerb
  readonly actingUser: string
  readonly reason: string
  readonly selfApproval?: boolean | undefined
}

export type DecisionAnswer =
  | { readonly kind: 'applied'; readonly refund: RefundRow; readonly decisions: DecisionRow[] }
  /** It stands in its row and will be applied; nobody has to send it again. */
  | { readonly kind: 'recorded'; readonly decisionId: string }

/**
 * Records a decision, tells the refund's workflow, and waits until the row says what it did. The
 * same principal deciding the same again is told what stands.
 * @throws CodedError `same_principal`, `daily_limit_reached`, `approver_limit_reached`, or
 *   `refund_state_conflict` when it was decided otherwise
 */
export async function decideRefund(
  context: ApiContext,
  call: DecisionCall,
): Promise<DecisionAnswer> {
  const refund = await findOwnRefund(context.db, call.client, call.refundId)
  const decision = await standingDecision(context.db, call, refund)
  if (decision?.outcome) return answerOf(context.db, refund.id, decision.outcome)
  if (decision === undefined) refuseDecided(call, refund)
  const { id } = decision ?? (await record(context, call))
  try {
    await tell(context, refund, id)
  } catch (error) {
    // The row stands; the redelivery loop tells it to the workflow when the engine is back.
    if (!(error instanceof CodedError)) throw error
    return { kind: 'recorded', decisionId: id }
  }
  const outcome = await context.waiter.wait(id, APPLYING_TIMEOUT_MS)
  if (outcome === undefined) return { kind: 'recorded', decisionId: id }
  return answerOf(context.db, refund.id, outcome)
}

async function standingDecision(
  db: Queryable,
  { client, verb, actingUser }: DecisionCall,
  refund: RefundRow,
): Promise<DecisionRow | undefined> {
  const decisions = await decisionsOf(db, refund.id)
  return decisions.find(
    (known) =>
      known.verb === verb &&
      known.principalId === client.id &&
      known.actingUser === actingUser &&
      !isOverLimit(known.outcome),
  )
}

/**
 * A refund never goes back to where a decision was open, so what the row refuses now is refused for
 * ever: no decision is written and no workflow is started for it.
 */
function refuseDecided({ client, verb, actingUser }: DecisionCall, refund: RefundRow): void {
  const principal = { kind: 'api_key', id: client.id, actingUser } as const
  if (
    judgeDecision(refund, verb, principal, { operatorLimitFen: 0 }).outcome === 'already_decided'
  ) {
    throw new CodedError('refund_state_conflict', { state: refund.state })
  }
}

async function record(context: ApiContext, call: DecisionCall): Promise<DecisionRow> {
  const now = context.clock.now()
  return recordDecision(context.db, {
    id: newId(now),
    refundId: call.refundId,
    verb: call.verb,
    principalId: call.client.id,
    actingUser: call.actingUser,
    reason: call.reason,
    selfApproval: call.selfApproval,
    now,
  })
}

async function tell(context: ApiContext, refund: RefundRow, decisionId: string): Promise<void> {
  const { db, engine, gate, clock } = context
  const payment = existing(await findPayment(db, refund.paymentId))
  const subject = { ...refund, outTradeNo: payment.outTradeNo }
  await gate.run(() => engine.refundDecision(subject, decisionId))
  await markDecisionSignalled(db, decisionId, clock.now())
}

async function answerOf(
  db: Queryable,
  refundId: string,
  outcome: DecisionOutcome,
): Promise<DecisionAnswer> {
  const refund = existing(await findRefund(db, refundId))
  const refusal = REFUSALS[outcome]
  if (refusal !== undefined) throw new CodedError(refusal)
  if (outcome !== 'applied' && outcome !== 'first_of_two') {
    throw new CodedError('refund_state_conflict', { state: refund.state })
  }
  return { kind: 'applied', refund, decisions: await decisionsOf(db, refundId) }
}

/** What a decision was refused for, where the caller can do something about it. */
const REFUSALS: Readonly<Partial<Record<DecisionOutcome, ErrorCode>>> = {
  same_principal: 'same_principal',
  over_day_limit: 'daily_limit_reached',
  over_person_limit: 'approver_limit_reached',
}

/** Such a decision is no standing one: it may be made again on another day. */
const isOverLimit = (outcome: DecisionOutcome | null): boolean =>
  outcome === 'over_day_limit' || outcome === 'over_person_limit'
