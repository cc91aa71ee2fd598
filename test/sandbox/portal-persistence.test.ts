import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import { newNo, V2Client } from './v2-client.js'

let dataDir: string

beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'yuanlu-sandbox-test-'))
})

afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

const COUPONS = [{ id: '1', type: 'NO_CASH', feeFen: 100 }] as const

test('a restarted sandbox knows coupons, cards, balances and refunds by hand', async () => {
  const first = await startTestSandbox({ dataDir })
  const before = new V2Client(first, first.merchants[0])
  const { mchId } = before.merchant
  const outTradeNo = newNo()
  await before.order(outTradeNo)
  await first.control.pay({ mchId, outTradeNo, coupons: COUPONS })
  await first.control.setBalance(mchId, null)
  await first.control.setCard({ mchId, outTradeNo, frozen: true })
  const refund = await first.control.refundByHand({ mchId, outTradeNo, amountFen: 500 })
  await before.stop()
  await first.stop()

  const second = await startTestSandbox({ dataDir })
  const after = new V2Client(second, second.merchants[0])
  await second.control.advance(60_000)
  expect(await after.query(outTradeNo)).toMatchObject({ coupon_fee: '100', cash_fee: '900' })
  expect(await after.refundQuery({ out_trade_no: outTradeNo })).toMatchObject({
    out_refund_no_0: refund.outRefundNo,
    refund_status_0: 'CHANGE',
    coupon_refund_fee_0: '50',
  })
  await second.control.setCard({ mchId, outTradeNo, frozen: false })
  const whole = await after.refund(outTradeNo, newNo(), { refund_fee: '500' })
  expect(whole).toMatchObject({ result_code: 'SUCCESS', coupon_refund_fee: '50' })
  await after.stop()
  await second.stop()
})

test('a journal from before coupons and cards is read as one without them', async () => {
  const path = join(dataDir, 'sandbox.jsonl')
  const newer = ['coupons', 'isCardFrozen', 'source']
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const older = lines.map((line) =>
    JSON.stringify(JSON.parse(line), (name, value: unknown) =>
      newer.includes(name) ? undefined : value,
    ),
  )
  writeFileSync(path, `${older.join('\n')}\n`)
  const sandbox = await startTestSandbox({ dataDir })
  const client = new V2Client(sandbox, sandbox.merchants[0])
  const { orders, refunds } = await sandbox.control.book()
  expect(refunds).toHaveLength(2)
  const found = await client.refundQuery({ out_trade_no: orders[0]?.outTradeNo ?? '' })
  expect(found).toMatchObject({ refund_count: '2', cash_fee: '1000' })
  expect(found).not.toHaveProperty('coupon_refund_fee_0')
  await client.stop()
  await sandbox.stop()
})
