import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  compactOfInstant,
  dashedOfInstant,
  instantOfCompact,
  instantOfDashed,
} from '../../src/wechat/time.js'

const instants = fc
  .integer({ min: Date.parse('2000-01-01'), max: Date.parse('2100-01-01') })
  .map((timeMs) => new Date(Math.floor(timeMs / 1000) * 1000).toISOString())

describe('Times of V2', () => {
  test('payments: compact Beijing time is eight hours ahead', () => {
    expect(instantOfCompact('20140903131540')).toBe('2014-09-03T05:15:40.000Z')
    expect(instantOfCompact('20260101000000')).toBe('2025-12-31T16:00:00.000Z')
    expect(compactOfInstant('2025-12-31T16:00:00.000Z')).toBe('20260101000000')
  })

  test('refunds: dashed Beijing time is eight hours ahead', () => {
    expect(instantOfDashed('2018-11-19 16:24:13')).toBe('2018-11-19T08:24:13.000Z')
    expect(dashedOfInstant(Date.parse('2018-11-19T08:24:13Z'))).toBe('2018-11-19 16:24:13')
  })

  test('both forms: there and back is the same instant', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        expect(instantOfCompact(compactOfInstant(instant))).toBe(instant)
        expect(instantOfDashed(dashedOfInstant(instant))).toBe(instant)
      }),
    )
  })

  test.each([
    '',
    '2014090313154',
    '20140231000000',
    '20141301000000',
    '20140903240000',
    '2014-09-03 13:15:40',
  ])('payments: not a moment: "%s"', (text) => expect(instantOfCompact(text)).toBeUndefined())

  test.each([
    '',
    '2018-11-19T16:24:13',
    '2018-02-30 00:00:00',
    '2018-11-19 16:60:13',
    '20181119162413',
  ])('refunds: not a moment: "%s"', (text) => expect(instantOfDashed(text)).toBeUndefined())
})
