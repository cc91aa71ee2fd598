import { describe, expect, test } from 'vitest'

import { atOrderRates, RateBucket } from '../../src/activities/order-rates.js'
import { StubChannel } from '../support/stub-channel.js'

describe('a bucket of calls', () => {
  test('below the rate: nobody waits', () => {
    const bucket = new RateBucket(500)
    for (let nowMs = 0; nowMs < 1_000; nowMs += 2) expect(bucket.take(nowMs)).toBe(0)
  })

  test('above the rate: in no second more go than the rate and its burst', () => {
    const bucket = new RateBucket(450)
    const sentAtMs = Array.from({ length: 2_000 }, () => bucket.take(0))
    for (const from of [0, 100, 500, 1_000, 2_500]) {
      const inSecond = sentAtMs.filter((at) => at >= from && at < from + 1_000)
      expect(inSecond.length).toBeLessThanOrEqual(500)
    }
    expect(sentAtMs.at(-1)).toBeGreaterThan(4_000)
  })

  test('after a pause: starts afresh', () => {
    const bucket = new RateBucket(10)
    for (let n = 0; n < 20; n += 1) bucket.take(0)
    expect(bucket.take(60_000)).toBe(0)
  })
})

describe('a channel at the rates of orders', () => {
  const silence = { kind: 'unknown', code: 'aborted', message: '', retry: 'soon' } as const

  test('its calls: are those of the channel', async () => {
    const stub = new StubChannel()
    stub.answer('queryOrder', { kind: 'not_paid' }).answer('closeOrder', { kind: 'closed' })
    const channel = atOrderRates(stub)
    const order = { appId: 'wx1', outTradeNo: 'P0001' }
    expect(await channel.queryOrder(order, { urgency: 'background' })).toEqual({ kind: 'not_paid' })
    expect(await channel.closeOrder(order, { urgency: 'background' })).toEqual({ kind: 'closed' })
    expect(stub.names()).toEqual(['queryOrder', 'closeOrder'])
  })

  test('a call that is aborted while it waits for its turn: does not wait on', async () => {
    const stub = new StubChannel()
    stub.answer('queryOrder', silence)
    const channel = atOrderRates(stub)
    const order = { appId: 'wx1', outTradeNo: 'P0001' }
    const signal = AbortSignal.abort()
    // In turn they would take twenty-five seconds.
    const asked = Array.from({ length: 40_000 }, () =>
      channel.queryOrder(order, { urgency: 'background', signal }),
    )
    const startedMs = performance.now()
    await Promise.all(asked)
    expect(performance.now() - startedMs).toBeLessThan(20_000)
  })
})
