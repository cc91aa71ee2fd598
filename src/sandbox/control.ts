import {
  ControlError,
  readBalanceBody,
  readClockBody,
  readFaultsBody,
  readMerchantBody,
  readPayBody,
} from './control-body.js'
import { controlCard, controlRefund, controlResolve } from './control-portal.js'
import { callView, merchantView, notificationView, orderView, refundView } from './control-views.js'
import { couponFeeOf } from './coupons.js'
import { randomDigits } from './ids.js'
import { payOrder } from './pay.js'
import type { World } from './world.js'

export interface ControlRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Buffer
}

export interface ControlReply {
  readonly status: number
  readonly value: unknown
}

type Handler = (request: ControlRequest, world: World) => unknown

const ROUTES: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
  '/_control/merchants': { GET: listMerchants, POST: addMerchant },
  '/_control/balance': { POST: setBalance },
  '/_control/pay': { POST: pay },
  '/_control/refund': { POST: (request, world) => controlRefund(bodyOf(request), world) },
  '/_control/resolve': { POST: (request, world) => controlResolve(bodyOf(request), world) },
  '/_control/card': { POST: (request, world) => controlCard(bodyOf(request), world) },
  '/_control/faults': { GET: listFaults, POST: armFaults, DELETE: clearFaults },
  '/_control/clock': { GET: tellClock, POST: setClock },
  '/_control/book': { GET: readBook },
  '/_control/notifications': { GET: listNotifications },
  '/_control/log': { GET: readLog },
}
const RESEND = /^\/_control\/notifications\/([0-9a-f-]{36})\/resend$/

/** Answers a control call; whatever is wrong with it becomes a JSON error. */
export async function answerControl(request: ControlRequest, world: World): Promise<ControlReply> {
  try {
    const value = await route(request)(request, world)
    return { status: 200, value }
  } catch (error) {
    if (!(error instanceof ControlError)) {
      world.reportError(error)
      return errorReply(500, 'internal', 'the sandbox failed')
    }
    return errorReply(error.status, error.code, error.message)
  }
}

function errorReply(status: number, code: string, message: string): ControlReply {
  return { status, value: { error: { code, message } } }
}

function route(request: ControlRequest): Handler {
  const handlers = Object.hasOwn(ROUTES, request.path)
    ? ROUTES[request.path]
    : RESEND.test(request.path)
      ? { POST: resend }
      : undefined
  if (!handlers) throw new ControlError(404, 'not_found', 'there is no such control call')
  const handler = handlers[request.method]
  if (handler) return handler
  const allowed = Object.keys(handlers).join(', ')
  throw new ControlError(405, 'method_not_allowed', `this control call takes ${allowed}`)
}

function bodyOf(request: ControlRequest): unknown {
  if (request.body.length === 0) return undefined
  try {
    return JSON.parse(request.body.toString('utf8'))
  } catch {
    throw new ControlError(400, 'bad_request', 'the body is not JSON')
  }
}

function listMerchants(_request: ControlRequest, world: World): unknown {
  return [...world.book.merchants.values()].map((merchant) => merchantView(merchant, world.caPem))
}

async function addMerchant(request: ControlRequest, world: World): Promise<unknown> {
  const ids = readMerchantBody(bodyOf(request))
  const mchId = ids.mchId ?? `19${randomDigits(8)}`
  const appId = ids.appId ?? `wx${randomDigits(16)}`
  refuseKnown(mchId, world)
  const merchant = await world.makeMerchant({ mchId, appId })
  // Making keys takes a while, in which the same merchant may have been asked for again.
  refuseKnown(mchId, world)
  world.book.putMerchant(merchant)
  return merchantView(merchant, world.caPem)
}

function refuseKnown(mchId: string, world: World): void {
  if (!world.book.merchants.has(mchId)) return
  throw new ControlError(409, 'exists', 'there is a merchant with this mchId')
}

function setBalance(request: ControlRequest, world: World): unknown {
  const { mchId, balanceFen } = readBalanceBody(bodyOf(request))
  if (!world.book.merchants.has(mchId)) throw notFound('merchant')
  world.book.setBalance(mchId, balanceFen)
  return { mchId, balanceFen }
}

function pay(request: ControlRequest, world: World): unknown {
  const { mchId, outTradeNo, result, late, coupons } = readPayBody(bodyOf(request))
  const order = world.book.order(mchId, outTradeNo)
  if (!order) throw new ControlError(404, 'ORDERNOTEXIST', 'there is no such order')
  if (couponFeeOf(coupons) > order.totalFee) {
    throw new ControlError(400, 'bad_request', 'the coupons are worth more than the order')
  }
  const paid = payOrder({ order, result, isLate: late, coupons }, world)
  if (typeof paid === 'string') throw new ControlError(409, paid, 'the order cannot be paid')
  return orderView(paid, world)
}

function listFaults(_request: ControlRequest, world: World): unknown {
  return world.faults.armed()
}

function armFaults(request: ControlRequest, world: World): unknown {
  world.faults.arm(readFaultsBody(bodyOf(request)))
  return world.faults.armed()
}

function clearFaults(_request: ControlRequest, world: World): unknown {
  world.faults.clear()
  return world.faults.armed()
}

function tellClock(_request: ControlRequest, world: World): unknown {
  return { nowMs: world.clock.nowMs(), rate: world.clock.rate }
}

async function setClock(request: ControlRequest, world: World): Promise<unknown> {
  const change = readClockBody(bodyOf(request))
  if ('rate' in change) {
    world.clock.setRate(change.rate)
    world.timetable.rearm()
  } else {
    await world.timetable.advance(change.advanceMs)
  }
  return tellClock(request, world)
}

function readBook(request: ControlRequest, world: World): unknown {
  const isAsked = filterBy(request.query, ['mchId'])
  return {
    orders: [...world.book.orders()].filter(isAsked).map((order) => orderView(order, world)),
    refunds: [...world.book.refunds()].filter(isAsked).map((refund) => refundView(refund)),
  }
}

function listNotifications(request: ControlRequest, world: World): unknown {
  const isAsked = filterBy(request.query, ['mchId', 'outTradeNo', 'outRefundNo'])
  return [...world.book.notifications.values()].filter(isAsked).map(notificationView)
}

async function resend(request: ControlRequest, world: World): Promise<unknown> {
  const id = RESEND.exec(request.path)?.[1] ?? ''
  const notification = await world.notifications.resend(id)
  if (!notification) throw notFound('notification')
  return notificationView(notification)
}

function readLog(request: ControlRequest, world: World): unknown {
  const isAsked = filterBy(request.query, ['mchId', 'call', 'outTradeNo', 'outRefundNo'])
  return world.book.calls().filter(isAsked).map(callView)
}

function filterBy(query: URLSearchParams, names: readonly string[]): (record: object) => boolean {
  const wanted = names.filter((name) => query.has(name)).map((name) => [name, query.get(name)])
  return (record) => wanted.every(([name, value]) => Reflect.get(record, name ?? '') === value)
}

function notFound(what: string): ControlError {
  return new ControlError(404, 'not_found', `there is no such ${what}`)
}
