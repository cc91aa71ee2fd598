import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { addKey } from '../../src/cli/merchants.js'
import { ApiClient } from '../support/api-client.js'
import { eventually, MERCHANT_ID, placed, startStack, type Stack } from '../support/stack.js'
import { startReceiver, type ReceivedMessage, type Receiver } from '../webhooks/support/receiver.js'

interface Told {
  readonly id: string
  readonly type: string
  readonly sequence: number
  readonly livemode: boolean
  readonly paymentId: string
  readonly data: { readonly objectType: string; readonly object: Readonly<Record<string, unknown>> }
}

interface Endpoint {
  readonly id: string
  readonly secret: string
}

interface Logged {
  readonly items: readonly {
    readonly state: string
    readonly sequence: number
    readonly attemptCount: number
  }[]
}

const FAILURES = 1

let stack: Stack
let receiver: Receiver
let hooks: ApiClient

beforeAll(async () => {
  ;[stack, receiver] = await Promise.all([startStack({ rate: 60 }), startReceiver()])
  const scopes = ['webhooks:read', 'webhooks:write']
  const { key } = await addKey(stack.owner, { merchantId: MERCHANT_ID, name: 'hooks', scopes })
  hooks = new ApiClient(stack.apiUrl, key)
})
afterAll(async () => {
  await stack.stop()
  await receiver.close()
})

/** Pays 10.00 and gives 4.00 back. */
async function payAndRefund(): Promise<string> {
  const { id: paymentId, outTradeNo } = await placed(stack, { amountFen: 1_000 })
  await stack.sandbox.control.pay({ mchId: stack.merchant.mchId, outTradeNo })
  await eventually(async () => (await stack.requester.payment(paymentId)).body.state === 'paid')
  const asked = await stack.requester.requestRefund({ paymentId, amountFen: 400 })
  await stack.approver.decide(asked.body.id, 'approve')
  await eventually(async () => (await stack.requester.refund(asked.body.id)).body.state === 'done')
  return paymentId
}

describe('a merchant with a server of its own', () => {
  it('is told of a payment and its refund in order, although it fails at first', async () => {
    const accepted: ReceivedMessage[] = []
    receiver.answer = (message, response) => {
      const isFailing = receiver.received.length <= FAILURES
      if (!isFailing) accepted.push(message)
      response.writeHead(isFailing ? 503 : 200).end()
    }
    const url = `http://127.0.0.1:${receiver.port}/hook`
    const created = await hooks.send<Endpoint>('POST', '/v1/webhook-endpoints', {
      body: { url, livemode: false },
    })
    expect(created.status).toBe(201)
    const paymentId = await payAndRefund()

    const webhook = new Webhook(created.body.secret)
    const read = ({ body, headers }: ReceivedMessage) =>
      webhook.verify(body, headers as Record<string, string>) as Told
    await eventually(async () => accepted.some((message) => read(message).type === 'refund.done'))
    const told = accepted.map(read)
    expect(told.map(({ type }) => type)).toEqual([
      'payment.paid',
      'refund.requested',
      'refund.approved',
      'refund.accepted',
      'refund.done',
    ])
    expect(told.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5])
    for (const event of told) expect(event).toMatchObject({ paymentId, livemode: false })
    expect(told[0]?.data).toMatchObject({ objectType: 'payment', object: { id: paymentId } })
    expect(told.at(-1)?.data).toMatchObject({
      objectType: 'refund',
      object: { state: 'done', amountFen: 400, paymentId },
    })
    const first = receiver.received.slice(0, FAILURES + 1).map(({ headers }) => headers)
    expect(new Set(first.map((headers) => headers['webhook-id'])).size).toBe(1)

    const log = await eventually(async () => {
      const path = `/v1/webhook-deliveries?paymentId=${paymentId}`
      const { body } = await hooks.send<Logged>('GET', path)
      return body.items.every(({ state }) => state === 'delivered') && body
    })
    const inOrder = log.items.toSorted((a, b) => a.sequence - b.sequence)
    expect(inOrder.map(({ attemptCount }) => attemptCount)).toEqual([1 + FAILURES, 1, 1, 1, 1])
  })
})
