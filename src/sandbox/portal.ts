import { isHttpUrl } from './control-body.js'
import { parseYuan } from './html.js'
import { refundByHand, resolveByHand, setCard } from './portal-acts.js'
import { merchantPage, merchantsPage } from './portal-list-page.js'
import { orderPage } from './portal-order-page.js'
import type { TypedRefund } from './portal-order-page.js'
import type { Note } from './portal-shell.js'
import { merchantPath, orderPath, PORTAL_HEADERS, portalPage } from './portal-shell.js'
import { merchantRows, merchantView, orderView } from './portal-view.js'
import type { Order } from './records.js'
import { RefusedError } from './refusal.js'
import type { World } from './world.js'

export interface PortalRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Buffer
  /** Whether a browser says that another site's page sent it. */
  readonly isCrossSite: boolean
}

export interface PortalReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** What a person asked for and could not have; its text is for the person. */
class PortalRefusal extends Error {
  override readonly name = 'PortalRefusal'
}

const PATH = /^\/portal(?:\/([^/]+)(?:\/([^/]+))?)?\/?$/

/** Words for what was done, by what the address after it says. */
const DONE: Readonly<Record<string, string>> = {
  balance: '余额已保存。',
  no_limit: '余额已设为不限。',
  refund: '退款已受理。',
  freeze: '银行卡已冻结。',
  thaw: '银行卡已解冻。',
  resolve: '已退到买家的其他账户。',
  close: '退款已关闭，钱留在商户账户。',
}

/** The merchant's own pages: `GET` shows, `POST` does something and goes back to what it shows. */
export function answerPortal(request: PortalRequest, world: World): PortalReply {
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  if (!isReading && request.method !== 'POST') {
    return { status: 405, headers: { allow: 'GET, POST' }, text: '' }
  }
  if (request.isCrossSite && !isReading) return missing(403, '请求来自其他网站，没有执行。')
  const [mchId, outTradeNo] = namesIn(request.path)
  if (mchId === undefined) return page(200, merchantsPage(merchantRows(world)))
  if (!world.book.merchants.has(mchId)) return missing(404, '没有这个商户。')
  if (outTradeNo === undefined) return answerMerchant(mchId, request, isReading, world)
  const order = world.book.order(mchId, outTradeNo)
  if (order?.state !== 'SUCCESS') return missing(404, '没有这个已支付的订单。')
  return answerOrder(order, request, isReading, world)
}

function namesIn(path: string): (string | undefined)[] {
  const [, ...names] = PATH.exec(path) ?? ['', '*']
  try {
    return names.map((name) => (name === undefined ? undefined : decodeURIComponent(name)))
  } catch {
    return ['*']
  }
}

function answerMerchant(
  mchId: string,
  request: PortalRequest,
  isReading: boolean,
  world: World,
): PortalReply {
  const show = (note?: Note, typed?: string) =>
    merchantPage(merchantView(mchId, askedFor(request), world), note, typed)
  if (isReading) return page(200, show(doneNote(request)))
  const form = new URLSearchParams(request.body.toString('utf8'))
  const typed = form.get('balance') ?? undefined
  return attempt(
    (note) => show(note, typed),
    () => {
      setBalance(mchId, form, world)
      return `${merchantPath(mchId)}?done=${form.get('action')}`
    },
  )
}

function answerOrder(
  order: Order,
  request: PortalRequest,
  isReading: boolean,
  world: World,
): PortalReply {
  const show = (note?: Note, typed?: TypedRefund) => orderPage(orderView(order, world), note, typed)
  if (isReading) return page(200, show(doneNote(request)))
  const form = new URLSearchParams(request.body.toString('utf8'))
  const typed = { amount: form.get('amount') ?? '', notifyUrl: form.get('notify_url') ?? '' }
  const isRefund = form.get('action') === 'refund'
  return attempt(
    (note) => show(note, isRefund ? typed : undefined),
    () => {
      actOnOrder(order, form, world)
      return `${orderPath(order.mchId, order.outTradeNo)}?done=${form.get('action')}`
    },
  )
}

/** Does it and goes on to the address it gives; a refusal shows the same page with its reason. */
function attempt(show: (note: Note) => string, act: () => string): PortalReply {
  try {
    return { status: 303, headers: { location: act() }, text: '' }
  } catch (error) {
    if (!(error instanceof RefusedError) && !(error instanceof PortalRefusal)) throw error
    const status = error instanceof RefusedError ? 409 : 400
    return page(status, show({ text: error.message, isBad: true }))
  }
}

function setBalance(mchId: string, form: URLSearchParams, world: World): void {
  const action = form.get('action')
  if (action === 'no_limit') return world.book.setBalance(mchId, null)
  if (action !== 'balance') throw new PortalRefusal('没有这个操作。')
  world.book.setBalance(mchId, amountIn(form, 'balance'))
}

function actOnOrder(order: Order, form: URLSearchParams, world: World): void {
  switch (form.get('action')) {
    case 'refund':
      return refund(order, form, world)
    case 'freeze':
      return setCard(order, true, world)
    case 'thaw':
      return setCard(order, false, world)
    case 'resolve':
      return resolve(order, form, 'SUCCESS', world)
    case 'close':
      return resolve(order, form, 'REFUNDCLOSE', world)
    default:
      throw new PortalRefusal('没有这个操作。')
  }
}

function refund(order: Order, form: URLSearchParams, world: World): void {
  const amountFen = amountIn(form, 'amount')
  if (amountFen === 0) throw new PortalRefusal('退款金额要大于零。')
  const notifyUrl = (form.get('notify_url') ?? '').trim()
  if (notifyUrl !== '' && !isHttpUrl(notifyUrl)) throw new PortalRefusal('通知地址不是网址。')
  refundByHand(order, { amountFen, notifyUrl }, world)
}

function resolve(
  order: Order,
  form: URLSearchParams,
  result: 'SUCCESS' | 'REFUNDCLOSE',
  world: World,
): void {
  const found = world.book.refund(order.mchId, form.get('out_refund_no') ?? '')
  const isOfOrder = found?.outTradeNo === order.outTradeNo
  const resolved = isOfOrder ? resolveByHand(found, result, world) : 'NOT_ABNORMAL'
  if (resolved === 'NOT_ABNORMAL') throw new PortalRefusal('这笔退款不需要处理。')
}

function amountIn(form: URLSearchParams, name: string): number {
  const amountFen = parseYuan(form.get(name) ?? '')
  if (amountFen === undefined) throw new PortalRefusal('金额请填数字，最多两位小数，例如 12.50。')
  return amountFen
}

function askedFor({ query }: PortalRequest): { search: string; pageNumber: number } {
  const pageText = query.get('page') ?? ''
  const pageNumber = /^[1-9]\d{0,6}$/.test(pageText) ? Number(pageText) : 1
  return { search: (query.get('search') ?? '').trim(), pageNumber }
}

function doneNote({ query }: PortalRequest): Note | undefined {
  const done = query.get('done') ?? ''
  const text = Object.hasOwn(DONE, done) ? DONE[done] : undefined
  return text === undefined ? undefined : { text, isBad: false }
}

function page(status: number, text: string): PortalReply {
  return { status, headers: PORTAL_HEADERS, text }
}

function missing(status: number, text: string): PortalReply {
  const content = '<p><a href="/portal">回到商户列表</a></p>'
  return page(status, portalPage({ title: text, note: { text, isBad: true }, content }))
}
