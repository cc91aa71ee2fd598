import type { ErrorCode } from '../../../src/domain/errors.js'

/**
 * Every bad input as a row: docs/reference/errors.md shows this table, and a test sends each of
 * its requests. It imports nothing at run time, so that the page can be made from it.
 */

/** What stands in the book before the requests are sent. */
export interface Standing {
  /** Paid with 10.00, nothing of it refunded. */
  readonly paidId: string
  readonly paidOutTradeNo: string
  /** Has the Idempotency-Key `used-key` and the orderRef `open-order`, and waits for the buyer. */
  readonly openId: string
  readonly openOutTradeNo: string
  readonly closedId: string
  readonly heldId: string
  /** Has fifty refunds of one fen each. */
  readonly fiftyId: string
  /** Paid at another merchant. */
  readonly foreignId: string
  readonly notifyToken: string
  /** A document with these fields, signed as WeChat Pay signs; `key` instead of the right one. */
  readonly signed: (changes: Readonly<Record<string, string>>, key?: string) => string
}

export interface BadRequest {
  /** Method and path. */
  readonly call: `${'GET' | 'POST'} ${string}`
  /** Whose API key: who asks unless given; `none` sends none. */
  readonly as?: 'reader' | 'none'
  readonly idempotencyKey?: string
  /** JSON, or text as it is. */
  readonly body?: unknown
  readonly contentType?: string
}

export interface BadInput {
  readonly what: string
  readonly status: number
  /** The problem's code; a refused notification has none, and its reason is counted instead. */
  readonly code: ErrorCode | null
  /** The sample that rises by one. */
  readonly counter: string
  /** The message of the line that is logged. */
  readonly log: 'answered' | 'notification refused' | 'notification not stored'
  /** How far the clock is ahead of the payments when it is sent. */
  readonly daysLater?: number
  /** What WeChat Pay does with the order; places it unless given. */
  readonly placing?: 'refused' | 'away'
  readonly request: (standing: Standing) => BadRequest
}

const ORDER = { amountFen: 1_000, description: '青团', openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o' }
const REFUND = { amountFen: 1, reason: 'r', actingUser: 'li.na' }
const BODY_BYTES_MAX = 64 * 1024
const NOBODY = '01900000-0000-7000-8000-000000000000'

/** What was answered before anything of ours ran is counted by its route and status. */
const httpCounter = (method: string, route: string, status: number): string =>
  `http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`

const PAYMENTS = '/v1/payments'
const REFUNDS = '/v1/refunds'

let count = 0
const once = (): string => `bad-${(count += 1)}`

type Outcome = readonly [status: number, code: ErrorCode]

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
  request: () => ({ call: `POST ${PAYMENTS}`, idempotencyKey: once(), body: ORDER, ...request }),
})

const refusedPayment = (
  what: string,
  [status, code]: Outcome,
  request: (standing: Standing) => Partial<BadRequest>,
  more: Pick<BadInput, 'placing'> = {},
): BadInput => ({
  what,
  status,
  code,
  counter: `payment_requests_total{result="${code}"}`,
  log: 'answered',
  ...more,
  request: (standing) => ({
    call: `POST ${PAYMENTS}`,
    idempotencyKey: once(),
    body: ORDER,
    ...request(standing),
  }),
})

const refusedRefund = (
  what: string,
  [status, code]: Outcome,
  change: (standing: Standing) => object,
  more: Pick<BadInput, 'daysLater'> = {},
): BadInput => ({
  what,
  status,
  code,
  counter: `refund_requests_total{result="${code}"}`,
  log: 'answered',
  ...more,
  request: (standing) => ({
    call: `POST ${REFUNDS}`,
    idempotencyKey: once(),
    body: { ...REFUND, ...change(standing) },
  }),
})

const refusedNotification = (
  what: string,
  reason: string,
  body: (standing: Standing) => string,
): BadInput => ({
  what: `a notification ${what}`,
  status: 400,
  code: null,
  counter: `notifications_total{kind="payment",result="${reason}"}`,
  log: 'notification refused',
  request: (standing) => ({
    call: `POST /notify/${standing.notifyToken}/payment`,
    as: 'none',
    body: body(standing),
    contentType: 'text/xml',
  }),
})

/** Valid JSON of exactly so many bytes. */
const jsonOfBytes = (bytes: number): string => {
  const frame = JSON.stringify({ ...ORDER, attach: '' })
  return JSON.stringify({ ...ORDER, attach: 'x'.repeat(bytes - Buffer.byteLength(frame)) })
}

const AT_DOOR: readonly BadInput[] = [
  refusedAtDoor('an amount of zero', [400, 'invalid_request'], {
    body: { ...ORDER, amountFen: 0 },
  }),
  refusedAtDoor('an amount as text', [400, 'invalid_request'], {
    body: { ...ORDER, amountFen: '1000' },
  }),
  refusedAtDoor('a member nobody knows', [400, 'invalid_request'], {
    body: { ...ORDER, price: 1 },
  }),
  refusedAtDoor('half a character in the description', [400, 'invalid_request'], {
    body: { ...ORDER, description: 'a\ud800b' },
  }),
  refusedAtDoor('a body of 64 KiB that is too long a text', [400, 'invalid_request'], {
    body: jsonOfBytes(BODY_BYTES_MAX),
  }),
  refusedAtDoor('a body of 64 KiB and one byte', [413, 'body_too_large'], {
    body: jsonOfBytes(BODY_BYTES_MAX + 1),
  }),
  refusedAtDoor('a body that is no JSON', [400, 'malformed_body'], { body: '{"amountFen":' }),
  refusedAtDoor('XML in the place of JSON', [415, 'unsupported_media_type'], {
    body: '<xml/>',
    contentType: 'text/xml',
  }),
  refusedAtDoor('no Idempotency-Key', [400, 'idempotency_key_required'], {
    idempotencyKey: '',
  }),
  refusedAtDoor('no API key', [401, 'unauthorized'], { as: 'none' }),
  refusedAtDoor('an API key without the scope', [403, 'forbidden'], { as: 'reader' }),
  {
    what: 'an address nobody serves',
    status: 404,
    code: 'not_found',
    counter: httpCounter('GET', 'none', 404),
    log: 'answered',
    request: () => ({ call: 'GET /v1/nothing' }),
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
    { placing: 'refused' },
  ),
]

const OF_REFUNDS: readonly BadInput[] = [
  refusedRefund('a refund above what is left', [409, 'refund_exceeds_payment'], ({ paidId }) => ({
    paymentId: paidId,
    amountFen: 1_001,
  })),
  refusedRefund('a refund of an order not paid', [409, 'payment_not_paid'], ({ openId }) => ({
    paymentId: openId,
  })),
  refusedRefund('a refund of a closed order', [409, 'payment_not_paid'], ({ closedId }) => ({
    paymentId: closedId,
  })),
  refusedRefund('a refund of money that is held', [409, 'payment_held'], ({ heldId }) => ({
    paymentId: heldId,
  })),
  refusedRefund('a refund of another merchant’s payment', [404, 'not_found'], ({ foreignId }) => ({
    paymentId: foreignId,
  })),
  refusedRefund('a refund of a payment nobody knows', [404, 'not_found'], () => ({
    paymentId: NOBODY,
  })),
  refusedRefund('the 51st refund of a payment', [409, 'refund_count_reached'], ({ fiftyId }) => ({
    paymentId: fiftyId,
  })),
  refusedRefund(
    'a refund 366 days after the payment',
    [409, 'refund_too_old'],
    ({ paidId }) => ({ paymentId: paidId }),
    { daysLater: 366 },
  ),
]

const OTHER_KEY = 'f'.repeat(32)
const BOMB = '<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'

const OF_NOTIFICATIONS: readonly BadInput[] = [
  refusedNotification('that is not signed', 'unsigned', ({ signed }) =>
    signed({}).replace(/<sign>.*<[/]sign>/, ''),
  ),
  refusedNotification('signed with another key', 'bad_signature', ({ signed }) =>
    signed({}, OTHER_KEY),
  ),
  refusedNotification('changed after it was signed', 'bad_signature', ({ signed }) =>
    signed({}).replaceAll('1000', '9999'),
  ),
  refusedNotification('of another merchant', 'foreign_merchant', ({ signed }) =>
    signed({ mch_id: '1900000001' }),
  ),
  refusedNotification('of another appid', 'foreign_app', ({ signed }) =>
    signed({ appid: 'wx0000000000000000' }),
  ),
  refusedNotification('of an order nobody knows', 'unknown_number', ({ signed }) =>
    signed({ out_trade_no: 'NOTOURS123' }),
  ),
  refusedNotification('whose result_code is FAIL', 'not_success', ({ signed }) =>
    signed({ result_code: 'FAIL' }),
  ),
  refusedNotification('with an amount that is no integer', 'incomplete', ({ signed }) =>
    signed({ total_fee: '10.5' }),
  ),
  refusedNotification('with an element twice', 'malformed', ({ signed }) =>
    signed({}).replace('</xml>', '<total_fee>1</total_fee></xml>'),
  ),
  refusedNotification('with an entity bomb', 'malformed', ({ signed }) => BOMB + signed({})),
  refusedNotification('that names another charset', 'malformed', ({ signed }) => {
    return `<?xml version="1.0" encoding="GBK"?>${signed({})}`
  }),
  refusedNotification('that is cut off', 'malformed', ({ signed }) => signed({}).slice(0, 100)),
  {
    ...refusedNotification('of 64 KiB and one byte', 'too_large', () =>
      'x'.repeat(BODY_BYTES_MAX + 1),
    ),
    status: 413,
    log: 'notification not stored',
  },
]

export const BAD_INPUTS: readonly BadInput[] = [
  ...AT_DOOR,
  ...OF_PAYMENTS,
  ...OF_REFUNDS,
  ...OF_NOTIFICATIONS,
]

/** Codes that no input brings about by itself: what has to happen, told for each. */
export const NOT_BY_INPUT: Partial<Record<ErrorCode, string>> = {
  engine_unavailable: 'the engine is away',
  database_unavailable: 'the database is away',
  internal_error: 'a mistake of ours',
  channel_unavailable: 'WeChat Pay gives no clear answer',
  channel_silent: 'WeChat Pay gives no clear answer',
  account_unusable: 'the account is not set up',
}
