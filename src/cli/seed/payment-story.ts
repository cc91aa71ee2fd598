import { sealChannelRequest } from '../../db/channel-requests.js'
import { payerRef } from '../../db/payers.js'
import type { PaidFact, PlaceOrder } from '../../domain/channel.js'
import { newNumber } from '../../domain/ids.js'
import { fen, subtractFen, type Fen } from '../../domain/money.js'
import type { PaymentAttention, PaymentFact } from '../../domain/payment.js'
import type { Disposition, PaymentState } from '../../domain/states.js'
import { PAYMENT_EXPIRY_MS } from '../../domain/waits.js'
import type { Draw } from './draw.js'
import { drawBuyer, type Buyer, type Teller } from './shop.js'
import { GOODS, PLACING_REFUSALS } from './words.js'

/** How a payment ends. Of a thousand that are over: */
const ENDINGS = { accepted: 937, closed: 52, failed: 6, mismatched: 3, late: 2 } as const
export type Ending = keyof typeof ENDINGS | 'open'

const MEDIAN_FEN = 5_900
const SPREAD = 0.9
const LEAST_FEN = 100
const MOST_FEN = 2_000_000
const SECOND = 1_000
const MINUTE = 60 * SECOND

/** Something that was learnt of a payment, and what became of it. */
export interface PaymentEvent {
  readonly type: 'payment.paid' | 'payment.held' | 'payment.surplus' | 'payment.closed'
  readonly fact: PaymentFact
  readonly source: 'notify' | 'query'
  readonly at: Date
}

export interface PaymentStory {
  readonly id: string
  readonly outTradeNo: string
  readonly orderRef: string | null
  readonly description: string
  readonly state: PaymentState
  readonly disposition: Disposition | null
  readonly attention: PaymentAttention | null
  readonly failureCode: string | null
  readonly totalFen: Fen
  /** What came, where something came. */
  readonly paid: PaidFact | null
  readonly prepayId: string | null
  readonly channelRequest: Uint8Array
  readonly payerRef: Uint8Array | null
  /** When the buyer asked to be forgotten. */
  readonly erasedAt: Date | null
  readonly createdAt: Date
  readonly placedAt: Date
  readonly expiresAt: Date
  readonly updatedAt: Date
  readonly events: readonly PaymentEvent[]
}

export const drawEnding = (draw: Draw): Ending => draw.weighted(ENDINGS)

/** Makes up one payment from its creation to its end. */
export function tellPayment(teller: Teller, createdAt: Date, ending: Ending): PaymentStory {
  const { draw, shop, envelope } = teller
  const id = draw.uuid(createdAt)
  const outTradeNo = newNumber('P', createdAt.getTime(), draw.bytes(16))
  const description = draw.pick(GOODS)
  const totalFen = drawPrice(draw)
  const expiresAt = after(createdAt, PAYMENT_EXPIRY_MS.usual)
  const placedAt = after(createdAt, draw.between(120, 900))
  const order = { teller, outTradeNo, totalFen, createdAt, expiresAt }
  const events = ending === 'open' || ending === 'failed' ? [] : tellEvents(order, ending)
  const paid = events.map(({ fact }) => fact).find((fact) => fact.kind === 'paid') ?? null
  const updatedAt = events.at(-1)?.at ?? placedAt
  const buyer = drawBuyer(teller)
  const request = requestOf(order, buyer, description)
  const erasedAt = drawErasure(teller, ending, updatedAt)
  return {
    id,
    outTradeNo,
    orderRef: draw.happens(920) ? `SO${outTradeNo.slice(1, 20)}` : null,
    description,
    ...endOf(ending),
    failureCode: ending === 'failed' ? draw.pick(PLACING_REFUSALS) : null,
    totalFen,
    paid,
    prepayId: ending === 'failed' ? null : `wx${beijingDigits(placedAt)}${draw.digits(20)}`,
    channelRequest: erasedAt === null ? sealChannelRequest(envelope, id, request) : NOTHING,
    payerRef: erasedAt === null ? payerRef(envelope, shop.merchantId, buyer.openid) : null,
    erasedAt,
    createdAt,
    placedAt,
    expiresAt,
    updatedAt,
    events,
  }
}

const NOTHING = new Uint8Array()

interface Order {
  readonly teller: Teller
  readonly outTradeNo: string
  readonly totalFen: Fen
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** Prices are log-normal, at least a yuan, and most of them look like prices. */
function drawPrice(draw: Draw): Fen {
  const drawn = Math.round(MEDIAN_FEN * Math.exp(SPREAD * draw.normal()))
  const bounded = Math.min(Math.max(drawn, LEAST_FEN), MOST_FEN)
  return fen(draw.happens(700) ? bounded - (bounded % 10) : bounded)
}

const PAID_AS = {
  accepted: 'payment.paid',
  mismatched: 'payment.held',
  late: 'payment.surplus',
} as const

function tellEvents(order: Order, ending: Exclude<Ending, 'open' | 'failed'>): PaymentEvent[] {
  const { teller, createdAt, expiresAt } = order
  const { draw } = teller
  const closed: PaymentEvent = {
    type: 'payment.closed',
    fact: { kind: 'closed' },
    source: 'query',
    at: after(expiresAt, MINUTE + draw.between(0, 5 * SECOND)),
  }
  if (ending === 'closed') return [closed]
  const paidAt =
    ending === 'late'
      ? after(closed.at, draw.between(SECOND, MINUTE))
      : after(createdAt, draw.between(4 * SECOND, 4 * MINUTE))
  const type = PAID_AS[ending]
  const source = draw.happens(985) ? 'notify' : 'query'
  const at = after(
    paidAt,
    source === 'notify' ? draw.between(300, 3_000) : draw.between(15, 90) * SECOND,
  )
  const paid: PaymentEvent = { type, source, at, fact: paidFact(order, paidAt, ending) }
  return ending === 'late' ? [closed, paid] : [paid]
}

/** Some buyers pay a part with a coupon; of some coupons the merchant gets nothing. */
function paidFact({ teller, outTradeNo, totalFen }: Order, at: Date, ending: Ending): PaidFact {
  const { draw, shop } = teller
  const paidAt = new Date(Math.floor(at.getTime() / SECOND) * SECOND)
  const paidFen =
    ending === 'mismatched' ? fen(Math.max(1, totalFen - draw.between(1, 99))) : totalFen
  const couponFen = fen(draw.happens(120) ? draw.between(1, Math.min(2_000, paidFen - 1)) : 0)
  return {
    kind: 'paid',
    appId: shop.appId,
    mchId: shop.mchId,
    outTradeNo,
    transactionId: `4200${draw.digits(6)}${beijingDigits(paidAt).slice(0, 8)}${draw.digits(10)}`,
    currency: 'CNY',
    totalFen: paidFen,
    cashFen: subtractFen(paidFen, couponFen),
    settlementFen: draw.happens(500) ? paidFen : subtractFen(paidFen, couponFen),
    paidAt: paidAt.toISOString(),
  }
}

function endOf(ending: Ending): Pick<PaymentStory, 'state' | 'disposition' | 'attention'> {
  switch (ending) {
    case 'accepted':
      return { state: 'paid', disposition: 'accepted', attention: null }
    case 'mismatched':
      return { state: 'paid', disposition: 'held', attention: 'amount_mismatch' }
    case 'late':
      return { state: 'paid', disposition: 'surplus', attention: 'late' }
    case 'open':
      return { state: 'awaiting_payment', disposition: null, attention: null }
    case 'closed':
    case 'failed':
      return { state: ending, disposition: null, attention: null }
  }
}

function requestOf(order: Order, buyer: Buyer, description: string): PlaceOrder {
  const { teller, outTradeNo, totalFen, createdAt, expiresAt } = order
  const { shop } = teller
  return {
    appId: shop.appId,
    outTradeNo,
    body: `${shop.shortName}-${description}`,
    totalFen,
    payerIp: buyer.ip,
    openid: buyer.openid,
    notifyUrl: `https://shop.example.com/notify/${shop.notifyToken}/payment`,
    startsAt: createdAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
  }
}

function drawErasure({ draw, until }: Teller, ending: Ending, overAt: Date): Date | null {
  if (ending === 'open' || !draw.happens(4)) return null
  const at = after(overAt, draw.between(1, 90 * 24) * 60 * MINUTE)
  return at < until ? at : null
}

export const after = (at: Date, ms: number): Date => new Date(at.getTime() + ms)

/** An instant as the channel writes it: fourteen digits of Beijing time. */
export const beijingDigits = (at: Date): string =>
  after(at, 8 * 60 * MINUTE)
    .toISOString()
    .replaceAll(/[^\d]/g, '')
    .slice(0, 14)
