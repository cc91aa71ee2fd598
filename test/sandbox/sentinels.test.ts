import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { startTestSandbox } from '../support/sandbox.js'
import type { TestSandbox } from '../support/sandbox.js'
import { OK, startMerchantSide } from './merchant-side.js'
import type { MerchantSide } from './merchant-side.js'
import { newNo, V2Client } from './v2-client.js'

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
afterEach(async () => {
  await sandbox.control.clearFaults()
  shop.answer = () => OK
})
afterAll(async () => {
  await client.stop()
  await shop.stop()
  await sandbox.stop()
})

const order = (outTradeNo: string, values: Record<string, string>) =>
  client.order(outTradeNo, { notify_url: shop.url, ...values })

const pay = (outTradeNo: string) => sandbox.control.pay({ mchId, outTradeNo })

async function triesOf(filter: Record<string, string>) {
  await sandbox.control.advance(0)
  const [notification] = await sandbox.control.notifications(filter)
  return (notification?.tries ?? []).map(({ outcome, fault }) => ({ outcome, fault }))
}

async function paidOrder(): Promise<string> {
  const outTradeNo = newNo()
  await order(outTradeNo, {})
  await pay(outTradeNo)
  return outTradeNo
}

describe('faults in a text', () => {
  test.each(['body', 'attach'])('of an order, in its %s: strike its notification', async (name) => {
    const outTradeNo = newNo()
    await order(outTradeNo, { [name]: '茶馆-青团 [sandbox:lost]' })
    await pay(outTradeNo)
    expect(await triesOf({ outTradeNo })).toEqual([{ outcome: 'lost', fault: 'lost' }])
    const other = await paidOrder()
    expect(await triesOf({ outTradeNo: other })).toEqual([{ outcome: 'success', fault: null }])
  })

  test('of an order: strike its call once, and the same request again is carried out', async () => {
    const outTradeNo = newNo()
    const values = { attach: '[sandbox:error:NOAUTH]' }
    expect(await order(outTradeNo, values)).toMatchObject({ err_code: 'NOAUTH' })
    expect(await order(outTradeNo, values)).toMatchObject({ result_code: 'SUCCESS' })
    expect(await order(outTradeNo, values)).toMatchObject({ result_code: 'SUCCESS' })
  })

  test('of a refund: strike it and nothing else', async () => {
    const outTradeNo = await paidOrder()
    const [struck, other] = [newNo(), newNo()]
    const described = {
      refund_desc: '不想要了 [sandbox:not_enough][sandbox:change]',
      refund_fee: '100',
    }
    expect(await client.refund(outTradeNo, struck, described)).toMatchObject({
      err_code: 'NOTENOUGH',
    })
    expect(await client.refund(outTradeNo, other, { refund_fee: '100' })).toMatchObject({
      result_code: 'SUCCESS',
    })
    expect(await client.refund(outTradeNo, struck, described)).toMatchObject({
      result_code: 'SUCCESS',
    })
    await sandbox.control.advance(60_000)
    const { refunds } = await sandbox.control.book({ mchId })
    const statusOf = (no: string) =>
      refunds.find(({ outRefundNo }) => outRefundNo === no)?.refundStatus
    expect([statusOf(struck), statusOf(other)]).toEqual(['CHANGE', 'SUCCESS'])
  })

  test('of a refund: strike its notification, by so much as they say', async () => {
    const outTradeNo = await paidOrder()
    const outRefundNo = newNo()
    const values = { refund_desc: '[sandbox:late:3600000]', notify_url: shop.url }
    await client.refund(outTradeNo, outRefundNo, values)
    await sandbox.control.advance(60_000 + 3_599_000)
    expect(await triesOf({ outRefundNo })).toEqual([])
    await sandbox.control.advance(1_000)
    expect(await triesOf({ outRefundNo })).toEqual([{ outcome: 'success', fault: 'late' }])
  })

  test.each([
    ['nobody knows', '[sandbox:gone]'],
    ['of refunds', '[sandbox:change]'],
    ['without its code', '[sandbox:error]'],
    ['with a code that is none', '[sandbox:error:no auth]'],
    ['with a wait that is none', '[sandbox:late:soon]'],
  ])('of an order, one %s: is refused', async (_what, attach) => {
    expect(await order(newNo(), { attach })).toMatchObject({
      return_code: 'FAIL',
      err_code: 'PARAM_ERROR',
    })
    expect(await sandbox.control.faults()).toEqual([])
  })
})

describe('reordered', () => {
  const reorder = (outTradeNo: string, ms?: number) =>
    sandbox.control.armFaults([
      {
        match: { call: 'notify_payment', outTradeNo },
        fault: 'reordered',
        ...(ms === undefined ? {} : { ms }),
      },
    ])

  async function placed(): Promise<string> {
    const outTradeNo = newNo()
    await order(outTradeNo, {})
    return outTradeNo
  }

  const arrived = () =>
    shop.bodies.map((body) => /<out_trade_no>(?:<!\[CDATA\[)?([^\]<]*)/.exec(body)?.[1])

  test('two notifications: arrive in the other order than they happened', async () => {
    shop.bodies.length = 0
    const [first, second] = [await placed(), await placed()]
    await reorder(first)
    await pay(first)
    expect(await triesOf({ outTradeNo: first })).toEqual([])
    await pay(second)
    expect(await triesOf({ outTradeNo: second })).toEqual([{ outcome: 'success', fault: null }])
    expect(await triesOf({ outTradeNo: first })).toEqual([
      { outcome: 'success', fault: 'reordered' },
    ])
    expect(arrived()).toEqual([second, first])
    await sandbox.control.advance(3_600_000)
    expect(arrived()).toEqual([second, first])
  })

  test('one of another merchant: lets nothing go', async () => {
    const other = new V2Client(sandbox, sandbox.merchants[1])
    const [held, foreign] = [await placed(), newNo()]
    await other.order(foreign, { notify_url: shop.url })
    await reorder(held)
    await pay(held)
    await sandbox.control.pay({ mchId: other.merchant.mchId, outTradeNo: foreign })
    expect(await triesOf({ outTradeNo: foreign })).toHaveLength(1)
    expect(await triesOf({ outTradeNo: held })).toEqual([])
    await other.stop()
    await sandbox.control.advance(60_000)
  })

  test('where none comes that could go first: it is sent in the end', async () => {
    const alone = await placed()
    await reorder(alone, 5_000)
    await pay(alone)
    await sandbox.control.advance(4_000)
    expect(await triesOf({ outTradeNo: alone })).toEqual([])
    await sandbox.control.advance(1_000)
    expect(await triesOf({ outTradeNo: alone })).toEqual([
      { outcome: 'success', fault: 'reordered' },
    ])
  })

  test('one that is refused then: is tried again on the schedule', async () => {
    const [first, second] = [await placed(), await placed()]
    await reorder(first)
    await pay(first)
    shop.answer = (body) => (body.includes(first) ? '<xml/>' : OK)
    await pay(second)
    expect(await triesOf({ outTradeNo: first })).toEqual([
      { outcome: 'refused', fault: 'reordered' },
    ])
    shop.answer = () => OK
    await sandbox.control.advance(15_000)
    expect((await triesOf({ outTradeNo: first })).at(-1)).toEqual({
      outcome: 'success',
      fault: null,
    })
  })
})
