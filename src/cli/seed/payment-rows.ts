import { channelActor } from '../../activities/refund-record.js'
import { paymentFactKey } from '../../domain/payment.js'
import { KEPT_DAYS } from '../../domain/retention.js'
import { postHeld, postPaid, type Transfer } from '../../ledger/postings.js'
import { addChange, addIdempotencyKey } from './common-rows.js'
import { after, type PaymentEvent, type PaymentStory } from './payment-story.js'
import type { BatchRows, Row } from './rows.js'
import type { Teller } from './shop.js'

const DAY_MS = 86_400_000
const ASKED_BEFORE = 2
const NEXT_QUESTION_MS = 60_000

/** Everything that a payment leaves in the tables, but its refunds. */
export function addPayment(rows: BatchRows, teller: Teller, story: PaymentStory): void {
  rows.payments.push(paymentRow(teller, story))
  const keptMs = KEPT_DAYS.payment_key * DAY_MS
  if (teller.until.getTime() - story.createdAt.getTime() < keptMs) {
    const { id: objectId, createdAt: at } = story
    addIdempotencyKey(rows, teller, { route: 'POST /v1/payments', objectId, at })
  }
  for (const [index, event] of story.events.entries()) {
    addEvent(rows, teller, story, { event, sequence: index + 1 })
  }
  if (story.erasedAt !== null) rows.audit.push(erasureRow(teller, story.id, story.erasedAt))
}

function paymentRow({ shop, until }: Teller, story: PaymentStory): Row {
  const { paid, state } = story
  const isOpen = state === 'awaiting_payment'
  return [
    story.id,
    shop.merchantId,
    shop.accountId,
    'v2',
    shop.mchId,
    shop.appId,
    story.outTradeNo,
    story.orderRef,
    story.description,
    state,
    story.disposition,
    story.attention,
    story.failureCode,
    story.totalFen,
    paid?.totalFen ?? null,
    paid?.cashFen ?? null,
    paid?.settlementFen ?? null,
    paid?.transactionId ?? null,
    story.prepayId,
    story.prepayId === null ? null : story.placedAt,
    story.channelRequest,
    story.payerRef,
    story.erasedAt,
    story.expiresAt,
    isOpen ? after(until, NEXT_QUESTION_MS) : null,
    isOpen ? ASKED_BEFORE : 0,
    paid === null ? null : new Date(paid.paidAt),
    story.createdAt,
    story.updatedAt,
  ]
}

interface Told {
  readonly event: PaymentEvent
  readonly sequence: number
}

function addEvent(
  rows: BatchRows,
  teller: Teller,
  story: PaymentStory,
  { event, sequence }: Told,
): void {
  const { draw, shop } = teller
  const { type, fact, source, at } = event
  const isPaid = fact.kind === 'paid'
  const storedAt = after(at, -draw.between(20, 200))
  rows.inbox.push([
    draw.uuid(storedAt),
    shop.accountId,
    'payment',
    paymentFactKey(story.outTradeNo, fact),
    story.id,
    source,
    source === 'notify' ? 'signature' : 'query',
    fact,
    storedAt,
    source === 'notify' ? storedAt : null,
    at,
    isPaid ? story.disposition : 'closed',
  ])
  const { disposition, attention } = story
  const facts = isPaid
    ? {
        state: 'paid',
        disposition,
        attention,
        paidFen: fact.totalFen,
        transactionId: fact.transactionId,
      }
    : { state: 'closed' }
  addChange(rows, teller, {
    type,
    actor: channelActor(shop.mchId),
    merchantId: shop.merchantId,
    paymentId: story.id,
    sequence,
    subjectKind: 'payment',
    subjectId: story.id,
    payload: { paymentId: story.id, outTradeNo: story.outTradeNo, ...facts },
    detail: facts,
    transfers: transfersOf(teller, event),
    occurredAt: isPaid ? new Date(fact.paidAt) : at,
    now: at,
  })
  if (type === 'payment.held') addCase(rows, teller, story, at)
}

/** Held money waits for a person, who sees it among the cases. */
function addCase(rows: BatchRows, { draw, shop }: Teller, story: PaymentStory, at: Date): void {
  const { id: paymentId, attention, totalFen, paid } = story
  const [id, paidFen] = [draw.uuid(at), paid?.totalFen ?? null]
  const cause = [paymentId, 'payment', paymentId] as const
  const detail = { attention, totalFen, paidFen }
  rows.cases.push([id, shop.merchantId, 'payment_held', ...cause, paidFen, detail, at])
  rows.case_events.push([id, 1, 'opened', 'engine', 'yuanlu', at])
}

function transfersOf({ shop }: Teller, { type, fact }: PaymentEvent): Transfer[] {
  if (fact.kind !== 'paid') return []
  return type === 'payment.paid'
    ? postPaid(shop, fact.totalFen, fact.settlementFen)
    : postHeld(shop, fact.settlementFen)
}

/** As the database's own function writes it when a buyer is erased by command. */
const erasureRow = ({ draw, shop }: Teller, paymentId: string, at: Date): Row => [
  draw.uuid(at),
  shop.merchantId,
  at,
  'command-line',
  'yuanlu_owner',
  null,
  'payer.erase',
  'payment',
  paymentId,
  {},
  at,
]
