import { Draw } from '../cli/seed/draw.js'
import type { ArmedKind, ChannelCall, FaultKind, PortalKind, StrikeKind } from './kinds.js'
import { planFaults } from './plan-faults.js'
import { planOrder } from './plan-orders.js'
import { planStrikes } from './plan-strikes.js'
import { PROFILES, type ProfileName } from './profiles.js'

/** A fault of one call or notification, armed at the sandbox before it can happen. */
export interface PlannedFault {
  readonly kind: ArmedKind
  readonly call: ChannelCall
}

export interface PlannedRefund {
  readonly amountFen: number
  readonly decision: 'approve' | 'reject'
  readonly faults: readonly PlannedFault[]
}

/** A refund that somebody makes by hand in the channel's portal. */
export interface PlannedPortalRefund {
  /** When it is made: before all others, while one of ours waits, or at the same time. */
  readonly kind: PortalKind
  readonly amountFen: number
  /** Where it races with ours: not with its approval, but with the call that follows. */
  readonly isAfterApproval: boolean
}

/** One order: what the buyer does, what is given back, and what goes wrong with it. */
export interface PlannedOrder {
  /** From 0. */
  readonly n: number
  readonly outTradeNo: string
  readonly amountFen: number
  /** `leaves`: it is never paid and has to close by itself. */
  readonly buyer: 'pays' | 'leaves'
  readonly refunds: readonly PlannedRefund[]
  /** All refunds are asked for at once, and together they are more than was paid. */
  readonly isGreedy: boolean
  readonly portal: PlannedPortalRefund | undefined
  readonly faults: readonly PlannedFault[]
}

/** Something that happens to a process or a clock. */
export interface PlannedStrike {
  readonly kind: StrikeKind
  /** It happens when so many orders have been begun. */
  readonly afterOrders: number
  /** Which of several processes, from 0. */
  readonly target: number
  /** How long it stays down, or is wrong, or by how much it jumps. */
  readonly ms: number
}

/** The whole of a run, known before it begins. */
export interface Plan {
  readonly seed: number
  readonly profile: ProfileName
  readonly orders: readonly PlannedOrder[]
  readonly strikes: readonly PlannedStrike[]
}

export interface PlanWanted {
  readonly payments: number
  readonly seed: number
  readonly profile: ProfileName
}

/** A plan that asks for nothing, or for too much. */
export class PlanError extends Error {
  override readonly name = 'PlanError'
}

const PAYMENTS_MAX = 20_000

/**
 * Draws up a run. The same wish gives the same plan, on any machine.
 * @throws PlanError where there is nothing to do
 */
export function makePlan({ payments, seed, profile }: PlanWanted): Plan {
  if (payments < 1) throw new PlanError('A plan of no payments asks for nothing.')
  if (payments > PAYMENTS_MAX) {
    throw new PlanError(`A plan has at most ${PAYMENTS_MAX} payments.`)
  }
  const { kinds } = PROFILES[profile]
  const draw = (what: string): Draw => new Draw('chaos', profile, String(seed), what)
  const drawn = draw('orders')
  const orders = Array.from({ length: payments }, (_, n) => planOrder(drawn, seed, n))
  return {
    seed,
    profile,
    orders: planFaults(draw('faults'), kinds, orders),
    strikes: planStrikes(draw('strikes'), PROFILES[profile], payments),
  }
}

/** How many faults of each kind a plan has; kinds that it has none of are left out. */
export function countFaults({ orders, strikes }: Plan): Partial<Record<FaultKind, number>> {
  const counts: Partial<Record<FaultKind, number>> = {}
  const count = (kind: FaultKind): void => {
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  for (const { faults, refunds, portal } of orders) {
    for (const { kind } of faults) count(kind)
    for (const refund of refunds) for (const { kind } of refund.faults) count(kind)
    if (portal !== undefined) count(portal.kind)
  }
  for (const { kind } of strikes) count(kind)
  return counts
}
