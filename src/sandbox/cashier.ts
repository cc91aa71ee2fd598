import type { CashierState, CashierView } from './cashier-page.js'
import { CASHIER_HEADERS, cashierPage } from './cashier-page.js'
import { isPayable, tradeStateOf } from './order.js'
import { payOrder } from './pay.js'
import type { Order } from './records.js'
import type { World } from './world.js'

export interface CashierRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Buffer
}

export interface CashierReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const PATH = /^\/cashier\/([0-9A-Za-z]{1,64})$/

const NOTHING: CashierView = {
  state: 'unknown',
  totalFee: 0,
  body: '',
  merchant: '',
  outTradeNo: '',
}

/** The page on which a person pays: `GET` shows an order, `POST` pays or cancels and goes back. */
export function answerCashier(request: CashierRequest, world: World): CashierReply {
  const prepayId = PATH.exec(request.path)?.[1] ?? ''
  const order = world.book.orderByPrepayId(prepayId)
  if (!order) return page(404, NOTHING)
  if (request.method === 'GET' || request.method === 'HEAD') {
    return page(200, viewOf(order, request.query.has('cancelled'), world))
  }
  if (request.method !== 'POST') return { status: 405, headers: { allow: 'GET, POST' }, text: '' }
  const action = new URLSearchParams(request.body.toString('utf8')).get('action')
  if (action !== 'pay') return goTo(`/cashier/${prepayId}?cancelled`)
  payOrder({ order, result: 'SUCCESS', isLate: false }, world)
  return goTo(`/cashier/${prepayId}`)
}

function page(status: number, view: CashierView): CashierReply {
  return { status, headers: CASHIER_HEADERS, text: cashierPage(view) }
}

function goTo(location: string): CashierReply {
  return { status: 303, headers: { location }, text: '' }
}

function viewOf(order: Order, isCancelled: boolean, world: World): CashierView {
  return {
    state: stateOf(order, isCancelled, world),
    totalFee: order.totalFee,
    body: order.body,
    merchant: order.mchId,
    outTradeNo: order.outTradeNo,
  }
}

function stateOf(order: Order, isCancelled: boolean, world: World): CashierState {
  const nowMs = world.clock.nowMs()
  switch (tradeStateOf(order, world.book, nowMs)) {
    case 'SUCCESS':
      return 'paid'
    case 'REFUND':
      return 'refunded'
    case 'CLOSED':
      return 'closed'
    case 'PAYERROR':
      return isPayable(order, nowMs) ? 'failed' : 'expired'
    case 'NOTPAY':
      if (!isPayable(order, nowMs)) return 'expired'
      return isCancelled ? 'cancelled' : 'payable'
  }
}
