import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { fen } from '../../src/domain/money.js'
import { readRefundPage, refundPageFields } from '../../src/wechat/v2/refund-list.js'
import { APP_ID, MERCHANT, signedAnswer } from './support/messages.js'
import type { Message } from './support/messages.js'
import { startChannelToSandbox } from './support/sandbox-channel.js'
import type { ChannelToSandbox } from './support/sandbox-channel.js'

const WAITING = { urgency: 'waiting' } as const
const COUNT = 23

let peer: ChannelToSandbox

beforeAll(async () => {
  peer = await startChannelToSandbox()
  const { mchId } = peer.sandbox.merchants[0]
  await peer.channel.placeOrder(peer.order, WAITING)
  await peer.sandbox.control.pay({ mchId, outTradeNo: peer.order.outTradeNo })
})

afterAll(() => peer.stop())

const list = () => peer.channel.listRefunds(peer.order, WAITING)

describe('All refunds of an order', () => {
  test('none: the channel knows no refund of it', async () => {
    expect(await list()).toEqual({ kind: 'refunds', refunds: [] })
  })

  test('more than a page: each is there once, whoever made it', async () => {
    const numbers = Array.from({ length: COUNT }, (_, index) => `R-list-${100 + index}`)
    for (const outRefundNo of numbers) {
      const refund = { ...peer.refund, outRefundNo, refundFen: fen(1) }
      expect(await peer.channel.submitRefund(refund, WAITING)).toMatchObject({ kind: 'accepted' })
      await peer.sandbox.control.advance(60_000)
    }
    const outcome = await list()
    const refunds = outcome.kind === 'refunds' ? outcome.refunds : []
    expect(refunds.map(({ outRefundNo }) => outRefundNo).toSorted()).toEqual(numbers)
    expect(new Set(refunds.map(({ refundId }) => refundId)).size).toBe(COUNT)
    expect(refunds[0]).toMatchObject({ kind: 'refund', refundFen: 1, settlementFen: 1 })
  })

  test('a page without an answer leaves the whole undecided', async () => {
    await peer.arm({ match: { call: 'refundquery' }, fault: 'html' })
    expect(await list()).toMatchObject({ kind: 'unknown', code: 'http_502' })
  })
})

const ORDER = { appId: APP_ID, outTradeNo: 'T20260101000001' }
const PAGE: Message = {
  out_trade_no: ORDER.outTradeNo,
  total_refund_count: '1',
  refund_count: '1',
  out_refund_no_0: 'R0',
  refund_id_0: '50000000',
  refund_fee_0: '100',
  refund_status_0: 'SUCCESS',
  refund_success_time_0: '2026-01-02 08:30:00',
}

describe('A page of refunds', () => {
  const read = (message: Message) => readRefundPage(signedAnswer(message), ORDER, MERCHANT)

  test('is asked for by its first refund, and the first page without a number', () => {
    expect(refundPageFields(ORDER, 0).offset).toBeUndefined()
    expect(refundPageFields(ORDER, 10)).toMatchObject({
      offset: '10',
      out_trade_no: ORDER.outTradeNo,
    })
  })

  test('counts what is on it where the whole is not said', () => {
    expect(read({ ...PAGE, total_refund_count: '' })).toMatchObject({ kind: 'page', totalCount: 1 })
  })

  test.each([
    ['another order', { out_trade_no: 'X' }, 'foreign_answer'],
    ['no count', { total_refund_count: '', refund_count: '' }, 'incomplete_answer'],
    ['a count that is none', { total_refund_count: '-1' }, 'incomplete_answer'],
    ['no refund', { out_refund_no_0: '' }, 'incomplete_answer'],
    ['no amount', { refund_fee_0: '' }, 'incomplete_answer'],
    ['a status that nobody knows', { refund_status_0: 'NEW' }, 'NEW'],
  ])('refund page unknown: %s', (_, change: Message, code) => {
    expect(read({ ...PAGE, ...change })).toMatchObject({ kind: 'unknown', code })
  })
})
