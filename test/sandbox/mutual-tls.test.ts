import { afterAll, beforeAll, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { newNo, V2Client } from './v2-client.js'

let sandbox: TestSandbox
let client: V2Client
let outTradeNo: string

beforeAll(async () => {
  sandbox = await startTestSandbox()
  client = new V2Client(sandbox, sandbox.merchants[0])
  outTradeNo = newNo()
  await client.order(outTradeNo)
  await sandbox.control.pay({ mchId: client.merchant.mchId, outTradeNo })
})

afterAll(async () => {
  await client.stop()
  await sandbox.stop()
})

const CERT_ERROR = { return_code: 'FAIL', err_code: 'CERT_ERROR' }

test('mutual TLS: a refund with the certificate is accepted and its serial noted', async () => {
  const outRefundNo = newNo()
  expect(await client.refund(outTradeNo, outRefundNo)).toMatchObject({ result_code: 'SUCCESS' })
  const { refunds } = await sandbox.control.book({ mchId: client.merchant.mchId })
  const noted = refunds.find((refund) => refund.outRefundNo === outRefundNo)
  expect(noted?.clientCertSerial).toBe(client.merchant.serialNo)
  expect(client.merchant.serialNo).toMatch(/^[4-7][0-9A-F]{39}$/)
})

test('mutual TLS: a refund without a certificate is refused and books nothing', async () => {
  const before = await sandbox.control.book()
  const outRefundNo = newNo()
  expect(await client.refundWithoutCertificate(outTradeNo, outRefundNo)).toMatchObject(CERT_ERROR)
  expect(await sandbox.control.book()).toEqual(before)
  const [call] = await sandbox.control.log({ outRefundNo })
  expect(call).toMatchObject({ clientCertSerial: null, answered: 'CERT_ERROR' })
})

test("mutual TLS: another merchant's certificate is refused", async () => {
  const before = await sandbox.control.book()
  const thief = new V2Client(sandbox, sandbox.merchants[0], sandbox.merchants[1])
  expect(await thief.refund(outTradeNo, newNo())).toMatchObject(CERT_ERROR)
  expect(await sandbox.control.book()).toEqual(before)
  await thief.stop()
})

test('mutual TLS: a certificate of another authority is refused', async () => {
  const elsewhere = await startTestSandbox()
  const stranger = { ...elsewhere.merchants[0], ...idsOf(sandbox) }
  const client2 = new V2Client(sandbox, sandbox.merchants[0], stranger)
  expect(await client2.refund(outTradeNo, newNo())).toMatchObject(CERT_ERROR)
  await client2.stop()
  await elsewhere.stop()
})

test('mutual TLS: other calls need no certificate', async () => {
  expect(await client.query(outTradeNo)).toMatchObject({ return_code: 'SUCCESS' })
})

function idsOf(owner: TestSandbox) {
  const { mchId, appId } = owner.merchants[0]
  return { mchId, appId }
}
