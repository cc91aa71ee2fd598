import type { RefundRow } from '../../db/refunds.js'
import { findRefund } from '../../db/refunds.js'
import { refundWorkflowId } from '../../domain/ids.js'
import { fen, formatYuan } from '../../domain/money.js'
import { journalOf } from '../../ledger/journal.js'
import { approveSignal, decideSignal } from '../../workflows/messages.js'
import { decide } from './demo-decision.js'
import type { PlayedPayment } from './demo-payment.js'
import { auditedAt, describeWorkflow, factFrom, signalledAt } from './evidence.js'
import { seen, type Stage } from './stage.js'
import type { Step } from './steps.js'

/** A refund with the workflow that gives it back. */
export interface PlayedRefund {
  readonly row: RefundRow
  readonly workflowId: string
  readonly runId: string
}

/** Plays the way back of a payment, up to its end: done, or rejected by the reader. */
export async function playRefund(stage: Stage, payment: PlayedPayment): Promise<PlayedRefund> {
  const refund = await playRequest(stage, payment)
  await decide(stage, refund)
  const decided = await seen(stage, stage.texts.steps['approved by signal'], async () => {
    const row = await findRefund(stage.system.database, refund.row.id)
    return row === undefined || row.state === 'pending' ? undefined : row
  })
  if (decided.state === 'rejected') return showRejected(stage, { ...refund, row: decided })
  await showApproved(stage, refund)
  await showSubmitted(stage, refund)
  return showEnding(stage, refund)
}

async function playRequest(stage: Stage, payment: PlayedPayment): Promise<PlayedRefund> {
  const { system, timeline, texts } = stage
  const { id: paymentId, paidFen, outTradeNo, transactionId } = payment.row
  const amountFen = paidFen ?? 0
  const request = { reason: texts.demo.refundReason, actingUser: texts.demo.requester }
  const { id, outRefundNo } = await system.api.requestRefund({ paymentId, amountFen, ...request })
  const workflowId = refundWorkflowId(system.shop.merchantId, outRefundNo)
  const described = await seen(stage, texts.steps.pending, () =>
    describeWorkflow(system.temporal, workflowId),
  )
  const { row, at } = await seen(stage, texts.steps['refund requested'], async () => {
    const found = await findRefund(system.database, id)
    const auditAt = await auditedAt(system.database, id, 'refund.request')
    return found && auditAt ? { row: found, at: auditAt } : undefined
  })
  const refund = { row, workflowId, runId: described.runId }
  const step = { ...refsOf(refund), state: row.state, channelRef: transactionId ?? outTradeNo }
  timeline.add(
    { ...step, at, actor: 'shop', what: 'refund requested' },
    texts.demo.requested(outRefundNo, formatYuan(fen(amountFen))),
  )
  const { state } = await system.api.refund(id)
  timeline.add(
    { ...step, at: described.startedAt, actor: 'engine', what: 'pending', state },
    texts.demo.pending,
  )
  return refund
}

function showRejected(stage: Stage, refund: PlayedRefund): PlayedRefund {
  const { timeline, texts } = stage
  const { state, updatedAt: at } = refund.row
  const step = { ...refsOf(refund), actor: 'approver', what: 'rejected', channelRef: null } as const
  timeline.add({ ...step, at, state }, texts.demo.rejected(texts.demo.approver))
  return refund
}

async function showApproved(stage: Stage, refund: PlayedRefund): Promise<void> {
  const { system, timeline, texts } = stage
  const what = 'approved by signal'
  const signal = await seen(stage, texts.steps[what], () =>
    signalledAt(system.temporal, refund.workflowId, [approveSignal.name, decideSignal.name]),
  )
  await seen(stage, texts.steps[what], () =>
    auditedAt(system.database, refund.row.id, 'refund.approved'),
  )
  const isOperator = signal.name === approveSignal.name
  timeline.add(
    {
      ...refsOf(refund),
      at: signal.at,
      actor: isOperator ? 'operator' : 'approver',
      what,
      state: 'approved',
      channelRef: null,
    },
    isOperator ? texts.demo.approvedByOperator : texts.demo.approvedByPerson(texts.demo.approver),
  )
}

/** The first call and its answer: what was sent with which certificate, and what was accepted. */
async function showSubmitted(stage: Stage, refund: PlayedRefund): Promise<void> {
  const { system, timeline, texts } = stage
  const { outRefundNo } = refund.row
  const sent = await seen(stage, texts.steps.submitted, async () => {
    const row = await findRefund(system.database, refund.row.id)
    const [call] = await system.sandbox.log({ call: 'refund', outRefundNo })
    const serial = call?.clientCertSerial
    return row?.firstSubmittedAt && serial ? { at: row.firstSubmittedAt, serial } : undefined
  })
  timeline.add(
    {
      ...refsOf(refund),
      at: sent.at,
      actor: 'engine',
      what: 'submitted',
      state: 'refunding',
      channelRef: outRefundNo,
      more: { clientCertificateSerial: sent.serial },
    },
    texts.demo.submitted(sent.serial),
  )
  const accepted = await seen(stage, texts.steps.accepted, async () => {
    const row = await findRefund(system.database, refund.row.id)
    return row?.acceptedAt && row.refundId ? { at: row.acceptedAt, ref: row.refundId } : undefined
  })
  const step = await journaled(stage, refund, 'J1')
  timeline.add(
    {
      ...step,
      at: accepted.at,
      actor: 'channel',
      what: 'accepted',
      state: 'refunding',
      channelRef: accepted.ref,
    },
    texts.demo.accepted(accepted.ref),
  )
}

async function showEnding(stage: Stage, refund: PlayedRefund): Promise<PlayedRefund> {
  const { system, timeline, texts } = stage
  const { id, outRefundNo, amountFen } = refund.row
  const channelRef = (await findRefund(system.database, id))?.refundId ?? outRefundNo
  const step = { ...refsOf(refund), state: 'refunding', channelRef }
  const notifiedAt = await seen(stage, texts.steps.notified, async () => {
    const notifications = await system.sandbox.notifications({ outRefundNo })
    const isDelivered = notifications.some(({ state }) => state === 'delivered')
    return isDelivered ? factFrom(system.database, id, 'notify') : undefined
  })
  timeline.add({ ...step, at: notifiedAt, actor: 'channel', what: 'notified' }, texts.demo.notified)
  const confirmedAt = await seen(stage, texts.steps.confirmed, async () => {
    const calls = await system.sandbox.log({ call: 'refundquery', outRefundNo })
    return calls.length > 0 ? factFrom(system.database, id, 'query') : undefined
  })
  timeline.add(
    { ...step, at: confirmedAt, actor: 'engine', what: 'confirmed' },
    texts.demo.confirmed,
  )
  const done = await seen(stage, texts.steps.done, async () => {
    const row = await findRefund(system.database, id)
    const at = await auditedAt(system.database, id, 'refund.done')
    const workflow = await describeWorkflow(system.temporal, refund.workflowId)
    const isDone = row?.state === 'done' && workflow?.status === 'COMPLETED'
    return isDone && at ? { row, at } : undefined
  })
  const { state } = done.row
  timeline.add(
    {
      ...(await journaled(stage, refund, 'J2')),
      at: done.at,
      actor: 'engine',
      what: 'done',
      state,
      channelRef,
    },
    texts.demo.done(formatYuan(fen(amountFen))),
  )
  return { ...refund, row: done.row }
}

/** The references of a step that posted the transfers of one rule. */
async function journaled(stage: Stage, refund: PlayedRefund, rule: string) {
  const lines = await journalOf(stage.system.database, [{ kind: 'refund', id: refund.row.id }])
  const posted = lines.filter((line) => line.rule === rule)
  return { ...refsOf(refund), journalIds: [...new Set(posted.map(({ entryId }) => entryId))] }
}

const refsOf = ({
  workflowId,
  runId,
}: PlayedRefund): Pick<Step, 'workflowId' | 'runId' | 'journalIds'> => ({
  workflowId,
  runId,
  journalIds: [],
})
