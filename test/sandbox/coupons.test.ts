import { createDecipheriv, createHash } from 'node:crypto'

import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { couponFeeOf, refundedCoupons, settlementFeeOf } from '../../src/sandbox/coupons.js'
import type { Coupon } from '../../src/sandbox/records.js'
import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { startMerchantSide } from './merchant-side.js'
import type { MerchantSide } from './merchant-side.js'
import { fromXml, newNo, signByHand, V2Client } from './v2-client.js'

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
  shop.bodies.length = 0
})

afterAll(async () => {
  await client.stop()
  await shop.stop()
  await sandbox.stop()
})

const COUPONS = [
  { id: '10000', type: 'CASH', feeFen: 100 },
  { id: '10001', type: 'NO_CASH', feeFen: 201 },
] as const

async function paidWithCoupons(): Promise<string> {
  const outTradeNo = newNo()
  await client.order(outTradeNo, { notify_url: shop.url })
  await sandbox.control.pay({ mchId, outTradeNo, coupons: COUPONS })
  await sandbox.control.advance(0)
  return outTradeNo
}

const PAID = {
  total_fee: '1000',
  settlement_total_fee: '799',
  cash_fee: '699',
  coupon_fee: '301',
  coupon_count: '2',
  coupon_type_0: 'CASH',
  coupon_id_0: '10000',
  coupon_fee_0: '100',
  coupon_type_1: 'NO_CASH',
  coupon_id_1: '10001',
  coupon_fee_1: '201',
}

test('coupons: query and notification tell them alike, under one signature', async () => {
  const outTradeNo = await paidWithCoupons()
  expect(await client.query(outTradeNo)).toMatchObject({ ...PAID, trade_state: 'SUCCESS' })
  const told = fromXml(shop.bodies[0] ?? '')
  expect(told).toMatchObject(PAID)
  expect(told['sign']).toBe(signByHand(told, client.merchant.apiV2Key))
})

test('coupons: an order paid in cash has no field of theirs', async () => {
  const outTradeNo = newNo()
  await client.order(outTradeNo)
  await sandbox.control.pay({ mchId, outTradeNo })
  const refunded = await client.refund(outTradeNo, newNo())
  const found = [await client.query(outTradeNo), refunded]
  for (const answer of found) {
    const names = Object.keys(answer).filter((name) => /coupon|settlement/.test(name))
    expect(names).toEqual([])
  }
})

test('coupons: with CASH coupons alone everything settles', async () => {
  const outTradeNo = newNo()
  await client.order(outTradeNo)
  const coupons = [{ id: '1', type: 'CASH', feeFen: 1000 }] as const
  await sandbox.control.pay({ mchId, outTradeNo, coupons })
  const paid = await client.query(outTradeNo)
  expect(paid).toMatchObject({ cash_fee: '0', coupon_fee: '1000' })
  expect(paid).not.toHaveProperty('settlement_total_fee')
})

test('coupons: a refund gives its share of them back, the last one the rest', async () => {
  const outTradeNo = await paidWithCoupons()
  const [first, last] = [newNo(), newNo()]
  const part = await client.refund(outTradeNo, first, { refund_fee: '333', notify_url: shop.url })
  // 301 * 333 / 1000 is 100.2: 100 fen of coupons, of which a third is of the kind CASH.
  const share = { refund_fee: '333', settlement_refund_fee: '267', coupon_refund_fee: '100' }
  expect(part).toMatchObject({
    ...share,
    total_fee: '1000',
    settlement_total_fee: '799',
    cash_fee: '699',
    cash_refund_fee: '233',
    coupon_refund_count: '2',
    coupon_type_0: 'CASH',
    coupon_refund_id_0: '10000',
    coupon_refund_fee_0: '34',
    coupon_type_1: 'NO_CASH',
    coupon_refund_id_1: '10001',
    coupon_refund_fee_1: '66',
  })
  const { nonce_str: _nonce, sign: _sign, ...same } = part
  expect(await client.refund(outTradeNo, first, { refund_fee: '333' })).toMatchObject(same)
  await client.refund(outTradeNo, last, { refund_fee: '667' })
  const found = await client.refundQuery({ out_trade_no: outTradeNo })
  expect(found).toMatchObject({
    cash_fee: '699',
    settlement_total_fee: '799',
    settlement_refund_fee_0: '267',
    coupon_refund_fee_0: '100',
    coupon_refund_count_0: '2',
    coupon_type_0_0: 'CASH',
    coupon_refund_id_0_0: '10000',
    coupon_refund_fee_0_0: '34',
    coupon_refund_id_0_1: '10001',
    coupon_refund_fee_0_1: '66',
    settlement_refund_fee_1: '532',
    coupon_refund_fee_1: '201',
    coupon_refund_fee_1_0: '66',
    coupon_refund_fee_1_1: '135',
  })
  await sandbox.control.advance(60_000)
  expect(innerOf(shop.bodies.at(-1) ?? '')).toMatchObject({
    out_refund_no: first,
    settlement_total_fee: '799',
    settlement_refund_fee: '267',
    cash_refund_fee: '233',
  })
})

function innerOf(body: string): Record<string, string> {
  const key = createHash('md5').update(client.merchant.apiV2Key).digest('hex')
  const decipher = createDecipheriv('aes-256-ecb', key, null)
  const info = fromXml(body)['req_info'] ?? ''
  const text = decipher.update(info, 'base64', 'utf8') + decipher.final('utf8')
  return fromXml(text.replace(/<\/?root>/g, ''))
}

test('coupons: only what settles fills and empties the balance', async () => {
  await sandbox.control.setBalance(mchId, 0)
  const outTradeNo = await paidWithCoupons()
  // 799 fen have come in, and the whole order needs no more than that to go back.
  expect(await client.refund(outTradeNo, newNo(), { refund_fee: '1000' })).toMatchObject({
    result_code: 'SUCCESS',
    settlement_refund_fee: '799',
  })
  const other = newNo()
  await client.order(other)
  await sandbox.control.pay({ mchId, outTradeNo: other, coupons: COUPONS })
  await sandbox.control.setBalance(mchId, 798)
  const refused = await client.refund(other, newNo(), { refund_fee: '1000' })
  expect(refused).toMatchObject({ err_code: 'NOTENOUGH' })
  await sandbox.control.setBalance(mchId, null)
})

describe('coupons that cannot be', () => {
  const one = { id: '1', type: 'CASH', feeFen: 1 }
  const BAD: readonly (readonly [string, unknown])[] = [
    ['no list', one],
    ['more than the order', [{ ...one, feeFen: 1001 }]],
    ['one id twice', [one, one]],
    ['worth nothing', [{ ...one, feeFen: 0 }]],
    ['an unknown type', [{ ...one, type: 'GOLD' }]],
    ['an id with spaces', [{ ...one, id: 'a b' }]],
    ['more than twenty', Array.from({ length: 21 }, (_, index) => ({ ...one, id: `${index}` }))],
  ]
  test.each(BAD)('%s: 400, and the order stays unpaid', async (_, coupons) => {
    const outTradeNo = newNo()
    await client.order(outTradeNo)
    const body = JSON.stringify({ mchId, outTradeNo, coupons })
    expect((await sandbox.control.raw('POST', '/_control/pay', body)).status).toBe(400)
    expect(await client.query(outTradeNo)).toMatchObject({ trade_state: 'NOTPAY' })
  })
})

describe('the proportional rule', () => {
  const order = fc
    .record({
      coupons: fc.array(
        fc.record({
          type: fc.constantFrom('CASH', 'NO_CASH'),
          fee: fc.integer({ min: 1, max: 5_000 }),
        }),
        { maxLength: 5 },
      ),
      cashFee: fc.integer({ min: 0, max: 100_000 }),
      cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 10 }),
    })
    .filter(({ coupons, cashFee }) => coupons.length > 0 || cashFee > 0)

  test('refunds of any sizes give back each coupon once and never more cash than was paid', () => {
    const property = fc.property(order, ({ coupons: given, cashFee, cuts }) => {
      const coupons: Coupon[] = given.map((coupon, index) => ({ ...coupon, id: String(index) }))
      const totalFee = cashFee + couponFeeOf(coupons)
      const refunds: Parameters<typeof refundedCoupons>[1][number][] = []
      for (const refundFee of partsOf(totalFee, cuts)) {
        const share = refundedCoupons({ totalFee, coupons }, refunds, refundFee)
        expect(couponFeeOf(share)).toBeLessThanOrEqual(refundFee)
        expect(share.every(({ fee }) => fee > 0)).toBe(true)
        expect(settlementFeeOf(refundFee, share)).toBeGreaterThanOrEqual(0)
        refunds.push({ refundFee, coupons: share, status: 'SUCCESS' })
        const cash = refunds.map((one) => one.refundFee - couponFeeOf(one.coupons))
        expect(cash.reduce((sumFen, fee) => sumFen + fee, 0)).toBeLessThanOrEqual(cashFee)
      }
      for (const coupon of coupons) {
        const shares = refunds.flatMap((refund) => refund.coupons)
        const backFee = couponFeeOf(shares.filter(({ id }) => id === coupon.id))
        expect(backFee).toBe(coupon.fee)
      }
    })
    fc.assert(property)
  })

  test('a refund that was closed is as if it had never been', () => {
    const coupons: Coupon[] = [{ id: '1', type: 'CASH', fee: 100 }]
    const paid = { totalFee: 1000, coupons }
    const back: Coupon[] = [{ id: '1', type: 'CASH', fee: 90 }]
    const closed = { refundFee: 900, coupons: back, status: 'REFUNDCLOSE' } as const
    const share = refundedCoupons(paid, [closed], 500)
    expect(couponFeeOf(share)).toBe(50)
  })

  function partsOf(totalFee: number, cuts: readonly number[]): number[] {
    const points = cuts.map((cut) => Math.floor(cut * totalFee)).toSorted((a, b) => a - b)
    const ends = [...points, totalFee]
    return ends.map((end, index) => end - (ends[index - 1] ?? 0)).filter((part) => part > 0)
  }
})
