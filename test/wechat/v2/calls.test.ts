import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { isSigned } from '../../../src/sandbox/sign.js'
import { readFlatXml } from '../../../src/sandbox/xml.js'
import type { Exchange } from '../../../src/wechat/client.js'
import { closeOrderFields, readCloseOrder } from '../../../src/wechat/v2/close-order.js'
import { orderQueryFields, readOrderQuery } from '../../../src/wechat/v2/order-query.js'
import { readRefund, refundFields } from '../../../src/wechat/v2/refund.js'
import { readRefundQuery, refundQueryFields } from '../../../src/wechat/v2/refund-query.js'
import { writeRequest } from '../../../src/wechat/v2/request.js'
import { readUnifiedOrder, unifiedOrderFields } from '../../../src/wechat/v2/unified-order.js'
import { readFixture } from '../support/fixtures.js'
import {
  answerOf,
  API_KEY,
  APP_ID,
  MCH_ID,
  MERCHANT,
  PAID,
  signedAnswer,
  signedXml,
} from '../support/messages.js'
import type { Message } from '../support/messages.js'

const ORDER = { appId: APP_ID, outTradeNo: 'T20260101000001' }
const REFUND = {
  ...ORDER,
  outRefundNo: 'R20260101000001',
  totalFee: 1000,
  refundFee: 250,
  reason: '商品缺货',
  notifyUrl: 'https://pay.example.com/notify/t/refund',
  opUserId: MCH_ID,
}
const UNIFIED = {
  ...ORDER,
  body: '原路-水果 & <茶>]]>',
  totalFee: 1000,
  payerIp: '203.0.113.7',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  notifyUrl: 'https://pay.example.com/notify/t/payment',
  timeStart: '20260101120000',
  timeExpire: '20260101123000',
}

describe('Requests of V2', () => {
  test.each([
    ['unifiedorder', unifiedOrderFields(UNIFIED)],
    ['orderquery', orderQueryFields(ORDER)],
    ['closeorder', closeOrderFields(ORDER)],
    ['refund', refundFields(REFUND)],
    ['refundquery', refundQueryFields(REFUND)],
  ])('%s: other code reads it and finds it signed', (_, fields) => {
    for (const signType of ['MD5', 'HMAC-SHA256'] as const) {
      const document = writeRequest(fields, { ...MERCHANT, signType }, 'nonce')
      const read = Object.fromEntries(readFlatXml(document))
      expect(read).toMatchObject({ mch_id: MCH_ID, nonce_str: 'nonce', sign_type: signType })
      expect(isSigned(read, API_KEY, signType)).toBe(true)
    }
  })

  test('unifiedorder: sends what the documentation asks for, and no empty field', () => {
    const read = readFlatXml(writeRequest(unifiedOrderFields(UNIFIED), MERCHANT, 'n'))
    expect(Object.fromEntries(read)).toEqual({
      appid: APP_ID,
      mch_id: MCH_ID,
      nonce_str: 'n',
      sign: expect.stringMatching(/^[0-9A-F]{64}$/),
      sign_type: 'HMAC-SHA256',
      body: UNIFIED.body,
      out_trade_no: UNIFIED.outTradeNo,
      fee_type: 'CNY',
      total_fee: '1000',
      spbill_create_ip: '203.0.113.7',
      time_start: '20260101120000',
      time_expire: '20260101123000',
      notify_url: UNIFIED.notifyUrl,
      trade_type: 'JSAPI',
      openid: UNIFIED.openid,
    })
  })

  test('unifiedorder: the body is cut to 127 bytes, without half a character', () => {
    const fields = unifiedOrderFields({ ...UNIFIED, body: '茶'.repeat(50) })
    expect(fields.body).toBe('茶'.repeat(42))
  })

  test('refund: the reason is cut to 80 bytes, without half a character', () => {
    const fields = refundFields({ ...REFUND, reason: '退'.repeat(50) })
    expect(fields.refund_desc).toBe('退'.repeat(26))
    expect(fields).toMatchObject({ total_fee: '1000', refund_fee: '250', op_user_id: MCH_ID })
  })

  test('any call: what XML cannot hold is dropped before it is signed', () => {
    const order = { ...UNIFIED, body: 'a\u0000b\r\nc\uD800', attach: '\u0001' }
    const read = Object.fromEntries(
      readFlatXml(writeRequest(unifiedOrderFields(order), MERCHANT, 'n')),
    )
    expect(read.body).toBe('ab\nc\uFFFD')
    expect(read).not.toHaveProperty('attach')
    expect(isSigned(read, API_KEY, 'HMAC-SHA256')).toBe(true)
  })
})

const PLACED: Message = { trade_type: 'JSAPI', prepay_id: 'wx201410272009395522657a690389285100' }

const NO_ANSWERS: readonly (readonly [what: string, exchange: Exchange, expected: object])[] = [
  [
    'silence',
    { kind: 'failure', code: 'answer_timeout', message: 'no answer', sent: true },
    { code: 'answer_timeout', retry: 'soon' },
  ],
  ['status 500', answerOf(signedXml(PLACED), 500), { code: 'http_500', retry: 'soon' }],
  ['status 502', answerOf('', 502), { code: 'http_502', retry: 'soon' }],
  ['status 429', answerOf(signedXml(PLACED), 429), { code: 'http_429', retry: 'later' }],
  ['a redirect', answerOf('', 302), { code: 'http_302', retry: 'later' }],
  [
    'an HTML page',
    answerOf(readFixture('php_invalid.normal_404.sample.html').toString()),
    { code: 'not_xml' },
  ],
  ['an empty body', answerOf(''), { code: 'not_xml' }],
  ['a document type', answerOf(`<!DOCTYPE xml>${signedXml(PLACED)}`), { code: 'not_xml' }],
  [
    'return_code FAIL',
    answerOf('<xml><return_code>FAIL</return_code><return_msg>签名失败</return_msg></xml>'),
    { code: 'return_code_fail', message: '签名失败' },
  ],
  ['no return_code', answerOf('<xml/>'), { code: 'return_code_fail' }],
  ['another key', signedAnswer(PLACED, { apiKey: 'x'.repeat(32) }), { code: 'bad_signature' }],
  [
    'no signature',
    answerOf('<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code></xml>'),
    { code: 'bad_signature' },
  ],
  [
    'a business error that is not signed',
    answerOf(
      '<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code>' +
        '<err_code>TRADE_OVERDUE</err_code></xml>',
    ),
    { code: 'bad_signature' },
  ],
  ['another merchant', signedAnswer({ ...PLACED, mch_id: '999' }), { code: 'foreign_answer' }],
  ['another appid', signedAnswer({ ...PLACED, appid: 'wx0' }), { code: 'foreign_answer' }],
  ['no result_code', signedAnswer({ result_code: '' }), { code: 'incomplete_answer' }],
  [
    'a failure without a code',
    signedAnswer({ result_code: 'FAIL' }),
    { code: 'incomplete_answer' },
  ],
]

describe('Answers of V2 that prove nothing', () => {
  test.each(NO_ANSWERS)('every call: %s is unknown', (_, exchange, expected) => {
    const unknown = { kind: 'unknown', ...expected }
    expect(readUnifiedOrder(exchange, ORDER, MERCHANT)).toMatchObject(unknown)
    expect(readOrderQuery(exchange, ORDER, MERCHANT)).toMatchObject(unknown)
    expect(readCloseOrder(exchange, ORDER, MERCHANT)).toMatchObject(unknown)
    expect(readRefund(exchange, REFUND, MERCHANT)).toMatchObject(unknown)
    expect(readRefundQuery(exchange, REFUND, MERCHANT)).toMatchObject(unknown)
  })

  test('every call: of an answer that ends too early nothing is believed', () => {
    const whole = signedXml({ ...ACCEPTED, ...PLACED })
    fc.assert(
      fc.property(fc.nat({ max: Buffer.byteLength(whole) - 1 }), (length) => {
        const body = Buffer.from(whole).subarray(0, length)
        const exchange = { kind: 'answer', status: 200, body } as const
        expect(readUnifiedOrder(exchange, ORDER, MERCHANT).kind).toBe('unknown')
        expect(readRefund(exchange, REFUND, MERCHANT).kind).toBe('unknown')
      }),
    )
  })

  test('every call: an answer with one character changed is not believed', () => {
    const failure = { result_code: 'FAIL', err_code: 'TRADE_OVERDUE', err_code_des: '' }
    const whole = Buffer.from(signedXml(failure))
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const body = Buffer.from(whole)
        body[at] = (body[at] ?? 0) ^ by
        const result = readRefund({ kind: 'answer', status: 200, body }, REFUND, MERCHANT)
        // What is not signed (return_msg's tags, blanks) may change; the meaning may not.
        if (result.kind !== 'unknown') expect(result).toMatchObject({ code: 'TRADE_OVERDUE' })
      }),
    )
  })

  test('every call: the channel’s text is cut to 256 characters', () => {
    const document = `<xml><return_msg>${'错'.repeat(300)}</return_msg></xml>`
    const result = readCloseOrder(answerOf(document), ORDER, MERCHANT)
    expect(result).toMatchObject({ message: '错'.repeat(256) })
  })
})

describe('unifiedorder', () => {
  test.each(['MD5', 'HMAC-SHA256'] as const)('a placed order, signed with %s', (signType) => {
    expect(readUnifiedOrder(signedAnswer(PLACED, { signType }), ORDER, MERCHANT)).toEqual({
      kind: 'placed',
      prepayId: PLACED.prepay_id,
    })
  })

  test('an answer without prepay_id is unknown', () => {
    expect(readUnifiedOrder(signedAnswer({}), ORDER, MERCHANT)).toMatchObject({
      kind: 'unknown',
      code: 'incomplete_answer',
    })
  })
})

type Unusable = readonly [what: string, message: Message, code: string]

describe('orderquery', () => {
  const query = (message: Message) => readOrderQuery(signedAnswer(message), ORDER, MERCHANT)

  test.each([
    ['NOTPAY', 'not_paid'],
    ['USERPAYING', 'paying'],
    ['ACCEPT', 'paying'],
    ['CLOSED', 'closed'],
    ['REVOKED', 'closed'],
    ['PAYERROR', 'pay_error'],
  ])('trade state %s is %s', (trade_state, kind) => {
    expect(query({ trade_state, out_trade_no: ORDER.outTradeNo })).toEqual({ kind })
  })

  test.each(['SUCCESS', 'REFUND'])('trade state %s is a paid order', (trade_state) => {
    expect(query({ ...PAID, trade_state })).toEqual({
      kind: 'paid',
      hasRefunds: trade_state === 'REFUND',
      transaction: {
        appId: APP_ID,
        mchId: MCH_ID,
        outTradeNo: ORDER.outTradeNo,
        transactionId: PAID.transaction_id,
        feeType: 'CNY',
        totalFee: 1000,
        cashFee: 900,
        settlementTotalFee: 950,
        paidAt: '2026-01-01T04:00:00.000Z',
      },
    })
  })

  const paid: Message = { ...PAID, trade_state: 'SUCCESS' }
  const lacking = ['total_fee', 'transaction_id', 'time_end'].map((name): Unusable => {
    return [`no ${name}`, { ...paid, [name]: '' }, 'incomplete_answer']
  })
  const amounts = ['1.5', '-1', '1e3', '0x10', ' 1', '01', '+1', '9999999999999999']
  const malformed = amounts.map((fee): Unusable => {
    return [`the amount "${fee}"`, { ...paid, total_fee: fee }, 'incomplete_answer']
  })

  test.each<Unusable>([
    ['a state that nobody knows', { ...PAID, trade_state: 'NEW' }, 'NEW'],
    ['no state', PAID, 'incomplete_answer'],
    ['another order', { ...paid, out_trade_no: 'X' }, 'foreign_answer'],
    ['a malformed optional amount', { ...paid, settlement_total_fee: '9.5' }, 'incomplete_answer'],
    ...lacking,
    ...malformed,
  ])('orderquery unknown: %s', (_, message, code) => {
    expect(query(message)).toMatchObject({ kind: 'unknown', code })
  })

  test('amounts that may be absent stand for the total', () => {
    const message = { ...PAID, trade_state: 'SUCCESS', cash_fee: '', settlement_total_fee: '' }
    expect(query(message)).toMatchObject({
      transaction: { totalFee: 1000, cashFee: 1000, settlementTotalFee: 1000 },
    })
  })
})

describe('closeorder', () => {
  test('a success closes', () => {
    expect(readCloseOrder(signedAnswer({}), ORDER, MERCHANT)).toEqual({ kind: 'closed' })
  })
})

const ACCEPTED: Message = {
  out_trade_no: REFUND.outTradeNo,
  out_refund_no: REFUND.outRefundNo,
  refund_id: '50000404922017112502468056157',
  transaction_id: '4200000015201711256947025404',
  total_fee: '1000',
  refund_fee: '250',
  settlement_refund_fee: '240',
}

describe('refund', () => {
  const submit = (message: Message) => readRefund(signedAnswer(message), REFUND, MERCHANT)

  test('a success is accepted, with what the merchant is debited', () => {
    expect(submit(ACCEPTED)).toEqual({
      kind: 'accepted',
      refundId: ACCEPTED.refund_id,
      refundFee: 250,
      settlementRefundFee: 240,
    })
    expect(submit({ ...ACCEPTED, settlement_refund_fee: '' })).toMatchObject({
      settlementRefundFee: 250,
    })
  })

  test('a success of another amount is told as it is', () => {
    expect(submit({ ...ACCEPTED, refund_fee: '251' })).toMatchObject({
      kind: 'accepted',
      refundFee: 251,
    })
  })

  test.each([
    ['no refund_id', { refund_id: '' }, 'incomplete_answer'],
    ['no amount', { refund_fee: '' }, 'incomplete_answer'],
    ['another order', { out_trade_no: 'X' }, 'foreign_answer'],
    ['another refund', { out_refund_no: 'X' }, 'foreign_answer'],
  ])('refund unknown: %s', (_, change: Message, code) => {
    expect(submit({ ...ACCEPTED, ...change })).toMatchObject({ kind: 'unknown', code })
  })
})

const LISTED: Message = {
  out_trade_no: REFUND.outTradeNo,
  transaction_id: '4200000015201711256947025404',
  refund_count: '2',
  out_refund_no_0: 'R0',
  refund_id_0: '50000000',
  refund_fee_0: '100',
  refund_status_0: 'PROCESSING',
  out_refund_no_1: REFUND.outRefundNo,
  refund_id_1: '50000001',
  refund_fee_1: '250',
  settlement_refund_fee_1: '240',
  refund_status_1: 'SUCCESS',
  refund_success_time_1: '2026-01-02 08:30:00',
}

describe('refundquery', () => {
  const query = (message: Message) => readRefundQuery(signedAnswer(message), REFUND, MERCHANT)

  test('our refund is found among those of the order', () => {
    expect(query(LISTED)).toEqual({
      kind: 'refund',
      refund: {
        status: 'success',
        outTradeNo: REFUND.outTradeNo,
        outRefundNo: REFUND.outRefundNo,
        refundId: '50000001',
        refundFee: 250,
        settlementRefundFee: 240,
        successAt: '2026-01-02T00:30:00.000Z',
      },
    })
  })

  test.each([
    ['SUCCESS', 'success'],
    ['PROCESSING', 'processing'],
    ['REFUNDCLOSE', 'closed'],
    ['CHANGE', 'abnormal'],
    ['FAIL', 'abnormal'],
  ])('refund status %s is %s', (refund_status_1, status) => {
    expect(query({ ...LISTED, refund_status_1 })).toMatchObject({ refund: { status } })
  })

  test.each([
    ['a status that decides nothing', { refund_status_1: 'NOTSURE' }, 'NOTSURE'],
    ['a status that nobody knows', { refund_status_1: 'NEW' }, 'NEW'],
    ['no status', { refund_status_1: '' }, 'incomplete_answer'],
    ['our refund not listed', { out_refund_no_1: 'X' }, 'incomplete_answer'],
    ['no refund_id', { refund_id_1: '' }, 'incomplete_answer'],
    ['an amount that is none', { refund_fee_1: '2.5' }, 'incomplete_answer'],
    ['a total that is none', { total_fee: '10.00' }, 'incomplete_answer'],
    ['another order', { out_trade_no: 'X' }, 'foreign_answer'],
  ])('refundquery unknown: %s', (_, change: Message, code) => {
    expect(query({ ...LISTED, ...change })).toMatchObject({ kind: 'unknown', code })
  })

  test.each([['1000'], ['1']])("the order's total is told as it is: %s", (total_fee) => {
    expect(query({ ...LISTED, total_fee })).toMatchObject({
      refund: { totalFee: Number(total_fee), refundFee: 250 },
    })
  })

  test('a success without its time is still a success', () => {
    const result = query({ ...LISTED, refund_success_time_1: '' })
    expect(result).toMatchObject({ kind: 'refund', refund: { status: 'success' } })
    expect(result).not.toHaveProperty('refund.successAt')
  })
})
