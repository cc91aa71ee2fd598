import type { SubmitOutcome } from '../domain/channel.js'
import { changeRefund, setRefundSlot, type RefundChange, type RefundRow } from '../db/refunds.js'
import { fen } from '../domain/money.js'
import {
  INSUFFICIENT_BALANCE_WAIT_MS,
  RATE_LIMITED_WAIT_MS,
  refundQueryWaitMs,
  REFUND_SPACING_MS,
  scaledMs,
  unknownAnswerWaitMs,
} from '../domain/waits.js'
import { postAccepted } from '../ledger/postings.js'
import { askAgain, unknownAnswer } from './failures.js'
import { channelActor, recordOfRefund } from './refund-record.js'
import type { StepContext } from './refund-step.js'

/** How the activity goes on after an answer was written down: by failing until later, or at all. */
export type Next = { readonly failure: Error } | { readonly failure: null }

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
  return next
}

async function recordOutcome(context: StepContext, outcome: SubmitOutcome): Promise<Next> {
  const { refund, timeScale } = context
  // While this answer was under way another one may have settled the refund.
  if (refund.state !== 'refunding' || refund.cause === 'accepted') return { failure: null }
  if (outcome.kind === 'accepted') {
    return outcome.refundFen === refund.amountFen
      ? recordAccepted(context, outcome)
      : recordRefused(context, {
          code: 'REFUND_FEE_DIFFERS',
          message: 'The channel accepted another amount than was asked for.',
        })
  }
  if (outcome.kind === 'refused') return recordRefused(context, outcome)
  const cause = outcome.kind === 'not_enough' ? 'insufficient_balance' : outcome.kind
  await write(context, { cause, ...said(outcome) })
  return { failure: failureOf(outcome, refund, timeScale) }
}

function failureOf(
  outcome: Extract<SubmitOutcome, { kind: 'unknown' | 'not_enough' | 'rate_limited' }>,
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
    case 'unknown':
      return unknownAnswer(outcome, unknownAnswerWaitMs(refund.submitCount - 1))
  }
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

/** A definite refusal is not a failure: the buyer is still owed, so a person must look. */
async function recordRefused(
  context: StepContext,
  reason: { readonly code: string; readonly message: string },
): Promise<Next> {
  const { tx, refund, now } = context
  await Promise.all([
    write(context, { state: 'needs_attention', cause: 'refused', ...said(reason) }),
    recordOfRefund(tx, refund, {
      type: 'refund.needs_attention',
      actor: channelActor(refund.mchId),
      facts: { state: 'needs_attention', cause: 'refused', code: reason.code },
      now,
    }),
  ])
  return { failure: null }
}

/** Counts a question that brought nothing final and says when the next one is. */
export async function recordUndecided(
  context: StepContext,
  reason: { readonly code: string; readonly message: string } | null,
): Promise<Next> {
  const { refund, timeScale } = context
  await write(context, { queryCount: refund.queryCount + 1, ...(reason ? said(reason) : {}) })
  return { failure: stillProcessing(refund.queryCount + 1, timeScale) }
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
