import { describe, expect, test } from 'vitest'

import { EVENT_TYPES } from '../../src/db/outbox.js'
import { DELIVERY_STATES, DELIVERY_WAITS_MS } from '../../src/domain/webhook.js'
import { read } from './project-facts.js'

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000 }

/** The first two cells of each line of the table under a heading row. */
function tableOf(heading: string): [string, string][] {
  const [, after = ''] = read('docs/reference/webhooks.md').split(`| ${heading} |`)
  const [, ...lines] = after.split('\n').slice(1)
  const end = lines.findIndex((line) => !line.startsWith('|'))
  return lines.slice(0, end).map((line) => {
    const [, first = '', second = ''] = line.split('|').map((cell) => cell.trim())
    return [first.replaceAll('`', ''), second]
  })
}

describe('docs/reference/webhooks.md', () => {
  test('the events: are those that are written, and the test', () => {
    const events = tableOf('event | when').map(([event]) => event)
    expect(new Set(events)).toEqual(new Set([...EVENT_TYPES, 'ping']))
    expect(events).toHaveLength(EVENT_TYPES.length + 1)
  })

  test('the waits: are those that are waited', () => {
    const waits = tableOf('after try | wait').map(([after, wait]) => {
      const [count = '', unit = ''] = wait.split(' ')
      return [Number(after), Number(count) * (UNITS_MS[unit] ?? 0)]
    })
    expect(waits).toEqual(DELIVERY_WAITS_MS.map((waitMs, index) => [index + 1, waitMs]))
  })

  test('the states: are those of a delivery', () => {
    expect(tableOf('state | meaning').map(([state]) => state)).toEqual([...DELIVERY_STATES])
  })
})
