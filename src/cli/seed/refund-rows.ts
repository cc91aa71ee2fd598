import { channelActor, ENGINE, type RefundHappening } from '../../activities/refund-record.js'
import type { RefundStatus } from '../../domain/channel.js'
import { refundFactKey } from '../../domain/refund.js'
import {
  postAccepted,
  postDone,
  postReturned,
  postSettledOtherwise,
  type Transfer,
} from '../../ledger/postings.js'
import type { Actor } from '../../ledger/record.js'
import { addChange, addIdempotencyKey } from './common-rows.js'
import { after } from './payment-story.js'
import type { RefundDecision, RefundStep, RefundStory } from './refund-story.js'
import type { BatchRows } from './rows.js'
import type { Shop, Teller } from './shop.js'

/** Everything that a refund leaves in the tables. It counts on in the events of its payment. */
export function addRefund(rows: BatchRows, teller: Teller, story: RefundStory): void {
  const { draw, shop } = teller
  const { id, payment, requestedAt, requestedFor } = story
  const isAsked = story.origin === 'api'
  rows.refunds.push([
    id,
    shop.merchantId,
    payment.id,
    shop.accountId,
    'v2',
    shop.mchId,
    story.outRefundNo,
    story.origin,
    isAsked ? 'pending' : 'approved',
    story.amountFen,
    payment.totalFen,
    story.reason,
    isAsked ? shop.askingKeyId : null,
    requestedFor,
    story.expiresAt,
    requestedAt,
    requestedAt,
    isAsked ? null : requestedAt,
  ])
  if (isAsked) tellRequest(rows, teller, story)
  else tellOpening(rows, teller, story)
  const decisionId = draw.uuid(story.decision?.at ?? requestedAt)
  if (story.decision !== null) addDecision(rows, teller, story, decisionId)
  for (const [stage, step] of story.steps.entries()) {
    addMove(rows, story, step, stage)
    addFacts(rows, teller, story, step)
    tellStep(rows, teller, story, { step, decisionId })
  }
}

function tellRequest(rows: BatchRows, teller: Teller, story: RefundStory): void {
  const { id: objectId, requestedAt: at, requestedFor, amountFen } = story
  addIdempotencyKey(rows, teller, { route: 'POST /v1/refunds', objectId, at })
  tell(rows, teller, story, {
    type: 'refund.requested',
    actor: keyActor(teller.shop.askingKeyId, requestedFor),
    facts: { state: 'pending' },
    detail: { amountFen },
    now: at,
  })
}

/** The engine opens the refund of surplus money itself, and it needs nobody's approval. */
function tellOpening(rows: BatchRows, teller: Teller, story: RefundStory): void {
  const facts = { state: 'approved', origin: 'system', surplus: 'late' }
  tell(rows, teller, story, {
    type: 'refund.approved',
    actor: ENGINE,
    facts,
    now: story.requestedAt,
  })
}

function addDecision(
  rows: BatchRows,
  { draw, shop }: Teller,
  { id, decision }: RefundStory,
  decisionId: string,
): void {
  if (decision === null) return
  const { verb, actingUser, reason, at } = decision
  const key = verb === 'cancel' ? shop.askingKeyId : shop.decidingKeyId
  const storedAt = after(at, -draw.between(20, 200))
  rows.refund_decisions.push([
    decisionId,
    id,
    verb,
    'api_key',
    key,
    actingUser,
    reason,
    storedAt,
    storedAt,
    at,
    'applied',
  ])
}

/** The row as it is after a step: the loader takes every refund along each of its edges. */
function addMove(rows: BatchRows, story: RefundStory, step: RefundStep, stage: number): void {
  const { state, cause, at, isAccepted } = step
  const sentAt = story.steps.slice(0, stage + 1).find((each) => each.state === 'refunding')?.at
  const isOver = state === 'done' || state === 'failed'
  rows.refund_moves.push([
    stage,
    story.id,
    state,
    cause,
    cause === 'refused' ? 'TRADE_OVERDUE' : null,
    isAccepted ? story.settlementFen : null,
    isAccepted ? 1 : 0,
    isAccepted && state === 'refunding',
    isAccepted ? story.refundId : null,
    sentAt ?? null,
    sentAt === undefined ? 0 : 1,
    isAccepted && sentAt !== undefined ? sentAt : null,
    isOver ? 1 : 0,
    state === 'done' ? at : null,
    at,
  ])
}

const STATUS: Readonly<Partial<Record<RefundStep['state'], RefundStatus>>> = {
  done: 'success',
  failed: 'closed',
  needs_attention: 'abnormal',
}

/** What the channel said: usually a notification, and always the answer to a question. */
function addFacts(rows: BatchRows, teller: Teller, story: RefundStory, step: RefundStep): void {
  const status = STATUS[step.state]
  if (status === undefined || !step.isAccepted) return
  const { draw, shop } = teller
  const { amountFen, settlementFen, outRefundNo, refundId, payment } = story
  const fact = {
    kind: 'refund',
    status,
    outTradeNo: payment.outTradeNo,
    outRefundNo,
    refundId,
    refundFen: amountFen,
    settlementFen,
    ...(status === 'success' ? { successAt: step.at.toISOString() } : {}),
  }
  const notice = { ...fact, mchId: shop.mchId, totalFen: payment.totalFen, source: 'API' }
  const add = (source: 'notify' | 'query', body: object, earlierMs: number): void => {
    const storedAt = after(step.at, -earlierMs)
    rows.inbox.push([
      draw.uuid(storedAt),
      shop.accountId,
      'refund',
      refundFactKey(outRefundNo, status, source),
      story.id,
      source,
      source === 'notify' ? 'decryption' : 'query',
      body,
      storedAt,
      source === 'notify' ? storedAt : null,
      step.at,
      step.state,
    ])
  }
  if (draw.happens(950)) add('notify', notice, draw.between(200, 900))
  add('query', fact, draw.between(20, 150))
}

function tellStep(
  rows: BatchRows,
  teller: Teller,
  story: RefundStory,
  { step, decisionId }: { readonly step: RefundStep; readonly decisionId: string },
): void {
  const { shop } = teller
  const { state, cause, at } = step
  if (state === 'refunding' && cause !== 'accepted') return
  const { decision } = story
  const isDecided = decision !== null && state !== 'settled' && at === decision.at
  const facts = isDecided
    ? { state, decisionId, reason: decision.reason }
    : { state, cause, ...(step.isAccepted ? { refundAtChannel: story.refundId } : {}) }
  tell(rows, teller, story, {
    type: state === 'refunding' ? 'refund.accepted' : `refund.${state}`,
    actor: isDecided || state === 'settled' ? deciderOf(shop, decision) : actorOf(shop, state),
    facts,
    transfers: transfersOf(teller, story, step),
    now: at,
  })
}

const keyActor = (actorId: string, actingUser: string | null): Actor => ({
  actorKind: 'api_key',
  actorId,
  actingUser,
})

const deciderOf = (shop: Shop, decision: RefundDecision | null): Actor =>
  keyActor(
    decision?.verb === 'cancel' ? shop.askingKeyId : shop.decidingKeyId,
    decision?.actingUser ?? null,
  )

const actorOf = ({ mchId }: Shop, state: RefundStep['state']): Actor =>
  state === 'expired' ? ENGINE : channelActor(mchId)

interface Told extends RefundHappening {
  /** What the audit log keeps, where it is not what the merchant is told. */
  readonly detail?: object
}

function tell(
  rows: BatchRows,
  teller: Teller,
  story: RefundStory,
  { type, actor, facts, detail = facts, transfers = [], now }: Told,
): void {
  const { id, payment, outRefundNo, amountFen } = story
  payment.events += 1
  addChange(rows, teller, {
    type,
    actor,
    merchantId: teller.shop.merchantId,
    paymentId: payment.id,
    sequence: payment.events,
    subjectKind: 'refund',
    subjectId: id,
    payload: { refundId: id, paymentId: payment.id, outRefundNo, amountFen, ...facts },
    detail,
    transfers,
    occurredAt: now,
    now,
  })
}

/** The same postings as the engine's, by the rules of the ledger. */
function transfersOf({ shop }: Teller, story: RefundStory, step: RefundStep): Transfer[] {
  const { amountFen, settlementFen } = story
  const isAsked = story.origin === 'api'
  switch (step.state) {
    case 'refunding':
      return postAccepted(shop, settlementFen, 1)
    case 'done':
      return postDone(shop, amountFen, settlementFen, isAsked ? 'returns' : 'suspense')
    case 'failed':
      return postReturned('J3', shop, settlementFen, 1)
    case 'needs_attention':
      return step.isAccepted ? postReturned('J4', shop, settlementFen, 1) : []
    case 'settled':
      return postSettledOtherwise(shop, amountFen)
    case 'approved':
    case 'rejected':
    case 'cancelled':
    case 'expired':
      return []
  }
}
