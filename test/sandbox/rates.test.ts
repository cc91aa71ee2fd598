import { expect, test } from 'vitest'

import { Rates } from '../../src/sandbox/rates.js'

const LIMITS = [
  ['unifiedorder', 600],
  ['orderquery', 1_800],
  ['refund', 150],
  ['refundquery', 300],
] as const

test.each(LIMITS)('%s: %i a second for each merchant', (call, max) => {
  const rates = new Rates()
  for (let count = 0; count < max; count += 1) rates.checkCall(call, '1', 500)
  expect(() => rates.checkCall(call, '1', 1_499)).toThrow('频率限制')
  expect(() => rates.checkCall(call, '2', 1_499)).not.toThrow()
  expect(() => rates.checkCall(call, '1', 1_500)).not.toThrow()
})

test('closeorder: has no documented limit', () => {
  const rates = new Rates()
  for (let count = 0; count < 5_000; count += 1) rates.checkCall('closeorder', '1', 0)
})

test('refunds of old orders: 5000 a minute', () => {
  const rates = new Rates()
  for (let count = 0; count < 5_000; count += 1) rates.checkOldRefund('1', 0)
  expect(() => rates.checkOldRefund('1', 59_999)).toThrow('频率限制')
  expect(() => rates.checkOldRefund('1', 60_000)).not.toThrow()
})

test('invalid refunds: six in a second block refunds, and nothing else, for a minute', () => {
  const rates = new Rates()
  for (let count = 0; count < 5; count += 1) rates.noteInvalidRefund('1', 0)
  expect(() => rates.checkCall('refund', '1', 0)).not.toThrow()
  rates.noteInvalidRefund('1', 999)
  expect(() => rates.checkCall('refund', '1', 60_998)).toThrow('无效请求过多')
  expect(() => rates.checkCall('orderquery', '1', 60_998)).not.toThrow()
  expect(() => rates.checkCall('refund', '2', 60_998)).not.toThrow()
  expect(() => rates.checkCall('refund', '1', 60_999)).not.toThrow()
})
