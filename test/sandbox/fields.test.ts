import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { newNo, V2Client } from './v2-client.js'
import type { Values } from './v2-client.js'

/** What each field of each call may hold, at its limit and one byte beyond. */

let sandbox: TestSandbox
let client: V2Client
let mchId: string
let paidNo: string

beforeAll(async () => {
  sandbox = await startTestSandbox()
  client = new V2Client(sandbox, sandbox.merchants[0])
  mchId = client.merchant.mchId
  paidNo = newNo()
  await client.order(paidNo)
  await sandbox.control.pay({ mchId, outTradeNo: paidNo })
  await client.refund(paidNo, newNo())
})

afterAll(async () => {
  await client.stop()
  await sandbox.stop()
})

type Call = 'unifiedorder' | 'orderquery' | 'closeorder' | 'refund' | 'refundquery'

const CALLS: Readonly<Record<Call, (values: Values) => Promise<Record<string, string>>>> = {
  unifiedorder: (values) => client.order(newNo(), values),
  orderquery: (values) => client.query(paidNo, values),
  closeorder: (values) => client.call('/pay/closeorder', { out_trade_no: newNo(), ...values }),
  refund: (values) => client.refund(paidNo, newNo(), { refund_fee: '1', ...values }),
  refundquery: (values) => client.refundQuery({ out_trade_no: paidNo, ...values }),
}

const URL_START = 'https://pay.example.com/'
const NATIVE = { trade_type: 'NATIVE', openid: '' }
const MWEB = { trade_type: 'MWEB', openid: '' }

/** Call, field, longest length in bytes, what it begins with, what else the call then needs. */
const LENGTHS: readonly (readonly [Call, string, number, string, Values])[] = [
  ['unifiedorder', 'body', 128, '', {}],
  ['unifiedorder', 'out_trade_no', 32, '', {}],
  ['unifiedorder', 'notify_url', 256, URL_START, {}],
  ['unifiedorder', 'openid', 128, '', {}],
  ['unifiedorder', 'product_id', 32, '', NATIVE],
  ['unifiedorder', 'scene_info', 256, '', MWEB],
  ['unifiedorder', 'device_info', 32, '', {}],
  ['unifiedorder', 'detail', 6_000, '', {}],
  ['unifiedorder', 'attach', 127, '', {}],
  ['unifiedorder', 'goods_tag', 32, '', {}],
  ['unifiedorder', 'nonce_str', 32, '', {}],
  ['orderquery', 'nonce_str', 32, '', {}],
  ['refund', 'out_refund_no', 64, '', {}],
  ['refund', 'refund_desc', 80, '', {}],
  ['refund', 'notify_url', 256, URL_START, {}],
  ['refund', 'op_user_id', 32, '', {}],
  ['refund', 'device_info', 32, '', {}],
  ['refund', 'detail', 6_000, '', {}],
  ['refund', 'nonce_str', 32, '', {}],
  ['refundquery', 'nonce_str', 32, '', {}],
]

describe('lengths', () => {
  test.each(LENGTHS)('%s: %s has %i bytes at most', async (call, name, bytesMax, start, more) => {
    const unique = `${start}${newNo()}`.slice(0, bytesMax)
    const longest = unique.padEnd(bytesMax, 'x')
    expect(await CALLS[call]({ ...more, [name]: longest })).toMatchObject({
      result_code: 'SUCCESS',
    })
    const refused = await CALLS[call]({ ...more, [name]: `${longest}x` })
    expect(refused).toMatchObject({ return_code: 'FAIL', err_code: 'PARAM_ERROR' })
    expect(refused['return_msg']).toContain(name)
    expect(refused).not.toHaveProperty('sign')
  })

  const NUMBERS: readonly (readonly [Call, string, number])[] = [
    ['orderquery', 'transaction_id', 32],
    ['orderquery', 'out_trade_no', 32],
    ['closeorder', 'out_trade_no', 32],
    ['refund', 'transaction_id', 32],
    ['refundquery', 'transaction_id', 32],
    ['refundquery', 'refund_id', 32],
    ['refundquery', 'out_refund_no', 64],
  ]
  test.each(NUMBERS)('%s: a %s of %i bytes is looked for', async (call, name, bytesMax) => {
    const unknown = await CALLS[call]({ [name]: '4'.repeat(bytesMax) })
    expect(unknown['err_code']).toMatch(/^(ORDERNOTEXIST|INVALID_TRANSACTIONID|REFUNDNOTEXIST)$/)
    const refused = await CALLS[call]({ [name]: '4'.repeat(bytesMax + 1) })
    expect(refused).toMatchObject({ return_code: 'FAIL', err_code: 'PARAM_ERROR' })
  })
})

describe('missing', () => {
  const MISSING: readonly (readonly [Call, string, Values])[] = [
    ['unifiedorder', 'appid', {}],
    ['unifiedorder', 'mch_id', {}],
    ['unifiedorder', 'body', {}],
    ['unifiedorder', 'out_trade_no', {}],
    ['unifiedorder', 'total_fee', {}],
    ['unifiedorder', 'spbill_create_ip', {}],
    ['unifiedorder', 'notify_url', {}],
    ['unifiedorder', 'trade_type', {}],
    ['unifiedorder', 'openid', {}],
    ['unifiedorder', 'product_id', NATIVE],
    ['unifiedorder', 'scene_info', MWEB],
    ['orderquery', 'out_trade_no', {}],
    ['orderquery', 'appid', {}],
    ['closeorder', 'out_trade_no', {}],
    ['refund', 'out_trade_no', {}],
    ['refund', 'out_refund_no', {}],
    ['refund', 'total_fee', {}],
    ['refund', 'refund_fee', {}],
    ['refund', 'nonce_str', {}],
    ['refundquery', 'out_trade_no', {}],
    ['refundquery', 'nonce_str', {}],
  ]
  test.each(MISSING)('%s: without %s is LACK_PARAMS', async (call, name, more) => {
    const refused = await CALLS[call]({ ...more, [name]: '' })
    expect(refused).toMatchObject({ return_code: 'FAIL', err_code: 'LACK_PARAMS' })
    expect(refused['return_msg']).toContain(name)
  })
})

describe('malformed', () => {
  const MALFORMED: readonly (readonly [Call, string, string])[] = [
    ['unifiedorder', 'out_trade_no', 'abcde'],
    ['unifiedorder', 'out_trade_no', 'with@sign'],
    ['unifiedorder', 'out_trade_no', '订单号码'],
    ['unifiedorder', 'total_fee', '1E2'],
    ['unifiedorder', 'trade_type', 'jsapi'],
    ['unifiedorder', 'time_start', '2026-01-01'],
    ['unifiedorder', 'time_start', '20260230000000'],
    ['unifiedorder', 'limit_pay', 'no_debit'],
    ['unifiedorder', 'receipt', 'N'],
    ['unifiedorder', 'profit_sharing', 'yes'],
    ['unifiedorder', 'version', '2.0'],
    ['unifiedorder', 'sign_type', 'hmac-sha256'],
    ['refund', 'out_refund_no', 'with space'],
    ['refund', 'refund_fee', '0'],
    ['refund', 'refund_fee', '1.00'],
    ['refund', 'refund_fee', '-1'],
    ['refund', 'total_fee', '1000.0'],
    ['refund', 'refund_fee_type', 'USD'],
    ['refund', 'refund_account', 'MY_POCKET'],
    ['refund', 'notify_url', 'https://pay.example.com/?a=1'],
    ['refundquery', 'offset', '-1'],
    ['refundquery', 'offset', '60'],
    ['closeorder', 'out_trade_no', 'a b c d e f'],
  ]
  test.each(MALFORMED)('%s: %s "%s" is PARAM_ERROR', async (call, name, value) => {
    const refused = await CALLS[call]({ [name]: value })
    expect(refused).toMatchObject({ return_code: 'FAIL', err_code: 'PARAM_ERROR' })
  })
})

describe('the same again', () => {
  const CHANGES: readonly (readonly [string, string])[] = [
    ['total_fee', '1001'],
    ['body', '源路-梨'],
    ['attach', 'more'],
    ['openid', 'oOtherBuyer'],
    ['notify_url', 'http://127.0.0.1:9/other'],
    ['spbill_create_ip', '127.0.0.2'],
    ['trade_type', 'APP'],
  ]
  test.each(CHANGES)('unifiedorder: with another %s is OUT_TRADE_NO_USED', async (name, value) => {
    const outTradeNo = newNo()
    const first = await client.order(outTradeNo)
    const other = await client.order(outTradeNo, { [name]: value })
    expect(other).toMatchObject({ result_code: 'FAIL', err_code: 'OUT_TRADE_NO_USED' })
    const again = await client.order(outTradeNo)
    expect(again['prepay_id']).toBe(first['prepay_id'])
  })

  test('unifiedorder: another kind of signature is not another order', async () => {
    const outTradeNo = newNo()
    const first = await client.order(outTradeNo)
    const again = await client.order(outTradeNo, { sign_type: 'HMAC-SHA256' })
    expect(again['prepay_id']).toBe(first['prepay_id'])
  })

  test('refund: gives the same answer by either number, also after it has ended', async () => {
    const outRefundNo = newNo()
    const first = await client.refund(paidNo, outRefundNo, { refund_fee: '7' })
    await sandbox.control.advance(60_000)
    const transaction = { transaction_id: first['transaction_id'] ?? '' }
    for (const more of [{}, transaction, { ...transaction, out_trade_no: '' }]) {
      const again = await client.refund(paidNo, outRefundNo, { refund_fee: '7', ...more })
      const { nonce_str: _nonce, sign: _sign, ...same } = first
      expect(again).toMatchObject(same)
    }
    const other = await client.refund(paidNo, outRefundNo, { refund_fee: '8' })
    expect(other).toMatchObject({ result_code: 'FAIL', err_code: 'REFUND_FEE_MISMATCH' })
  })

  test('refund: the total of another order is refused', async () => {
    const refused = await client.refund(paidNo, newNo(), { total_fee: '1001' })
    expect(refused).toMatchObject({ result_code: 'FAIL', err_code: 'INVALID_REQUEST' })
  })
})

test('refundquery: of several numbers the most exact one wins', async () => {
  const outTradeNo = newNo()
  await client.order(outTradeNo)
  await sandbox.control.pay({ mchId, outTradeNo })
  const [first, second] = [newNo(), newNo()]
  const one = await client.refund(outTradeNo, first)
  const two = await client.refund(outTradeNo, second)
  const byOrder = { out_trade_no: outTradeNo }
  const byTransaction = { ...byOrder, transaction_id: one['transaction_id'] ?? '' }
  expect(await client.refundQuery({ ...byTransaction, out_trade_no: paidNo })).toMatchObject({
    out_trade_no: outTradeNo,
    refund_count: '2',
    out_refund_no_0: first,
    out_refund_no_1: second,
  })
  const byRefundNo = { ...byTransaction, out_refund_no: second }
  expect(await client.refundQuery(byRefundNo)).toMatchObject({
    refund_count: '1',
    refund_id_0: two['refund_id'],
  })
  const byRefundId = { ...byRefundNo, refund_id: one['refund_id'] ?? '' }
  expect(await client.refundQuery(byRefundId)).toMatchObject({
    refund_count: '1',
    out_refund_no_0: first,
  })
})
