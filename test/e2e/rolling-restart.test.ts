import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { paymentWorkflowId, refundWorkflowId } from '../../src/domain/ids.js'
import { startWorker, type RunningWorker } from '../../src/worker.js'
import type { PaymentAnswer, RefundAnswer } from '../support/api-client.js'
import { textOf, type History } from '../support/history.js'
import { eventually, MERCHANT_ID, startStack, type Stack } from '../support/stack.js'

const NEXT = fileURLToPath(new URL('../fixtures/workflows/next.ts', import.meta.url))
const STEP = 'a-step-of-the-next-version'
const WAITING = 8
/** Started, its first task, and the timer of its deadline. */
const EVENTS_OF_PENDING = 5
/** The sandbox's week is three hours of ours: nothing expires while this runs. */
const WEEK_SECONDS = 7 * 24 * 3_600
/** What a workflow task fails with when code and history do not agree. */
const DISAGREES = 'NON_DETERMINISTIC'

let stack: Stack
let folder: string
let nextBundle: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-rolling-'))
  nextBundle = path.join(folder, 'next.js')
  const logger = new DefaultLogger('ERROR')
  const { code } = await bundleWorkflowCode({ workflowsPath: NEXT, logger })
  await writeFile(nextBundle, code)
  stack = await startStack({ rate: 60, withWorker: false })
}, 120_000)

afterAll(async () => {
  await stack.stop()
  await rm(folder, { recursive: true, force: true })
})

async function startVersion(workflowBundlePath: string): Promise<RunningWorker> {
  const { workerEnvironment: variables, sandbox } = stack
  return startWorker({
    databaseUrl: variables['YUANLU_DATABASE_URL_WORKER'] ?? '',
    masterKey: Buffer.from(variables['YUANLU_MASTER_KEY'] ?? '', 'base64'),
    temporalAddress: variables['TEMPORAL_ADDRESS'] ?? '',
    temporalNamespace: 'default',
    taskQueue: variables['YUANLU_TASK_QUEUE'] ?? '',
    publicBaseUrl: variables['YUANLU_PUBLIC_BASE_URL'] ?? '',
    liveBaseUrl: 'https://127.0.0.1:1',
    webhookAllowedHosts: [],
    sandbox: { baseUrl: sandbox.url, caPem: sandbox.caPem },
    workflowBundlePath,
    logger: pino({ level: 'silent' }),
  })
}

const pay = ({ outTradeNo }: PaymentAnswer): Promise<unknown> =>
  stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo })

const stateIs = (id: string, state: string): Promise<unknown> =>
  eventually(async () => (await stack.requester.payment(id)).body.state === state, 60_000)

/** A payment that waits for its buyer. */
async function waiting(): Promise<PaymentAnswer> {
  const order = { amountFen: 100, expiresInSeconds: WEEK_SECONDS }
  // While no worker answers in time the API says so, and a client asks again with its key.
  const key = randomUUID()
  const body = await eventually(async () => {
    const answer = await stack.requester.createPayment(order, key)
    return answer.status < 400 && answer.body
  })
  // A busy machine may place it only after the answer.
  await stateIs(body.id, 'awaiting_payment')
  return body
}

/** A refund that waits for its approval. */
async function asked(): Promise<RefundAnswer> {
  const payment = await waiting()
  await pay(payment)
  await stateIs(payment.id, 'paid')
  const { body } = await stack.requester.requestRefund({ paymentId: payment.id, amountFen: 40 })
  // It has begun once its deadline runs; the answer does not wait for that.
  const handle = stack.temporal.workflow.getHandle(refundWorkflowId(MERCHANT_ID, body.outRefundNo))
  await eventually(async () => (await handle.describe()).historyLength >= EVENTS_OF_PENDING, 60_000)
  return body
}

const several = <Item>(make: () => Promise<Item>): Promise<Item[]> =>
  Promise.all(Array.from({ length: WAITING }, make))

/** Pays and approves one after the other, so that it happens all through the restart. */
async function goOn(payments: PaymentAnswer[], refunds: RefundAnswer[]): Promise<void> {
  for (let index = 0; index < WAITING; index += 1) {
    const [payment, refund] = [payments[index], refunds[index]]
    if (payment) await pay(payment)
    if (refund) await stack.approver.decide(refund.id, 'approve')
    payments.push(await waiting())
  }
}

const historyOf = (workflowId: string): Promise<History> =>
  stack.temporal.workflow.getHandle(workflowId).fetchHistory()

describe('a rolling restart with new workflow code', () => {
  test('what runs and what begins: ends right, each by the code it began with', async () => {
    const old = await Promise.all([1, 2].map(() => startVersion(inject('workflowBundlePath'))))
    const payments = await several(waiting)
    const refunds = await several(asked)

    const load = goOn(payments, refunds)
    const next: RunningWorker[] = []
    for (const worker of old) {
      next.push(await startVersion(nextBundle))
      await worker.stop()
    }
    await load
    await Promise.all(payments.slice(WAITING).map(pay))

    for (const { id } of payments) {
      await eventually(
        async () => (await stack.requester.payment(id)).body.state === 'paid',
        60_000,
      )
    }
    for (const { id } of refunds) {
      await eventually(async () => (await stack.requester.refund(id)).body.state === 'done', 60_000)
    }
    const ids = [
      ...payments.map(({ outTradeNo }) => paymentWorkflowId(MERCHANT_ID, outTradeNo)),
      ...refunds.map(({ outRefundNo }) => refundWorkflowId(MERCHANT_ID, outRefundNo)),
    ]
    const histories = await Promise.all(ids.map(historyOf))
    const began = histories.map((history) => textOf(history).includes(STEP))
    expect(new Set(began)).toEqual(new Set([true, false]))
    expect(began.slice(-WAITING)).toEqual(Array.from({ length: WAITING }, () => false))
    expect(histories.map((history) => textOf(history).includes(DISAGREES))).not.toContain(true)
    const { refunds: sent } = await stack.sandbox.control.book({ mchId: stack.merchant.mchId })
    expect(sent.map(({ refundFee }) => refundFee)).toEqual(refunds.map(() => 40))
    await Promise.all(next.map((worker) => worker.stop()))
  }, 180_000)
})
