import { once } from 'node:events'
import { connect } from 'node:net'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { fromXml, newNo, signByHand, toXml, V2Client } from './v2-client.js'
import type { Values } from './v2-client.js'

const DAY_MS = 24 * 60 * 60 * 1000

let sandbox: TestSandbox
let client: V2Client
let mchId: string

beforeAll(async () => {
  sandbox = await startTestSandbox()
  client = new V2Client(sandbox, sandbox.merchants[0])
  mchId = client.merchant.mchId
})

afterAll(async () => {
  await client.stop()
  await sandbox.stop()
})

async function paidOrder(): Promise<string> {
  const outTradeNo = newNo()
  await client.order(outTradeNo)
  await sandbox.control.pay({ mchId, outTradeNo })
  return outTradeNo
}

describe('unifiedorder', () => {
  test('unifiedorder: answers signed by the sign_type of the request', async () => {
    for (const [signType, length] of [
      ['MD5', 32],
      ['HMAC-SHA256', 64],
    ] as const) {
      const answer = await client.order(newNo(), { sign_type: signType })
      expect(answer).toMatchObject({ return_code: 'SUCCESS', result_code: 'SUCCESS' })
      expect(answer['prepay_id']).toMatch(/^wx\d{14}[0-9a-f]{20}$/)
      expect(answer['sign']).toHaveLength(length)
      const expected = signByHand(answer, client.merchant.apiV2Key, signType)
      expect(answer['sign']).toBe(expected)
    }
  })

  test('unifiedorder: same number and parameters answer with the same prepay_id', async () => {
    const outTradeNo = newNo()
    const first = await client.order(outTradeNo)
    const again = await client.order(outTradeNo)
    expect(again['prepay_id']).toBe(first['prepay_id'])
    const other = await client.order(outTradeNo, { total_fee: '1001' })
    expect(other).toMatchObject({ result_code: 'FAIL', err_code: 'OUT_TRADE_NO_USED' })
  })

  test('unifiedorder: after two hours gives a new prepay_id for the same order', async () => {
    const outTradeNo = newNo()
    const first = await client.order(outTradeNo)
    await sandbox.control.advance(2 * 60 * 60 * 1000)
    const again = await client.order(outTradeNo)
    expect(again['result_code']).toBe('SUCCESS')
    expect(again['prepay_id']).not.toBe(first['prepay_id'])
  })

  test('unifiedorder: refuses a number that is paid or closed', async () => {
    expect(await client.order(await paidOrder())).toMatchObject({ err_code: 'ORDERPAID' })
    const outTradeNo = newNo()
    await client.order(outTradeNo)
    await client.close(outTradeNo)
    expect(await client.order(outTradeNo)).toMatchObject({ err_code: 'ORDERCLOSED' })
  })

  const BAD_FIELDS: readonly (readonly [string, string, string])[] = [
    ['total_fee', '0', 'PARAM_ERROR'],
    ['total_fee', '-1', 'PARAM_ERROR'],
    ['total_fee', '1.5', 'PARAM_ERROR'],
    ['total_fee', '0100', 'PARAM_ERROR'],
    ['total_fee', '99999999999', 'PARAM_ERROR'],
    ['total_fee', '', 'LACK_PARAMS'],
    ['body', '', 'LACK_PARAMS'],
    ['body', '长'.repeat(43), 'PARAM_ERROR'],
    ['openid', '', 'LACK_PARAMS'],
    ['out_trade_no', 'short', 'PARAM_ERROR'],
    ['out_trade_no', 'with space in it', 'PARAM_ERROR'],
    ['out_trade_no', 'x'.repeat(33), 'PARAM_ERROR'],
    ['notify_url', 'http://127.0.0.1/n?a=1', 'PARAM_ERROR'],
    ['notify_url', 'ftp://127.0.0.1/n', 'PARAM_ERROR'],
    ['notify_url', 'notify', 'PARAM_ERROR'],
    ['spbill_create_ip', '300.1.1.1', 'PARAM_ERROR'],
    ['trade_type', 'CASH', 'PARAM_ERROR'],
    ['fee_type', 'USD', 'PARAM_ERROR'],
    ['attach', 'a'.repeat(128), 'PARAM_ERROR'],
    ['time_expire', '20261331000000', 'PARAM_ERROR'],
    ['nonce_str', '', 'LACK_PARAMS'],
    ['sign_type', 'SHA1', 'PARAM_ERROR'],
  ]
  test.each(BAD_FIELDS)('unifiedorder: %s "%s" is %s', async (name, value, code) => {
    expect(await client.order(newNo(), { [name]: value })).toMatchObject({
      return_code: 'FAIL',
      err_code: code,
    })
  })

  test('unifiedorder: past its time_expire an order is neither placed nor paid', async () => {
    const outTradeNo = newNo()
    const times = { time_start: '20260101120000', time_expire: '20260101123000' }
    expect(await client.order(outTradeNo, times)).toMatchObject({ result_code: 'SUCCESS' })
    await sandbox.control.advance(30 * 60 * 1000)
    expect(await client.order(outTradeNo, times)).toMatchObject({ err_code: 'INVALID_REQUEST' })
    const late = await sandbox.control.raw(
      'POST',
      '/_control/pay',
      JSON.stringify({ mchId, outTradeNo }),
    )
    expect(late).toMatchObject({ status: 409, body: { error: { code: 'ORDEREXPIRED' } } })
    expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'NOTPAY' })
  })
})

describe('orderquery and closeorder', () => {
  test('orderquery: unpaid, paid by either number, closed, unknown', async () => {
    const outTradeNo = newNo()
    await client.order(outTradeNo, { attach: 'from the shop' })
    const unpaid = await client.query(outTradeNo)
    expect(unpaid).toMatchObject({ trade_state: 'NOTPAY', out_trade_no: outTradeNo })
    expect(unpaid).not.toHaveProperty('transaction_id')
    const paid = await sandbox.control.pay({ mchId, outTradeNo })
    const expected = {
      trade_state: 'SUCCESS',
      total_fee: '1000',
      cash_fee: '1000',
      attach: 'from the shop',
      openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
    }
    expect(await client.query(outTradeNo)).toMatchObject(expected)
    const transactionId = paid.transactionId ?? ''
    expect(transactionId).toMatch(/^42\d{26}$/)
    expect(await client.query('', { transaction_id: transactionId })).toMatchObject(expected)
    const wrong = { transaction_id: '4200000000000000000000000000' }
    expect(await client.query(outTradeNo, wrong)).toMatchObject({
      err_code: 'INVALID_TRANSACTIONID',
    })
    expect(await client.query(newNo())).toMatchObject({ err_code: 'ORDERNOTEXIST' })
    expect(await client.query('')).toMatchObject({ err_code: 'LACK_PARAMS' })
  })

  test('orderquery: another merchant does not find the order', async () => {
    const outTradeNo = await paidOrder()
    const other = new V2Client(sandbox, sandbox.merchants[1])
    expect(await other.query(outTradeNo)).toMatchObject({ err_code: 'ORDERNOTEXIST' })
    await other.stop()
  })

  test('orderquery: an order nobody paid is closed after seven days', async () => {
    const outTradeNo = newNo()
    await client.order(outTradeNo)
    await sandbox.control.advance(7 * DAY_MS)
    expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'CLOSED' })
  })

  test('closeorder: closes twice, refuses a paid one and an unknown one', async () => {
    const outTradeNo = newNo()
    await client.order(outTradeNo)
    expect(await client.close(outTradeNo)).toMatchObject({ result_code: 'SUCCESS' })
    expect(await client.close(outTradeNo)).toMatchObject({ result_code: 'SUCCESS' })
    expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'CLOSED' })
    expect(await client.close(await paidOrder())).toMatchObject({ err_code: 'ORDERPAID' })
    expect(await client.close(newNo())).toMatchObject({ err_code: 'ORDERNOTEXIST' })
  })

  test('a payment that failed can be repeated', async () => {
    const outTradeNo = newNo()
    await client.order(outTradeNo)
    await sandbox.control.pay({ mchId, outTradeNo, result: 'PAYERROR' })
    expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'PAYERROR' })
    const paid = await sandbox.control.pay({ mchId, outTradeNo })
    expect(paid.tradeState).toBe('SUCCESS')
  })
})

describe('refund and refundquery', () => {
  test('refund: is accepted, then succeeds after a minute of the sandbox', async () => {
    const outTradeNo = await paidOrder()
    const outRefundNo = newNo()
    const accepted = await client.refund(outTradeNo, outRefundNo)
    expect(accepted).toMatchObject({ result_code: 'SUCCESS', refund_fee: '100', total_fee: '1000' })
    const query = { out_refund_no: outRefundNo }
    expect(await client.refundQuery(query)).toMatchObject({ refund_status_0: 'PROCESSING' })
    await sandbox.control.advance(60_000)
    const done = await client.refundQuery(query)
    expect(done).toMatchObject({ refund_status_0: 'SUCCESS', refund_fee_0: '100' })
    expect(done['refund_success_time_0']).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
    expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'REFUND' })
  })

  test('refund: the same number gives the same refund, and refuses another amount', async () => {
    const outTradeNo = await paidOrder()
    const outRefundNo = newNo()
    const first = await client.refund(outTradeNo, outRefundNo)
    const again = await client.refund(outTradeNo, outRefundNo)
    expect(again['refund_id']).toBe(first['refund_id'])
    const other = await client.refund(outTradeNo, outRefundNo, { refund_fee: '101' })
    expect(other).toMatchObject({ result_code: 'FAIL', err_code: 'REFUND_FEE_MISMATCH' })
    const elsewhere = await client.refund(await paidOrder(), outRefundNo)
    expect(elsewhere).toMatchObject({ err_code: 'INVALID_REQUEST' })
    const { refunds } = await sandbox.control.book({ mchId })
    expect(refunds.filter((one) => one.outRefundNo === outRefundNo)).toHaveLength(1)
    const log = await sandbox.control.log({ outRefundNo, outTradeNo, call: 'refund' })
    const answers = log.map(({ answered }) => answered)
    expect(answers).toEqual(['SUCCESS', 'SUCCESS', 'REFUND_FEE_MISMATCH'])
  })

  test('refund: never gives back more than was paid', async () => {
    const outTradeNo = await paidOrder()
    const refund = (fee: string) => client.refund(outTradeNo, newNo(), { refund_fee: fee })
    expect(await refund('1001')).toMatchObject({
      return_code: 'FAIL',
      return_msg: 'invalid refund_fee',
    })
    expect(await refund('600')).toMatchObject({ result_code: 'SUCCESS' })
    expect(await refund('401')).toMatchObject({ result_code: 'FAIL', err_code: 'ERROR' })
    expect(await refund('400')).toMatchObject({ result_code: 'SUCCESS' })
    expect(await refund('1')).toMatchObject({ result_code: 'FAIL', err_code: 'ERROR' })
  })

  test('refund: fifty at most, and queried by order in pages of ten', async () => {
    const outTradeNo = await paidOrder()
    for (let count = 0; count < 50; count += 1) {
      const accepted = await client.refund(outTradeNo, newNo(), { refund_fee: '1' })
      expect(accepted['result_code']).toBe('SUCCESS')
    }
    const refused = await client.refund(outTradeNo, newNo(), { refund_fee: '1' })
    expect(refused).toMatchObject({ err_code: 'ERROR' })
    const page = await client.refundQuery({ out_trade_no: outTradeNo, offset: '45' })
    expect(page).toMatchObject({ refund_count: '5', total_refund_count: '50' })
    expect(await client.refundQuery({ out_trade_no: outTradeNo })).toMatchObject({
      refund_count: '10',
    })
  })

  test('refund: refused when unpaid, unknown, of another total, without balance', async () => {
    const outTradeNo = newNo()
    await client.order(outTradeNo)
    expect(await client.refund(outTradeNo, newNo())).toMatchObject({ err_code: 'ORDERNOTEXIST' })
    expect(await client.refund(newNo(), newNo())).toMatchObject({ err_code: 'ORDERNOTEXIST' })
    const paid = await paidOrder()
    const other = await client.refund(paid, newNo(), { total_fee: '999' })
    expect(other).toMatchObject({ err_code: 'INVALID_REQUEST' })
    await sandbox.control.setBalance(mchId, 99)
    expect(await client.refund(paid, newNo())).toMatchObject({ err_code: 'NOTENOUGH' })
    await sandbox.control.setBalance(mchId, 1_000_000)
    expect(await client.refund(paid, newNo())).toMatchObject({ result_code: 'SUCCESS' })
  })

  test('refund: refused a year after the payment', async () => {
    const outTradeNo = await paidOrder()
    await sandbox.control.advance(365 * DAY_MS)
    await sandbox.control.advance(1)
    expect(await client.refund(outTradeNo, newNo())).toMatchObject({ err_code: 'TRADE_OVERDUE' })
  })

  test('refundquery: an unknown refund does not exist', async () => {
    const outTradeNo = await paidOrder()
    const unknown = { err_code: 'REFUNDNOTEXIST' }
    expect(await client.refundQuery({ out_refund_no: newNo() })).toMatchObject(unknown)
    expect(await client.refundQuery({ out_trade_no: outTradeNo })).toMatchObject(unknown)
    expect(await client.refundQuery({ refund_id: '50300000' })).toMatchObject(unknown)
  })
})

describe('what is not a request', () => {
  const base = '<xml><appid>a</appid></xml>'
  const RUBBISH: readonly (readonly [string, string | Buffer, string])[] = [
    ['an empty body', '', 'POST_DATA_EMPTY'],
    ['JSON', '{"appid":"a"}', 'XML_FORMAT_ERROR'],
    ['a document type', `<!DOCTYPE xml [<!ENTITY a "b">]>${base}`, 'XML_FORMAT_ERROR'],
    ['an unknown entity', '<xml><appid>&bomb;</appid></xml>', 'XML_FORMAT_ERROR'],
    ['a duplicate', '<xml><appid>a</appid><appid>b</appid></xml>', 'XML_FORMAT_ERROR'],
    ['nesting', '<xml><appid><b>a</b></appid></xml>', 'XML_FORMAT_ERROR'],
    ['an attribute', '<xml a="b"><appid>a</appid></xml>', 'XML_FORMAT_ERROR'],
    ['an unclosed element', '<xml><appid>a</xml>', 'XML_FORMAT_ERROR'],
    ['bytes that are not UTF-8', Buffer.from([0x3c, 0xff, 0xfe, 0x3e]), 'NOT_UTF8'],
    ['no field at all', '<xml></xml>', 'LACK_PARAMS'],
    ['__proto__', '<xml><__proto__>a</__proto__></xml>', 'LACK_PARAMS'],
  ]
  test.each(RUBBISH)('%s is answered with its code', async (_, body, code) => {
    const reply = await client.post('/pay/unifiedorder', body)
    expect(reply.status).toBe(200)
    expect(fromXml(reply.text)).toMatchObject({ return_code: 'FAIL', err_code: code })
  })

  test('GET, unknown paths and bodies too long are answered', async () => {
    const got = await client.get('/pay/orderquery')
    expect(fromXml(got.text)).toMatchObject({ err_code: 'REQUIRE_POST_METHOD' })
    expect((await client.post('/pay/nothing', '<xml/>')).status).toBe(404)
    expect((await client.get('/')).status).toBe(404)
    expect((await client.post('/pay/orderquery', 'x'.repeat(300_000))).status).toBe(413)
    expect((await client.query(newNo()))['err_code']).toBe('ORDERNOTEXIST')
  })

  test('bytes that are neither TLS nor HTTP do no harm', async () => {
    const { port } = new URL(sandbox.url)
    const socket = connect({ host: '127.0.0.1', port: Number(port) })
    const closed = once(socket, 'close')
    socket.on('error', () => undefined)
    socket.write('POST /pay/orderquery HTTP/1.1\r\n\r\n\u0000\u0001')
    await closed
    expect((await client.query(newNo()))['err_code']).toBe('ORDERNOTEXIST')
  })

  test('a wrong key, merchant or appid is named', async () => {
    const { appId, apiV2Key } = client.merchant
    const request = { appid: appId, mch_id: mchId, nonce_str: 'n', out_trade_no: newNo() }
    const send = async (values: Values, key: string) => {
      const body = toXml({ ...values, sign: signByHand(values, key) })
      return fromXml((await client.post('/pay/orderquery', body)).text)
    }
    expect(await send(request, 'x'.repeat(32))).toMatchObject({ err_code: 'SIGNERROR' })
    expect(await send(request, 'x'.repeat(32))).not.toHaveProperty('sign')
    const foreign = { ...request, mch_id: '1' }
    expect(await send(foreign, apiV2Key)).toMatchObject({ err_code: 'MCHID_NOT_EXIST' })
    const otherApp = { ...request, appid: sandbox.merchants[1].appId }
    expect(await send(otherApp, apiV2Key)).toMatchObject({ err_code: 'APPID_MCHID_NOT_MATCH' })
    const noApp = { ...request, appid: 'wx0' }
    expect(await send(noApp, apiV2Key)).toMatchObject({ err_code: 'APPID_NOT_EXIST' })
  })
})

describe('strict', () => {
  test('a strict sandbox wants public https and a minute between two refunds', async () => {
    const strict = await startTestSandbox({ strict: true })
    const merchant = new V2Client(strict, strict.merchants[0])
    const outTradeNo = newNo()
    expect(await merchant.order(outTradeNo)).toMatchObject({ err_code: 'PARAM_ERROR' })
    const publicUrl = { notify_url: 'https://pay.example.com/notify' }
    expect(await merchant.order(outTradeNo, publicUrl)).toMatchObject({ result_code: 'SUCCESS' })
    await strict.control.armFaults([
      { match: { call: 'notify_payment' }, fault: 'lost', times: -1 },
    ])
    await strict.control.pay({ mchId: strict.merchants[0].mchId, outTradeNo })
    expect(await merchant.refund(outTradeNo, newNo())).toMatchObject({ result_code: 'SUCCESS' })
    const outRefundNo = newNo()
    expect(await merchant.refund(outTradeNo, outRefundNo)).toMatchObject({
      err_code: 'FREQUENCY_LIMITED',
    })
    await strict.control.advance(60_000)
    expect(await merchant.refund(outTradeNo, outRefundNo)).toMatchObject({ result_code: 'SUCCESS' })
    await merchant.stop()
    await strict.stop()
  })
})
