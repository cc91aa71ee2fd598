import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import type { PlaceOrder, SubmitRefund } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import { encryptRequestInfo } from '../../src/sandbox/sign.js'
import { readFlatXml, writeFlatXml } from '../../src/sandbox/xml.js'
import {
  createWeChatChannel,
  readPaymentNotification,
  readRefundNotification,
  signFrontEnd,
} from '../../src/wechat/channel.js'
import type { CallReport, WeChatAccount, WeChatChannel } from '../../src/wechat/channel.js'
import { API_KEY, APP_ID, MCH_ID, PAID, signedXml } from './support/messages.js'
import type { Message } from './support/messages.js'
import { makePki, startServer } from './support/tls.js'
import type { TestPki, TestServer } from './support/tls.js'

const WAITING = { urgency: 'waiting' } as const
const ORDER: PlaceOrder = {
  appId: APP_ID,
  outTradeNo: 'T20260101000001',
  body: '原路-水果',
  totalFen: fen(1000),
  payerIp: '203.0.113.7',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  notifyUrl: 'https://pay.example.com/notify/t/payment',
  startsAt: '2026-01-01T04:00:00.000Z',
  expiresAt: '2026-01-01T04:30:00.000Z',
}
const REFUND: SubmitRefund = {
  appId: APP_ID,
  outTradeNo: ORDER.outTradeNo,
  outRefundNo: 'R20260101000001',
  totalFen: fen(1000),
  refundFen: fen(250),
  reason: '商品缺货',
  notifyUrl: 'https://pay.example.com/notify/t/refund',
}
const PAID_FACT = {
  kind: 'paid',
  appId: APP_ID,
  mchId: MCH_ID,
  outTradeNo: ORDER.outTradeNo,
  transactionId: '4200000015201711256947025404',
  currency: 'CNY',
  totalFen: 1000,
  cashFen: 900,
  settlementFen: 950,
  paidAt: '2026-01-01T04:00:00.000Z',
}
const KEYS = { mchId: MCH_ID, appIds: [APP_ID], apiKeys: [API_KEY] }

let pki: TestPki
let server: TestServer
let account: WeChatAccount
let channel: WeChatChannel
const reports: CallReport[] = []

/** The next calls are answered with this message, signed. */
function answerWith(message: Message, signing = {}): void {
  server.reply = (_, response) => response.end(signedXml(message, signing))
}

function lastRequest(): { path: string; fields: object } {
  const last = server.received.at(-1)
  return { path: last?.path ?? '', fields: Object.fromEntries(readFlatXml(last?.body ?? '')) }
}

beforeAll(async () => {
  pki = await makePki(MCH_ID)
  server = await startServer(pki)
  account = {
    mchId: MCH_ID,
    apiV2Key: API_KEY,
    signType: 'HMAC-SHA256',
    opUserId: MCH_ID,
    baseUrl: server.baseUrl,
    caPem: pki.ca.certPem,
    clientCertificate: { certPem: pki.merchant.certPem, keyPem: pki.merchant.keyPem },
  }
  channel = createWeChatChannel(account, { onCall: (report) => reports.push(report) })
})

beforeEach(() => {
  server.received.length = 0
  reports.length = 0
})

afterAll(async () => {
  await channel.close()
  await server.close()
})

describe('WeChat channel', () => {
  test('placing an order: instants go out as Beijing time, the prepay id comes back', async () => {
    answerWith({ prepay_id: 'wx20' })
    expect(await channel.placeOrder(ORDER, WAITING)).toEqual({ kind: 'placed', prepayId: 'wx20' })
    expect(lastRequest()).toMatchObject({
      path: '/pay/unifiedorder',
      fields: {
        total_fee: '1000',
        time_start: '20260101120000',
        time_expire: '20260101123000',
        trade_type: 'JSAPI',
      },
    })
  })

  test('placing an order without times: none are sent', async () => {
    answerWith({ prepay_id: 'wx20' })
    const { startsAt: _startsAt, expiresAt: _expiresAt, ...timeless } = ORDER
    await channel.placeOrder(timeless, WAITING)
    expect(lastRequest().fields).not.toHaveProperty('time_start')
    expect(lastRequest().fields).not.toHaveProperty('time_expire')
  })

  test('placing the same order again sends the same fields but nonce and signature', async () => {
    answerWith({ prepay_id: 'wx20' })
    const sent = []
    for (let round = 0; round < 2; round += 1) {
      await channel.placeOrder(ORDER, WAITING)
      sent.push({ ...lastRequest().fields, nonce_str: '', sign: '' })
    }
    expect(sent[1]).toEqual(sent[0])
  })

  test('querying a paid order gives the very fact that its notification gives', async () => {
    answerWith({ ...PAID, trade_state: 'SUCCESS' })
    const asked = await channel.queryOrder(ORDER, WAITING)
    expect(asked).toEqual(PAID_FACT)
    expect(readPaymentNotification(Buffer.from(signedXml(PAID)), KEYS)).toEqual(asked)
  })

  test('closing an order that is paid says so', async () => {
    answerWith({ result_code: 'FAIL', err_code: 'ORDERPAID' })
    expect(await channel.closeOrder(ORDER, WAITING)).toMatchObject({ kind: 'already_paid' })
  })

  test('submitting a refund shows the certificate and sends the documented fields', async () => {
    answerWith({
      out_trade_no: REFUND.outTradeNo,
      out_refund_no: REFUND.outRefundNo,
      refund_id: '5000',
      refund_fee: '250',
    })
    expect(await channel.submitRefund(REFUND, WAITING)).toEqual({
      kind: 'accepted',
      refundId: '5000',
      refundFen: 250,
      settlementFen: 250,
    })
    expect(server.received[0]).toMatchObject({ authorized: true })
    expect(lastRequest()).toMatchObject({
      path: '/secapi/pay/refund',
      fields: {
        out_refund_no: REFUND.outRefundNo,
        total_fee: '1000',
        refund_fee: '250',
        refund_desc: '商品缺货',
        op_user_id: MCH_ID,
        notify_url: REFUND.notifyUrl,
      },
    })
  })

  test('submitting a refund without a certificate is refused before anything is sent', async () => {
    const { clientCertificate: _certificate, ...bare } = account
    const own = createWeChatChannel(bare)
    expect(await own.submitRefund(REFUND, WAITING)).toMatchObject({
      kind: 'refused',
      code: 'no_client_certificate',
    })
    expect(server.received).toEqual([])
    await own.close()
  })

  test('querying a refund: found, and not found', async () => {
    answerWith({
      out_trade_no: REFUND.outTradeNo,
      total_fee: '1000',
      out_refund_no_0: REFUND.outRefundNo,
      refund_id_0: '5000',
      refund_fee_0: '250',
      refund_status_0: 'CHANGE',
    })
    expect(await channel.queryRefund(REFUND, WAITING)).toEqual({
      kind: 'refund',
      status: 'abnormal',
      outTradeNo: REFUND.outTradeNo,
      outRefundNo: REFUND.outRefundNo,
      refundId: '5000',
      refundFen: 250,
      totalFen: 1000,
      settlementFen: 250,
    })
    answerWith({ result_code: 'FAIL', err_code: 'REFUNDNOTEXIST' })
    expect(await channel.queryRefund(REFUND, WAITING)).toMatchObject({ kind: 'not_exist' })
  })

  test.each([
    ['an HTML page', '<html><body>502</body></html>', 'not_xml'],
    ['another key', signedXml({ prepay_id: 'wx20' }, { apiKey: 'x' }), 'bad_signature'],
    ['a huge answer', `<xml><a>${'x'.repeat(300_000)}</a></xml>`, 'answer_too_large'],
  ])('%s in place of an answer is unknown, for a refund too', async (_, body, code) => {
    server.reply = (_received, response) => response.end(body)
    expect(await channel.placeOrder(ORDER, WAITING)).toMatchObject({ kind: 'unknown', code })
    expect(await channel.submitRefund(REFUND, WAITING)).toMatchObject({ kind: 'unknown', code })
  })

  test('every call is reported with its result and time, and with no secret', async () => {
    answerWith({ result_code: 'FAIL', err_code: 'SYSTEMERROR', err_code_des: API_KEY })
    await channel.queryOrder(ORDER, WAITING)
    expect(reports).toEqual([
      {
        call: 'orderquery',
        result: 'unknown',
        code: 'SYSTEMERROR',
        durationMs: expect.any(Number),
      },
    ])
  })
})

describe('Notifications through the channel', () => {
  test('a refused payment notification says why', () => {
    expect(readPaymentNotification(Buffer.from('hello'), KEYS)).toEqual({
      kind: 'refused',
      reason: 'malformed',
    })
  })

  test('a refund notification is a notice in the engine’s words', () => {
    const inner = {
      out_refund_no: REFUND.outRefundNo,
      out_trade_no: REFUND.outTradeNo,
      refund_id: '5000',
      total_fee: '1000',
      refund_fee: '250',
      settlement_refund_fee: '250',
      refund_status: 'SUCCESS',
      success_time: '2026-01-02 08:30:00',
      refund_request_source: 'VENDOR_PLATFORM',
    }
    const body = writeFlatXml({
      return_code: 'SUCCESS',
      appid: APP_ID,
      mch_id: MCH_ID,
      nonce_str: 'n',
      req_info: encryptRequestInfo(writeFlatXml(inner, 'root'), API_KEY),
    })
    expect(readRefundNotification(Buffer.from(body), KEYS)).toEqual({
      kind: 'refund',
      status: 'success',
      mchId: MCH_ID,
      outTradeNo: REFUND.outTradeNo,
      outRefundNo: REFUND.outRefundNo,
      refundId: '5000',
      totalFen: 1000,
      refundFen: 250,
      settlementFen: 250,
      source: 'VENDOR_PLATFORM',
      successAt: '2026-01-02T00:30:00.000Z',
    })
    expect(readRefundNotification(Buffer.from(body), { ...KEYS, apiKeys: ['x'] })).toMatchObject({
      reason: 'bad_signature',
    })
  })
})

test('front end: the parameters are signed with the account’s algorithm', () => {
  const order = { appId: APP_ID, prepayId: 'wx20', nowMs: 1_767_240_000_000 }
  expect(signFrontEnd(order, account)).toEqual({
    appId: APP_ID,
    timeStamp: '1767240000',
    nonceStr: expect.stringMatching(/^[0-9a-f]{32}$/),
    package: 'prepay_id=wx20',
    signType: 'HMAC-SHA256',
    paySign: expect.stringMatching(/^[0-9A-F]{64}$/),
  })
})
