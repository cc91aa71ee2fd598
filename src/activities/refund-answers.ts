import {
  countFailedRefund,
  holdAccount,
  releaseAccount,
  type AccountHoldReason,
} from '../db/channel-holds.js'
import type { SubmitOutcome } from '../domain/channel.js'
import { changeRefund, setRefundSlot, type RefundChange, type RefundRow } from '../db/refunds.js'
import { fen } from '../domain/money.js'
import type { RefundCause } from '../domain/states.js'
import {
  HOLD_PROBE_MS,
  INSUFFICIENT_BALANCE_WAIT_MS,
  RATE_LIMITED_WAIT_MS,
  REFUND_RATES,
  REFUND_SPACING_MS,
  refundQueryWaitMs,
  scaledMs,
  SLOW_REFUND_MS,
  unknownAnswerWaitMs,
} from '../domain/waits.js'
import { postAccepted } from '../ledger/postings.js'
import { askAgain, unknownAnswer } from './failures.js'
import { CASE_OF, channelActor, openRefundCase, recordOfRefund } from './refund-record.js'
import type { StepContext } from './refund-step.js'

/** How the activity goes on after an answer was written down: by failing until later, or at all. */
export interface Next {
  readonly failure: Error | null
  /** The loop asks from now on, and the activity ends. */
  readonly isSlow?: boolean
  /** The account must be set right, which is for a person to do. */
  readonly isHeld?: boolean
}

const MESSAGE_CHARACTERS_MAX = 256

/**
 * Writes down what the channel answered to a submit, in one transaction under the payment's lock.
 */
export async function recordSubmitAnswer(
  context: StepContext,
  outcome: SubmitOutcome,
): Promise<Next> {
  const { tx, payment, timeScale, now } = context
  const nextMs = now.getTime() + scaledMs(REFUND_SPACING_MS, timeScale)
  const nextAt = new Date(Math.max(nextMs, payment.refundSlotAt?.getTime() ?? 0))
  const [next] = await Promise.all([
    recordOutcome(context, outcome),
    setRefundSlot(tx, payment.id, { nextAt, sentAt: now }),
  ])
  recordAboutAccount(context, outcome)
  return next
}

async function recordOutcome(context: StepContext, outcome: SubmitOutcome): Promise<Next> {
  const { refund, timeScale } = context
  // While this answer was under way another one may have settled the refund.
  if (refund.state !== 'refunding' || refund.cause === 'accepted') return { failure: null }
  if (outcome.kind === 'accepted') {
    return outcome.refundFen === refund.amountFen
      ? recordAccepted(context, outcome)
      : recordDiffering(context, outcome)
  }
  if (outcome.kind === 'refused' && accountHoldOf(outcome) === undefined) {
    return recordRefused(context, outcome)
  }
  const maybe = outcome.kind === 'unknown' ? { maybeTaken: true } : {}
  await write(context, { cause: CAUSES[outcome.kind], ...maybe, ...said(outcome) })
  const isHeld = accountHoldOf(outcome) === 'credentials'
  return { failure: failureOf(outcome, refund, timeScale), isHeld }
}

/** A refusal that comes here was about the account: the refund goes on once that is set right. */
const CAUSES = {
  not_enough: 'insufficient_balance',
  rate_limited: 'rate_limited',
  refused: 'credentials',
  unknown: 'unknown',
} as const satisfies Record<string, RefundCause>

function failureOf(
  outcome: Exclude<SubmitOutcome, { kind: 'accepted' }>,
  refund: RefundRow,
  timeScale: number,
): Error {
  switch (outcome.kind) {
    case 'not_enough':
      return askAgain(
        outcome.code,
        'The merchant balance is too low; the same number goes again.',
        scaledMs(INSUFFICIENT_BALANCE_WAIT_MS, timeScale),
      )
    case 'rate_limited':
      return askAgain(
        outcome.code,
        'The channel takes no more for now; the same number goes again.',
        scaledMs(RATE_LIMITED_WAIT_MS, timeScale),
      )
    case 'refused':
      return askAgain(
        outcome.code,
        'The account must be set right; the same number goes again.',
        scaledMs(HOLD_PROBE_MS, timeScale),
      )
    case 'unknown':
      return unknownAnswer(outcome, unknownAnswerWaitMs(refund.submitCount - 1))
  }
}

/**
 * What an answer says of the account: one that nothing can be taken of holds its other refunds, and
 * one that speaks of the refund alone ends such a hold. Written last, because what belongs to the
 * account is locked after its refunds.
 */
function recordAboutAccount(context: StepContext, outcome: SubmitOutcome): void {
  const { tx, refund, timeScale, now } = context
  const { accountId } = refund
  const reason = accountHoldOf(outcome)
  if (reason !== undefined && outcome.kind !== 'accepted') {
    const waitMs = reason === 'balance' ? INSUFFICIENT_BALANCE_WAIT_MS : HOLD_PROBE_MS
    const nextProbeAt = new Date(now.getTime() + scaledMs(waitMs, timeScale))
    holdAccount(tx, { accountId, reason, said: outcome, now, nextProbeAt })
  }
  if (outcome.kind === 'accepted') releaseAccount(tx, accountId, ['balance', 'credentials'])
  else if (reason !== 'credentials' && outcome.kind !== 'unknown') {
    releaseAccount(tx, accountId, ['credentials'])
  }
  const isFailure = outcome.kind !== 'accepted' && outcome.kind !== 'unknown'
  if (isFailure) countFailedRefund(tx, accountId, REFUND_RATES, now)
}

function accountHoldOf(outcome: SubmitOutcome): AccountHoldReason | undefined {
  if (outcome.kind === 'accepted') return undefined
  if (outcome.kind === 'not_enough') return 'balance'
  return outcome.hold === 'credentials' || outcome.hold === 'permission' ? 'credentials' : undefined
}

async function recordAccepted(
  context: StepContext,
  outcome: Extract<SubmitOutcome, { kind: 'accepted' }>,
): Promise<Next> {
  const { tx, refund, timeScale, now } = context
  const settlementFen = fen(Math.min(outcome.settlementFen, refund.amountFen))
  const round = refund.transitRound + 1
  await Promise.all([
    write(context, {
      cause: 'accepted',
      lastCode: null,
      lastMessage: null,
      settlementFen,
      transitRound: round,
      inTransit: true,
      acceptedAt: now,
      ...(refund.refundId === null ? { refundId: outcome.refundId } : {}),
    }),
    recordOfRefund(tx, refund, {
      type: 'refund.accepted',
      actor: channelActor(refund.mchId),
      facts: { state: 'refunding', cause: 'accepted', refundAtChannel: outcome.refundId },
      transfers: postAccepted(refund, settlementFen, round),
      now,
    }),
  ])
  return { failure: stillProcessing(refund.queryCount, timeScale) }
}

const FEE_DIFFERS = {
  code: 'REFUND_FEE_DIFFERS',
  message: 'The channel accepted another amount than was asked for.',
}

/** It was taken, but not as it was asked for: nothing is booked before a person has looked. */
async function recordDiffering(
  context: StepContext,
  { refundId, refundFen }: Extract<SubmitOutcome, { kind: 'accepted' }>,
): Promise<Next> {
  const { tx, refund, now } = context
  const cause = 'amount_differs'
  const shown = { refundAtChannel: refundId, refundFen }
  await Promise.all([
    recordAttention(context, cause, FEE_DIFFERS, {
      acceptedAt: now,
      ...(refund.refundId === null ? { refundId } : {}),
    }),
    openRefundCase(tx, refund, CASE_OF[cause], { shown, now }),
  ])
  return { failure: null }
}

/** A definite refusal is not a failure: the buyer is still owed, so a person must look. */
async function recordRefused(
  context: StepContext,
  reason: { readonly code: string; readonly message: string },
): Promise<Next> {
  await recordAttention(context, 'refused', reason)
  return { failure: null }
}

async function recordAttention(
  context: StepContext,
  cause: RefundCause,
  reason: { readonly code: string; readonly message: string },
  change: RefundChange = {},
): Promise<void> {
  const { tx, refund, now } = context
  const state = 'needs_attention'
  await Promise.all([
    write(context, { ...change, state, cause, ...said(reason) }),
    recordOfRefund(tx, refund, {
      type: 'refund.needs_attention',
      actor: channelActor(refund.mchId),
      facts: { state, cause, code: reason.code },
      now,
    }),
  ])
}

/**
 * Counts a question that brought nothing final and says when the next one is. What takes longer
 * than an hour is asked for by the loop: slowness is shown, and never judged.
 */
export async function recordUndecided(
  context: StepContext,
  reason: { readonly code: string; readonly message: string } | null,
): Promise<Next> {
  const { refund, timeScale, now } = context
  const queryCount = refund.queryCount + 1
  const sentMs = (refund.lastSubmittedAt ?? refund.createdAt).getTime()
  const isSlow = now.getTime() - sentMs >= scaledMs(SLOW_REFUND_MS, timeScale)
  const dueAt = new Date(now.getTime() + scaledMs(refundQueryWaitMs(queryCount), timeScale))
  await write(context, {
    queryCount,
    ...(reason ? said(reason) : {}),
    ...(isSlow ? { dueAt, slowAt: refund.slowAt ?? now } : {}),
  })
  return isSlow ? { failure: null, isSlow } : { failure: stillProcessing(queryCount, timeScale) }
}

const stillProcessing = (queryCount: number, timeScale: number): Error =>
  askAgain(
    'PROCESSING',
    'Accepted is not refunded: the channel is asked again.',
    scaledMs(refundQueryWaitMs(queryCount), timeScale),
  )

const said = (reason: { readonly code: string; readonly message: string }): RefundChange => ({
  lastCode: reason.code,
  lastMessage: reason.message.slice(0, MESSAGE_CHARACTERS_MAX),
})

const write = ({ tx, refund, now }: StepContext, change: RefundChange): Promise<void> =>
  changeRefund(tx, refund.id, change, now)
