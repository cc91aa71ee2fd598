import { describe, expect, test } from 'vitest'

import { isQuiet, untoldOf } from '../../src/chaos/quiet.js'
import { QUIET } from './support/drill-result.js'

const BY_HAND = { outTradeNo: 'chaos-1-0', outRefundNo: 'H1', amountFen: 900 }

describe('a refund by hand', () => {
  test.each([
    ['is on its way, so nothing was sent of it', [], true],
    ['has a notification that is sent again', [{ outRefundNo: 'H1', state: 'waiting' }], true],
    ['has one that was taken', [{ outRefundNo: 'H1', state: 'delivered' }], false],
    ['has one that nobody took in a day', [{ outRefundNo: 'H1', state: 'given_up' }], false],
    ['stands beside another that was taken', [{ outRefundNo: 'H2', state: 'delivered' }], true],
  ] as const)('that %s: untold %s', (_what, notifications, isUntold) => {
    expect(untoldOf([BY_HAND], notifications)).toEqual(isUntold ? [BY_HAND] : [])
  })
})

describe('quiet', () => {
  test.each(Object.keys(QUIET))('is not while there is one of %s', (what) => {
    expect(isQuiet(QUIET)).toBe(true)
    expect(isQuiet({ ...QUIET, [what]: 1 })).toBe(false)
  })
})
