import { describe, expect, test } from 'vitest'

import {
  isPaymentOver,
  isRefundOver,
  isRefundSent,
  PAYMENT_EDGES,
  PAYMENT_STATES,
  REFUND_EDGES,
  REFUND_EFFECT,
  REFUND_STATES,
  type Edge,
} from '../../src/domain/states.js'

/** The edges as text, `from -> to by whom`, which is how a person would write the table. */
function written(edges: Readonly<Record<string, readonly Edge<string>[]>>): string[] {
  return Object.entries(edges).flatMap(([from, list]) =>
    list.map(({ to, by }) => `${from} -> ${to} by ${by}`),
  )
}

function reachable(
  edges: Readonly<Record<string, readonly Edge<string>[]>>,
  from: string,
): Set<string> {
  const seen = new Set([from])
  for (const state of seen) for (const { to } of edges[state] ?? []) seen.add(to)
  return seen
}

describe('payment states', () => {
  test('the table: has these five states and these eight edges', () => {
    expect(PAYMENT_STATES).toHaveLength(5)
    expect(written(PAYMENT_EDGES)).toEqual([
      'created -> awaiting_payment by channel',
      'created -> failed by channel',
      'created -> closed by channel',
      'created -> paid by channel',
      'awaiting_payment -> paid by channel',
      'awaiting_payment -> closed by channel',
      'closed -> paid by channel',
      'failed -> paid by channel',
    ])
  })

  test('paid: never goes back', () => {
    expect(PAYMENT_EDGES.paid).toEqual([])
  })

  test('closed and failed: become paid by a fact of the channel and nothing else', () => {
    for (const state of ['closed', 'failed'] as const) {
      expect(PAYMENT_EDGES[state].map(({ to, by }) => [to, by])).toEqual([['paid', 'channel']])
    }
  })

  test.each([
    ['created', false],
    ['awaiting_payment', false],
    ['paid', true],
    ['closed', true],
    ['failed', true],
  ] as const)('%s: is over for its workflow %s', (state, over) => {
    expect(isPaymentOver(state)).toBe(over)
  })
})

describe('refund states', () => {
  test('the table: has these ten states and these thirteen edges', () => {
    expect(REFUND_STATES).toHaveLength(10)
    expect(written(REFUND_EDGES)).toEqual([
      'pending -> approved by person',
      'pending -> rejected by person',
      'pending -> cancelled by person',
      'pending -> expired by time',
      'approved -> refunding by engine',
      'approved -> cancelled by person',
      'refunding -> done by channel',
      'refunding -> failed by channel',
      'refunding -> needs_attention by channel',
      'needs_attention -> refunding by person',
      'needs_attention -> done by channel',
      'needs_attention -> settled by person',
      'needs_attention -> failed by channel',
    ])
  })

  // state | counter it stands in | over | a byte may have left
  test.each([
    ['pending', 'reserved', false, false],
    ['approved', 'reserved', false, false],
    ['refunding', 'reserved', false, true],
    ['needs_attention', 'reserved', false, true],
    ['done', 'refunded', true, false],
    ['settled', 'settled', true, false],
    ['failed', 'none', true, false],
    ['rejected', 'none', true, false],
    ['cancelled', 'none', true, false],
    ['expired', 'none', true, false],
  ] as const)('%s: counts as %s, over %s, sent %s', (state, bucket, over, sent) => {
    expect(REFUND_EFFECT[state]).toBe(bucket)
    expect(isRefundOver(state)).toBe(over)
    expect(REFUND_EDGES[state].length === 0).toBe(over)
    expect(isRefundSent(state)).toBe(sent)
  })

  test('a refund that was sent: can never again be cancelled, rejected or expire', () => {
    const after = reachable(REFUND_EDGES, 'refunding')
    for (const state of ['pending', 'approved', 'cancelled', 'rejected', 'expired']) {
      expect(after).not.toContain(state)
    }
  })

  test('only the channel: makes a refund done or failed', () => {
    const makers = Object.values(REFUND_EDGES)
      .flat()
      .filter(({ to }) => to === 'done' || to === 'failed')
    expect(new Set(makers.map(({ by }) => by))).toEqual(new Set(['channel']))
  })
})

describe('both tables', () => {
  test.each([
    ['payment', PAYMENT_STATES, PAYMENT_EDGES, 'created'],
    ['refund', REFUND_STATES, REFUND_EDGES, 'pending'],
  ] as const)('%s: every state has a line, is reached, and each edge says why', (...row) => {
    const [, states, edges, first] = row
    expect(Object.keys(edges).toSorted()).toEqual([...states].toSorted())
    expect([...reachable(edges, first)].toSorted()).toEqual([...states].toSorted())
    for (const list of Object.values(edges) as (readonly Edge<string>[])[]) {
      expect(new Set(list.map(({ to }) => to)).size).toBe(list.length)
      for (const { why } of list) expect(why.length).toBeGreaterThan(10)
    }
  })
})
