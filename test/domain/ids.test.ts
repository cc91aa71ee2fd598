import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  isMerchantId,
  isOutRefundNo,
  isOutTradeNo,
  newNumber,
  paymentWorkflowId,
  refundWorkflowId,
  uuidV7,
  wechatTaskQueue,
} from '../../src/domain/ids.js'

/** From 1970 to the year 3000: seven digits of base 32 hold the seconds of it. */
const times = fc.integer({ min: 0, max: 32_503_680_000_000 })
const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe('row ids', () => {
  test('a row id: has the form, version and variant of RFC 9562', () => {
    fc.assert(
      fc.property(times, bytes, (nowMs, random) => {
        expect(uuidV7(nowMs, random)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        )
      }),
    )
  })

  test('a row id: holds its time and sorts by it', () => {
    fc.assert(
      fc.property(times, times, bytes, bytes, (one, two, left, right) => {
        const [a, b] = [uuidV7(one, left), uuidV7(two, right)]
        expect(Number.parseInt(a.replaceAll('-', '').slice(0, 12), 16)).toBe(one)
        if (one !== two) expect(a < b).toBe(one < two)
      }),
    )
  })

  test('a row id: keeps 74 of its random bits apart', () => {
    const zeros = uuidV7(0, new Uint8Array(10))
    const ones = uuidV7(0, new Uint8Array(10).fill(255))
    expect(zeros).toBe('00000000-0000-7000-8000-000000000000')
    expect(ones).toBe('00000000-0000-7fff-bfff-ffffffffffff')
  })
})

describe('numbers for the channel', () => {
  test('a number: has 24 characters that WeChat Pay takes for orders and refunds', () => {
    fc.assert(
      fc.property(fc.constantFrom('P' as const, 'R' as const), times, bytes, (kind, at, random) => {
        const number = newNumber(kind, at, random)
        expect(number).toMatch(/^[PR][0-9A-HJKMNP-TV-Z]{23}$/)
        expect(isOutTradeNo(number)).toBe(true)
        expect(isOutRefundNo(number)).toBe(true)
      }),
    )
  })

  test('numbers: sort by the second they were made in', () => {
    fc.assert(
      fc.property(times, times, bytes, bytes, (one, two, left, right) => {
        const [a, b] = [newNumber('P', one, left), newNumber('P', two, right)]
        const [first, second] = [Math.trunc(one / 1000), Math.trunc(two / 1000)]
        if (first !== second) expect(a < b).toBe(first < second)
      }),
    )
  })

  test('numbers of one second: differ where their random bits do', () => {
    fc.assert(
      fc.property(bytes, bytes, (left, right) => {
        const differ = left.some((byte, index) => (byte & 31) !== ((right[index] ?? 0) & 31))
        expect(newNumber('R', 0, left) !== newNumber('R', 0, right)).toBe(differ)
      }),
    )
  })

  test.each([
    ['12345', false, true],
    ['123456', true, true],
    ['aZ09_-|*', true, true],
    ['a@b.c|d', false, false],
    ['order@1', false, true],
    ['1'.repeat(32), true, true],
    ['1'.repeat(33), false, true],
    ['1'.repeat(64), false, true],
    ['1'.repeat(65), false, false],
    ['', false, false],
    ['订单123456', false, false],
    ['123 456', false, false],
    ['123456\n', false, false],
  ])('%j: as an order number %s, as a refund number %s', (text, order, refund) => {
    expect([isOutTradeNo(text), isOutRefundNo(text)]).toEqual([order, refund])
  })
})

describe('names derived from ids', () => {
  test.each([
    ['demo', true],
    ['a1', true],
    ['shop_2-b', true],
    ['a'.repeat(32), true],
    ['a'.repeat(33), false],
    ['a', false],
    ['-shop', false],
    ['Shop', false],
    ['a:b', false],
    ['', false],
  ])('a merchant id %j: is accepted %s', (text, accepted) => {
    expect(isMerchantId(text)).toBe(accepted)
  })

  test('workflow ids: name merchant and number', () => {
    expect(paymentWorkflowId('demo', 'P1')).toBe('payment:demo:P1')
    expect(refundWorkflowId('demo', 'R1')).toBe('refund:demo:R1')
  })

  test('the queue of channel calls: is named after the queue of the workflows', () => {
    expect(wechatTaskQueue('yuanlu')).toBe('yuanlu-wechat')
  })
})
