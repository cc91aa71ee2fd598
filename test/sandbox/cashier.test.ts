import { request } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { newNo, V2Client } from './v2-client.js'

let sandbox: TestSandbox
let client: V2Client

beforeAll(async () => {
  sandbox = await startTestSandbox({ cashierPort: 0 })
  client = new V2Client(sandbox, sandbox.merchants[0])
})

afterAll(async () => {
  await client.stop()
  await sandbox.stop()
})

async function place(values: Record<string, string> = {}) {
  const outTradeNo = newNo()
  const { prepay_id: prepayId } = await client.order(outTradeNo, values)
  return { outTradeNo, path: `/cashier/${prepayId}` }
}

async function visit(path: string, action?: string) {
  const options =
    action === undefined ? {} : ({ method: 'POST', body: `action=${action}` } as const)
  const reply = await request(`${sandbox.httpUrl}${path}`, options)
  const { location } = reply.headers
  return { status: reply.statusCode, location, html: await reply.body.text(), reply }
}

test('cashier: shows amount, goods and merchant, and two buttons', async () => {
  const { path, outTradeNo } = await place({ body: '苹果 <b>&lt;</b>', total_fee: '5' })
  for (const page of [await visit(path), await client.get(path)]) {
    const html = 'html' in page ? page.html : page.text
    expect(page.status).toBe(200)
    expect(html).toContain('<html lang="zh-CN">')
    expect(html).toContain('<span>¥</span>0.05')
    expect(html).toContain('支付<small lang="en">Pay')
    expect(html).toContain('取消<small lang="en">Cancel')
    expect(html).toContain(outTradeNo)
    expect(html).toContain(sandbox.merchants[0].mchId)
    expect(html).not.toMatch(/<script|https?:\/\//)
  }
})

test('cashier: what an order says is never markup', async () => {
  const { path } = await place({ body: '<script>alert("1")</script>' })
  const { html, reply } = await visit(path)
  expect(html).toContain('&#60;script&#62;')
  expect(html).not.toContain('<script>')
  expect(String(reply.headers['content-security-policy'])).toMatch(/^default-src 'none'/)
})

test('cashier: 支付 pays and shows it', async () => {
  const { path, outTradeNo } = await place()
  const posted = await visit(path, 'pay')
  expect(posted).toMatchObject({ status: 303, location: path })
  const { html } = await visit(path)
  expect(html).toContain('支付成功')
  expect(html).not.toContain('<button')
  expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'SUCCESS' })
  expect((await visit(path, 'pay')).status).toBe(303)
  await client.refund(outTradeNo, newNo())
  expect((await visit(path)).html).toContain('发生过退款')
})

test('cashier: 取消 leaves the order payable', async () => {
  const { path, outTradeNo } = await place()
  const { location } = await visit(path, 'cancel')
  const { html } = await visit(String(location))
  expect(html).toContain('已取消支付')
  expect(html).toContain('<button')
  expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'NOTPAY' })
})

test('cashier: closed, expired, failed and unknown orders say so', async () => {
  const closed = await place()
  await client.close(closed.outTradeNo)
  expect((await visit(closed.path)).html).toContain('订单已关闭')
  await visit(closed.path, 'pay')
  expect(await client.query(closed.outTradeNo)).toMatchObject({ trade_state: 'CLOSED' })

  const failed = await place()
  const { mchId } = client.merchant
  await sandbox.control.pay({ mchId, outTradeNo: failed.outTradeNo, result: 'PAYERROR' })
  expect((await visit(failed.path)).html).toContain('支付失败')

  const times = { time_start: '20260101120000', time_expire: '20260101121000' }
  const expired = await place(times)
  await sandbox.control.advance(600_000)
  expect((await visit(expired.path)).html).toContain('订单已过期')

  const unknown = await visit('/cashier/wxnone')
  expect(unknown.status).toBe(404)
  expect(unknown.html).toContain('订单不存在')
})

test('cashier: the plain HTTP port serves nothing else', async () => {
  for (const path of ['/_control/merchants', '/pay/orderquery', '/secapi/pay/refund', '/']) {
    const reply = await request(`${sandbox.httpUrl}${path}`)
    expect(reply.statusCode).toBe(404)
    await reply.body.dump()
  }
})
