import { mkdtempSync, readFileSync, rmSync, statSync, appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import { FAIL, OK, startMerchantSide } from './merchant-side.js'
import type { MerchantSide } from './merchant-side.js'
import { newNo, V2Client } from './v2-client.js'

let dataDir: string
let shop: MerchantSide

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'yuanlu-sandbox-test-'))
  shop = await startMerchantSide()
})

afterAll(async () => {
  await shop.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

test('a restarted sandbox goes on where it was', async () => {
  shop.answer = () => FAIL
  const first = await startTestSandbox({ dataDir })
  const before = new V2Client(first, first.merchants[0])
  const { mchId } = before.merchant
  const [outTradeNo, outRefundNo] = [newNo(), newNo()]
  const placed = await before.order(outTradeNo, { notify_url: shop.url })
  await first.control.pay({ mchId, outTradeNo })
  await before.refund(outTradeNo, outRefundNo, { notify_url: shop.url })
  await first.control.advance(5_000)
  const kept = {
    book: await first.control.book(),
    log: await first.control.log(),
    notifications: await first.control.notifications(),
  }
  expect(kept.notifications).toMatchObject([{ state: 'waiting', tries: [{ outcome: 'refused' }] }])
  await before.stop()
  await first.stop()
  // A crash in the middle of a write leaves half a line, which must not stop the next start.
  appendFileSync(join(dataDir, 'sandbox.jsonl'), '{"kind":"order","val')

  shop.answer = () => OK
  const second = await startTestSandbox({ dataDir })
  const after = new V2Client(second, second.merchants[0])
  expect(second.caPem).toBe(first.caPem)
  expect(readFileSync(second.caPath, 'utf8')).toBe(second.caPem)
  expect(second.merchants).toEqual(first.merchants)
  expect(await second.control.book()).toEqual(kept.book)
  expect(await second.control.log()).toEqual(kept.log)
  expect(await second.control.notifications()).toEqual(kept.notifications)
  expect(await after.refund(outTradeNo, outRefundNo)).toMatchObject({ result_code: 'SUCCESS' })
  await second.control.advance(60_000)
  const { refunds, orders } = await second.control.book()
  expect(refunds).toMatchObject([{ outRefundNo, refundStatus: 'SUCCESS' }])
  expect(orders).toMatchObject([{ outTradeNo, tradeState: 'REFUND', refundedFee: 100 }])
  const notifications = await second.control.notifications()
  expect(notifications.map(({ state }) => state)).toEqual(['delivered', 'delivered'])
  const cashier = await after.get(`/cashier/${placed['prepay_id']}`)
  expect(cashier.status).toBe(200)
  await after.stop()
  await second.stop()
})

test('the journal holds keys and is readable by its owner only', () => {
  expect(statSync(join(dataDir, 'sandbox.jsonl')).mode & 0o077).toBe(0)
})

test('a sandbox without a data directory leaves nothing behind', async () => {
  const sandbox = await startTestSandbox()
  expect(readFileSync(sandbox.caPath, 'utf8')).toBe(sandbox.caPem)
  await sandbox.stop()
  expect(() => statSync(sandbox.caPath)).toThrow(/ENOENT/)
})
