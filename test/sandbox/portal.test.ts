import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { parseYuan, yuanText } from '../../src/sandbox/html.js'
import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { newNo, V2Client } from './v2-client.js'
import type { Values } from './v2-client.js'

/** The merchant portal, as a person's browser sees it. */

let sandbox: TestSandbox
let client: V2Client
let mchId: string

beforeAll(async () => {
  sandbox = await startTestSandbox({ cashierPort: 0 })
  client = new V2Client(sandbox, sandbox.merchants[0])
  mchId = client.merchant.mchId
})

afterAll(async () => {
  await client.stop()
  await sandbox.stop()
})

async function paidOrder(values: Values = {}) {
  const outTradeNo = newNo()
  await client.order(outTradeNo, values)
  await sandbox.control.pay({ mchId, outTradeNo })
  return { outTradeNo, path: `/portal/${mchId}/${outTradeNo}` }
}

async function visit(path: string, form?: Values, headers: Values = {}) {
  const body = new URLSearchParams(form).toString()
  const options = form === undefined ? { headers } : ({ method: 'POST', body, headers } as const)
  const reply = await request(`${sandbox.httpUrl}${path}`, options)
  const html = await reply.body.text()
  return { status: reply.statusCode, location: reply.headers['location'], html, reply }
}

/** Posts a form and sees the page it leads to. */
async function submit(path: string, form: Values) {
  const posted = await visit(path, form)
  expect(posted.status).toBe(303)
  return visit(String(posted.location))
}

describe('pages', () => {
  test('portal: lists the merchants with balance, over HTTP and HTTPS', async () => {
    for (const html of [(await visit('/portal')).html, (await client.get('/portal')).text]) {
      expect(html).toContain('<html lang="zh-CN">')
      for (const merchant of sandbox.merchants) expect(html).toContain(merchant.mchId)
      expect(html).toContain('可退余额')
      expect(html).not.toMatch(/<script|https?:\/\//)
    }
  })

  test('portal: a merchant without paid orders is told so', async () => {
    const { html, status } = await visit(`/portal/${sandbox.merchants[1].mchId}`)
    expect(status).toBe(200)
    expect(html).toContain('还没有已支付的订单')
  })

  test('portal: lists paid orders only, with what was refunded', async () => {
    const unpaid = newNo()
    await client.order(unpaid)
    const { outTradeNo } = await paidOrder({ body: '青团礼盒', total_fee: '1234567' })
    await client.refund(outTradeNo, newNo(), { total_fee: '1234567', refund_fee: '4500' })
    expect((await visit(`/portal/${mchId}`)).html).toContain('退款中')
    await sandbox.control.advance(60_000)
    const { html } = await visit(`/portal/${mchId}`)
    for (const text of ['青团礼盒', outTradeNo, '¥12,345.67', '已退', '¥45.00', '部分退款']) {
      expect(html).toContain(text)
    }
    expect(html).not.toContain(unpaid)
  })

  test('portal: finds by number and by goods, and says when nothing fits', async () => {
    const { outTradeNo } = await paidOrder({ body: '明前龙井' })
    const other = await paidOrder({ body: '端午粽子' })
    for (const search of [outTradeNo, outTradeNo.slice(4, 20).toUpperCase(), '龙井']) {
      const { html } = await visit(`/portal/${mchId}?search=${encodeURIComponent(search)}`)
      expect(html).toContain(outTradeNo)
      expect(html).not.toContain(other.outTradeNo)
    }
    const none = await visit(`/portal/${mchId}?search=%3Cb%3E`)
    expect(none.html).toContain('没有与“&#60;b&#62;”相符的订单')
  })

  test('portal: goes through many orders in pages of twenty', async () => {
    const many = await sandbox.control.addMerchant()
    const shopper = new V2Client(sandbox, many)
    const numbers: string[] = []
    for (let count = 0; count < 21; count += 1) {
      const outTradeNo = newNo()
      await shopper.order(outTradeNo)
      await sandbox.control.pay({ mchId: many.mchId, outTradeNo })
      await sandbox.control.advance(1_000)
      numbers.push(outTradeNo)
    }
    const first = (await visit(`/portal/${many.mchId}`)).html
    expect(first).toContain('第 1 / 2 页')
    expect(first).toContain(numbers[20])
    expect(first).not.toContain(numbers[0])
    expect(first).toContain(`/portal/${many.mchId}?page=2`)
    for (const asked of ['2', '99']) {
      const { html } = await visit(`/portal/${many.mchId}?page=${asked}`)
      expect(html).toContain('第 2 / 2 页')
      expect(html).toContain(numbers[0])
      expect(html).not.toContain(numbers[1])
    }
    for (const asked of ['0', '-1', 'x']) {
      const { html } = await visit(`/portal/${many.mchId}?page=${asked}`)
      expect(html).toContain('第 1 / 2 页')
    }
    await shopper.stop()
  })

  test('portal: what an order says is never markup', async () => {
    const { path } = await paidOrder({ body: '<script>alert("1")</script>' })
    for (const page of [await visit(path), await visit(`/portal/${mchId}`)]) {
      expect(page.html).toContain('&#60;script&#62;')
      expect(page.html).not.toContain('<script>')
      expect(String(page.reply.headers['content-security-policy'])).toMatch(/^default-src 'none'/)
    }
  })

  test('portal: an order number of any allowed characters has a page', async () => {
    const outTradeNo = `a|b*c_d-${newNo().slice(0, 8)}`
    await client.order(outTradeNo)
    await sandbox.control.pay({ mchId, outTradeNo })
    const path = `/portal/${mchId}/${encodeURIComponent(outTradeNo)}`
    expect((await visit(`/portal/${mchId}`)).html).toContain(`href="${path}"`)
    expect((await visit(path)).html).toContain(outTradeNo)
  })

  const UNKNOWN = ['/portal/1', '/portal/1900000001/none', '/portal/a/b/c', '/portal/%E0%A4%A']
  test.each(UNKNOWN)('portal: %s is not there', async (path) => {
    const { status, html } = await visit(path)
    expect(status).toBe(404)
    expect(html).toContain('回到商户列表')
  })
})

describe('acts', () => {
  test('portal: refunds by hand', async () => {
    const { path, outTradeNo } = await paidOrder()
    const notifyUrl = 'http://127.0.0.1:9/refund'
    const form = { action: 'refund', amount: '2.5', notify_url: notifyUrl }
    const done = await submit(path, form)
    expect(done.html).toContain('退款已受理')
    expect(done.html).toContain('¥2.50')
    expect(done.html).toContain('退款处理中')
    await sandbox.control.advance(60_000)
    const found = await client.refundQuery({ out_trade_no: outTradeNo })
    expect(found).toMatchObject({ refund_fee_0: '250', refund_status_0: 'SUCCESS' })
    const notifications = await sandbox.control.notifications({ outTradeNo })
    expect(notifications.at(-1)).toMatchObject({ kind: 'refund', url: notifyUrl })
    await submit(path, { action: 'refund', amount: '7.50', notify_url: '' })
    expect((await visit(path)).html).toContain('没有可退的金额')
  })

  const REFUSED: readonly (readonly [string, Values, number, string])[] = [
    ['no number', { action: 'refund', amount: 'ten' }, 400, '金额请填数字'],
    ['three decimals', { action: 'refund', amount: '1.005' }, 400, '金额请填数字'],
    ['nothing', { action: 'refund', amount: '0.00' }, 400, '要大于零'],
    ['more than was paid', { action: 'refund', amount: '10.01' }, 409, '大于支付金额'],
    ['no web address', { action: 'refund', amount: '1', notify_url: 'here' }, 400, '不是网址'],
    ['an unknown refund', { action: 'resolve', out_refund_no: 'x' }, 400, '不需要处理'],
    ['an unknown act', { action: 'burn' }, 400, '没有这个操作'],
  ]
  test.each(REFUSED)('portal: %s is refused and shown again', async (_, form, status, why) => {
    const { path, outTradeNo } = await paidOrder()
    const refused = await visit(path, form)
    expect(refused.status).toBe(status)
    expect(refused.html).toContain(why)
    expect(refused.html).toContain('role="alert"')
    if (form['amount'] !== undefined) expect(refused.html).toContain(`value="${form['amount']}"`)
    const { refunds } = await sandbox.control.book({ mchId })
    expect(refunds.filter((one) => one.outTradeNo === outTradeNo)).toEqual([])
  })

  test('portal: sets the balance, limits it and lifts the limit', async () => {
    const merchant = await sandbox.control.addMerchant()
    const path = `/portal/${merchant.mchId}`
    const set = await submit(path, { action: 'balance', balance: '1000.5' })
    expect(set.html).toContain('¥1,000.50')
    expect((await submit(path, { action: 'no_limit' })).html).toContain('不限')
    const refused = await visit(path, { action: 'balance', balance: '-1' })
    expect(refused.html).toContain('value="-1"')
    expect(refused.status).toBe(400)
    expect((await visit(path)).html).toContain('No limit')
  })

  test('portal: freezes a card, and ends the refunds that it stopped', async () => {
    const { path, outTradeNo } = await paidOrder()
    expect((await submit(path, { action: 'freeze' })).html).toContain('已冻结')
    const refunds = [newNo(), newNo()]
    for (const outRefundNo of refunds) await client.refund(outTradeNo, outRefundNo)
    await sandbox.control.advance(60_000)
    expect((await submit(path, { action: 'thaw' })).html).toContain('正常')
    expect((await visit(path)).html.match(/退款异常，钱已退回商户/g)).toHaveLength(2)
    const [first = '', second = ''] = refunds
    await submit(path, { action: 'resolve', out_refund_no: first })
    const { html } = await submit(path, { action: 'close', out_refund_no: second })
    for (const text of ['退款成功', '退款已关闭', '¥1.00']) expect(html).toContain(text)
    const found = await client.refundQuery({ out_trade_no: outTradeNo })
    expect(found).toMatchObject({ refund_status_0: 'SUCCESS', refund_status_1: 'REFUNDCLOSE' })
  })

  test('portal: what another site sends is not done', async () => {
    const { path } = await paidOrder()
    const form = { action: 'refund', amount: '1' }
    for (const site of ['cross-site', 'same-site']) {
      const refused = await visit(path, form, { 'sec-fetch-site': site })
      expect(refused.status).toBe(403)
    }
    expect((await visit(path)).html).toContain('还没有退款')
    const { status } = await visit(path, form, { 'sec-fetch-site': 'same-origin' })
    expect(status).toBe(303)
  })

  test('portal: takes GET and POST only, and a phone in the network does not see it', async () => {
    const reply = await request(`${sandbox.httpUrl}/portal`, { method: 'DELETE' })
    expect(reply.statusCode).toBe(405)
    await reply.body.dump()
    const open = await startTestSandbox({ cashierPort: 0, lan: true })
    const port = new URL(open.httpUrl ?? '').port
    const hidden = await request(`http://127.0.0.1:${port}/portal`)
    expect(hidden.statusCode).toBe(404)
    await hidden.body.dump()
    await open.stop()
  })
})

describe('yuan', () => {
  const AMOUNTS: readonly (readonly [string, number | undefined])[] = [
    ['12', 1200],
    ['12.5', 1250],
    ['12.50', 1250],
    [' 0.01 ', 1],
    ['0', 0],
    ['', undefined],
    ['1.234', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['1,000', undefined],
    ['12345678901', undefined],
  ]
  test.each(AMOUNTS)('"%s" is %s fen', (text, amountFen) => {
    expect(parseYuan(text)).toBe(amountFen)
  })

  test.each([
    [0, '0.00'],
    [5, '0.05'],
    [1250, '12.50'],
    [-5, '-0.05'],
  ])('%i fen are %s', (amountFen, text) => {
    expect(yuanText(amountFen)).toBe(text)
  })
})
