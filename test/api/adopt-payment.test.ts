import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import {
  APP_ID,
  paidPayment,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'

let server: ServerUnderTest

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
beforeEach(() => {
  server.engine.calls.length = 0
})

interface Answered {
  readonly id: string
  readonly code: string
  readonly paymentId: string
}

async function adopt(body: object, key = server.keys.asker) {
  const answer = await send(server, 'POST /v1/payments/adopt', { body, key })
  return { status: answer.statusCode, body: answer.json<Answered>() }
}

describe('adopting a payment', () => {
  test('what the engine booked: is answered', async () => {
    const { id: paymentId } = await paidPayment(server)
    server.engine.onAdopt = async () => ({ outcome: 'adopted', paymentId })
    const { status, body } = await adopt({ appId: APP_ID, outTradeNo: 'OLD-0001' })
    expect([status, body.id]).toEqual([201, paymentId])
    expect(server.engine.calls.at(-1)).toMatchObject({
      name: 'adoptPayment',
      argument: { order: { appId: APP_ID, outTradeNo: 'OLD-0001' } },
    })
  })

  test.each(['outTradeNo', 'transactionId'] as const)(
    'known by its %s: is refused',
    async (name) => {
      const known = await paidPayment(server)
      server.engine.calls.length = 0
      const { status, body } = await adopt({ appId: APP_ID, [name]: known[name] })
      expect([status, body.code, body.paymentId]).toEqual([409, 'payment_known', known.id])
      expect(server.engine.calls).toEqual([])
    },
  )

  test.each([
    ['known', 409, 'payment_known'],
    ['not_paid', 409, 'order_not_paid'],
    ['not_adoptable', 409, 'order_not_adoptable'],
    ['unknown', 503, 'channel_unavailable'],
    ['late', 503, 'channel_unavailable'],
  ] as const)('found %s: is refused', async (outcome, expected, code) => {
    server.engine.onAdopt = async () => ({ outcome })
    const { status, body } = await adopt({ appId: APP_ID, transactionId: '42000099' })
    expect([status, body.code]).toEqual([expected, code])
  })

  test.each([
    ['no number', { appId: APP_ID }],
    ['two numbers', { appId: APP_ID, outTradeNo: 'OLD-0001', transactionId: '42' }],
    ['no appid', { outTradeNo: 'OLD-0001' }],
    ['an appid of another merchant', { appId: 'wxffffffffffffffff', outTradeNo: 'OLD-0001' }],
    ['a number that is none', { appId: APP_ID, outTradeNo: 'x' }],
  ])('%s: is not valid', async (_name, body) => {
    const answer = await adopt(body)
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request'])
    expect(server.engine.calls).toEqual([])
  })

  test('a key that may only read: is refused', async () => {
    const answer = await adopt({ appId: APP_ID, outTradeNo: 'OLD-0001' }, server.keys.reader)
    expect(answer.status).toBe(403)
  })
})
