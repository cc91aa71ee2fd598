import { findPayment, type PaymentRow } from '../../db/payments.js'
import { paymentWorkflowId } from '../../domain/ids.js'
import { fen, formatYuan } from '../../domain/money.js'
import { journalOf } from '../../ledger/journal.js'
import { auditedAt, describeWorkflow, factFrom } from './evidence.js'
import { DEMO_OPENID, seen, type Stage } from './stage.js'

const AMOUNT_FEN = 6_800
const AMOUNT_YUAN = formatYuan(fen(AMOUNT_FEN))

/** A payment with the workflow that took it. */
export interface PlayedPayment {
  readonly row: PaymentRow
  readonly workflowId: string
  readonly runId: string
}

/** Plays a payment whose notification is lost; each step is shown once it can be seen. */
export async function playPayment(stage: Stage): Promise<PlayedPayment> {
  const placed = await playPlacing(stage)
  const transactionId = await playPaying(stage, placed)
  return playSettling(stage, placed, transactionId)
}

async function playPlacing(stage: Stage): Promise<PlayedPayment> {
  const { system, timeline, texts } = stage
  const description = texts.demo.product
  const order = { amountFen: AMOUNT_FEN, description, openid: DEMO_OPENID }
  const { id, outTradeNo } = await system.api.createPayment(order)
  const workflowId = paymentWorkflowId(system.shop.merchantId, outTradeNo)
  const { runId } = await seen(stage, texts.steps.created, () =>
    describeWorkflow(system.temporal, workflowId),
  )
  const created = await seen(stage, texts.steps.created, () => findPayment(system.database, id))
  const refs = { workflowId, runId, journalIds: [] }
  timeline.add(
    {
      ...refs,
      at: created.createdAt,
      actor: 'shop',
      what: 'created',
      state: 'created',
      channelRef: null,
    },
    texts.demo.created(outTradeNo, AMOUNT_YUAN),
  )
  const { row, at } = await seen(stage, texts.steps.placed, async () => {
    const found = await findPayment(system.database, id)
    const isKnown = (await system.sandbox.order(outTradeNo)) !== undefined
    return found?.prepayAt && isKnown ? { row: found, at: found.prepayAt } : undefined
  })
  timeline.add(
    { ...refs, at, actor: 'engine', what: 'placed', state: row.state, channelRef: outTradeNo },
    texts.demo.placed,
  )
  return { row, workflowId, runId }
}

/** The buyer pays; every notification of it is lost. Answers the channel's transaction. */
async function playPaying(stage: Stage, payment: PlayedPayment): Promise<string> {
  const { system, timeline, texts } = stage
  const { outTradeNo, mchId, state } = payment.row
  const match = { call: 'notify_payment', outTradeNo }
  await system.sandbox.armFaults([{ match, fault: 'lost', times: -1 }])
  const at = new Date()
  await system.sandbox.pay(mchId, outTradeNo)
  const transactionId = await seen(stage, texts.steps['buyer paid'], async () => {
    const order = await system.sandbox.order(outTradeNo)
    return order?.tradeState === 'SUCCESS' ? (order.transactionId ?? undefined) : undefined
  })
  const refs = { ...refsOf(payment), journalIds: [], channelRef: transactionId }
  timeline.add(
    { ...refs, at, actor: 'buyer', what: 'buyer paid', state },
    texts.demo.buyerPaid(AMOUNT_YUAN, transactionId),
  )
  await seen(stage, texts.steps['notification lost'], async () => {
    const notifications = await system.sandbox.notifications({ outTradeNo })
    return notifications.find(({ tries }) => tries.some(({ outcome }) => outcome === 'lost'))
  })
  timeline.add(
    { ...refs, at: new Date(), actor: 'channel', what: 'notification lost', state },
    texts.demo.lost,
  )
  return transactionId
}

/** The engine finds out by itself and books what was paid. */
async function playSettling(
  stage: Stage,
  payment: PlayedPayment,
  transactionId: string,
): Promise<PlayedPayment> {
  const { system, timeline, texts } = stage
  const { id, state } = payment.row
  const refs = { ...refsOf(payment), channelRef: transactionId }
  const askedAt = await seen(stage, texts.steps.asked, () => factFrom(system.database, id, 'query'))
  timeline.add(
    { ...refs, at: askedAt, actor: 'engine', what: 'asked', state, journalIds: [] },
    texts.demo.asked,
  )
  const { row, at } = await seen(stage, texts.steps.paid, async () => {
    const found = await findPayment(system.database, id)
    const auditAt = await auditedAt(system.database, id, 'payment.paid')
    return found?.state === 'paid' && auditAt ? { row: found, at: auditAt } : undefined
  })
  const lines = await journalOf(system.database, [{ kind: 'payment', id }])
  const journalIds = [...new Set(lines.map(({ entryId }) => entryId))]
  timeline.add(
    { ...refs, at, actor: 'engine', what: 'paid', state: row.state, journalIds },
    texts.demo.paid(formatYuan(fen(row.paidFen ?? 0))),
  )
  return { ...payment, row }
}

const refsOf = ({ workflowId, runId }: PlayedPayment) => ({ workflowId, runId })
