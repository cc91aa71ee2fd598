import { afterAll, beforeAll, expect, it } from 'vitest'

import { newNo, V2Client } from '../sandbox/v2-client.js'
import { startStack, type Stack } from '../support/stack.js'

let stack: Stack

beforeAll(async () => {
  stack = await startStack({ rate: 1, isStrict: true })
})
afterAll(() => stack.stop())

it('an openid of another appid: is refused by WeChat Pay, and the caller is told', async () => {
  const openid = `o${newNo()}`
  const elsewhere = new V2Client(stack.sandbox, stack.sandbox.merchants[1])
  await elsewhere.order(newNo(), { openid, notify_url: 'https://pay.example.com/notify' })
  await elsewhere.stop()
  const refused = await stack.requester.createPayment({ openid })
  expect([refused.status, refused.body]).toMatchObject([
    422,
    { code: 'payment_failed', failureCode: 'PARAM_ERROR' },
  ])
  const own = await stack.requester.createPayment({ openid: `o${newNo()}` })
  expect(own.status).toBe(201)
})
