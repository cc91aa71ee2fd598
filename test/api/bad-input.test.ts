import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  onceKey,
  ORDER,
  paidPayment,
  rowCounts,
  send,
  startServer,
  type ServerUnderTest,
} from './server-under-test.js'

let server: ServerUnderTest
let paid: { id: string; outTradeNo: string; transactionId: string }

beforeAll(async () => {
  server = await startServer()
  paid = await paidPayment(server, 1_000)
})
afterAll(() => server.stop())

interface Problem {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly { readonly field: string; readonly detail: string }[]
}

const LONG = '长'.repeat(128)

describe('bad input of a payment', () => {
  test.each([
    // what is wrong                  body                                        field
    ['no amount', { amountFen: undefined }, 'amountFen'],
    ['an amount of zero', { amountFen: 0 }, 'amountFen'],
    ['a negative amount', { amountFen: -1 }, 'amountFen'],
    ['a fraction of a fen', { amountFen: 10.5 }, 'amountFen'],
    ['an amount too large', { amountFen: 1_000_000_001 }, 'amountFen'],
    ['an amount no double holds', { amountFen: Number.MAX_VALUE }, 'amountFen'],
    ['an amount as text', { amountFen: '1000' }, 'amountFen'],
    ['an amount of null', { amountFen: null }, 'amountFen'],
    ['an unknown member', { price: 1 }, 'price'],
    ['no description', { description: undefined }, 'description'],
    ['an empty description', { description: '' }, 'description'],
    ['a blank description', { description: '  ' }, 'description'],
    ['a description too long', { description: LONG }, 'description'],
    ['a control character', { description: 'a\u0000b' }, 'description'],
    ['half a character', { description: 'a\ud800b' }, 'description'],
    ['no openid', { openid: undefined }, 'openid'],
    ['an openid with markup', { openid: '<xml>' }, 'openid'],
    ['an orderRef too long', { orderRef: 'x'.repeat(65) }, 'orderRef'],
    ['an outTradeNo too short', { outTradeNo: 'P1234' }, 'outTradeNo'],
    ['an outTradeNo with a space', { outTradeNo: 'P123 456' }, 'outTradeNo'],
    ['an appId of somebody else', { appId: 'wx0000000000000000' }, 'appId'],
    ['an address that is none', { payerIp: '300.1.1.1' }, 'payerIp'],
    ['an expiry too soon', { expiresInSeconds: 299 }, 'expiresInSeconds'],
    ['an expiry too late', { expiresInSeconds: 604_801 }, 'expiresInSeconds'],
    ['an attach of too many bytes', { attach: '长'.repeat(43) }, 'attach'],
  ])('%s: is refused, names the field and writes nothing', async (_what, change, field) => {
    const before = await rowCounts(server)
    const answer = await send(server, 'POST /v1/payments', {
      idempotencyKey: onceKey(),
      body: { ...ORDER, ...change },
    })
    const problem = answer.json<Problem>()
    expect([answer.statusCode, problem.code]).toEqual([400, 'invalid_request'])
    expect(problem.errors?.map((error) => error.field)).toEqual([field])
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(await rowCounts(server)).toEqual(before)
  })
})

describe('bad input of a refund', () => {
  test.each([
    ['above what was paid', { amountFen: 1_001 }, 409, 'refund_exceeds_payment'],
    ['of zero', { amountFen: 0 }, 400, 'invalid_request'],
    ['of a negative amount', { amountFen: -1 }, 400, 'invalid_request'],
    ['of a fraction', { amountFen: 0.5 }, 400, 'invalid_request'],
    ['of an amount as text', { amountFen: '1' }, 400, 'invalid_request'],
    ['of no payment', { paymentId: undefined }, 400, 'invalid_request'],
    ['of a payment named twice', { outTradeNo: 'P1234567' }, 400, 'invalid_request'],
    ['without a reason', { reason: undefined }, 400, 'invalid_request'],
    ['with a reason too long', { reason: 'x'.repeat(81) }, 400, 'invalid_request'],
    ['without an acting user', { actingUser: undefined }, 400, 'invalid_request'],
    ['with an unknown member', { force: true }, 400, 'invalid_request'],
    ['of a payment with another form of id', { paymentId: '1' }, 400, 'invalid_request'],
    [
      'of a payment nobody knows',
      { paymentId: '01900000-0000-7000-8000-000000000000' },
      404,
      'not_found',
    ],
  ])('a refund %s: is refused and writes nothing', async (_what, change, status, code) => {
    const before = await rowCounts(server)
    const answer = await send(server, 'POST /v1/refunds', {
      idempotencyKey: onceKey(),
      body: { paymentId: paid.id, amountFen: 1, reason: 'r', actingUser: 'li.na', ...change },
    })
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([status, code])
    expect(await rowCounts(server)).toEqual(before)
  })

  test('a refund above what is left: says how much is left', async () => {
    const answer = await send(server, 'POST /v1/refunds', {
      idempotencyKey: onceKey(),
      body: { paymentId: paid.id, amountFen: 2_000, reason: 'r', actingUser: 'li.na' },
    })
    expect(answer.json()).toMatchObject({ code: 'refund_exceeds_payment', leftFen: 1_000 })
  })

  test('a refund of a payment that is not paid: is refused', async () => {
    const created = await send(server, 'POST /v1/payments', {
      idempotencyKey: onceKey(),
      body: ORDER,
    })
    const answer = await send(server, 'POST /v1/refunds', {
      idempotencyKey: onceKey(),
      body: { paymentId: created.json().id, amountFen: 1, reason: 'r', actingUser: 'li.na' },
    })
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'payment_not_paid'])
  })

  test('a refund of money that is held: is refused', async () => {
    const held = await paidPayment(server, 700, 'held')
    const answer = await send(server, 'POST /v1/refunds', {
      idempotencyKey: onceKey(),
      body: { outTradeNo: held.outTradeNo, amountFen: 1, reason: 'r', actingUser: 'li.na' },
    })
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'payment_held'])
  })
})

describe('bad input of every call', () => {
  const key = 'k'
  const unknownKey = `yk_${'x'.repeat(43)}`
  const json = { 'content-type': 'application/json' }
  const big = JSON.stringify({ ...ORDER, description: 'x'.repeat(70_000) })
  test.each([
    [
      'a body that is no JSON',
      { body: '{"amountFen":', idempotencyKey: key },
      400,
      'malformed_body',
    ],
    ['an empty body', { body: '', headers: json, idempotencyKey: key }, 400, 'malformed_body'],
    ['no body', { idempotencyKey: key }, 400, 'invalid_request'],
    ['a body that is a list', { body: [], idempotencyKey: key }, 400, 'invalid_request'],
    ['a body that is too large', { body: big, idempotencyKey: key }, 413, 'body_too_large'],
    [
      'another type of content',
      { body: '<xml/>', headers: { 'content-type': 'text/xml' }, idempotencyKey: key },
      415,
      'unsupported_media_type',
    ],
    [
      'a prototype in the body',
      { body: '{"__proto__":{"amountFen":1}}', idempotencyKey: key },
      400,
      'malformed_body',
    ],
    ['no Idempotency-Key', { body: ORDER }, 400, 'idempotency_key_required'],
    [
      'an Idempotency-Key too long',
      { body: ORDER, idempotencyKey: 'k'.repeat(129) },
      400,
      'invalid_request',
    ],
    ['no API key', { body: ORDER, idempotencyKey: key, key: '' }, 401, 'unauthorized'],
    [
      'an unknown API key',
      { body: ORDER, idempotencyKey: key, key: unknownKey },
      401,
      'unauthorized',
    ],
    [
      'a key of another form',
      { body: ORDER, idempotencyKey: key, key: 'abc' },
      401,
      'unauthorized',
    ],
  ])('%s: is refused and writes nothing', async (_what, sent, status, code) => {
    const before = await rowCounts(server)
    const answer = await send(server, 'POST /v1/payments', sent)
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([status, code])
    expect(await rowCounts(server)).toEqual(before)
  })

  test.each([
    ['POST /v1/payments', { body: ORDER, idempotencyKey: key }],
    ['GET /v1/refunds', {}],
    ['POST /v1/refunds/01900000-0000-7000-8000-000000000000/approve', { body: {} }],
  ] as const)('%s with a key without the scope: is forbidden', async (call, sent) => {
    const answer = await send(server, call, { ...sent, key: server.keys.reader })
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([403, 'forbidden'])
  })

  test.each([
    ['GET /v1/payments/01900000-0000-7000-8000-000000000000', 404, 'not_found'],
    ['GET /v1/payments/nonsense', 404, 'not_found'],
    ['GET /v1/nothing', 404, 'not_found'],
    ['GET /v1/payments?limit=0', 400, 'invalid_request'],
    ['GET /v1/payments?limit=101', 400, 'invalid_request'],
    ['GET /v1/payments?limit=ten', 400, 'invalid_request'],
    ['GET /v1/payments?cursor=nonsense', 400, 'invalid_request'],
    ['GET /v1/payments?state=lost', 400, 'invalid_request'],
    ['GET /v1/payments?colour=red', 400, 'invalid_request'],
    ['GET /v1/refunds?state=paid', 400, 'invalid_request'],
    ['GET /v1/payments/%', 404, 'not_found'],
  ] as const)('%s: is answered %i %s', async (call, status, code) => {
    const answer = await send(server, call)
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([status, code])
  })

  test('a problem: speaks the language of the caller and names its request', async () => {
    const sent = { body: { ...ORDER, amountFen: 0 }, idempotencyKey: key }
    const inChinese = await send(server, 'POST /v1/payments', {
      ...sent,
      headers: { 'accept-language': 'zh-CN,zh;q=0.9,en;q=0.8' },
    })
    const inEnglish = await send(server, 'POST /v1/payments', {
      ...sent,
      headers: { 'accept-language': 'fr, en;q=0.5, zh;q=0.1' },
    })
    expect(inChinese.json<Problem>().detail).toContain('请求不符合要求')
    expect(inChinese.json<Problem>().errors?.[0]?.detail).toBe('不得小于 1')
    expect(inEnglish.json<Problem>().detail).toContain('The request is not valid')
    expect(inEnglish.json()).toMatchObject({
      type: 'urn:yuanlu:error:invalid_request',
      status: 400,
      retry: 'never',
      requestId: inEnglish.headers['x-request-id'],
      errors: [{ in: 'body', field: 'amountFen', detail: 'must be at least 1' }],
    })
  })

  test('what was refused: is logged by its route, without body, key and buyer', async () => {
    await send(server, 'POST /v1/payments', { body: ORDER, idempotencyKey: key })
    const log = server.logLines.join('')
    expect(log).toContain('/v1/payments')
    for (const secret of [ORDER.openid, ORDER.description, server.keys.asker, 'Bearer']) {
      expect(log.includes(secret), secret).toBe(false)
    }
  })
})
