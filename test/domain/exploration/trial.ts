import type { PaymentState, RefundState } from '../../../src/domain/states.js'
import type { Transfer } from '../../../src/ledger/postings.js'
import type { Rules } from './rules.js'
import { posted, type Counters, type RefundPart, type World } from './world.js'

/** One message on one world: by which rules, what it did wrong, and which edges it took. */
export interface Trial {
  readonly rules: Rules
  readonly faults: Set<string>
  readonly taken: Set<string>
}

/** What a message does to the refund of one place. */
export type Change = (world: World, index: number, trial: Trial) => World

/** Something that can happen to a world; it answers the same world where nothing comes of it. */
export interface Message {
  readonly name: string
  readonly apply: (world: World, trial: Trial) => World
}

export const FORBIDDEN_MOVE = 'a rule asks for a move that the table forbids'

export function refundAt(world: World, index: number): RefundPart {
  const refund = world.refunds[index]
  if (refund === undefined) throw new Error(`There is no refund ${index}.`)
  return refund
}

export function withRefund(world: World, index: number, change: Partial<RefundPart>): World {
  const refunds = world.refunds.map((refund, at) => {
    return at === index ? { ...refund, ...change } : refund
  })
  return { ...world, refunds }
}

interface Move {
  readonly to: RefundState
  readonly change?: Partial<RefundPart>
  readonly transfers?: readonly Transfer[]
}

/** What only matters before a refund moves on. */
const FORGOTTEN = {
  reminded: false,
  escalated: false,
  firstApprover: null,
  proposer: null,
  cause: null,
}

/** Moves a refund as the database does: the table must allow it, and the counters follow. */
export function moveRefund(world: World, index: number, move: Move, trial: Trial): World {
  const { to, change = {}, transfers = [] } = move
  const refund = refundAt(world, index)
  if (refund.state === 'unseen') throw new Error('Nobody here knows of this refund.')
  const isStaying = refund.state === to
  if (!isStaying && !trial.rules.refundEdges[refund.state].some((edge) => edge.to === to)) {
    trial.faults.add(FORBIDDEN_MOVE)
    return world
  }
  if (!isStaying) trial.taken.add(`${refund.state} -> ${to}`)
  const moved = withRefund(world, index, { ...FORGOTTEN, ...change, state: to })
  return {
    ...moved,
    counters: counted(world, { was: refund.state, becomes: to, refund }, trial),
    book: posted(world.book, transfers),
  }
}

/** A new refund, which takes the place of an unseen one where it is a refund of the portal. */
export function insertRefund(
  world: World,
  refund: RefundPart & { readonly state: RefundState },
  trial: Trial,
  { place = world.refunds.length, transfers = [] as readonly Transfer[] } = {},
): World {
  if (!trial.rules.refundBeginnings[refund.origin].includes(refund.state)) {
    trial.faults.add(FORBIDDEN_MOVE)
    return world
  }
  return {
    ...world,
    refunds: world.refunds.toSpliced(place, 1, refund),
    counters: counted(world, { was: null, becomes: refund.state, refund }, trial),
    book: posted(world.book, transfers),
  }
}

interface Count {
  readonly was: RefundState | null
  readonly becomes: RefundState
  readonly refund: RefundPart
}

/** The counters as the trigger `refunds_count` keeps them, from the table of effects. */
function counted(world: World, { was, becomes, refund }: Count, { rules }: Trial): Counters {
  const { counters } = world
  const effectOf = (state: RefundState | null) =>
    state === null ? 'none' : rules.refundEffect[state]
  const [from, to] = [effectOf(was), effectOf(becomes)]
  if (from === to) return counters
  const change = (bucket: string): number =>
    refund.amountFen * (Number(to === bucket) - Number(from === bucket))
  const next = {
    reserved: counters.reserved + change('reserved'),
    refunded: counters.refunded + change('refunded'),
    settled: counters.settled + change('settled'),
  }
  const sum = next.reserved + next.refunded + next.settled
  const tooMuch = Math.max(0, sum - (world.payment.paidFen ?? 0))
  // Only a refund of the portal raises what is too much, when it comes in.
  const isRaising = was === null && refund.origin === 'external'
  return { ...next, over: isRaising ? tooMuch : Math.min(counters.over, tooMuch) }
}

export const spokenFen = ({ counters }: World): number =>
  counters.reserved + counters.refunded + counters.settled

export function movePayment(world: World, to: PaymentState, trial: Trial): World {
  const { state } = world.payment
  if (!trial.rules.paymentEdges[state].some((edge) => edge.to === to)) {
    trial.faults.add(FORBIDDEN_MOVE)
    return world
  }
  trial.taken.add(`${state} -> ${to}`)
  return { ...world, payment: { ...world.payment, state: to } }
}
