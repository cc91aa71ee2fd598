import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { eventually, startStack, type Stack } from '../support/stack.js'

const YUANLU = fileURLToPath(new URL('../../bin/yuanlu.mjs', import.meta.url))

let stack: Stack
const workers: ChildProcess[] = []

beforeAll(async () => {
  stack = await startStack({ rate: 60, withWorker: false })
})
afterAll(async () => {
  for (const worker of workers.filter(({ exitCode, signalCode }) => !exitCode && !signalCode)) {
    worker.kill('SIGKILL')
    await once(worker, 'exit')
  }
  await stack.stop()
})

function startWorkerProcess(): ChildProcess {
  const worker = spawn(process.execPath, [YUANLU, 'worker'], {
    env: { ...stack.workerEnvironment, YUANLU_LOG_LEVEL: 'error' },
    stdio: 'ignore',
  })
  workers.push(worker)
  return worker
}

it('a worker killed before the refund is answered: one refund, the same number twice', async () => {
  const { requester, approver, sandbox, merchant } = stack
  const { control } = sandbox
  const doomed = startWorkerProcess()
  const { body: payment } = await eventually(async () => {
    const answer = await requester.createPayment({ amountFen: 1_000 }, 'one')
    return answer.status === 201 && answer
  }, 90_000)
  await control.pay({ mchId: merchant.mchId, outTradeNo: payment.outTradeNo })
  await eventually(async () => (await requester.payment(payment.id)).body.state === 'paid')
  const { body: refund } = await requester.requestRefund({ paymentId: payment.id, amountFen: 600 })
  const { outRefundNo } = refund
  // The channel takes the refund at once and is slow to say so; nothing else tells of it either.
  await control.armFaults([
    { match: { call: 'notify_refund', outRefundNo }, fault: 'lost', times: 1_000 },
    { match: { call: 'refund', outRefundNo }, fault: 'timeout_after', ms: 60_000, times: 1 },
  ])
  await approver.decide(refund.id, 'approve')
  await eventually(async () => {
    const { refunds } = await control.book({ mchId: merchant.mchId })
    return refunds.some((each) => each.outRefundNo === outRefundNo)
  })
  doomed.kill('SIGKILL')
  await once(doomed, 'exit')

  startWorkerProcess()
  await eventually(async () => (await requester.refund(refund.id)).body.state === 'done', 60_000)
  const { refunds } = await control.book({ mchId: merchant.mchId })
  expect(refunds.filter((each) => each.outRefundNo === outRefundNo)).toHaveLength(1)
  const calls = await control.log({ outRefundNo })
  expect(calls.filter(({ call }) => call === 'refund')).toHaveLength(2)
  expect((await requester.payment(payment.id)).body.refundedFen).toBe(600)
}, 240_000)
