import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  APPROVAL_DEADLINE_MS,
  CLOSE_GRACE_MS,
  orderQueryWaitMs,
  PAYMENT_EXPIRY_MS,
  PREPAY_FRESH_MS,
  REFUND_SPACING_MS,
  refundQueryWaitMs,
  scaledMs,
  unknownAnswerWaitMs,
  WAIT_MS_MIN,
} from '../../src/domain/waits.js'

const seconds = (wait: (count: number) => number, counts: number): number[] =>
  Array.from({ length: counts }, (_, count) => wait(count) / 1000)

describe('waits', () => {
  // how often it was asked before: 0, 1, 2 and so on
  test.each([
    [
      'a refund is asked for',
      refundQueryWaitMs,
      [60, 60, 60, 60, 60, 300, 600, 1200, 1800, 1800, 1800],
    ],
    ['an unknown answer is repeated', unknownAnswerWaitMs, [2, 5, 15, 30, 60, 300, 300]],
  ] as const)('%s: after these seconds, the last one for ever', (_, wait, expected) => {
    expect(seconds(wait, expected.length)).toEqual(expected)
    expect(wait(10_000) / 1000).toBe(expected.at(-1))
    expect(wait(-1)).toBe(wait(0))
  })

  test('an order: is asked for at ages that grow by half', () => {
    const ages = [13, 21, 32, 47, 69, 101, 149, 219, 322, 473, 695, 1_022, 1_502, 2_208, 3_246]
    let ageMs = 0
    for (const [count, age] of ages.entries()) {
      ageMs += orderQueryWaitMs(count)
      expect(ageMs / 1000).toBe(age)
      expect(orderQueryWaitMs(count, 0) / 1000).toBe(age)
    }
    expect(orderQueryWaitMs(-1)).toBe(orderQueryWaitMs(0))
    expect(orderQueryWaitMs(10_000)).toBe(12 * 3600_000)
  })

  test('a question that came late: does not put off the next, nor hurry when nobody asked', () => {
    expect(orderQueryWaitMs(4, 50_000)).toBe(19_000)
    expect(orderQueryWaitMs(4, 3600_000)).toBe(22_000)
  })

  test('with every notification lost: no payment waits longer than it took, half again', () => {
    const queries: number[] = []
    for (let age = 0, count = 0; age < PAYMENT_EXPIRY_MS.most; count += 1) {
      age += orderQueryWaitMs(count)
      queries.push(age)
    }
    expect(queries.length).toBeLessThan(40)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: PAYMENT_EXPIRY_MS.most - 1 }), (paidAtMs) => {
        const found = queries.find((age) => age > paidAtMs) ?? 0
        expect(found - paidAtMs).toBeLessThanOrEqual(
          Math.min(Math.max(13_000, paidAtMs * 0.65), 12 * 3600_000),
        )
      }),
    )
  })

  test.each([10, 60, 600, 1_700])('paid after %i s, usual expiry: is asked in time', (paidAt) => {
    const closing = (PAYMENT_EXPIRY_MS.usual + CLOSE_GRACE_MS) / 1000
    const queries: number[] = []
    for (let age = 0, count = 0; age < closing; count += 1) {
      age += orderQueryWaitMs(count) / 1000
      queries.push(Math.min(age, closing))
    }
    // The last one is the closing's own.
    expect(queries.length).toBeLessThanOrEqual(14)
    const found = queries.find((age) => age > paidAt) ?? Infinity
    // A loop may be a second late.
    expect(found + 1 - paidAt).toBeLessThanOrEqual(Math.max(5, paidAt / 4))
  })

  test.each([
    ['shortest expiry', PAYMENT_EXPIRY_MS.least, 5 * 60],
    ['usual expiry', PAYMENT_EXPIRY_MS.usual, 30 * 60],
    ['longest expiry', PAYMENT_EXPIRY_MS.most, 7 * 24 * 3600],
    ['grace before closing', CLOSE_GRACE_MS, 60],
    ['deadline of an approval', APPROVAL_DEADLINE_MS, 24 * 3600],
    ['distance of two refunds', REFUND_SPACING_MS, 61],
    ['age of a prepay_id', PREPAY_FRESH_MS, 110 * 60],
  ])('%s: is %i ms', (_, waitMs, expectedSeconds) => {
    expect(waitMs).toBe(expectedSeconds * 1000)
  })

  test('a scaled wait: is never under a second and never shorter than its share', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: PAYMENT_EXPIRY_MS.most }),
        fc.double({ min: 1e-6, max: 1, noNaN: true }),
        (waitMs, timeScale) => {
          const scaled = scaledMs(waitMs, timeScale)
          expect(Number.isInteger(scaled)).toBe(true)
          expect(scaled).toBeGreaterThanOrEqual(WAIT_MS_MIN)
          expect(scaled).toBeGreaterThanOrEqual(waitMs * timeScale)
          expect(scaled).toBeLessThan(Math.max(waitMs * timeScale, WAIT_MS_MIN) + 1)
        },
      ),
    )
    expect(WAIT_MS_MIN).toBe(1000)
  })

  test.each([
    [61_000, 1, 61_000],
    [61_000, 1 / 60, 1017],
    [61_000, 1 / 1000, 1000],
    [24 * 3600_000, 1 / 60, 24 * 60_000],
    [0, 1, 1000],
  ])('%i ms scaled by %f: is %i ms', (waitMs, timeScale, expected) => {
    expect(scaledMs(waitMs, timeScale)).toBe(expected)
  })
})
