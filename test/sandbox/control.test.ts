import { X509Certificate, createPrivateKey } from 'node:crypto'
import { connect } from 'node:tls'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { newNo, V2Client } from './v2-client.js'

let sandbox: TestSandbox
let client: V2Client
let mchId: string
let outTradeNo: string
let notificationId: string

beforeAll(async () => {
  sandbox = await startTestSandbox()
  client = new V2Client(sandbox, sandbox.merchants[0])
  mchId = client.merchant.mchId
  outTradeNo = newNo()
  await client.order(outTradeNo)
  await sandbox.control.pay({ mchId, outTradeNo })
  await client.refund(outTradeNo, newNo())
  notificationId = (await sandbox.control.notifications())[0]?.id ?? ''
})

afterAll(async () => {
  await client.stop()
  await sandbox.stop()
})

const MERCHANT = [
  'mchId',
  'appId',
  'appSecret',
  'apiV2Key',
  'apiV3Key',
  'serialNo',
  'certPem',
  'keyPem',
  'p12Base64',
  'publicKeyId',
  'publicKeyPem',
  'caPem',
]
const ORDER = [
  'mchId',
  'appId',
  'outTradeNo',
  'transactionId',
  'totalFee',
  'tradeState',
  'timeEnd',
  'refundedFee',
]
const REFUND = [
  'mchId',
  'outTradeNo',
  'outRefundNo',
  'refundId',
  'refundFee',
  'refundStatus',
  'clientCertSerial',
  'createdAt',
  'successAt',
]
const CLOCK = ['nowMs', 'rate']
const FAULT = { match: { call: 'refund', outRefundNo: 'x' }, fault: 'slow', ms: 5, times: 2 }

describe('shapes others rely on', () => {
  test('GET /_control/merchants', async () => {
    const merchants = await sandbox.control.merchants()
    expect(merchants.map((merchant) => merchant.mchId)).toEqual(['1900000001', '1900000002'])
    for (const merchant of merchants) expect(Object.keys(merchant)).toEqual(MERCHANT)
  })

  test('POST /_control/pay', async () => {
    const unpaid = newNo()
    await client.order(unpaid)
    const body = { mchId, outTradeNo: unpaid }
    const failed = await sandbox.control.pay({ ...body, result: 'PAYERROR' })
    expect(failed).toMatchObject({ tradeState: 'PAYERROR', transactionId: null, timeEnd: null })
    const paid = await sandbox.control.pay({ ...body, result: 'SUCCESS' })
    expect(Object.keys(paid)).toEqual(ORDER)
    expect(paid).toMatchObject({ ...body, tradeState: 'SUCCESS', totalFee: 1000, refundedFee: 0 })
  })

  test('POST, GET and DELETE /_control/faults', async () => {
    expect(await sandbox.control.armFaults([FAULT])).toEqual([FAULT])
    expect(await sandbox.control.faults()).toEqual([FAULT])
    expect(await sandbox.control.clearFaults()).toEqual([])
    expect(await sandbox.control.faults()).toEqual([])
  })

  test('GET and POST /_control/clock', async () => {
    const before = await sandbox.control.clock()
    expect(Object.keys(before)).toEqual(CLOCK)
    const after = await sandbox.control.advance(3_600_000)
    expect(Object.keys(after)).toEqual(CLOCK)
    expect(after.nowMs - before.nowMs).toBeGreaterThanOrEqual(3_600_000)
    expect(await sandbox.control.setRate(10)).toMatchObject({ rate: 10 })
    expect(await sandbox.control.setRate(1)).toMatchObject({ rate: 1 })
  })

  test('GET /_control/book', async () => {
    const book = await sandbox.control.book({ mchId })
    expect(Object.keys(book)).toEqual(['orders', 'refunds'])
    for (const order of book.orders) expect(Object.keys(order)).toEqual(ORDER)
    for (const refund of book.refunds) expect(Object.keys(refund)).toEqual(REFUND)
    expect(book.orders.length).toBeGreaterThan(0)
    expect(book.refunds.length).toBeGreaterThan(0)
    expect(await sandbox.control.book({ mchId: 'other' })).toEqual({ orders: [], refunds: [] })
  })

  test('GET /_control/notifications and POST .../{id}/resend', async () => {
    const members = [
      'id',
      'kind',
      'mchId',
      'outTradeNo',
      'outRefundNo',
      'url',
      'state',
      'nextTryAt',
      'tries',
    ]
    const [notification] = await sandbox.control.notifications({ outTradeNo })
    expect(Object.keys(notification ?? {})).toEqual(members)
    const again = await sandbox.control.resend(notificationId)
    expect(Object.keys(again)).toEqual(members)
    const tried = ['at', 'status', 'answer', 'outcome', 'fault']
    for (const one of again.tries) expect(Object.keys(one).toSorted()).toEqual(tried.toSorted())
    expect(again.tries.at(-1)).toMatchObject({ outcome: 'no_answer', answer: 'ECONNREFUSED' })
    expect(await sandbox.control.notifications({ outTradeNo: 'none' })).toEqual([])
  })

  test('GET /_control/log', async () => {
    const calls = await sandbox.control.log({ outTradeNo })
    expect(calls.map(({ call }) => call)).toEqual(['unifiedorder', 'refund'])
    const members = [
      'at',
      'call',
      'mchId',
      'outTradeNo',
      'outRefundNo',
      'clientCertSerial',
      'answered',
    ]
    for (const call of calls) expect(Object.keys(call).toSorted()).toEqual(members.toSorted())
  })
})

describe('what merchants get', () => {
  test('keys and certificates belong together', () => {
    for (const merchant of sandbox.merchants) {
      const certificate = new X509Certificate(merchant.certPem)
      expect(certificate.checkPrivateKey(createPrivateKey(merchant.keyPem))).toBe(true)
      expect(certificate.verify(new X509Certificate(merchant.caPem).publicKey)).toBe(true)
      expect(certificate.serialNumber).toBe(merchant.serialNo)
      expect(certificate.subject).toContain(`CN=${merchant.mchId}`)
      expect(merchant.apiV2Key).toMatch(/^[0-9A-Za-z]{32}$/)
      expect(merchant.apiV3Key).toMatch(/^[0-9A-Za-z]{32}$/)
      expect(merchant.publicKeyId).toMatch(/^PUB_KEY_ID_\d{32}$/)
      expect(merchant.publicKeyPem).toContain('BEGIN PUBLIC KEY')
    }
    const [first, second] = sandbox.merchants
    expect(first.apiV2Key).not.toBe(second.apiV2Key)
  })

  test('POST /_control/merchants makes another one, once', async () => {
    const made = await sandbox.control.addMerchant({ mchId: '1900000009', appId: 'wxabc' })
    expect(Object.keys(made)).toEqual(MERCHANT)
    const merchant = new V2Client(sandbox, made)
    expect(await merchant.order(newNo())).toMatchObject({ result_code: 'SUCCESS' })
    await merchant.stop()
    const again = sandbox.control.addMerchant({ mchId: '1900000009' })
    await expect(again).rejects.toThrow(/409/)
    const atOnce = [1, 2].map(() => sandbox.control.addMerchant({ mchId: '1900000010' }))
    const outcomes = (await Promise.allSettled(atOnce)).map(({ status }) => status)
    expect(outcomes.toSorted()).toEqual(['fulfilled', 'rejected'])
    expect((await sandbox.control.addMerchant()).mchId).toMatch(/^19\d{8}$/)
  })

  const NAMES = [
    'localhost',
    'api.mch.weixin.qq.com',
    'api2.mch.weixin.qq.com',
    'api.weixin.qq.com',
  ]
  test.each(NAMES)('the server certificate is valid for %s', async (servername) => {
    const { port } = new URL(sandbox.url)
    await new Promise<void>((resolve, reject) => {
      const options = { host: '127.0.0.1', port: Number(port), ca: sandbox.caPem, servername }
      const socket = connect(options, () => {
        socket.end()
        resolve()
      })
      socket.on('error', reject)
    })
  })
})

describe('late money', () => {
  test('a closed order is paid only when the payment is late', async () => {
    const closed = newNo()
    await client.order(closed)
    await client.close(closed)
    const body = { mchId, outTradeNo: closed }
    await expect(sandbox.control.pay(body)).rejects.toThrow(/ORDERCLOSED/)
    const paid = await sandbox.control.pay({ ...body, late: true })
    expect(paid.tradeState).toBe('SUCCESS')
    await expect(sandbox.control.pay(body)).rejects.toThrow(/ORDERPAID/)
  })
})

describe('what cannot be carried out', () => {
  const fault = (change: object) => JSON.stringify([{ ...FAULT, ...change }])
  const BAD: readonly (readonly ['GET' | 'POST' | 'DELETE', string, string | undefined, number])[] =
    [
      ['GET', 'nothing', undefined, 404],
      ['DELETE', 'clock', undefined, 405],
      ['GET', 'pay', undefined, 405],
      ['POST', 'pay', undefined, 400],
      ['POST', 'pay', 'not json', 400],
      ['POST', 'pay', '{"mchId":"1","outTradeNo":"x"}', 404],
      ['POST', 'pay', '{"mchId":"1","outTradeNo":"x","amount":1}', 400],
      ['POST', 'pay', '{"mchId":"1","outTradeNo":"x","result":"MAYBE"}', 400],
      ['POST', 'faults', '{}', 400],
      ['POST', 'faults', fault({ fault: 'explode' }), 400],
      ['POST', 'faults', fault({ fault: 'lost' }), 400],
      ['POST', 'faults', fault({ match: { call: 'sing' } }), 400],
      ['POST', 'faults', fault({ times: 0 }), 400],
      ['POST', 'faults', fault({ ms: -1 }), 400],
      ['POST', 'clock', '{}', 400],
      ['POST', 'clock', '{"rate":0}', 400],
      ['POST', 'clock', '{"rate":"fast"}', 400],
      ['POST', 'clock', '{"advanceMs":-1}', 400],
      ['POST', 'clock', '{"rate":1,"advanceMs":1}', 400],
      ['POST', 'merchants', '{"mchId":"no spaces"}', 400],
      ['POST', 'merchants', '[]', 400],
      ['POST', 'balance', '{"mchId":"none","balanceFen":1}', 404],
      ['POST', 'balance', '{"mchId":"none","balanceFen":1.5}', 400],
      ['POST', 'notifications/7/resend', undefined, 404],
      ['POST', 'notifications/00000000-0000-0000-0000-000000000000/resend', undefined, 404],
    ]
  test.each(BAD)('%s %s %s is %i', async (method, path, body, status) => {
    const before = await sandbox.control.book()
    const reply = await sandbox.control.raw(method, `/_control/${path}`, body)
    expect(reply.status).toBe(status)
    expect(reply.body).toMatchObject({ error: { code: expect.any(String) } })
    expect(await sandbox.control.book()).toEqual(before)
    expect(await sandbox.control.faults()).toEqual([])
  })
})
