import { SURPLUS_REASONS } from '../../activities/ledger-surplus-refund.js'
import { ENGINE } from '../../activities/refund-record.js'
import { newNumber, surplusRefundNo } from '../../domain/ids.js'
import { fen, subtractFen, type Fen } from '../../domain/money.js'
import type { DecisionVerb } from '../../domain/refund.js'
import type { RefundCause, RefundState } from '../../domain/states.js'
import { APPROVAL_DEADLINE_MS } from '../../domain/waits.js'
import type { Draw } from './draw.js'
import { after, type PaymentStory } from './payment-story.js'
import type { Teller } from './shop.js'
import { APPROVERS, CLERKS, DECISION_REASONS, REFUND_REASONS } from './words.js'

/** How a refund ends when nothing cuts it short, in a thousand. */
const ENDINGS = {
  done: 830,
  rejected: 55,
  cancelled: 40,
  expired: 20,
  failed: 15,
  refused: 10,
  abnormal: 12,
  settled: 18,
} as const
type Ending = keyof typeof ENDINGS

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A state that a refund was brought to. */
export interface RefundStep {
  readonly state: Exclude<RefundState, 'pending'>
  readonly cause: RefundCause | null
  readonly at: Date
  /** The channel knows of it from here on, and the money is in transit. */
  readonly isAccepted: boolean
}

/** What is left in memory of a payment until its refunds are told. */
export interface RefundablePayment {
  readonly id: string
  readonly outTradeNo: string
  readonly totalFen: Fen
  /** How many events of it were told so far. */
  events: number
}

export interface RefundDecision {
  readonly verb: DecisionVerb
  readonly actingUser: string
  readonly reason: string
  readonly at: Date
}

export interface RefundStory {
  readonly id: string
  /** Who opened it: somebody by the API, or the engine because the money was surplus. */
  readonly origin: 'api' | 'system'
  readonly payment: RefundablePayment
  readonly outRefundNo: string
  readonly refundId: string
  readonly amountFen: Fen
  readonly settlementFen: Fen
  readonly reason: string
  readonly requestedFor: string
  readonly requestedAt: Date
  readonly expiresAt: Date
  readonly decision: RefundDecision | null
  readonly steps: readonly RefundStep[]
  /** When the last of all this happened. */
  readonly endedAt: Date
}

/**
 * Makes up so many refunds of a payment, one after the other: the first may be the whole of it,
 * several are parts.
 */
export function tellRefunds(teller: Teller, payment: PaymentStory, count: number): RefundStory[] {
  const { paid } = payment
  if (paid === null) throw new RangeError('Only what was paid is given back.')
  const refundable = {
    id: payment.id,
    outTradeNo: payment.outTradeNo,
    totalFen: payment.totalFen,
    events: payment.events.length,
  }
  const stories: RefundStory[] = []
  let leftFen: Fen = payment.totalFen
  let earliest = after(payment.updatedAt, MINUTE)
  for (let left = count; left > 0; left -= 1) {
    const amountFen = drawAmount(teller.draw, leftFen, left, count)
    leftFen = subtractFen(leftFen, amountFen)
    const settlementFen = shareOf(amountFen, paid.settlementFen, paid.totalFen)
    const story = tellRefund(teller, refundable, { earliest, amountFen, settlementFen })
    stories.push(story)
    earliest = after(story.endedAt, MINUTE)
  }
  return stories
}

/** Makes up the refund of money that came too late: all of it goes back, and nobody is asked. */
export function tellSurplusRefund({ draw, until }: Teller, story: PaymentStory): RefundStory {
  const { id, outTradeNo, totalFen, paid, updatedAt: openedAt } = story
  if (paid === null) throw new RangeError('Only what was paid is given back.')
  const acceptedAt = after(openedAt, draw.between(300, 2 * SECOND))
  const doneAt = after(acceptedAt, draw.between(30 * SECOND, 5 * MINUTE))
  const steps = [
    { state: 'refunding', cause: 'accepted', at: acceptedAt, isAccepted: true },
    { state: 'done', cause: null, at: doneAt, isAccepted: true },
  ] as const
  const taken = steps.filter(({ at }) => at <= until)
  return {
    id: draw.uuid(openedAt),
    origin: 'system',
    payment: { id, outTradeNo, totalFen, events: story.events.length },
    outRefundNo: surplusRefundNo(outTradeNo),
    refundId: `5030${draw.digits(24)}`,
    amountFen: paid.totalFen,
    settlementFen: paid.settlementFen,
    reason: SURPLUS_REASONS.late,
    requestedFor: ENGINE.actorId,
    requestedAt: openedAt,
    expiresAt: openedAt,
    decision: null,
    steps: taken,
    endedAt: taken.at(-1)?.at ?? openedAt,
  }
}

function drawAmount(draw: Draw, leftFen: Fen, left: number, count: number): Fen {
  if (count === 1 && draw.happens(600)) return leftFen
  const most = Math.max(1, Math.floor(leftFen / left))
  return fen(draw.between(Math.max(1, Math.floor(most / 5)), most))
}

/** The part of a refund that is settled, in whole fen, rounded down. */
function shareOf(amountFen: Fen, settlementFen: Fen, paidFen: Fen): Fen {
  return fen(Number((BigInt(amountFen) * BigInt(settlementFen)) / BigInt(paidFen)))
}

interface Terms {
  readonly earliest: Date
  readonly amountFen: Fen
  readonly settlementFen: Fen
}

function tellRefund(
  teller: Teller,
  payment: RefundablePayment,
  { earliest, amountFen, settlementFen }: Terms,
): RefundStory {
  const { draw, until } = teller
  const requestedAt = drawRequest(draw, earliest, until)
  const expiresAt = after(requestedAt, APPROVAL_DEADLINE_MS)
  const ending = draw.weighted(ENDINGS)
  // What would happen later than the book ends has not happened.
  const steps = tellSteps(draw, requestedAt, expiresAt, ending).filter(({ at }) => at <= until)
  return {
    id: draw.uuid(requestedAt),
    origin: 'api',
    payment,
    outRefundNo: newNumber('R', requestedAt.getTime(), draw.bytes(16)),
    refundId: `5030${draw.digits(24)}`,
    amountFen,
    settlementFen,
    reason: draw.pick(REFUND_REASONS),
    requestedFor: draw.pick(CLERKS),
    requestedAt,
    expiresAt,
    decision: drawDecision(draw, steps[0]),
    steps,
    endedAt: steps.at(-1)?.at ?? requestedAt,
  }
}

/** Half of all are asked for within hours; those that would come too late are asked for now. */
function drawRequest(draw: Draw, earliest: Date, until: Date): Date {
  const kind = draw.weighted({ hours: 50, days: 35, weeks: 15 })
  const most = { hours: 2 * HOUR, days: 3 * DAY, weeks: 28 * DAY }[kind]
  const at = after(earliest, draw.between(MINUTE, most))
  if (at < until) return at
  const roomMs = Math.min(until.getTime() - earliest.getTime(), 12 * HOUR)
  return roomMs > 0 ? after(until, -draw.below(roomMs)) : until
}

function tellSteps(draw: Draw, from: Date, expiresAt: Date, ending: Ending): RefundStep[] {
  const steps: RefundStep[] = []
  let at = from
  let isAccepted = false
  const step = (waitMs: number, state: RefundStep['state'], cause: RefundCause | null = null) => {
    at = after(at, waitMs)
    if (cause === 'accepted') isAccepted = true
    steps.push({ state, cause, at, isAccepted })
  }
  const decideMs = draw.between(MINUTE, draw.happens(800) ? 3 * HOUR : 20 * HOUR)
  if (ending === 'expired') {
    at = expiresAt
    step(draw.between(10, 500), 'expired')
  } else if (ending === 'rejected' || ending === 'cancelled') {
    step(decideMs, ending)
  } else {
    step(decideMs, 'approved')
    step(draw.between(50, 800), 'refunding', ending === 'refused' ? 'submitting' : 'accepted')
    if (ending === 'done' || ending === 'failed') {
      step(draw.between(30 * SECOND, draw.happens(900) ? 5 * MINUTE : 2 * HOUR), ending)
    } else {
      const waitMs = ending === 'refused' ? draw.between(200, 900) : draw.between(MINUTE, HOUR)
      step(waitMs, 'needs_attention', ending === 'refused' ? 'refused' : 'abnormal')
      if (ending === 'settled') step(draw.between(2 * HOUR, 3 * DAY), 'settled')
    }
  }
  return steps
}

const VERBS = { approved: 'approve', rejected: 'reject', cancelled: 'cancel' } as const

/** Nobody decides that a refund expires. */
function drawDecision(draw: Draw, first: RefundStep | undefined): RefundDecision | null {
  if (first === undefined) return null
  const { state, at } = first
  if (state !== 'approved' && state !== 'rejected' && state !== 'cancelled') return null
  const verb = VERBS[state]
  const actingUser = draw.pick(verb === 'cancel' ? CLERKS : APPROVERS)
  return { verb, actingUser, reason: draw.pick(DECISION_REASONS[verb]), at }
}
