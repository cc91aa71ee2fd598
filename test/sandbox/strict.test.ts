import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { newNo, V2Client } from './v2-client.js'

/** What WeChat Pay refuses and a sandbox refuses only when it is strict. */

const PUBLIC_URL = 'https://pay.example.com/notify'
const MINUTE_MS = 60 * 1000

let sandbox: TestSandbox
let client: V2Client
let mchId: string

beforeAll(async () => {
  sandbox = await startTestSandbox({ strict: true })
  client = new V2Client(sandbox, sandbox.merchants[0])
  mchId = client.merchant.mchId
  await sandbox.control.armFaults([{ match: { call: 'notify_payment' }, fault: 'lost', times: -1 }])
})

afterAll(async () => {
  await client.stop()
  await sandbox.stop()
})

const order = (outTradeNo: string, values = {}) =>
  client.order(outTradeNo, { notify_url: PUBLIC_URL, ...values })

async function paidOrder(): Promise<string> {
  const outTradeNo = newNo()
  await order(outTradeNo)
  await sandbox.control.pay({ mchId, outTradeNo })
  return outTradeNo
}

describe('addresses', () => {
  const REFUSED = [
    'http://pay.example.com/notify',
    'https://pay.example.com/notify?a=1',
    'https://pay.example.com/notify#a',
    'https://pay.example.com:8443/notify',
    'https://pay.example.com:443/notify',
    'https://10.0.0.1/notify',
    'https://203.0.113.9/notify',
    'https://[2001:db8::1]/notify',
    'https://2130706433/notify',
    'https://localhost/notify',
    'https://shop.localhost/notify',
    'https://shop.local/notify',
    'https://pay.internal/notify',
    'https://intranet/notify',
    'https://user:secret@pay.example.com/notify',
  ]
  test.each(REFUSED)('notify_url %s is refused', async (url) => {
    const refused = { return_code: 'FAIL', err_code: 'PARAM_ERROR' }
    expect(await order(newNo(), { notify_url: url })).toMatchObject(refused)
    const refund = await client.refund(newNo(), newNo(), { notify_url: url })
    await sandbox.control.advance(MINUTE_MS + 1_000)
    expect(refund).toMatchObject(refused)
  })

  test.each([PUBLIC_URL, 'https://pay.example.com', 'https://PAY.example.com/a:b/c'])(
    'notify_url %s is taken',
    async (url) => {
      expect(await order(newNo(), { notify_url: url })).toMatchObject({ result_code: 'SUCCESS' })
    },
  )
})

describe('people and times', () => {
  test('an openid of another appid is refused', async () => {
    const openid = `o${newNo()}`
    expect(await order(newNo(), { openid })).toMatchObject({ result_code: 'SUCCESS' })
    const other = new V2Client(sandbox, sandbox.merchants[1])
    const refused = await other.order(newNo(), { openid, notify_url: PUBLIC_URL })
    expect(refused).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'FAIL',
      err_code: 'PARAM_ERROR',
    })
    expect(refused['err_code_des']).toContain('openid')
    await other.stop()
  })

  test('time_expire lies at least five minutes after time_start', async () => {
    const times = { time_start: '20260101120000', time_expire: '20260101120459' }
    expect(await order(newNo(), times)).toMatchObject({ err_code: 'PARAM_ERROR' })
    const later = { ...times, time_expire: '20260101120500' }
    expect(await order(newNo(), later)).toMatchObject({ result_code: 'SUCCESS' })
  })

  test('a second refund of one order within a minute is refused, of another not', async () => {
    const [one, other] = [await paidOrder(), await paidOrder()]
    expect(await client.refund(one, newNo())).toMatchObject({ result_code: 'SUCCESS' })
    const second = newNo()
    expect(await client.refund(one, second)).toMatchObject({ err_code: 'FREQUENCY_LIMITED' })
    expect(await client.refund(other, newNo())).toMatchObject({ result_code: 'SUCCESS' })
    await sandbox.control.advance(MINUTE_MS)
    expect(await client.refund(one, second)).toMatchObject({ result_code: 'SUCCESS' })
  })
})

describe('rates of one merchant', () => {
  /** With the clock all but standing still, a second of the sandbox is as long as a test needs. */
  const STILL = 0.000_1

  test('orderquery: 1800 in a second, then FREQUENCY_LIMITED until the next', async () => {
    await sandbox.control.setRate(STILL)
    const outTradeNo = newNo()
    await order(outTradeNo)
    const counts = { SUCCESS: 0, FREQUENCY_LIMITED: 0 }
    for (let count = 0; count < 1_810; count += 10) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => client.query(outTradeNo)))
      for (const answer of answers) {
        counts[answer['result_code'] === 'SUCCESS' ? 'SUCCESS' : 'FREQUENCY_LIMITED'] += 1
      }
    }
    expect(counts).toEqual({ SUCCESS: 1_800, FREQUENCY_LIMITED: 10 })
    expect(await client.query(outTradeNo)).toMatchObject({ err_code: 'FREQUENCY_LIMITED' })
    const other = new V2Client(sandbox, sandbox.merchants[1])
    expect(await other.query(outTradeNo)).toMatchObject({ err_code: 'ORDERNOTEXIST' })
    await other.stop()
    await sandbox.control.advance(1_000)
    expect(await client.query(outTradeNo)).toMatchObject({ result_code: 'SUCCESS' })
    await sandbox.control.setRate(1)
  })

  test('refund: the sixth invalid request in a second blocks for a minute', async () => {
    const outTradeNo = await paidOrder()
    await sandbox.control.advance(MINUTE_MS)
    await sandbox.control.setRate(STILL)
    for (let count = 0; count < 6; count += 1) {
      const refused = await client.refund(outTradeNo, newNo(), { total_fee: '999' })
      expect(refused).toMatchObject({ err_code: 'INVALID_REQUEST' })
    }
    const good = newNo()
    const blocked = { result_code: 'FAIL', err_code: 'INVALID_REQ_TOO_MUCH' }
    expect(await client.refund(outTradeNo, good)).toMatchObject(blocked)
    expect(await client.query(outTradeNo)).toMatchObject({ result_code: 'SUCCESS' })
    await sandbox.control.advance(MINUTE_MS - 1_000)
    expect(await client.refund(outTradeNo, good)).toMatchObject(blocked)
    await sandbox.control.advance(1_000)
    expect(await client.refund(outTradeNo, good)).toMatchObject({ result_code: 'SUCCESS' })
    await sandbox.control.setRate(1)
  })

  test('refund: an empty balance is not an invalid request', async () => {
    const outTradeNo = await paidOrder()
    await sandbox.control.advance(MINUTE_MS)
    await sandbox.control.setBalance(mchId, 0)
    for (let count = 0; count < 10; count += 1) {
      const refused = await client.refund(outTradeNo, newNo())
      expect(refused).toMatchObject({ err_code: 'NOTENOUGH' })
    }
    await sandbox.control.setBalance(mchId, null)
  })
})
