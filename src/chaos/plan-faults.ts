import type { Draw } from '../cli/seed/draw.js'
import {
  CALLS_OF_KIND,
  PORTAL_KINDS,
  type ArmedKind,
  type ChannelCall,
  type FaultKind,
  type PortalKind,
} from './kinds.js'
import type { PlannedFault, PlannedOrder, PlannedRefund } from './plan.js'
import { planPortalRefund } from './plan-portal.js'

/** Of each kind there is one for so many orders, and one at least where it finds a place. */
const ORDERS_PER_FAULT = 20
/** An empty balance stops every refund of the account for a while, so it is rare. */
const ORDERS_PER_EMPTY_BALANCE = 100
/** An order can end before its fault: it is paid too late, or its refund is never sent. */
const SPARE = { least: 2, fromOrders: 40 }

/** A call of an order or of one of its refunds that nothing has been planned for. */
interface Place {
  readonly order: number
  /** The refund's place in its order; undefined for what is the order's own. */
  readonly refund: number | undefined
  readonly call: ChannelCall
}

/** Gives every kind its orders. A call has one fault at most, so that each can be told apart. */
export function planFaults(
  draw: Draw,
  kinds: readonly FaultKind[],
  orders: readonly PlannedOrder[],
): PlannedOrder[] {
  const planned = [...orders]
  const free = shuffled(draw, orders.flatMap(placesOf))
  for (const kind of kinds) {
    for (let left = timesOf(kind, orders.length); left > 0; left -= 1) {
      if (isOfPortal(kind)) planPortalRefund(draw, kind, planned)
      else if (isArmed(kind)) planFault(kind, planned, free)
    }
  }
  return planned
}

function timesOf(kind: FaultKind, orders: number): number {
  const each = kind === 'no_balance' ? ORDERS_PER_EMPTY_BALANCE : ORDERS_PER_FAULT
  const least = orders < SPARE.fromOrders ? 1 : SPARE.least
  return Math.max(least, Math.round(orders / each))
}

const isOfPortal = (kind: FaultKind): kind is PortalKind =>
  PORTAL_KINDS.some((each) => each === kind)

const isArmed = (kind: FaultKind): kind is ArmedKind => Object.hasOwn(CALLS_OF_KIND, kind)

function placesOf({ n, buyer, refunds, isGreedy }: PlannedOrder): Place[] {
  if (buyer === 'leaves') return [{ order: n, refund: undefined, call: 'unifiedorder' }]
  const own = ['unifiedorder', 'notify_payment', 'orderquery'] as const
  const ofRefund = ['refund', 'refundquery', 'notify_refund'] as const
  return [
    ...own.map((call) => ({ order: n, refund: undefined, call })),
    // Which of greedy refunds is sent is not known before, and a rejected one never is.
    ...refunds.flatMap(({ decision }, refund) =>
      decision === 'approve' && !isGreedy
        ? ofRefund.map((call) => ({ order: n, refund, call }))
        : [],
    ),
  ]
}

function planFault(kind: ArmedKind, planned: PlannedOrder[], free: Place[]): void {
  const calls: readonly ChannelCall[] = CALLS_OF_KIND[kind]
  const place = free.find((each) => calls.includes(each.call) && fits(each, free))
  if (place === undefined) return
  put(planned, place, { kind, call: place.call })
  take(free, place.order, place.call, place.refund)
  if (place.call === 'orderquery') {
    // An order is only asked for while no notification has told of it.
    const call = 'notify_payment'
    put(planned, { ...place, call }, { kind: 'notification_lost', call })
    take(free, place.order, call)
  }
}

/** An order whose notification is to be lost has nothing else planned for that. */
const fits = ({ order, call }: Place, free: readonly Place[]): boolean =>
  call !== 'orderquery' || isFree(free, order, 'notify_payment')

const isFree = (free: readonly Place[], order: number, call: ChannelCall): boolean =>
  free.some((each) => each.order === order && each.call === call)

/** Without a refund named, every refund's own call of the order is taken. */
function take(free: Place[], order: number, call: ChannelCall, refund?: number): void {
  const isTaken = (each: Place): boolean =>
    each.order === order && each.call === call && (refund === undefined || each.refund === refund)
  for (let index = free.length - 1; index >= 0; index -= 1) {
    const each = free[index]
    if (each !== undefined && isTaken(each)) free.splice(index, 1)
  }
}

function put(planned: PlannedOrder[], place: Place, fault: PlannedFault): void {
  const order = planned[place.order]
  if (order === undefined) return
  const { refund: at } = place
  const withFault = (refund: PlannedRefund, index: number): PlannedRefund =>
    index === at ? { ...refund, faults: [...refund.faults, fault] } : refund
  planned[place.order] =
    at === undefined
      ? { ...order, faults: [...order.faults, fault] }
      : { ...order, refunds: order.refunds.map(withFault) }
}

function shuffled<T>(draw: Draw, values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, by: draw.bits() }))
    .toSorted((one, other) => one.by - other.by)
    .map(({ value }) => value)
}
