import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { SandboxFault, TestSandbox } from '../support/sandbox.js'
import { fromXml, newNo, signByHand, toXml, V2Client } from './v2-client.js'

/** Faults that spoil an answer, or give any answer that WeChat Pay can give. */

let sandbox: TestSandbox
let client: V2Client
let mchId: string
let outTradeNo: string

beforeAll(async () => {
  sandbox = await startTestSandbox()
  client = new V2Client(sandbox, sandbox.merchants[0])
  mchId = client.merchant.mchId
})

beforeEach(async () => {
  outTradeNo = newNo()
  await client.order(outTradeNo)
})

afterEach(() => sandbox.control.clearFaults())

afterAll(async () => {
  // Its end breaks the silent connections, for which the client would wait.
  await sandbox.stop()
  await client.stop()
})

/** How the client says that a connection broke in the middle. */
const CUT_OFF = /other side closed|ECONNRESET|terminated/

const arm = (fault: string, call: string, more: Partial<SandboxFault> = {}) =>
  sandbox.control.armFaults([{ match: { call }, fault, times: 1, ...more }])

const CALLS: readonly (readonly [string, () => Promise<Record<string, string>>])[] = [
  ['unifiedorder', () => client.order(newNo())],
  ['orderquery', () => client.query(outTradeNo)],
  ['closeorder', () => client.close(outTradeNo)],
  ['refund', () => client.refund(outTradeNo, newNo())],
  ['refundquery', () => client.refundQuery({ out_trade_no: outTradeNo })],
]

describe.each(CALLS)('%s', (name, call) => {
  const CODES = ['BIZERR_NEED_RETRY', 'SIGNERROR', 'USER_ACCOUNT_ABNORMAL', 'A_CODE_OF_TOMORROW']
  test.each(CODES)('error: answers %s, signed and without effect', async (code) => {
    await arm('error', name, { code })
    const before = await sandbox.control.book()
    const answer = await call()
    expect(answer).toMatchObject({
      return_code: 'SUCCESS',
      result_code: 'FAIL',
      err_code: code,
      err_code_des: expect.stringMatching(/./),
      sign: signByHand(answer, client.merchant.apiV2Key),
    })
    expect(await sandbox.control.book()).toEqual(before)
    const log = await sandbox.control.log({ call: name })
    expect(log.at(-1)?.answered).toBe(code)
  })

  test('return_fail: nothing but return_code and return_msg, and no effect', async () => {
    await arm('return_fail', name)
    const before = await sandbox.control.book()
    const answer = await call()
    expect(Object.keys(answer)).toEqual(['return_code', 'return_msg'])
    expect(answer['return_code']).toBe('FAIL')
    expect(await sandbox.control.book()).toEqual(before)
  })

  test('cut: the connection breaks in the middle of the answer', async () => {
    await arm('cut', name)
    await expect(call()).rejects.toThrow(CUT_OFF)
  })

  test('silent: no answer, and the connection stays', async () => {
    await arm('silent', name)
    const patienceMs = 150
    const silence = new Promise((resolve) => {
      setTimeout(() => resolve('silence'), patienceMs)
    })
    const asked = call()
    asked.catch(() => undefined)
    expect(await Promise.race([asked, silence])).toBe('silence')
  })
})

test('error: strikes by number, and as often as it was asked to', async () => {
  const other = newNo()
  await client.order(other)
  const code = 'FREQUENCY_LIMITED'
  await arm('error', 'closeorder', { code, match: { call: 'closeorder', outTradeNo }, times: 2 })
  expect(await sandbox.control.faults()).toMatchObject([{ fault: 'error', code, times: 2 }])
  expect(await client.close(other)).toMatchObject({ result_code: 'SUCCESS' })
  for (const expected of [code, code, undefined]) {
    expect((await client.close(outTradeNo))['err_code']).toBe(expected)
  }
})

test('cut and bad_sign: the refund is accepted all the same', async () => {
  await sandbox.control.pay({ mchId, outTradeNo })
  for (const fault of ['cut', 'bad_sign']) {
    const outRefundNo = newNo()
    await arm(fault, 'refund')
    const answer = client.refund(outTradeNo, outRefundNo)
    if (fault === 'cut') await expect(answer).rejects.toThrow(CUT_OFF)
    else expect(await answer).toMatchObject({ result_code: 'SUCCESS' })
    expect(await client.refundQuery({ out_refund_no: outRefundNo })).toMatchObject({
      refund_status_0: 'PROCESSING',
    })
    const [struck] = await sandbox.control.log({ call: 'refund', outRefundNo })
    expect(struck?.answered).toBe(fault)
  }
})

test.each(['MD5', 'HMAC-SHA256'])(
  'bad_sign: a whole answer, wrongly signed by %s',
  async (type) => {
    const genuine = await client.query(outTradeNo, { sign_type: type })
    await arm('bad_sign', 'orderquery')
    const spoiled = await client.query(outTradeNo, { sign_type: type })
    const expected = signByHand(spoiled, client.merchant.apiV2Key, type)
    expect(Object.keys(spoiled)).toEqual(Object.keys(genuine))
    expect(spoiled['trade_state']).toBe('NOTPAY')
    expect(spoiled['sign']).toHaveLength(expected.length)
    expect(spoiled['sign']).not.toBe(expected)
  },
)

test('cut: more than nothing and less than the whole has come', async () => {
  const { appId: appid, apiV2Key } = client.merchant
  const fields = { appid, mch_id: mchId, nonce_str: 'n', out_trade_no: outTradeNo }
  const body = toXml({ ...fields, sign: signByHand(fields, apiV2Key) })
  const whole = await client.post('/pay/orderquery', body)
  expect(fromXml(whole.text)).toMatchObject({ trade_state: 'NOTPAY' })
  await arm('cut', 'orderquery')
  await expect(client.post('/pay/orderquery', body)).rejects.toThrow(CUT_OFF)
})

const BAD_CODES: readonly (readonly [string, object])[] = [
  ['error without a code', { fault: 'error' }],
  ['a code in small letters', { fault: 'error', code: 'notenough' }],
  ['a code of 33 characters', { fault: 'error', code: 'X'.repeat(33) }],
  ['a code that is a number', { fault: 'error', code: 1 }],
  ['a code of another fault', { fault: 'html', code: 'NOTENOUGH' }],
]
test.each(BAD_CODES)('%s is refused', async (_, fault) => {
  const body = JSON.stringify([{ match: { call: 'refund' }, ...fault }])
  const reply = await sandbox.control.raw('POST', '/_control/faults', body)
  expect(reply).toMatchObject({ status: 400, body: { error: { code: 'bad_request' } } })
  expect(await sandbox.control.faults()).toEqual([])
})
