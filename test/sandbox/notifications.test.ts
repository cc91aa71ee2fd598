import { createDecipheriv, createHash } from 'node:crypto'

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { SandboxNotification, TestSandbox } from '../support/sandbox.js'
import { FAIL, OK, startMerchantSide } from './merchant-side.js'
import type { MerchantSide } from './merchant-side.js'
import { fromXml, newNo, signByHand, V2Client } from './v2-client.js'
import type { Values } from './v2-client.js'

let sandbox: TestSandbox
let client: V2Client
let shop: MerchantSide
let mchId: string

beforeAll(async () => {
  sandbox = await startTestSandbox()
  client = new V2Client(sandbox, sandbox.merchants[0])
  shop = await startMerchantSide()
  mchId = client.merchant.mchId
})

afterEach(() => {
  shop.answer = () => OK
  shop.bodies.length = 0
})

afterAll(async () => {
  await client.stop()
  await shop.stop()
  await sandbox.stop()
})

async function pay(values: Values = {}): Promise<string> {
  const outTradeNo = newNo()
  await client.order(outTradeNo, { notify_url: shop.url, ...values })
  await sandbox.control.pay({ mchId, outTradeNo })
  return outTradeNo
}

/** Lets what is due now be delivered, without letting time pass. */
async function notificationOf(outTradeNo: string): Promise<SandboxNotification> {
  await sandbox.control.advance(0)
  const [notification] = await sandbox.control.notifications({ outTradeNo })
  if (!notification) throw new Error('there is no notification')
  return notification
}

test('payment notification: is signed, at once, and complete', async () => {
  for (const signType of ['MD5', 'HMAC-SHA256']) {
    shop.bodies.length = 0
    const outTradeNo = await pay({ sign_type: signType, attach: 'a&b<c>' })
    const notification = await notificationOf(outTradeNo)
    expect(notification).toMatchObject({ kind: 'payment', state: 'delivered', nextTryAt: null })
    expect(notification.tries).toMatchObject([{ status: 200, answer: OK, outcome: 'success' }])
    const told = fromXml(shop.bodies[0] ?? '')
    expect(told).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'SUCCESS',
      appid: client.merchant.appId,
      mch_id: mchId,
      out_trade_no: outTradeNo,
      total_fee: '1000',
      attach: 'a&b<c>',
    })
    expect(told['sign']).toBe(signByHand(told, client.merchant.apiV2Key))
  }
})

test('payment notification: is tried on the documented schedule, then given up', async () => {
  shop.answer = () => FAIL
  const outTradeNo = await pay()
  await sandbox.control.advance(25 * 60 * 60 * 1000)
  const notification = await notificationOf(outTradeNo)
  const startMs = Date.parse(notification.tries[0]?.at ?? '')
  const seconds = notification.tries.map(({ at }) => Math.round((Date.parse(at) - startMs) / 1000))
  const minutes = (count: number) => count * 60
  const expected = [
    0,
    15,
    30,
    60,
    240,
    minutes(14),
    minutes(34),
    minutes(64),
    minutes(94),
    minutes(124),
    minutes(184),
    minutes(364),
    minutes(544),
    minutes(724),
    minutes(1084),
    minutes(1444),
  ]
  expect(seconds).toEqual(expected)
  expect(notification).toMatchObject({ state: 'given_up', nextTryAt: null })
  expect(notification.tries.every(({ outcome }) => outcome === 'refused')).toBe(true)
})

test('payment notification: stops at the first answer that says SUCCESS', async () => {
  let count = 0
  shop.answer = () => ((count += 1) < 3 ? 'not xml' : OK)
  const outTradeNo = await pay()
  await sandbox.control.advance(60 * 60 * 1000)
  const { tries, state } = await notificationOf(outTradeNo)
  expect(tries.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'success'])
  expect(state).toBe('delivered')
})

test('payment notification: runs on the scaled clock without being pushed', async () => {
  const fast = await startTestSandbox({ rate: 1000 })
  const merchant = new V2Client(fast, fast.merchants[0])
  let count = 0
  shop.answer = () => ((count += 1) < 4 ? FAIL : OK)
  const outTradeNo = newNo()
  await merchant.order(outTradeNo, { notify_url: shop.url })
  await fast.control.pay({ mchId: merchant.merchant.mchId, outTradeNo })
  await expect
    .poll(async () => (await fast.control.notifications({ outTradeNo }))[0]?.state, {
      timeout: 20_000,
    })
    .toBe('delivered')
  await merchant.stop()
  await fast.stop()
})

test('payment notification: no answer within 5 s counts as none', async () => {
  shop.answer = () => null
  const notification = await notificationOf(await pay())
  expect(notification.tries).toMatchObject([{ status: null, outcome: 'no_answer' }])
  expect(notification.state).toBe('waiting')
  shop.answer = () => OK
  expect((await sandbox.control.resend(notification.id)).state).toBe('delivered')
})

test('payment notification: can be sent again by hand', async () => {
  const notification = await notificationOf(await pay())
  const again = await sandbox.control.resend(notification.id)
  expect(again.tries).toHaveLength(2)
  expect(shop.bodies[1]).toBe(shop.bodies[0])
})

test('refund notification: is encrypted and tells how the refund ended', async () => {
  const outTradeNo = await pay()
  const outRefundNo = newNo()
  await client.refund(outTradeNo, outRefundNo, { notify_url: shop.url })
  await sandbox.control.advance(60_000)
  const [notification] = await sandbox.control.notifications({ outRefundNo })
  expect(notification).toMatchObject({ kind: 'refund', state: 'delivered', outTradeNo })
  const outer = fromXml(shop.bodies.at(-1) ?? '')
  expect(outer).toMatchObject({ return_code: 'SUCCESS', mch_id: mchId })
  expect(outer).not.toHaveProperty('sign')
  const inner = decrypt(outer['req_info'] ?? '')
  expect(inner).toMatch(/^<root>/)
  expect(fromXml(inner.replace(/<\/?root>/g, ''))).toMatchObject({
    out_refund_no: outRefundNo,
    refund_fee: '100',
    total_fee: '1000',
    refund_status: 'SUCCESS',
    refund_request_source: 'API',
  })
})

function decrypt(requestInfo: string): string {
  const key = createHash('md5').update(client.merchant.apiV2Key).digest('hex')
  const decipher = createDecipheriv('aes-256-ecb', key, null)
  return decipher.update(requestInfo, 'base64', 'utf8') + decipher.final('utf8')
}
