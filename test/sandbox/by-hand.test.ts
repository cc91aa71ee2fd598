import { createDecipheriv, createHash } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { startMerchantSide } from './merchant-side.js'
import type { MerchantSide } from './merchant-side.js'
import { fromXml, newNo, V2Client } from './v2-client.js'

/** What a person does in the merchant portal, asked for by a program. */

const REFUND_MS = 60_000

let sandbox: TestSandbox
let client: V2Client
let shop: MerchantSide
let mchId: string
let outTradeNo: string

beforeAll(async () => {
  sandbox = await startTestSandbox()
  client = new V2Client(sandbox, sandbox.merchants[0])
  shop = await startMerchantSide()
  mchId = client.merchant.mchId
})

beforeEach(async () => {
  outTradeNo = newNo()
  await client.order(outTradeNo)
  await sandbox.control.setBalance(mchId, 0)
  await sandbox.control.pay({ mchId, outTradeNo })
  shop.bodies.length = 0
})

afterAll(async () => {
  await client.stop()
  await shop.stop()
  await sandbox.stop()
})

const byHand = (amountFen: number, more: { notifyUrl?: string } = {}) =>
  sandbox.control.refundByHand({ mchId, outTradeNo, amountFen, ...more })

const statusOf = async (outRefundNo: string) =>
  (await client.refundQuery({ out_refund_no: outRefundNo }))['refund_status_0']

function innerOf(body: string | undefined): Record<string, string> {
  const key = createHash('md5').update(client.merchant.apiV2Key).digest('hex')
  const decipher = createDecipheriv('aes-256-ecb', key, null)
  const info = fromXml(body ?? '')['req_info'] ?? ''
  const text = decipher.update(info, 'base64', 'utf8') + decipher.final('utf8')
  return fromXml(text.replace(/<\/?root>/g, ''))
}

describe('POST /_control/refund', () => {
  test('a refund by hand is notified as VENDOR_PLATFORM and shown by query', async () => {
    const refund = await byHand(300, { notifyUrl: shop.url })
    expect(refund).toMatchObject({ mchId, outTradeNo, refundFee: 300, clientCertSerial: '' })
    expect(refund.outRefundNo).toMatch(/^\d{28}$/)
    await sandbox.control.advance(REFUND_MS)
    expect(innerOf(shop.bodies[0])).toMatchObject({
      out_refund_no: refund.outRefundNo,
      refund_fee: '300',
      refund_status: 'SUCCESS',
      refund_request_source: 'VENDOR_PLATFORM',
    })
    expect(await client.refundQuery({ out_trade_no: outTradeNo })).toMatchObject({
      refund_count: '1',
      out_refund_no_0: refund.outRefundNo,
      refund_id_0: refund.refundId,
      refund_status_0: 'SUCCESS',
    })
    expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'REFUND' })
  })

  test('a refund by hand is told where the last refund by call wanted it', async () => {
    await client.refund(outTradeNo, newNo(), { notify_url: `${shop.url}/mine` })
    const { outRefundNo } = await byHand(1)
    await sandbox.control.advance(REFUND_MS)
    const [notification] = await sandbox.control.notifications({ outRefundNo })
    expect(notification).toMatchObject({ kind: 'refund', url: `${shop.url}/mine` })
  })

  test('refunds by hand and by call share the rest, the count and the balance', async () => {
    await byHand(600)
    const over = await client.refund(outTradeNo, newNo(), { refund_fee: '401' })
    expect(over).toMatchObject({ err_code: 'ERROR' })
    await expect(byHand(401)).rejects.toThrow(/409 .*ERROR/)
    await sandbox.control.setBalance(mchId, 99)
    await expect(byHand(100)).rejects.toThrow(/409 .*NOTENOUGH/)
    await sandbox.control.setBalance(mchId, 100)
    await byHand(100)
    expect(await client.refundQuery({ out_trade_no: outTradeNo })).toMatchObject({
      refund_count: '2',
    })
  })

  test('an unpaid order cannot be refunded by hand, nor an old one', async () => {
    const unpaid = newNo()
    await client.order(unpaid)
    const refund = { mchId, outTradeNo: unpaid, amountFen: 1 }
    await expect(sandbox.control.refundByHand(refund)).rejects.toThrow(/409 .*ORDERNOTEXIST/)
    await sandbox.control.advance(365 * 24 * 60 * 60 * 1000)
    await sandbox.control.advance(1)
    await expect(byHand(1)).rejects.toThrow(/409 .*TRADE_OVERDUE/)
  })
})

describe('POST /_control/balance', () => {
  test('null lets any refund through, and an amount limits again', async () => {
    expect(await client.refund(outTradeNo, newNo())).toMatchObject({ result_code: 'SUCCESS' })
    await sandbox.control.setBalance(mchId, 0)
    expect(await client.refund(outTradeNo, newNo())).toMatchObject({ err_code: 'NOTENOUGH' })
    const unlimited = await sandbox.control.setBalance(mchId, null)
    expect(unlimited).toEqual({ mchId, balanceFen: null })
    expect(await client.refund(outTradeNo, newNo())).toMatchObject({ result_code: 'SUCCESS' })
    await sandbox.control.setBalance(mchId, 99)
    expect(await client.refund(outTradeNo, newNo())).toMatchObject({ err_code: 'NOTENOUGH' })
  })
})

describe('POST /_control/card', () => {
  test('a frozen card ends a refund CHANGE, also one accepted before', async () => {
    const early = newNo()
    await client.refund(outTradeNo, early, { notify_url: shop.url })
    const frozen = { mchId, outTradeNo, frozen: true }
    expect(await sandbox.control.setCard(frozen)).toEqual(frozen)
    await sandbox.control.advance(REFUND_MS)
    expect(innerOf(shop.bodies[0])).toMatchObject({
      refund_status: 'CHANGE',
      refund_recv_accout: '商户基本账户',
    })
    expect(await statusOf(early)).toBe('CHANGE')
    await sandbox.control.setCard({ ...frozen, frozen: false })
    const later = newNo()
    await client.refund(outTradeNo, later)
    await sandbox.control.advance(REFUND_MS)
    expect(await statusOf(later)).toBe('SUCCESS')
    expect(await statusOf(early)).toBe('CHANGE')
  })
})

describe('POST /_control/resolve', () => {
  async function abnormalRefund(): Promise<string> {
    const outRefundNo = newNo()
    await sandbox.control.setCard({ mchId, outTradeNo, frozen: true })
    await client.refund(outTradeNo, outRefundNo, { notify_url: shop.url, refund_fee: '1000' })
    await sandbox.control.advance(REFUND_MS)
    shop.bodies.length = 0
    return outRefundNo
  }

  test('SUCCESS pays the buyer after all, from the balance, and tells the merchant', async () => {
    const outRefundNo = await abnormalRefund()
    await sandbox.control.setBalance(mchId, 999)
    const resolve = () => sandbox.control.resolve({ mchId, outRefundNo })
    await expect(resolve()).rejects.toThrow(/409 .*NOTENOUGH/)
    await sandbox.control.setBalance(mchId, 1000)
    expect(await resolve()).toMatchObject({ outRefundNo, refundStatus: 'SUCCESS' })
    await sandbox.control.advance(0)
    expect(innerOf(shop.bodies[0])).toMatchObject({ refund_status: 'SUCCESS' })
    expect(await statusOf(outRefundNo)).toBe('SUCCESS')
    await expect(resolve()).rejects.toThrow(/409 .*NOT_ABNORMAL/)
    const { orders } = await sandbox.control.book({ mchId })
    const order = orders.find((one) => one.outTradeNo === outTradeNo)
    expect(order?.refundedFee).toBe(1000)
  })

  test('REFUNDCLOSE leaves the money with the merchant and frees the amount', async () => {
    const outRefundNo = await abnormalRefund()
    const closed = await sandbox.control.resolve({ mchId, outRefundNo, result: 'REFUNDCLOSE' })
    expect(closed).toMatchObject({ refundStatus: 'REFUNDCLOSE', successAt: null })
    await sandbox.control.advance(0)
    expect(innerOf(shop.bodies[0])).toMatchObject({ refund_status: 'REFUNDCLOSE' })
    expect(await statusOf(outRefundNo)).toBe('REFUNDCLOSE')
    const again = await client.refund(outTradeNo, newNo(), { refund_fee: '1000' })
    expect(again).toMatchObject({ result_code: 'SUCCESS' })
  })
})

describe('what a person cannot do', () => {
  const numbers = { mchId: '1900000001', outTradeNo: 'none', outRefundNo: 'none' }
  const BAD: readonly (readonly [string, object, number])[] = [
    ['refund', { mchId: numbers.mchId, outTradeNo: 'none', amountFen: 1 }, 404],
    ['refund', { mchId: numbers.mchId, outTradeNo: 'none', amountFen: 0 }, 400],
    ['refund', { mchId: numbers.mchId, outTradeNo: 'none', amountFen: 1.5 }, 400],
    ['refund', { mchId: numbers.mchId, outTradeNo: 'x', amountFen: 1, notifyUrl: 'here' }, 400],
    ['refund', { mchId: numbers.mchId, amountFen: 1 }, 400],
    ['card', { mchId: numbers.mchId, outTradeNo: 'none', frozen: true }, 404],
    ['card', { mchId: numbers.mchId, outTradeNo: 'none', frozen: 'yes' }, 400],
    ['resolve', { mchId: numbers.mchId, outRefundNo: 'none' }, 404],
    ['resolve', { mchId: numbers.mchId, outRefundNo: 'none', result: 'CHANGE' }, 400],
    ['balance', { mchId: numbers.mchId }, 400],
    ['balance', { mchId: numbers.mchId, balanceFen: -1 }, 400],
    ['balance', { mchId: numbers.mchId, balanceFen: 'null' }, 400],
  ]
  test.each(BAD)('POST /_control/%s %j is %i', async (call, body, status) => {
    const reply = await sandbox.control.raw('POST', `/_control/${call}`, JSON.stringify(body))
    expect(reply).toMatchObject({ status, body: { error: { code: expect.any(String) } } })
  })
})
