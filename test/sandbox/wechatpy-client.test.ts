import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { startMerchantSide } from './merchant-side.js'
import type { MerchantSide } from './merchant-side.js'
import { newNo } from './v2-client.js'
import { openPythonEnvironment } from './wechatpy/environment.js'

/**
 * `wechatpy` is written in Python by others for the real WeChat Pay. It comes from its own
 * registry and is used as it is published; only its base address names the sandbox.
 */

const DRIVER = fileURLToPath(new URL('wechatpy/drive.py', import.meta.url))
const INSTALL_MS = 300_000

interface Answer {
  readonly value?: unknown
  readonly error?: Readonly<Record<string, string>>
}

let sandbox: TestSandbox
let shop: MerchantSide
let folder: string
let driver: ChildProcessWithoutNullStreams | undefined
let answers: AsyncIterator<string>
let whyNot: string | undefined
let mchId: string
/** What Python wrote to its standard error, which is why it ended if it has. */
let complaints = ''

beforeAll(async () => {
  const environment = await openPythonEnvironment()
  whyNot = environment.whyNot
  if (environment.python === undefined) return
  sandbox = await startTestSandbox()
  shop = await startMerchantSide()
  mchId = sandbox.merchants[0].mchId
  driver = startDriver(environment.python)
  answers = createInterface(driver.stdout)[Symbol.asyncIterator]()
}, INSTALL_MS)

beforeEach((context) => {
  context.skip(whyNot !== undefined, whyNot)
})

afterAll(async () => {
  if (!driver) return
  const ended = once(driver, 'exit')
  driver.stdin.end()
  await ended
  rmSync(folder, { recursive: true, force: true })
  await shop.stop()
  await sandbox.stop()
})

function startDriver(python: string): ChildProcessWithoutNullStreams {
  const merchant = sandbox.merchants[0]
  folder = mkdtempSync(join(tmpdir(), 'yuanlu-wechatpy-'))
  const files = { mch_cert: join(folder, 'cert.pem'), mch_key: join(folder, 'key.pem') }
  writeFileSync(files.mch_cert, merchant.certPem)
  writeFileSync(files.mch_key, merchant.keyPem, { mode: 0o600 })
  const env = { PATH: '/usr/bin:/bin', REQUESTS_CA_BUNDLE: sandbox.caPath }
  const started = spawn(python, ['-W', 'ignore', DRIVER], { env })
  started.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString('utf8')
  })
  const ids = { appid: merchant.appId, mch_id: merchant.mchId, api_key: merchant.apiV2Key }
  started.stdin.write(`${JSON.stringify({ base_url: `${sandbox.url}/`, ...ids, ...files })}\n`)
  return started
}

async function call(name: string, values: object): Promise<Answer> {
  driver?.stdin.write(`${JSON.stringify({ call: name, arguments: values })}\n`)
  const line = await answers.next()
  if (line.done) throw new Error(`the driver has ended: ${complaints}`)
  return JSON.parse(line.value) as Answer
}

async function paidOrder(): Promise<string> {
  const outTradeNo = newNo()
  await call('order.create', orderOf(outTradeNo))
  await sandbox.control.pay({ mchId, outTradeNo })
  await sandbox.control.advance(0)
  return outTradeNo
}

function orderOf(outTradeNo: string): object {
  return {
    trade_type: 'JSAPI',
    body: '明前龙井 & <青团>',
    total_fee: 888,
    notify_url: shop.url,
    client_ip: '127.0.0.1',
    user_id: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
    out_trade_no: outTradeNo,
  }
}

test('wechatpy: places an order and finds the answer rightly signed', async () => {
  const placed = await call('order.create', orderOf(newNo()))
  expect(placed.value).toMatchObject({
    trade_type: 'JSAPI',
    prepay_id: expect.stringMatching(/^wx/),
  })
  expect(await call('check_signature', { params: placed.value })).toEqual({ value: true })
})

test('wechatpy: queries an order and closes it', async () => {
  const outTradeNo = newNo()
  await call('order.create', orderOf(outTradeNo))
  const query = () => call('order.query', { out_trade_no: outTradeNo })
  expect((await query()).value).toMatchObject({ trade_state: 'NOTPAY' })
  const closed = await call('order.close', { out_trade_no: outTradeNo })
  expect(closed.value).toMatchObject({ result_code: 'SUCCESS' })
  expect((await query()).value).toMatchObject({ trade_state: 'CLOSED' })
})

test("wechatpy: believes a payment's notification and refuses a forged one", async () => {
  shop.bodies.length = 0
  const outTradeNo = await paidOrder()
  const told = await call('parse_payment_result', { xml: shop.bodies[0] })
  expect(told.value).toMatchObject({ out_trade_no: outTradeNo, total_fee: 888 })
  await sandbox.control.armFaults([{ match: { call: 'notify_payment' }, fault: 'forged' }])
  await paidOrder()
  const forged = await call('parse_payment_result', { xml: shop.bodies[1] })
  expect(forged.error).toEqual({ err_code: 'wrong signature' })
})

test('wechatpy: refunds with its certificate, queries, and reads how it ended', async () => {
  const outTradeNo = await paidOrder()
  const outRefundNo = newNo()
  const fees = { total_fee: 888, refund_fee: 88, notify_url: shop.url }
  const refunded = await call('refund.apply', {
    ...fees,
    out_trade_no: outTradeNo,
    out_refund_no: outRefundNo,
    refund_desc: '少发一盒',
  })
  expect(refunded.value).toMatchObject({ out_refund_no: outRefundNo, refund_fee: '88' })
  shop.bodies.length = 0
  await sandbox.control.advance(60_000)
  const found = await call('refund.query', { out_refund_no: outRefundNo })
  expect(found.value).toMatchObject({ refund_status_0: 'SUCCESS', refund_count: '1' })
  const encrypted = shop.bodies.find((body) => body.includes('req_info'))
  const told = await call('parse_refund_notify_result', { xml: encrypted })
  expect(told.value).toMatchObject({
    out_refund_no: outRefundNo,
    refund_fee: 88,
    refund_status: 'SUCCESS',
    refund_request_source: 'API',
  })
})

test('wechatpy: raises a refusal with its code', async () => {
  const paid = await paidOrder()
  const closed = await call('order.close', { out_trade_no: paid })
  expect(closed.error).toEqual({ return_code: 'SUCCESS', err_code: 'ORDERPAID' })
  const unknown = await call('order.query', { out_trade_no: newNo() })
  expect(unknown.error).toEqual({ return_code: 'SUCCESS', err_code: 'ORDERNOTEXIST' })
})
