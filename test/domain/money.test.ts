import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { addFen, fen, formatYuan, parseFen, subtractFen } from '../../src/domain/money.js'

const amounts = fc.integer({ min: 0, max: 1_000_000_000 }).map(fen)

describe('money', () => {
  test('an amount: is a whole, non-negative, safe integer and nothing else', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        if (Number.isSafeInteger(value) && value >= 0) expect(fen(value)).toBe(value)
        else expect(() => fen(value)).toThrow(RangeError)
      }),
    )
    for (const wrong of [-1, 0.1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, 1e300]) {
      expect(() => fen(wrong)).toThrow(RangeError)
    }
  })

  test('what the channel writes: is read back as it was', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        expect(parseFen(String(amount))).toBe(amount)
      }),
    )
  })

  test.each([
    ['', 'nothing'],
    ['-1', 'a sign'],
    ['+1', 'a plus'],
    ['1.0', 'a point'],
    ['1e3', 'an exponent'],
    ['0x10', 'another base'],
    ['01', 'a leading zero'],
    [' 1', 'a blank before'],
    ['1 ', 'a blank behind'],
    ['1\n', 'a line end'],
    ['1,000', 'a separator'],
    ['１２', 'digits of another script'],
    ['1000000000000000', 'sixteen digits'],
    ['NaN', 'not a number'],
  ])('reading %j: is refused for %s', (text) => {
    expect(() => parseFen(text)).toThrow(RangeError)
  })

  test('any text that is no amount: is refused, never guessed', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^(0|[1-9]\d{0,14})$/.test(text))
        expect(() => parseFen(text)).toThrow(RangeError)
      }),
    )
  })

  test.each([
    [0, '0.00'],
    [1, '0.01'],
    [10, '0.10'],
    [99, '0.99'],
    [100, '1.00'],
    [1234, '12.34'],
    [100_000_000, '1000000.00'],
  ])('%i fen for people: is %s', (amount, text) => {
    expect(formatYuan(fen(amount))).toBe(text)
  })

  test('the text for people: loses nothing', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const text = formatYuan(amount)
        expect(text).toMatch(/^\d+\.\d\d$/)
        expect(Number(text.replace('.', ''))).toBe(amount)
      }),
    )
  })

  test('adding and subtracting: undo each other, in any order', () => {
    fc.assert(
      fc.property(amounts, amounts, amounts, (one, two, three) => {
        expect(addFen(one, two, three)).toBe(addFen(three, addFen(two, one)))
        expect(subtractFen(addFen(one, two), two)).toBe(one)
      }),
    )
    expect(addFen()).toBe(0)
  })

  test('subtracting more than there is: is refused', () => {
    fc.assert(
      fc.property(amounts, fc.integer({ min: 1, max: 1_000_000 }), (amount, more) => {
        expect(() => subtractFen(amount, fen(amount + more))).toThrow(RangeError)
      }),
    )
  })

  test('a sum beyond the safe integers: is refused, not rounded', () => {
    const most = fen(Number.MAX_SAFE_INTEGER)
    expect(() => addFen(most, fen(1))).toThrow(RangeError)
    expect(() => addFen(most, most, most)).toThrow(RangeError)
  })
})
