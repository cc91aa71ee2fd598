import { describe, expect, test } from 'vitest'

import { encryptRequestInfo } from '../../../src/sandbox/sign.js'
import { readFlatXml, writeFlatXml } from '../../../src/sandbox/xml.js'
import {
  NOTIFICATION_FAIL,
  NOTIFICATION_SUCCESS,
  translatePaymentNotification,
  translateRefundNotification,
  verifyPaymentNotification,
  verifyRefundNotification,
} from '../../../src/wechat/v2/notifications.js'
import type { NotificationKeys } from '../../../src/wechat/v2/notifications.js'
import { readFixture, vectorsOf } from '../support/fixtures.js'
import { API_KEY, APP_ID, MCH_ID, PAID, signedXml } from '../support/messages.js'
import type { Message } from '../support/messages.js'

const KEYS: NotificationKeys = { mchId: MCH_ID, appIds: [APP_ID], apiKeys: [API_KEY] }
const OTHER_KEY = 'abcdefghijklmnopqrstuvwxyz012345'

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8')

/** Both steps, as the channel does them. */
function readPayment(body: string, keys = KEYS): unknown {
  const verified = verifyPaymentNotification(bytes(body), keys)
  return verified.kind === 'refused' ? verified : translatePaymentNotification(verified.fields)
}

describe('Payment notification', () => {
  test.each(['MD5', 'HMAC-SHA256'] as const)('signed with %s: the payment', (signType) => {
    expect(readPayment(signedXml(PAID, { signType }))).toEqual({
      kind: 'paid',
      transaction: {
        appId: APP_ID,
        mchId: MCH_ID,
        outTradeNo: 'T20260101000001',
        transactionId: '4200000015201711256947025404',
        feeType: 'CNY',
        totalFee: 1000,
        cashFee: 900,
        settlementTotalFee: 950,
        paidAt: '2026-01-01T04:00:00.000Z',
      },
    })
  })

  test('fields that nobody knows yet take part in the signature', () => {
    const body = signedXml({ ...PAID, brand_new_field: '支付' })
    expect(readPayment(body)).toMatchObject({ kind: 'paid' })
    expect(readPayment(body.replace('支付', '退款'))).toMatchObject({ reason: 'bad_signature' })
  })

  test('while a key is rotated, the old and the new one verify', () => {
    const keys = { ...KEYS, apiKeys: [OTHER_KEY, API_KEY] }
    expect(readPayment(signedXml(PAID), keys)).toMatchObject({ kind: 'paid' })
    expect(readPayment(signedXml(PAID, { apiKey: OTHER_KEY }), keys)).toMatchObject({
      kind: 'paid',
    })
  })

  const refused: readonly (readonly [what: string, body: string, reason: string])[] = [
    ['not XML', '{"a":1}', 'malformed'],
    ['nothing', '', 'malformed'],
    ['a document type', `<!DOCTYPE xml>${signedXml(PAID)}`, 'malformed'],
    ['the inner root', signedXml(PAID).replaceAll('xml>', 'root>'), 'malformed'],
    ['too large', signedXml({ ...PAID, attach: 'a'.repeat(65_536) }), 'too_large'],
    ['another merchant', signedXml({ ...PAID, mch_id: '999' }), 'foreign_merchant'],
    ['no merchant', signedXml({ ...PAID, mch_id: '' }), 'foreign_merchant'],
    ['another appid', signedXml({ ...PAID, appid: 'wx0' }), 'foreign_app'],
    ['no signature', signedXml(PAID).replace(/<sign>.*<\/sign>/, ''), 'unsigned'],
    ['an empty signature', signedXml(PAID).replace(/<sign>.*<\/sign>/, '<sign/>'), 'unsigned'],
    ['another key', signedXml(PAID, { apiKey: OTHER_KEY }), 'bad_signature'],
    ['another amount than was signed', signedXml(PAID).replace('>1000<', '>1<'), 'bad_signature'],
    ['a failed payment', signedXml({ ...PAID, result_code: 'FAIL' }), 'not_success'],
    ['a failed delivery', signedXml({ ...PAID, return_code: 'FAIL' }), 'not_success'],
    ['no result', signedXml({ ...PAID, result_code: '' }), 'not_success'],
    ['no amount', signedXml({ ...PAID, total_fee: '' }), 'incomplete'],
    ['a fractional amount', signedXml({ ...PAID, total_fee: '10.00' }), 'incomplete'],
    ['no order', signedXml({ ...PAID, out_trade_no: '' }), 'incomplete'],
    ['no moment', signedXml({ ...PAID, time_end: '20261301000000' }), 'incomplete'],
  ]

  test.each(refused)('payment refused: %s', (_, body, reason) => {
    expect(readPayment(body)).toEqual({ kind: 'refused', reason })
  })

  test('the published sample, whose signature is illustrative, is refused as badly signed', () => {
    const keys = { mchId: '10000100', apiKeys: [API_KEY] }
    const sample = readFixture('v2_pay_notification_coupons.xml')
    expect(verifyPaymentNotification(sample, keys)).toEqual({
      kind: 'refused',
      reason: 'bad_signature',
    })
  })
})

const REFUNDED: Message = {
  out_refund_no: 'R20260101000001',
  out_trade_no: 'T20260101000001',
  refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS',
  refund_fee: '250',
  refund_id: '50000404922017112502468056157',
  refund_recv_accout: '支付用户零钱',
  refund_request_source: 'API',
  refund_status: 'SUCCESS',
  settlement_refund_fee: '240',
  settlement_total_fee: '950',
  success_time: '2026-01-02 08:30:00',
  total_fee: '1000',
  transaction_id: '4200000015201711256947025404',
}

function envelope(reqInfo: string, change: Message = {}): string {
  const frame = { return_code: 'SUCCESS', appid: APP_ID, mch_id: MCH_ID, nonce_str: 'n' }
  return writeFlatXml({ ...frame, req_info: reqInfo, ...change })
}

function refundXml(change: Message = {}, apiKey = API_KEY): string {
  return envelope(encryptRequestInfo(writeFlatXml({ ...REFUNDED, ...change }, 'root'), apiKey))
}

function readRefund(body: string, keys = KEYS): unknown {
  const verified = verifyRefundNotification(bytes(body), keys)
  return verified.kind === 'refused' ? verified : translateRefundNotification(verified.fields)
}

describe('Refund notification', () => {
  test('what our key opens: the refund', () => {
    expect(readRefund(refundXml())).toEqual({
      kind: 'refund',
      refund: {
        mchId: MCH_ID,
        outTradeNo: 'T20260101000001',
        outRefundNo: 'R20260101000001',
        refundId: '50000404922017112502468056157',
        status: 'success',
        totalFee: 1000,
        refundFee: 250,
        settlementRefundFee: 240,
        source: 'API',
        successAt: '2026-01-02T00:30:00.000Z',
      },
    })
  })

  test('the published notification of another project', () => {
    const [vector] = vectorsOf('aes-256-ecb-pkcs7').filter(({ id }) => id.includes('gopay'))
    const { req_info: reqInfo = '', api_key: apiKey = '' } = vector?.inputs ?? {}
    const keys = { mchId: MCH_ID, apiKeys: [OTHER_KEY, apiKey] }
    expect(readRefund(envelope(reqInfo), keys)).toMatchObject({
      kind: 'refund',
      refund: {
        outTradeNo: '4893e76d8c8b434cb64e9cd536338e33',
        outRefundNo: '50fd012ed1b311e7af7800163e32c503',
        refundFee: 6,
        status: 'success',
        successAt: '2017-11-25T07:36:17.000Z',
      },
    })
  })

  test.each([
    ['SUCCESS', 'success'],
    ['CHANGE', 'abnormal'],
    ['REFUNDCLOSE', 'closed'],
    ['SOMETHING_NEW', 'processing'],
  ])('refund status %s is %s', (refund_status, status) => {
    expect(readRefund(refundXml({ refund_status }))).toMatchObject({ refund: { status } })
  })

  test('a refund made by hand in the portal says so', () => {
    const body = refundXml({ refund_request_source: 'VENDOR_PLATFORM', success_time: '' })
    expect(readRefund(body)).toMatchObject({ refund: { source: 'VENDOR_PLATFORM' } })
    expect(readRefund(body)).not.toHaveProperty('refund.successAt')
  })

  const refused: readonly (readonly [what: string, body: string, reason: string])[] = [
    ['not XML', 'hello', 'malformed'],
    ['too large', envelope('a'.repeat(65_536)), 'too_large'],
    ['another merchant', envelope('x', { mch_id: '999' }), 'foreign_merchant'],
    ['another appid', envelope('x', { appid: 'wx0' }), 'foreign_app'],
    ['a failed delivery', envelope('x', { return_code: 'FAIL' }), 'not_success'],
    ['nothing encrypted', envelope(''), 'unsigned'],
    ['no Base64', envelope('<![CDATA['), 'bad_signature'],
    ['another key', refundXml({}, OTHER_KEY), 'bad_signature'],
    [
      'encrypted text that is no document',
      envelope(encryptRequestInfo('hello', API_KEY)),
      'bad_signature',
    ],
    ['no refund number', refundXml({ out_refund_no: '' }), 'incomplete'],
    ['no amount', refundXml({ refund_fee: '' }), 'incomplete'],
    ['a fractional amount', refundXml({ settlement_refund_fee: '2.4' }), 'incomplete'],
  ]

  test.each(refused)('refund refused: %s', (_, body, reason) => {
    expect(readRefund(body)).toEqual({ kind: 'refused', reason })
  })
})

describe('Answers to notifications', () => {
  test('success: the exact documented bytes', () => {
    expect(NOTIFICATION_SUCCESS).toBe(
      '<xml><return_code><![CDATA[SUCCESS]]></return_code>' +
        '<return_msg><![CDATA[OK]]></return_msg></xml>',
    )
  })

  test('failure: a body that has the channel send again', () => {
    expect(readFlatXml(NOTIFICATION_FAIL).get('return_code')).toBe('FAIL')
  })
})
