import { describe, expect, test } from 'vitest'

import { EventStreams } from '../../src/api/event-streams.js'

const PER_MERCHANT_MAX = 20

describe('event streams of one merchant', () => {
  test('the 21st at a time: is refused until one of them ends', () => {
    const streams = new EventStreams(async () => 0)
    const open = Array.from({ length: PER_MERCHANT_MAX }, () => streams.enter('tea-house'))
    expect(() => streams.enter('tea-house')).toThrow(
      expect.objectContaining({ code: 'too_many_streams', details: { limit: PER_MERCHANT_MAX } }),
    )
    expect(() => streams.enter('other-house')).not.toThrow()
    const [first] = open
    if (first !== undefined) streams.leave(first)
    expect(() => streams.enter('tea-house')).not.toThrow()
    streams.endAll()
  })
})
