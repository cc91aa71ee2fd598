import { describe, expect, test } from 'vitest'

import { PAYMENT_EDGES, REFUND_EDGES } from '../../src/domain/states.js'
import { Explorer, MESSAGE_NAMES } from './exploration/explore.js'
import { EXPLORED } from './exploration/figures.js'
import { MUTATIONS } from './exploration/mutations.js'
import { FORBIDDEN } from './exploration/properties.js'
import { RULES } from './exploration/rules.js'

const edgesOf = (table: Readonly<Record<string, readonly { readonly to: string }[]>>): string[] =>
  Object.entries(table).flatMap(([from, edges]) => edges.map(({ to }) => `${from} -> ${to}`))

/** What is tried in every state and must come to nothing in any of them. */
const INERT: readonly string[] = [
  ...['', ', late money revives'].map((how) => `notification: paid under another appid${how}`),
  'refund: approve: asker',
  'refund: approve: other, nothing left today',
  'refund: query: processing',
  'refund: notification: processing, and so says the channel',
  ...['abnormal', 'closed', 'processing', 'success'].map(
    (s) => `refund: notification: ${s}, forged`,
  ),
  ...['processing', 'silent'].flatMap((says) => [
    ...['asker', 'other', 'third'].map((who) => `refund: settle: ${who}, the channel says ${says}`),
    `refund: fail: the channel says ${says}`,
    `refund: renew: the channel says ${says}`,
  ]),
]

describe('a payment with up to three refunds and every message', { timeout: 300_000 }, () => {
  const found = new Explorer().explore()

  test('nothing that is forbidden: is ever reached', () => {
    expect(Object.fromEntries(found.faults)).toEqual({})
  })

  test('every world: can still come to rest', () => {
    expect(found.stuck).toEqual([])
  })

  test('every edge of both tables: is taken, and what may never move anything does not', () => {
    const edges = [...edgesOf(PAYMENT_EDGES), ...edgesOf(REFUND_EDGES)]
    expect([...found.taken].toSorted()).toEqual(edges.toSorted())
    const inert = [...MESSAGE_NAMES].filter((name) => !found.messages.has(name))
    expect(inert.toSorted()).toEqual(INERT.toSorted())
  })

  test('the number of worlds and steps: is known', () => {
    expect({ states: found.states, edges: found.edges }).toEqual(EXPLORED)
  })
})

describe('what the exploration finds', { timeout: 120_000 }, () => {
  test.each(MUTATIONS)('$what: is found', ({ rules, finds }) => {
    const { faults } = new Explorer({ ...RULES, ...rules }).explore(finds)
    expect([...faults.keys()]).toContain(finds)
    // Found on a shortest way, which a person can follow.
    expect(faults.get(finds)?.length).toBeLessThan(15)
  })

  test('a table without an end: leaves what can never come to rest', () => {
    const refundEdges = {
      ...RULES.refundEdges,
      refunding: RULES.refundEdges.refunding.filter(({ to }) => to === 'needs_attention'),
      needs_attention: RULES.refundEdges.needs_attention.filter(({ to }) => to === 'refunding'),
    }
    const judgeRefundInBook: typeof RULES.judgeRefundInBook = (refund, fact, given) => {
      const verdict = RULES.judgeRefundInBook(refund, fact, given)
      return verdict.kind === 'move' && verdict.to !== 'needs_attention'
        ? { kind: 'stay' }
        : verdict
    }
    const judgeResolution = () => ({ outcome: 'state_conflict' }) as const
    const rules = { ...RULES, refundEdges, judgeRefundInBook, judgeResolution }
    const { stuck, faults } = new Explorer(rules).explore()
    expect([...faults.keys()]).toEqual([])
    expect(stuck.length).toBeGreaterThan(100)
  })

  test('everything that is forbidden: is shown to be found', () => {
    expect(new Set(MUTATIONS.map(({ finds }) => finds))).toEqual(new Set(FORBIDDEN))
  })
})
