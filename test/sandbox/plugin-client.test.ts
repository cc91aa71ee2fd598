import { randomUUID } from 'node:crypto'
import { Agent } from 'node:https'

import { afterAll, beforeAll, expect, test } from 'vitest'
import { Wechatpay } from 'wechatpay-axios-plugin'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'

/**
 * `wechatpay-axios-plugin` was written by others for the real WeChat Pay and is used as it is
 * published. Its V3 arguments are required but play no part in V2 calls.
 */

let sandbox: TestSandbox

beforeAll(async () => {
  sandbox = await startTestSandbox()
})

afterAll(() => sandbox.stop())

type Answer = Promise<{ data: Record<string, string> }>
type Post = (data: Record<string, string>, config?: object) => Answer

function makeClient() {
  const merchant = sandbox.merchants[0]
  const client = new Wechatpay({
    baseURL: `${sandbox.url}/`,
    httpsAgent: new Agent({ ca: sandbox.caPem }),
    mchid: merchant.mchId,
    serial: merchant.serialNo,
    privateKey: merchant.keyPem,
    certs: { [merchant.publicKeyId]: merchant.publicKeyPem },
    secret: merchant.apiV2Key,
    merchant: { cert: merchant.certPem, key: merchant.keyPem, ca: sandbox.caPem },
  })
  const post =
    (path: string): Post =>
    (data, config = {}) =>
      client.chain(`v2/${path}`).post({ ...ids(), ...data }, config)
  const ids = () => ({ appid: merchant.appId, mch_id: merchant.mchId })
  return {
    unifiedorder: post('pay/unifiedorder'),
    orderquery: post('pay/orderquery'),
    closeorder: post('pay/closeorder'),
    refund: post('secapi/pay/refund'),
    refundquery: post('pay/refundquery'),
  }
}

function orderOf(outTradeNo: string): Record<string, string> {
  return {
    body: '腾讯充值中心-QQ会员充值 & <more>',
    out_trade_no: outTradeNo,
    total_fee: '888',
    spbill_create_ip: '127.0.0.1',
    notify_url: 'http://127.0.0.1:9/notify',
    trade_type: 'JSAPI',
    openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
  }
}

const newNo = () => randomUUID().replaceAll('-', '')

for (const signType of ['MD5', 'HMAC-SHA256']) {
  test(`third-party client, ${signType}: orders, queries, refunds with certificate`, async () => {
    const client = makeClient()
    const outTradeNo = newNo()
    const sign_type = signType
    const placed = await client.unifiedorder({ ...orderOf(outTradeNo), sign_type })
    expect(placed.data).toMatchObject({ result_code: 'SUCCESS', trade_type: 'JSAPI' })
    expect(placed.data['prepay_id']).toMatch(/^wx/)

    const unpaid = await client.orderquery({ out_trade_no: outTradeNo, sign_type })
    expect(unpaid.data['trade_state']).toBe('NOTPAY')
    await sandbox.control.pay({ mchId: sandbox.merchants[0].mchId, outTradeNo })
    const paid = await client.orderquery({ out_trade_no: outTradeNo, sign_type })
    expect(paid.data).toMatchObject({ trade_state: 'SUCCESS', total_fee: '888' })

    const numbers = { out_trade_no: outTradeNo, out_refund_no: newNo(), sign_type }
    const fees = { total_fee: '888', refund_fee: '88' }
    const refunded = await client.refund({ ...numbers, ...fees }, { security: true })
    expect(refunded.data).toMatchObject({ result_code: 'SUCCESS', refund_fee: '88' })

    await sandbox.control.advance(60_000)
    const found = await client.refundquery({ out_refund_no: numbers.out_refund_no, sign_type })
    expect(found.data).toMatchObject({ refund_status_0: 'SUCCESS', refund_count: '1' })
  })
}

test('third-party client: closes an unpaid order', async () => {
  const client = makeClient()
  const outTradeNo = newNo()
  await client.unifiedorder(orderOf(outTradeNo))
  const closed = await client.closeorder({ out_trade_no: outTradeNo })
  expect(closed.data['result_code']).toBe('SUCCESS')
  const found = await client.orderquery({ out_trade_no: outTradeNo })
  expect(found.data['trade_state']).toBe('CLOSED')
})

test('third-party client: is refused a refund without its certificate', async () => {
  const client = makeClient()
  const outTradeNo = newNo()
  await client.unifiedorder(orderOf(outTradeNo))
  await sandbox.control.pay({ mchId: sandbox.merchants[0].mchId, outTradeNo })
  const request = { out_trade_no: outTradeNo, out_refund_no: newNo(), total_fee: '888' }
  const refused = client.refund({ ...request, refund_fee: '888' })
  await expect(refused).rejects.toMatchObject({ response: { data: { err_code: 'CERT_ERROR' } } })
})
