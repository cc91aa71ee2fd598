import { paidAtChannelFen } from './payment-messages.js'
import { FORBIDDEN_MOVE } from './trial.js'
import type { RefundPart, World } from './world.js'

/**
 * What must never be, in words of its own: none of it reads the tables or asks the rules that are
 * explored, so that a mistake there is not made twice.
 */

type WorldCheck = (world: World) => boolean
type StepCheck = (before: World, after: World) => boolean

const sumOf = (refunds: readonly RefundPart[]): number =>
  refunds.reduce((sum, { amountFen }) => sum + amountFen, 0)

const inStates = (world: World, ...states: readonly RefundPart['state'][]): RefundPart[] =>
  world.refunds.filter(({ state }) => states.includes(state))

const LIVE = ['pending', 'approved', 'refunding', 'needs_attention'] as const
const RELEASED = ['rejected', 'cancelled', 'expired', 'failed'] as const
const ENDED = ['done', 'settled', ...RELEASED] as const

const isEnded = ({ state }: RefundPart): boolean => (ENDED as readonly string[]).includes(state)

/** What each account has to be, from the states alone. */
function expectedBook(world: World): Record<string, number> {
  const { state, disposition, paidFen } = world.payment
  const came = state === 'paid' ? (paidFen ?? 0) : 0
  const done = sumOf(inStates(world, 'done'))
  const settled = sumOf(inStates(world, 'settled'))
  const transit = sumOf(
    world.refunds.filter((refund) => refund.inTransit && refund.state !== 'unseen'),
  )
  const isSale = disposition === 'accepted'
  return {
    wechat: done + transit - came,
    sales: isSale ? came : 0,
    suspense: isSale ? 0 : came - done - settled,
    returns: isSale ? 0 - done - settled : 0,
    refunds_in_transit: 0 - transit,
    paid_otherwise: settled,
  }
}

function isBookRight(world: World): boolean {
  const expected = expectedBook(world)
  const names = new Set([...Object.keys(expected), ...Object.keys(world.book)])
  return [...names].every((name) => (world.book[name] ?? 0) === (expected[name] ?? 0))
}

/** Broken by a world, whatever led to it. */
export const NEVER_A_WORLD: Readonly<Record<string, WorldCheck>> = {
  'refunded above paid': ({ counters, payment }) => counters.refunded > (payment.paidFen ?? 0),
  'more spoken for than paid, and no case': (world) => {
    const spoken = sumOf(inStates(world, ...LIVE, 'done', 'settled'))
    return spoken > (world.payment.paidFen ?? 0) + world.counters.over
  },
  'an amount that is not reserved while it is due': (world) =>
    world.counters.reserved < sumOf(inStates(world, ...LIVE)),
  'an amount that is reserved after its refund has ended': (world) =>
    world.counters.reserved > sumOf(inStates(world, ...LIVE)),
  'a refund that counts twice or not at all': ({ counters, ...world }) =>
    counters.refunded !== sumOf(inStates({ ...world, counters }, 'done')) ||
    counters.settled !== sumOf(inStates({ ...world, counters }, 'settled')),
  "done without the channel's word": (world) =>
    inStates(world, 'done').some(({ truth }) => truth !== 'success'),
  'sent without being approved': (world) =>
    inStates(world, 'pending', 'approved', 'rejected', 'cancelled', 'expired').some(
      ({ truth, sent }) => truth !== 'none' || sent !== 'no',
    ),
  'free again while the channel gives it back': (world) =>
    inStates(world, ...RELEASED).some(({ truth }) => truth === 'processing' || truth === 'success'),
  'given back twice: by the channel and by other means': (world) =>
    inStates(world, 'settled').some(({ truth }) => truth === 'processing' || truth === 'success'),
  'paid without money': ({ payment }) =>
    payment.state === 'paid' && paidAtChannelFen(payment.truth) === 0,
  'an amount that is not what came': ({ payment }) =>
    payment.paidFen !== null && payment.paidFen !== paidAtChannelFen(payment.truth),
  'money without the posting that belongs to it': (world) => !isBookRight(world),
  'surplus money that nobody gives back': (world) =>
    world.payment.disposition === 'surplus' && sumOf(world.refunds) < (world.payment.paidFen ?? 0),
}

/** Broken by a step from one world to the next, whose refunds stand in the same places. */
export const NEVER_A_STEP: Readonly<Record<string, StepCheck>> = {
  'an ended state that is left': (before, after) =>
    before.refunds.some((refund, index) => {
      return isEnded(refund) && after.refunds[index]?.state !== refund.state
    }),
  'paid money that is not paid any more': (before, after) =>
    before.payment.state === 'paid' &&
    (after.payment.state !== 'paid' || after.payment.paidFen !== before.payment.paidFen),
  'what became of money changes': ({ payment: before }, { payment: after }) =>
    (before.disposition === 'accepted' || before.disposition === 'surplus') &&
    before.disposition !== after.disposition,
  'stopped after it was sent': (before, after) =>
    before.refunds.some((refund, index) => {
      const wasSent = refund.state === 'refunding' || refund.state === 'needs_attention'
      const to = after.refunds[index]?.state
      return wasSent && (to === 'cancelled' || to === 'rejected' || to === 'expired')
    }),
  'sent without anybody having approved it': (before, after) =>
    before.refunds.some((refund, index) => {
      return refund.state === 'pending' && after.refunds[index]?.state === 'refunding'
    }),
  'asked for by a caller and approved at once': (before, after) =>
    after.refunds.some(({ origin, state }, index) => {
      return before.refunds[index] === undefined && origin === 'api' && state !== 'pending'
    }),
  'sent although more is spoken for than was paid': (before, after) =>
    before.counters.over > 0 &&
    before.refunds.some((refund, index) => {
      return refund.state === 'approved' && after.refunds[index]?.state === 'refunding'
    }),
}

/** A world in which nothing is left to do: the money is where it belongs, whatever was asked. */
export const isAtRest = (world: World): boolean => {
  const { state, truth } = world.payment
  const isPaymentOver = state === 'paid' || state === 'closed' || state === 'failed'
  const isTold = paidAtChannelFen(truth) === 0 || state === 'paid'
  return isPaymentOver && isTold && world.refunds.every((refund) => isEnded(refund))
}

/** What the messages themselves look at, where a world does not show it any more. */
const WATCHED = [
  FORBIDDEN_MOVE,
  'money that differs is accepted',
  'an order is paid by two payments',
  'approved by who asked',
  'approved by fewer people than it needs',
  'an operator approved more than the limit',
  'approved beyond the limit of the day',
  'settled by one person',
  'tried again while it may still come',
] as const

/** Everything that is looked for. */
export const FORBIDDEN: readonly string[] = [
  ...Object.keys(NEVER_A_WORLD),
  ...Object.keys(NEVER_A_STEP),
  ...WATCHED,
]
