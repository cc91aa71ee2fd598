import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { PlacingBreaker } from '../../src/activities/placing-breaker.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Places once, which takes so long. */
async function placeIn(breaker: PlacingBreaker, durationMs: number, account = 'a'): Promise<void> {
  const placing = breaker.watch(account, async () => {
    await new Promise((resolve) => setTimeout(resolve, durationMs))
  })
  await vi.advanceTimersByTimeAsync(durationMs)
  await placing
}

async function placeAll(breaker: PlacingBreaker, ...durationsMs: number[]): Promise<void> {
  for (const durationMs of durationsMs) await placeIn(breaker, durationMs)
}

const times = (count: number, durationMs: number) => Array<number>(count).fill(durationMs)

describe('the breaker of placing', () => {
  test.each<[string, number[], boolean]>([
    ['nothing was placed yet', [], false],
    ['all were quick', times(20, 40), false],
    ['a few were slow', [...times(9, 900), ...times(11, 40)], false],
    ['half were slow', [...times(10, 40), ...times(10, 501)], true],
    ['one timed out', [...times(19, 40), 1_500], true],
    ['one timed out, twenty placings ago', [1_500, ...times(20, 40)], false],
  ])('%s: open is what it should be', async (_name, durationsMs, isOpen) => {
    const breaker = new PlacingBreaker()
    await placeAll(breaker, ...durationsMs)
    expect(breaker.isOpen('a')).toBe(isOpen)
    expect(breaker.isOpen('another account')).toBe(false)
  })

  test('a placing that hangs: opens it before it ends', async () => {
    const breaker = new PlacingBreaker()
    void breaker.watch('a', () => new Promise(() => undefined))
    await vi.advanceTimersByTimeAsync(1_499)
    expect(breaker.isOpen('a')).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(breaker.isOpen('a')).toBe(true)
  })

  test('a placing that throws: counts by how long it took', async () => {
    const breaker = new PlacingBreaker()
    await expect(breaker.watch('a', () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    )
    expect(breaker.isOpen('a')).toBe(false)
  })
})
