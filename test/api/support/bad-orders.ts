import {
  BODY_BYTES_MAX,
  httpCounter,
  once,
  ORDER,
  type BadInput,
  type BadRequest,
  type Outcome,
  type Standing,
} from './bad-input.js'

/** What is refused of an order, and of any call, as rows of docs/reference/errors.md. */

const PAYMENTS = '/v1/payments'
const PAYMENT = '/v1/payments/:id'

/** A body or head that is refused before the payment is looked at. */
const refusedAtDoor = (
  what: string,
  [status, code]: Outcome,
  request: Partial<BadRequest>,
): BadInput => ({
  what,
  status,
  code,
  counter: httpCounter('POST', PAYMENTS, status),
  log: 'answered',
  request: () => ({
    call: `POST ${PAYMENTS}`,
    as: 'asker',
    idempotencyKey: once(),
    body: ORDER,
    ...request,
  }),
})

const invalidOrder = (what: string, change: object): BadInput =>
  refusedAtDoor(what, [400, 'invalid_request'], { body: { ...ORDER, ...change } })

const refusedPayment = (
  what: string,
  [status, code]: Outcome,
  request: (standing: Standing) => Partial<BadRequest>,
  more: Pick<BadInput, 'given'> = {},
): BadInput => ({
  what,
  status,
  code,
  counter: `payment_requests_total{result="${code}"}`,
  log: 'answered',
  ...more,
  request: (standing) => ({
    call: `POST ${PAYMENTS}`,
    as: 'asker',
    idempotencyKey: once(),
    body: ORDER,
    ...request(standing),
  }),
})

/** Valid JSON of exactly so many bytes. */
const jsonOfBytes = (bytes: number): string => {
  const frame = JSON.stringify({ ...ORDER, attach: '' })
  return JSON.stringify({ ...ORDER, attach: 'x'.repeat(bytes - Buffer.byteLength(frame)) })
}

/** The order with one more member at its end. */
const orderAnd = (member: string): string => `${JSON.stringify(ORDER).slice(0, -1)},${member}}`

const HAN = '长'
/** 青团 in GBK. */
const GBK = Buffer.from([0xc7, 0xe0, 0xcd, 0xc5])
const orderInGbk = (): Buffer => {
  const [before = '', after = ''] = JSON.stringify(ORDER).split(ORDER.description)
  return Buffer.concat([Buffer.from(before), GBK, Buffer.from(after)])
}

const OF_FIELDS: readonly BadInput[] = [
  invalidOrder('an amount of zero', { amountFen: 0 }),
  invalidOrder('an amount as text', { amountFen: '1000' }),
  invalidOrder('an amount with half a fen', { amountFen: 10.5 }),
  invalidOrder('an amount above 10,000,000.00', { amountFen: 1_000_000_001 }),
  invalidOrder('a member nobody knows', { price: 1 }),
  invalidOrder('a description of blanks', { description: '  ' }),
  invalidOrder('a description of 128 characters', { description: HAN.repeat(128) }),
  invalidOrder('a control character in the description', { description: 'a\u0000b' }),
  invalidOrder('half a character in the description', { description: 'a\ud800b' }),
  invalidOrder('an attach of 129 bytes in 43 characters', { attach: HAN.repeat(43) }),
  invalidOrder('an openid with markup', { openid: '<xml>' }),
  invalidOrder('a payer’s address that is none', { payerIp: '300.1.1.1' }),
  invalidOrder('a host name as the payer’s address', { payerIp: 'localhost' }),
  invalidOrder('an order number of five characters', { outTradeNo: 'P1234' }),
  invalidOrder('an expiry in less than five minutes', { expiresInSeconds: 299 }),
]

const AT_DOOR: readonly BadInput[] = [
  refusedAtDoor('a body of 64 KiB that is too long a text', [400, 'invalid_request'], {
    body: jsonOfBytes(BODY_BYTES_MAX),
  }),
  refusedAtDoor('a body of 64 KiB and one byte', [413, 'body_too_large'], {
    body: jsonOfBytes(BODY_BYTES_MAX + 1),
  }),
  refusedAtDoor('a body that is no JSON', [400, 'malformed_body'], { body: '{"amountFen":' }),
  refusedAtDoor('a member given twice', [400, 'invalid_request'], {
    body: orderAnd('"amountFen":1'),
  }),
  refusedAtDoor(
    'a member given twice, of which one is spelt with escapes',
    [400, 'invalid_request'],
    {
      body: orderAnd(String.raw`"\u0061mountFen":1`),
    },
  ),
  refusedAtDoor('a member named __proto__', [400, 'malformed_body'], {
    body: orderAnd('"__proto__":{"amountFen":1}'),
  }),
  refusedAtDoor('a body in GBK that says it is JSON', [400, 'malformed_body'], {
    body: orderInGbk(),
  }),
  refusedAtDoor('a body that says it is in GBK', [415, 'unsupported_media_type'], {
    body: orderInGbk(),
    contentType: 'application/json; charset=GBK',
  }),
  refusedAtDoor('XML in the place of JSON', [415, 'unsupported_media_type'], {
    body: '<xml/>',
    contentType: 'text/xml',
  }),
  refusedAtDoor('no Idempotency-Key', [400, 'idempotency_key_required'], {
    idempotencyKey: '',
  }),
  refusedAtDoor('an Idempotency-Key of 129 characters', [400, 'invalid_request'], {
    idempotencyKey: 'k'.repeat(129),
  }),
  refusedAtDoor('no API key', [401, 'unauthorized'], { as: 'none' }),
  refusedAtDoor('an API key without the scope', [403, 'forbidden'], { as: 'reader' }),
  {
    what: 'an address nobody serves',
    status: 404,
    code: 'not_found',
    counter: httpCounter('GET', 'none', 404),
    log: 'answered',
    request: () => ({ call: 'GET /v1/nothing', as: 'asker' }),
  },
  {
    what: 'a payment of another merchant',
    status: 404,
    code: 'not_found',
    counter: httpCounter('GET', PAYMENT, 404),
    log: 'answered',
    request: ({ foreignId }) => ({ call: `GET ${PAYMENTS}/${foreignId}`, as: 'asker' }),
  },
  {
    what: 'GET where WeChat Pay posts',
    status: 405,
    code: 'method_not_allowed',
    counter: httpCounter('GET', '/notify/:token/payment', 405),
    log: 'answered',
    request: ({ notifyToken }) => ({ call: `GET /notify/${notifyToken}/payment`, as: 'none' }),
  },
]

const OF_PAYMENTS: readonly BadInput[] = [
  refusedPayment('the Idempotency-Key of another request', [409, 'idempotency_key_reused'], () => ({
    idempotencyKey: 'used-key',
    body: { ...ORDER, amountFen: 999 },
  })),
  refusedPayment(
    'an order number that was used with other content',
    [409, 'out_trade_no_used'],
    ({ openOutTradeNo }) => ({ body: { ...ORDER, amountFen: 1, outTradeNo: openOutTradeNo } }),
  ),
  refusedPayment('an orderRef that is being paid', [409, 'order_ref_open'], () => ({
    body: { ...ORDER, orderRef: 'open-order' },
  })),
  refusedPayment('an appid of somebody else', [400, 'invalid_request'], () => ({
    body: { ...ORDER, appId: 'wx0000000000000000' },
  })),
  refusedPayment(
    'an openid of another appid, which WeChat Pay refuses',
    [422, 'payment_failed'],
    () => ({}),
    { given: (stage) => stage.refusesOrders() },
  ),
]

export const BAD_ORDERS: readonly BadInput[] = [...OF_FIELDS, ...AT_DOOR, ...OF_PAYMENTS]
