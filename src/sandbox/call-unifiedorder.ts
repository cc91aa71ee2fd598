import { isIP } from 'node:net'
import { parseBeijingDigits } from './beijing.js'
import type { FieldRule } from './fields.js'
import { checkFields, checkNotifyUrl, DIGITS_14, FEN, OUT_TRADE_NO } from './fields.js'
import { makePrepayId, randomText } from './ids.js'
import { isClosed, ORDER_LIFETIME_MS } from './order.js'
import type { Order } from './records.js'
import { refuseBusiness, refuseMissing, refuseParameter, refuseWith } from './refusal.js'
import type { Fields } from './sign.js'
import type { V2Call } from './v2-call.js'
import { valueOf } from './v2-call.js'
import type { World } from './world.js'

const MINUTE_MS = 60 * 1000
const PREPAY_LIFETIME_MS = 2 * 60 * MINUTE_MS

const RULES: readonly FieldRule[] = [
  { name: 'body', isRequired: true, bytesMax: 128 },
  { name: 'out_trade_no', isRequired: true, bytesMax: 32, pattern: OUT_TRADE_NO },
  { name: 'total_fee', isRequired: true, bytesMax: 10, pattern: FEN },
  { name: 'spbill_create_ip', isRequired: true, bytesMax: 64 },
  { name: 'notify_url', isRequired: true, bytesMax: 256 },
  { name: 'trade_type', isRequired: true, bytesMax: 16, pattern: /^(JSAPI|NATIVE|APP|MWEB)$/ },
  { name: 'openid', bytesMax: 128 },
  { name: 'product_id', bytesMax: 32 },
  { name: 'scene_info', bytesMax: 256 },
  { name: 'device_info', bytesMax: 32 },
  { name: 'detail', bytesMax: 6000 },
  { name: 'attach', bytesMax: 127 },
  { name: 'fee_type', bytesMax: 16, pattern: /^CNY$/ },
  { name: 'time_start', bytesMax: 14, pattern: DIGITS_14 },
  { name: 'time_expire', bytesMax: 14, pattern: DIGITS_14 },
  { name: 'goods_tag', bytesMax: 32 },
  { name: 'limit_pay', bytesMax: 32, pattern: /^no_credit$/ },
  { name: 'receipt', bytesMax: 8, pattern: /^Y$/ },
  { name: 'profit_sharing', bytesMax: 16, pattern: /^[YN]$/ },
  { name: 'version', bytesMax: 32, pattern: /^1\.0$/ },
]

/** The field that a kind of payment cannot do without. */
const REQUIRED_BY_TRADE_TYPE: Readonly<Record<string, string>> = {
  JSAPI: 'openid',
  NATIVE: 'product_id',
  MWEB: 'scene_info',
}

/**
 * `/pay/unifiedorder`: places an order. The same number with the same parameters answers with
 * the same `prepay_id` for the two hours it lives, and with a new one after that.
 */
export function unifiedorder(call: V2Call, world: World): Fields {
  checkOrder(call, world)
  const nowMs = world.clock.nowMs()
  const known = world.book.order(call.merchant.mchId, valueOf(call, 'out_trade_no'))
  if (known) return answer(call, placeAgain(known, call, world))
  const order = makeOrder(call, nowMs, world.isStrict)
  world.book.putOrder(order)
  return answer(call, order)
}

function checkOrder(call: V2Call, world: World): void {
  checkFields(call.fields, RULES)
  const needed = REQUIRED_BY_TRADE_TYPE[valueOf(call, 'trade_type')]
  if (needed !== undefined && valueOf(call, needed) === '') throw refuseMissing(needed)
  if (!isIP(valueOf(call, 'spbill_create_ip'))) throw refuseParameter('spbill_create_ip')
  checkNotifyUrl(valueOf(call, 'notify_url'), world.isStrict)
  if (world.isStrict) checkOpenid(call, world)
}

/** A buyer has another openid under each appid. */
function checkOpenid(call: V2Call, world: World): void {
  const knownAppId = world.book.appIdOfOpenid(valueOf(call, 'openid'))
  if (knownAppId === undefined || knownAppId === call.merchant.appId) return
  throw refuseWith('PARAM_ERROR', 'openid与appid不匹配')
}

function placeAgain(known: Order, call: V2Call, world: World): Order {
  const nowMs = world.clock.nowMs()
  if (known.state === 'SUCCESS') throw refuseBusiness('ORDERPAID')
  if (isClosed(known, nowMs)) throw refuseBusiness('ORDERCLOSED')
  if (known.parameters !== parametersOf(call)) throw refuseBusiness('OUT_TRADE_NO_USED')
  if (nowMs >= known.expiresAtMs) throw refuseWith('INVALID_REQUEST', '订单已过期')
  if (nowMs < known.prepayAtMs + PREPAY_LIFETIME_MS) return known
  const renewed = { ...known, prepayId: makePrepayId(nowMs), prepayAtMs: nowMs }
  world.book.putOrder(renewed)
  return renewed
}

function makeOrder(call: V2Call, nowMs: number, isStrict: boolean): Order {
  const field = (name: string) => valueOf(call, name)
  return {
    mchId: call.merchant.mchId,
    appId: call.merchant.appId,
    outTradeNo: field('out_trade_no'),
    openid: field('openid') || `o${randomText(27)}`,
    body: field('body'),
    attach: field('attach'),
    deviceInfo: field('device_info'),
    tradeType: field('trade_type'),
    totalFee: Number(field('total_fee')),
    notifyUrl: field('notify_url'),
    signType: call.signType,
    parameters: parametersOf(call),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + lifetimeOf(call, isStrict),
    prepayId: makePrepayId(nowMs),
    prepayAtMs: nowMs,
    state: 'NOTPAY',
    transactionId: null,
    paidAtMs: null,
    coupons: [],
    isCardFrozen: false,
  }
}

/**
 * How long the order can be paid, on the sandbox's clock. The merchant's times are those of an
 * ordinary clock, so only their difference is taken, and the clock can run at any rate.
 */
function lifetimeOf(call: V2Call, isStrict: boolean): number {
  const startMs = timeOf(call, 'time_start') ?? Date.now()
  const expireMs = timeOf(call, 'time_expire')
  if (expireMs === undefined) return ORDER_LIFETIME_MS
  const lifetimeMs = expireMs - startMs
  if (lifetimeMs < (isStrict ? 5 : 1) * MINUTE_MS) throw refuseParameter('time_expire', '时间过短')
  return Math.min(lifetimeMs, ORDER_LIFETIME_MS)
}

function timeOf(call: V2Call, name: string): number | undefined {
  const digits = valueOf(call, name)
  if (digits === '') return undefined
  const atMs = parseBeijingDigits(digits)
  if (atMs === undefined) throw refuseParameter(name)
  return atMs
}

function parametersOf(call: V2Call): string {
  const names = Object.keys(call.fields).filter(
    (name) => !/^(sign|sign_type|nonce_str)$/.test(name),
  )
  return JSON.stringify(names.toSorted().map((name) => [name, call.fields[name]]))
}

function answer(call: V2Call, order: Order): Fields {
  const code = `weixin://wxpay/bizpayurl?pr=${order.prepayId.slice(-9)}`
  const page = `https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${order.prepayId}`
  return {
    device_info: valueOf(call, 'device_info'),
    trade_type: order.tradeType,
    prepay_id: order.prepayId,
    code_url: order.tradeType === 'NATIVE' ? code : '',
    mweb_url: order.tradeType === 'MWEB' ? page : '',
  }
}
