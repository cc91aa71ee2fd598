import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { SandboxFault, TestSandbox } from '../support/sandbox.js'
import { FAIL, OK, startMerchantSide } from './merchant-side.js'
import type { MerchantSide } from './merchant-side.js'
import { fromXml, newNo, signByHand, toXml, V2Client } from './v2-client.js'

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
  await client.order(outTradeNo, { notify_url: shop.url })
})

afterEach(async () => {
  await sandbox.control.clearFaults()
  shop.answer = () => OK
  shop.bodies.length = 0
})

afterAll(async () => {
  await client.stop()
  await shop.stop()
  await sandbox.stop()
})

const arm = (fault: string, call: string, more: Partial<SandboxFault> = {}) =>
  sandbox.control.armFaults([{ match: { call, outTradeNo }, fault, times: 1, ...more }])

const pay = () => sandbox.control.pay({ mchId, outTradeNo })

async function triesOf(): Promise<readonly { outcome: string; fault: string | null }[]> {
  await sandbox.control.advance(0)
  const [notification] = await sandbox.control.notifications({ outTradeNo })
  return (notification?.tries ?? []).map(({ outcome, fault }) => ({ outcome, fault }))
}

test('lost: the try is noted and nothing is sent; the next one arrives', async () => {
  await arm('lost', 'notify_payment')
  await pay()
  expect(await triesOf()).toEqual([{ outcome: 'lost', fault: 'lost' }])
  expect(shop.bodies).toHaveLength(0)
  await sandbox.control.advance(15_000)
  expect(await triesOf()).toHaveLength(2)
  expect(shop.bodies).toHaveLength(1)
})

test('lost: with times -1 no notification ever arrives', async () => {
  await arm('lost', 'notify_payment', { times: -1 })
  await pay()
  await sandbox.control.advance(25 * 60 * 60 * 1000)
  const tries = await triesOf()
  expect(tries).toHaveLength(16)
  expect(tries.every(({ outcome }) => outcome === 'lost')).toBe(true)
  expect(shop.bodies).toHaveLength(0)
})

test('late: the try is made by that much later', async () => {
  await arm('late', 'notify_payment', { ms: 3_600_000 })
  await pay()
  await sandbox.control.advance(3_599_000)
  expect(await triesOf()).toEqual([])
  await sandbox.control.advance(1_000)
  expect(await triesOf()).toEqual([{ outcome: 'success', fault: 'late' }])
})

test('duplicate: two equal deliveries at once', async () => {
  await arm('duplicate', 'notify_payment')
  await pay()
  const tries = await triesOf()
  expect(tries).toHaveLength(2)
  expect(tries).toContainEqual({ outcome: 'success', fault: 'duplicate' })
  expect(shop.bodies).toHaveLength(2)
  expect(shop.bodies[0]).toBe(shop.bodies[1])
})

test('forged and probe: wrongly signed, and no answer to them ends the schedule', async () => {
  await sandbox.control.armFaults([
    { match: { call: 'notify_payment', outTradeNo }, fault: 'forged', times: 1 },
    { match: { call: 'notify_payment', outTradeNo }, fault: 'probe', times: 1 },
  ])
  shop.answer = (body) => (isGenuine(body) ? OK : FAIL)
  await pay()
  await sandbox.control.advance(30_000)
  expect(await triesOf()).toEqual([
    { outcome: 'refused', fault: 'forged' },
    { outcome: 'refused', fault: 'probe' },
    { outcome: 'success', fault: null },
  ])
  const amounts = shop.bodies.map((body) => fromXml(body)['total_fee'])
  expect(amounts).toEqual(['100000', '1000', '1000'])
  expect(shop.bodies.map(isGenuine)).toEqual([false, false, true])
})

function isGenuine(body: string): boolean {
  const told = fromXml(body)
  return told['sign'] === signByHand(told, client.merchant.apiV2Key)
}

test('timeout_before: no answer and no effect', async () => {
  await pay()
  const outRefundNo = newNo()
  await arm('timeout_before', 'refund', { ms: 50 })
  await expect(client.refund(outTradeNo, outRefundNo)).rejects.toThrow(
    /other side closed|ECONNRESET/,
  )
  expect((await bookedRefunds()).length).toBe(0)
  const log = await sandbox.control.log({ outRefundNo })
  expect(log).toMatchObject([{ call: 'refund', answered: 'timeout_before' }])
})

test('timeout_after: no answer, but the refund is accepted once', async () => {
  await pay()
  const outRefundNo = newNo()
  await arm('timeout_after', 'refund', { ms: 50 })
  await expect(client.refund(outTradeNo, outRefundNo)).rejects.toThrow(
    /other side closed|ECONNRESET/,
  )
  expect(await bookedRefunds()).toHaveLength(1)
  expect(await client.refund(outTradeNo, outRefundNo)).toMatchObject({ result_code: 'SUCCESS' })
  expect(await bookedRefunds()).toHaveLength(1)
  const log = await sandbox.control.log({ outRefundNo })
  expect(log.map(({ answered }) => answered)).toEqual(['timeout_after', 'SUCCESS'])
})

test('systemerror and html: refused without effect, then carried out', async () => {
  await pay()
  const outRefundNo = newNo()
  await arm('systemerror', 'refund')
  await arm('html', 'refund')
  const refused = await client.refund(outTradeNo, outRefundNo)
  expect(refused).toMatchObject({ return_code: 'SUCCESS', err_code: 'SYSTEMERROR' })
  expect(refused['sign']).toBe(signByHand(refused, client.merchant.apiV2Key))
  expect(await client.refund(outTradeNo, outRefundNo)).not.toHaveProperty('return_code')
  expect(await bookedRefunds()).toHaveLength(0)
  expect(await client.refund(outTradeNo, outRefundNo)).toMatchObject({ result_code: 'SUCCESS' })
})

test.each([
  ['html', 502],
  ['too_many', 429],
])('%s: is an error page with status %i', async (fault, status) => {
  await arm(fault, 'orderquery')
  const { mchId: mch_id, appId: appid, apiV2Key } = client.merchant
  const fields = { appid, mch_id, nonce_str: 'n', out_trade_no: outTradeNo }
  const sign = signByHand(fields, apiV2Key)
  const reply = await client.post('/pay/orderquery', toXml({ ...fields, sign }))
  expect(reply.status).toBe(status)
  expect(reply.text).toMatch(/^<html>/)
})

test('slow: the answer takes its time and has its effect', async () => {
  await arm('slow', 'closeorder', { ms: 300 })
  const startMs = Date.now()
  expect(await client.close(outTradeNo)).toMatchObject({ result_code: 'SUCCESS' })
  expect(Date.now() - startMs).toBeGreaterThanOrEqual(290)
})

test('not_enough: the refund is refused until there is money', async () => {
  await pay()
  const outRefundNo = newNo()
  await arm('not_enough', 'refund')
  expect(await client.refund(outTradeNo, outRefundNo)).toMatchObject({ err_code: 'NOTENOUGH' })
  expect(await client.refund(outTradeNo, outRefundNo)).toMatchObject({ result_code: 'SUCCESS' })
})

test('change: the refund ends CHANGE and the merchant has the money back', async () => {
  await pay()
  const outRefundNo = newNo()
  await arm('change', 'refund')
  await client.refund(outTradeNo, outRefundNo)
  await sandbox.control.advance(60_000)
  const found = await client.refundQuery({ out_refund_no: outRefundNo })
  expect(found).toMatchObject({ refund_status_0: 'CHANGE' })
  expect(found).not.toHaveProperty('refund_success_time_0')
  expect(await bookedRefunds()).toMatchObject([{ refundStatus: 'CHANGE', successAt: null }])
})

test('a fault strikes only what it matches, and only so many times', async () => {
  await sandbox.control.armFaults([
    { match: { call: 'orderquery', outTradeNo }, fault: 'systemerror', times: 2 },
  ])
  const other = newNo()
  await client.order(other)
  expect(await client.query(other)).toMatchObject({ result_code: 'SUCCESS' })
  for (const left of [1, 0]) {
    expect(await client.query(outTradeNo)).toMatchObject({ err_code: 'SYSTEMERROR' })
    expect((await sandbox.control.faults()).map(({ times }) => times)).toEqual(left ? [left] : [])
  }
  expect(await client.query(outTradeNo)).toMatchObject({ result_code: 'SUCCESS' })
})

async function bookedRefunds() {
  const { refunds } = await sandbox.control.book({ mchId })
  return refunds.filter((refund) => refund.outTradeNo === outTradeNo)
}
