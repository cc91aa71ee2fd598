import { Value } from 'typebox/value'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { openChannelRequest } from '../../src/db/channel-requests.js'
import { payerRef } from '../../src/db/payers.js'
import { isOutTradeNo } from '../../src/domain/ids.js'
import { CreatePayment } from '../../src/api/schemas/payment.js'
import {
  API_V2_KEY,
  APP_ID,
  MERCHANT,
  onceKey,
  ORDER,
  paidPayment,
  rowCounts,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'
import { verifyFields } from '../../src/wechat/v2/sign.js'

let server: ServerUnderTest

beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())
afterEach(() => {
  server.engine.placing = 'placed'
  server.engine.reachable = true
  server.engine.calls.length = 0
  server.clock.aheadMs = 0
})

interface PaymentAnswer {
  readonly id: string
  readonly outTradeNo: string
  readonly state: string
  readonly frontEnd: Readonly<Record<string, string>> | null
}

const create = (body: object = {}, idempotencyKey = onceKey()) =>
  send(server, 'POST /v1/payments', { body: { ...ORDER, ...body }, idempotencyKey })

const prepay = (id: string) => send(server, `POST /v1/payments/${id}/prepay`)

/** Whether paySign is right, checked from the fields themselves. */
function isWellSigned({ paySign, ...fields }: Readonly<Record<string, string>>): boolean {
  return verifyFields(new Map(Object.entries({ ...fields, sign: paySign ?? '' })), API_V2_KEY)
}

describe('creating a payment', () => {
  test('a good order: is placed and answered with signed parameters', async () => {
    const answer = await create({ orderRef: 'order-1' })
    const payment = answer.json<PaymentAnswer>()
    expect(answer.statusCode).toBe(201)
    expect(payment).toMatchObject({
      amountFen: 1_000,
      state: 'awaiting_payment',
      words: { zh: '待支付', en: 'awaiting payment' },
      orderRef: 'order-1',
      appId: APP_ID,
      paidFen: null,
      refundableFen: 0,
      frontEnd: { appId: APP_ID, signType: 'MD5' },
    })
    expect(payment.outTradeNo).toMatch(/^P[0-9A-Z]{23}$/)
    expect(payment.frontEnd?.['package']).toMatch(/^prepay_id=wx/)
    expect(isWellSigned(payment.frontEnd ?? {})).toBe(true)
  })

  test('the workflow: is told to close a minute after the expiry', async () => {
    await create({ expiresInSeconds: 300 })
    const [call] = server.engine.calls
    expect(call?.name).toBe('placePayment')
    // What is left of it: the request has taken a moment itself.
    expect(Number(call?.argument)).toBeGreaterThan(330_000)
    expect(Number(call?.argument)).toBeLessThanOrEqual(360_000)
  })

  test('the same key and body: is the same payment, signed afresh', async () => {
    const key = onceKey()
    const first = (await create({}, key)).json<PaymentAnswer>()
    const before = await rowCounts(server)
    const again = await create({}, key)
    expect(again.statusCode).toBe(201)
    expect(again.json<PaymentAnswer>().id).toBe(first.id)
    const { frontEnd } = again.json<PaymentAnswer>()
    expect(frontEnd?.['package']).toBe(first.frontEnd?.['package'])
    expect(frontEnd?.['paySign']).not.toBe(first.frontEnd?.['paySign'])
    expect(await rowCounts(server)).toEqual(before)
  })

  test('the order of the members: makes no other request', async () => {
    const key = onceKey()
    const first = (await create({}, key)).json<PaymentAnswer>()
    const { amountFen, description, openid } = ORDER
    const again = await send(server, 'POST /v1/payments', {
      body: { openid, description, amountFen },
      idempotencyKey: key,
    })
    expect(again.json<PaymentAnswer>().id).toBe(first.id)
  })

  test('the same key with another body: is a conflict', async () => {
    const key = onceKey()
    await create({}, key)
    const answer = await create({ amountFen: 2 }, key)
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'idempotency_key_reused'])
  })

  test('twenty at once with one key: are one payment', async () => {
    const key = onceKey()
    const before = await rowCounts(server)
    const answers = await Promise.all(Array.from({ length: 20 }, () => create({}, key)))
    expect(new Set(answers.map((answer) => answer.json<PaymentAnswer>().id)).size).toBe(1)
    expect((await rowCounts(server))['payments']).toBe(Number(before['payments']) + 1)
  })

  test('an outTradeNo used before: is refused, also for ever after', async () => {
    await create({ outTradeNo: 'MINE-0001' })
    const answer = await create({ outTradeNo: 'MINE-0001' })
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'out_trade_no_used'])
  })

  test('an orderRef with an open payment: is refused', async () => {
    await create({ orderRef: 'order-2' })
    const answer = await create({ orderRef: 'order-2' })
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'order_ref_open'])
  })

  test('a placing that takes long: is 202, and the same key finds the answer', async () => {
    const key = onceKey()
    server.engine.placing = 'late'
    const late = await create({}, key)
    expect([late.statusCode, late.headers['retry-after']]).toEqual([202, '2'])
    expect(late.json()).toMatchObject({ state: 'created', frontEnd: null })
    server.engine.placing = 'placed'
    const found = await create({}, key)
    expect([found.statusCode, found.json().id]).toEqual([201, late.json().id])
  })

  test('a refusal of the channel: is told with its code', async () => {
    server.engine.placing = 'refused'
    const answer = await create()
    expect(answer.statusCode).toBe(422)
    expect(answer.json()).toMatchObject({ code: 'payment_failed', failureCode: 'NOAUTH' })
  })

  test('an engine that is away: is 503, and the same key goes on later', async () => {
    const key = onceKey()
    server.engine.placing = 'away'
    const away = await create({}, key)
    expect([away.statusCode, away.json().code]).toEqual([503, 'engine_unavailable'])
    server.engine.placing = 'placed'
    expect((await create({}, key)).statusCode).toBe(201)
  })

  test('who pays: is stored as a hash that only the master key makes', async () => {
    const { id } = (await create()).json()
    const [row] = await server.owner.rows<{ ref: Buffer }>(
      { text: 'select payer_ref as ref from payments where id = $1' },
      [id],
    )
    expect(row?.ref).toEqual(payerRef(server.envelope, MERCHANT.id, ORDER.openid))
  })

  test('the stored request: has what was ordered, and no clear openid', async () => {
    const { id } = (await create({ description: '茶'.repeat(60), attach: 'a' })).json()
    const [row] = await server.owner.rows<{ request: Buffer }>(
      { text: 'select channel_request as request from payments where id = $1' },
      [id],
    )
    const request = openChannelRequest(server.envelope, id, row?.request ?? Buffer.alloc(0))
    const { notifyToken } = server.merchant
    expect(request).toMatchObject({
      appId: APP_ID,
      totalFen: 1_000,
      payerIp: '127.0.0.1',
      attach: 'a',
      notifyUrl: `http://127.0.0.1:8080/notify/${notifyToken}/payment`,
    })
    expect(request.body).toBe(`茶馆-${'茶'.repeat(60)}`)
    expect(row?.request.includes(ORDER.openid)).toBe(false)
    expect(Date.parse(request.expiresAt ?? '') - Date.parse(request.startsAt ?? '')).toBe(1_800_000)
  })

  test.each(['P12345', 'a|b-c*d_', 'x'.repeat(32), 'P1234', 'x'.repeat(33), 'P123 456', 'é12345'])(
    'the number %s: is taken by the schema where the domain takes it',
    (number) => {
      const taken = Value.Check(CreatePayment.properties.outTradeNo, number)
      expect(taken).toBe(isOutTradeNo(number))
    },
  )
})

describe('fresh parameters', () => {
  test('a young prepay_id: is signed again without the engine', async () => {
    const { id, frontEnd } = (await create()).json<PaymentAnswer>()
    server.engine.calls.length = 0
    const answer = await prepay(id)
    expect(answer.statusCode).toBe(200)
    expect(answer.json<PaymentAnswer>().frontEnd?.['package']).toBe(frontEnd?.['package'])
    expect(server.engine.calls).toEqual([])
  })

  test('a prepay_id that grew old: is placed again first', async () => {
    const { id } = (await create({ expiresInSeconds: 604_800 })).json<PaymentAnswer>()
    server.clock.aheadMs = 111 * 60_000
    const answer = await prepay(id)
    expect(server.engine.calls.at(-1)?.name).toBe('placeAgain')
    expect(answer.statusCode).toBe(202)
  })

  test('a payment that is paid: is not open any more', async () => {
    const { id } = await paidPayment(server)
    const answer = await prepay(id)
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'payment_not_open'])
  })

  test('a payment whose time is over: is not open any more', async () => {
    const { id } = (await create({ expiresInSeconds: 300 })).json<PaymentAnswer>()
    server.clock.aheadMs = 301_000
    const answer = await prepay(id)
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'payment_not_open'])
  })
})

describe('reading payments', () => {
  test('a payment: is found by its own merchant', async () => {
    const { id } = (await create()).json<PaymentAnswer>()
    const answer = await send(server, `GET /v1/payments/${id}`)
    expect([answer.statusCode, answer.json().id]).toEqual([200, id])
    expect(answer.json()).not.toHaveProperty('frontEnd')
  })

  test('a list: goes page by page, newest first, each payment once', async () => {
    const orderRefs = ['page-1', 'page-2', 'page-3']
    for (const orderRef of orderRefs) await create({ orderRef })
    const seen: string[] = []
    let cursor: string | null = ''
    for (let page = 0; cursor !== null && page < 100; page += 1) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`
      const answer = await send(server, `GET /v1/payments?limit=2${query}`)
      const body: { items: { id: string }[]; nextCursor: string | null } = answer.json()
      expect(body.items.length).toBeLessThanOrEqual(2)
      seen.push(...body.items.map(({ id }) => id))
      cursor = body.nextCursor
    }
    expect(seen.length).toBe(new Set(seen).size)
    expect(seen.length).toBe(Number((await rowCounts(server))['payments']))
  })

  test('a list with a filter: holds only what was asked for', async () => {
    await create({ orderRef: 'filter-1' })
    const answer = await send(server, 'GET /v1/payments?orderRef=filter-1&state=awaiting_payment')
    const { items } = answer.json<{ items: { orderRef: string }[] }>()
    expect(items.map(({ orderRef }) => orderRef)).toEqual(['filter-1'])
  })
})
