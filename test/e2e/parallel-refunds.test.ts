import { afterAll, beforeAll, expect, it } from 'vitest'

import { eventually, placed, startStack, type Stack } from '../support/stack.js'

/** A clock twenty times as fast: ten refunds a minute apart take half a minute of ours. */
const RATE = 20
const MINUTE_MS = 60_000
const PARALLEL = 50

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: RATE })
})
afterAll(() => stack.stop())

it('fifty parallel refunds of 10.00 on 100.00: ten are pending, forty exceed it', async () => {
  const { requester, approver, sandbox, merchant } = stack
  const payment = await placed(stack, { amountFen: 10_000 })
  await sandbox.control.pay({ mchId: merchant.mchId, outTradeNo: payment.outTradeNo })
  await eventually(async () => (await requester.payment(payment.id)).body.state === 'paid')

  const asked = await Promise.all(
    Array.from({ length: PARALLEL }, () =>
      requester.requestRefund({ paymentId: payment.id, amountFen: 1_000 }),
    ),
  )
  const pending = asked.filter(({ status }) => status === 201)
  const refused = asked.filter(({ status }) => status === 409)
  expect(pending.map(({ body }) => body.state)).toEqual(Array(10).fill('pending'))
  expect(refused.map(({ body }) => body.code)).toEqual(Array(40).fill('refund_exceeds_payment'))

  const decided = await Promise.all(pending.map(({ body }) => approver.decide(body.id, 'approve')))
  for (const { status } of decided) expect([200, 202]).toContain(status)
  await eventually(
    async () => (await requester.payment(payment.id)).body.refundedFen === 10_000,
    90_000,
  )

  const { refunds } = await sandbox.control.book({ mchId: merchant.mchId })
  expect(refunds).toHaveLength(10)
  expect(refunds.reduce((sum, { refundFee }) => sum + refundFee, 0)).toBe(10_000)
  const sentAtMs = refunds.map(({ createdAt }) => Date.parse(createdAt)).toSorted((a, b) => a - b)
  const gapsMs = sentAtMs.slice(1).map((at, index) => at - (sentAtMs[index] ?? 0))
  expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(MINUTE_MS)
}, 240_000)
