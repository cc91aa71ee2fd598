import { beforeEach, describe, expect, test } from 'vitest'

import type { CloseOutcome, OrderOutcome } from '../../src/domain/channel.js'
import { failureOf, runActivity } from '../support/run-activity.js'
import { paidFact } from '../support/seed.js'
import { useWorkshop } from '../support/workshop.js'

const workshop = useWorkshop()
const { channel } = workshop

beforeEach(() => {
  channel.calls.length = 0
  channel.answer('queryOrder').answer('closeOrder')
})

const queryThenClose = (paymentId: string, attempt = 1) =>
  runActivity(workshop.activities.queryThenClose, [paymentId], { attempt })

const factsOf = (paymentId: string) =>
  workshop.seed.look<{ kind: string; source: string; applied: boolean }>(
    `select fact->>'kind' as kind, source, applied_at is not null as applied from inbox
     where subject_id = $1`,
    paymentId,
  )

const NO_ANSWER = { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' } as const
const REFUSED = { kind: 'refused', code: 'NOAUTH', message: '' } as const

describe('queryThenClose', () => {
  test.each<[string, OrderOutcome['kind'], CloseOutcome | null]>([
    ['an order closed at the channel is closed', 'closed', null],
    ['an expired order the channel does not know is closed', 'not_exist', null],
    ['an order not paid is closed', 'not_paid', { kind: 'closed' }],
    ['an order whose payment failed is closed', 'pay_error', { kind: 'closed' }],
    ['an order gone between the two calls is closed', 'not_paid', { kind: 'not_exist' }],
  ])('%s, by a stored fact', async (_name, kind, close) => {
    const payment = await workshop.seed.payment()
    channel.answer('queryOrder', { kind } as OrderOutcome)
    if (close !== null) channel.answer('closeOrder', close)
    await queryThenClose(payment.id)
    expect(channel.names()).toEqual(close === null ? ['queryOrder'] : ['queryOrder', 'closeOrder'])
    expect(channel.calls[0]?.request).toEqual({
      appId: payment.appId,
      outTradeNo: payment.outTradeNo,
    })
    expect(await factsOf(payment.id)).toEqual([{ kind: 'closed', source: 'query', applied: false }])
  })

  test('an order found paid: its fact is stored, and nothing is closed', async () => {
    const payment = await workshop.seed.payment()
    channel.answer('queryOrder', paidFact(payment))
    await queryThenClose(payment.id)
    expect(channel.names()).toEqual(['queryOrder'])
    expect(await factsOf(payment.id)).toEqual([{ kind: 'paid', source: 'query', applied: false }])
  })

  test.each<[string, OrderOutcome, CloseOutcome | null, object]>([
    [
      'a buyer who is paying just now',
      { kind: 'paying' },
      null,
      { type: 'USERPAYING', retryMs: 30_000, benign: true },
    ],
    [
      'paid while it was being closed',
      { kind: 'not_paid' },
      { kind: 'already_paid' },
      { type: 'ORDERPAID', retryMs: 1_000, benign: true },
    ],
    [
      'a query without an answer',
      NO_ANSWER,
      null,
      { type: 'timeout', retryMs: 2_000, benign: false },
    ],
    ['a refused query', REFUSED, null, { type: 'NOAUTH', retryMs: 2_000, benign: false }],
    [
      'a close without an answer',
      { kind: 'not_paid' },
      NO_ANSWER,
      { type: 'timeout', retryMs: 2_000, benign: false },
    ],
    [
      'a refused close',
      { kind: 'not_paid' },
      REFUSED,
      { type: 'NOAUTH', retryMs: 2_000, benign: false },
    ],
  ])('%s: stores nothing and asks again', async (_name, query, close, failure) => {
    const payment = await workshop.seed.payment()
    channel.answer('queryOrder', query)
    if (close !== null) channel.answer('closeOrder', close)
    expect(await failureOf(queryThenClose(payment.id))).toEqual(failure)
    expect(await factsOf(payment.id)).toEqual([])
  })

  test('no answer for the fourth time: is asked again after 30 s', async () => {
    const payment = await workshop.seed.payment()
    channel.answer('queryOrder', NO_ANSWER)
    expect(await failureOf(queryThenClose(payment.id, 4))).toMatchObject({ retryMs: 30_000 })
  })

  test('a payment that is over: asks nothing', async () => {
    const payment = await workshop.seed.paidPayment()
    await queryThenClose(payment.id)
    expect(channel.names()).toEqual([])
  })
})
