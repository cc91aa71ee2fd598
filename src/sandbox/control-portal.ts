import { ControlError, readCardBody, readRefundBody, readResolveBody } from './control-body.js'
import { refundView } from './control-views.js'
import { refundByHand, resolveByHand, setCard } from './portal-acts.js'
import type { Order } from './records.js'
import { RefusedError } from './refusal.js'
import type { World } from './world.js'

/** What a person does in the portal, for programs. */

export function controlRefund(body: unknown, world: World): unknown {
  const { mchId, outTradeNo, ...refund } = readRefundBody(body)
  const order = orderOf(mchId, outTradeNo, world)
  return refundView(orConflict(() => refundByHand(order, refund, world)))
}

export function controlResolve(body: unknown, world: World): unknown {
  const { mchId, outRefundNo, result } = readResolveBody(body)
  const refund = world.book.refund(mchId, outRefundNo)
  if (!refund) throw new ControlError(404, 'REFUNDNOTEXIST', 'there is no such refund')
  const resolved = orConflict(() => resolveByHand(refund, result, world))
  if (resolved !== 'NOT_ABNORMAL') return refundView(resolved)
  throw new ControlError(409, resolved, 'the refund is not in CHANGE')
}

export function controlCard(body: unknown, world: World): unknown {
  const { mchId, outTradeNo, frozen } = readCardBody(body)
  setCard(orderOf(mchId, outTradeNo, world), frozen, world)
  return { mchId, outTradeNo, frozen }
}

function orConflict<Result>(act: () => Result): Result {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    throw new ControlError(409, error.code, error.message)
  }
}

function orderOf(mchId: string, outTradeNo: string, world: World): Order {
  const order = world.book.order(mchId, outTradeNo)
  if (!order) throw new ControlError(404, 'ORDERNOTEXIST', 'there is no such order')
  return order
}
