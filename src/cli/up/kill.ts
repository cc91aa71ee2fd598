import { findPayment } from '../../db/payments.js'
import { refundWorkflowId } from '../../domain/ids.js'
import { fen, formatYuan } from '../../domain/money.js'
import { describeWorkflow } from './evidence.js'
import { DEMO_OPENID, seen, type Stage } from './stage.js'
import { until } from './until.js'

const AMOUNT_FEN = 1_200
const AMOUNT_YUAN = formatYuan(fen(AMOUNT_FEN))
/** How long the sandbox holds its answer back: the worker is dead long before. */
const HELD_BACK_MS = 30_000
/** A missed heartbeat is noticed in 12 s; the rest is the same refund's ordinary way. */
const RECOVERY_TIMEOUT_MS = 90_000

/**
 * Kills the worker after the channel has done a refund and before its answer is here, and shows
 * that the next worker sends the same number again and no money moves twice.
 */
export async function playKill(stage: Stage): Promise<void> {
  const { screen, texts } = stage
  screen.print('', ...texts.keys.killIntro.map((line) => `  ${screen.bold(line)}`), '')
  const outTradeNo = await takePayment(stage)
  const refund = await sendRefund(stage, outTradeNo)
  await killBeforeAnswer(stage, refund.outRefundNo)
  await waitForEnd(stage, refund.outRefundNo)
  await showOneRefund(stage, outTradeNo, refund.outRefundNo)
}

async function takePayment(stage: Stage): Promise<string> {
  const { system, timeline, texts } = stage
  const description = texts.keys.payProduct
  const order = { amountFen: AMOUNT_FEN, description, openid: DEMO_OPENID }
  const { id, outTradeNo } = await system.api.createPayment(order)
  await system.sandbox.pay(system.shop.mchId, outTradeNo)
  await seen(stage, texts.steps.paid, async () => {
    const row = await findPayment(system.database, id)
    return row?.state === 'paid' ? row : undefined
  })
  timeline.line(texts.keys.killPaid(outTradeNo, AMOUNT_YUAN))
  return outTradeNo
}

async function sendRefund(stage: Stage, outTradeNo: string): Promise<{ outRefundNo: string }> {
  const { system, timeline, texts } = stage
  const { refundReason: reason, requester: actingUser, approver } = texts.demo
  const refund = await system.api.requestRefund({
    outTradeNo,
    amountFen: AMOUNT_FEN,
    reason,
    actingUser,
  })
  const { outRefundNo } = refund
  await system.sandbox.armFaults([
    { match: { call: 'refund', outRefundNo }, fault: 'timeout_after', ms: HELD_BACK_MS, times: 1 },
    { match: { call: 'notify_refund', outRefundNo }, fault: 'lost', times: -1 },
  ])
  const said = { actingUser: approver, reason: texts.demo.decisionReason }
  await system.api.decide(refund.id, 'approve', said)
  timeline.line(texts.keys.killApproved(outRefundNo))
  return refund
}

async function killBeforeAnswer(stage: Stage, outRefundNo: string): Promise<void> {
  const { system, timeline, texts, screen } = stage
  await seen(stage, texts.steps.submitted, async () => {
    const [call] = await system.sandbox.log({ call: 'refund', outRefundNo })
    return call
  })
  const killedPid = await system.supervisor.kill('worker')
  timeline.line(screen.red(texts.keys.killed(killedPid)))
  const restartedPid = await system.supervisor.start(system.worker)
  timeline.line(texts.keys.killRestarted(restartedPid))
}

async function waitForEnd(stage: Stage, outRefundNo: string): Promise<void> {
  const { system, timeline, texts, screen, signal } = stage
  const workflowId = refundWorkflowId(system.shop.merchantId, outRefundNo)
  const isOver = async (): Promise<true | undefined> => {
    const workflow = await describeWorkflow(system.temporal, workflowId)
    return workflow?.status === 'COMPLETED' || undefined
  }
  await until(isOver, { what: texts.steps.done, timeoutMs: RECOVERY_TIMEOUT_MS, signal })
  timeline.line(screen.green(texts.keys.killDone(AMOUNT_YUAN)))
}

async function showOneRefund(stage: Stage, outTradeNo: string, outRefundNo: string) {
  const { system, screen, texts } = stage
  const calls = await system.sandbox.log({ call: 'refund', outRefundNo })
  const refunds = await system.sandbox.refundsOf(outTradeNo)
  const sumFen = refunds.reduce((sum, { refundFee }) => sum + refundFee, 0)
  screen.print(
    '',
    `  ${texts.keys.killLog}`,
    ...calls.map(({ answered }) => `    refund  ${outRefundNo}  ${answered}`),
    `  ${texts.keys.killBook(refunds.length, formatYuan(fen(sumFen)))}`,
  )
}
