import { describe, expect, test } from 'vitest'

import {
  DELIVERY_PATIENCE_MS,
  DELIVERY_WAITS_MS,
  judgeSend,
  nextTryAt,
  type SendError,
  type SendVerdict,
} from '../../src/domain/webhook.js'

const NOW = new Date('2026-03-01T08:00:00.000Z')
const HOUR_MS = 3_600_000

describe('judgeSend', () => {
  test.each<[number, SendVerdict]>([
    [200, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [301, 'dead'],
    [307, 'dead'],
    [400, 'dead'],
    [401, 'dead'],
    [404, 'dead'],
    [408, 'again'],
    [410, 'gone'],
    [425, 'again'],
    [429, 'again'],
    [499, 'dead'],
    [500, 'again'],
    [503, 'again'],
    [599, 'again'],
  ])('the status %i: means %s', (status, verdict) => {
    expect(judgeSend({ kind: 'answered', status, answer: Buffer.of() })).toBe(verdict)
  })

  test.each<[SendError, SendVerdict]>([
    ['dns', 'again'],
    ['connect', 'again'],
    ['tls', 'again'],
    ['timeout', 'again'],
    ['connection_closed', 'again'],
    ['address_refused', 'dead'],
    ['url_refused', 'dead'],
  ])('no answer because of %s: means %s', (error, verdict) => {
    expect(judgeSend({ kind: 'failed', error })).toBe(verdict)
  })
})

describe('nextTryAt', () => {
  const waitMs = (tries: number, more: { retryAfter?: string; triedForMs?: number } = {}) => {
    const { retryAfter, triedForMs = 0 } = more
    const firstTriedAt = new Date(NOW.getTime() - triedForMs)
    const at = nextTryAt({ tries, firstTriedAt, now: NOW, retryAfter, random: 0.5 })
    return at && at.getTime() - NOW.getTime()
  }

  test('the waits: grow, but for the last, and fill three days with the jitter they have', () => {
    expect(DELIVERY_WAITS_MS.slice(0, -1).toSorted((a, b) => a - b)).toEqual(
      DELIVERY_WAITS_MS.slice(0, -1),
    )
    const sum = DELIVERY_WAITS_MS.reduce((total, each) => total + each)
    expect(sum).toBeLessThan(DELIVERY_PATIENCE_MS)
    expect(sum).toBeGreaterThan(DELIVERY_PATIENCE_MS - 6 * HOUR_MS)
  })

  test.each([
    [1, 5_000],
    [2, 30_000],
    [14, 6 * HOUR_MS],
    [15, undefined],
  ])('after %i tries: the wait is %s ms', (tries, expected) => {
    expect(waitMs(tries)).toBe(expected)
  })

  test('chance: moves a wait by a twentieth at most', () => {
    const at = (random: number) =>
      nextTryAt({ tries: 4, firstTriedAt: NOW, now: NOW, random })?.getTime() ?? 0
    expect([at(0) - NOW.getTime(), at(1) - NOW.getTime()]).toEqual([570_000, 630_000])
  })

  test('a try that would come after three days: does not', () => {
    expect(waitMs(9, { triedForMs: DELIVERY_PATIENCE_MS - HOUR_MS })).toBeUndefined()
  })

  test.each([
    ['seconds', '120', 120_000],
    ['seconds that are fewer than the wait', '1', 5_000],
    ['a date', 'Sun, 01 Mar 2026 08:10:00 GMT', 600_000],
    ['a date that is past', 'Sun, 01 Mar 2026 07:00:00 GMT', 5_000],
    ['more than a day', '999999', 24 * HOUR_MS],
    ['nonsense', 'soon', 5_000],
    ['a negative number', '-5', 5_000],
  ])('Retry-After of %s: is kept within bounds', (_what, retryAfter, expected) => {
    expect(waitMs(1, { retryAfter })).toBe(expected)
  })
})
