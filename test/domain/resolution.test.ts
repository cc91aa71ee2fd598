import { describe, expect, test } from 'vitest'

import type { RefundFact, RefundOutcome, RefundStatus } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import {
  judgeResolution,
  judgeRetry,
  proofOf,
  type Proof,
  type ResolutionTerms,
} from '../../src/domain/resolution.js'
import { REFUND_EDGES, REFUND_STATES, type RefundState } from '../../src/domain/states.js'

const NOW = new Date('2026-03-02T10:00:00Z')
const HOUR_MS = 3_600_000
const agoMs = (ms: number): Date => new Date(NOW.getTime() - ms)

const said = (status: RefundStatus, change: Partial<RefundFact> = {}): RefundFact => ({
  kind: 'refund',
  status,
  outTradeNo: 'T1',
  outRefundNo: 'R1',
  refundId: '5',
  refundFen: fen(1),
  settlementFen: fen(1),
  ...change,
})
const NOT_EXIST: RefundOutcome = { kind: 'not_exist' }
const REFUSED = {
  amountFen: 1,
  totalFen: 1,
  maybeTaken: false,
  acceptedAt: null,
  lastSubmittedAt: agoMs(1),
  timeScale: 1,
}

describe("what the channel's word proves", () => {
  test.each<[string, RefundOutcome, Proof]>([
    ['success', said('success'), 'success'],
    ['processing', said('processing'), 'processing'],
    ['closed', said('closed'), 'closed'],
    ['abnormal', said('abnormal'), 'returned'],
    ['a success of another amount', said('success', { refundFen: fen(2) }), 'unproved'],
    ['a close of another order', said('closed', { totalFen: fen(2) }), 'unproved'],
    ['a refused query', { kind: 'refused', code: 'SIGNERROR', message: '' }, 'silent'],
    ['no answer', { kind: 'unknown', code: 'timeout', message: '', retry: 'soon' }, 'silent'],
    ['not known, and every submit was refused', NOT_EXIST, 'never_taken'],
  ])('%s: %s', (_name, outcome, proof) => {
    expect(proofOf(outcome, REFUSED, NOW)).toBe(proof)
  })

  test.each<[string, object, Proof]>([
    ['a missed answer a minute ago', { maybeTaken: true }, 'unproved'],
    [
      'a missed answer a moment less than a day ago',
      { maybeTaken: true, lastSubmittedAt: agoMs(24 * HOUR_MS - 1) },
      'unproved',
    ],
    [
      'a missed answer a day ago',
      { maybeTaken: true, lastSubmittedAt: agoMs(24 * HOUR_MS) },
      'never_taken',
    ],
    [
      'a missed answer a day ago on a fast clock',
      { maybeTaken: true, lastSubmittedAt: agoMs(24 * 60_000), timeScale: 1 / 60 },
      'never_taken',
    ],
    [
      'an acceptance, however long ago',
      { acceptedAt: agoMs(99 * HOUR_MS), lastSubmittedAt: agoMs(99 * HOUR_MS) },
      'unproved',
    ],
  ])('not known after %s: %s', (_name, history, proof) => {
    expect(proofOf(NOT_EXIST, { ...REFUSED, ...history }, NOW)).toBe(proof)
  })
})

const ANN = { id: 'key-1', actingUser: 'Ann' }
const BOB = { id: 'key-2', actingUser: 'Bob' }
const EVE = { id: 'key-3', actingUser: 'Eve' }
const TERMS: ResolutionTerms = {
  state: 'needs_attention',
  requester: ANN,
  speaker: BOB,
  proposer: undefined,
}

describe('judging a resolution', () => {
  // proof        | settle by the first | by a second | fail | renew of a failed one
  test.each([
    ['returned', 'awaiting_second', 'settled', 'still_owed', 'still_owed'],
    ['closed', 'awaiting_second', 'settled', 'failed', 'applied'],
    ['never_taken', 'awaiting_second', 'settled', 'failed', 'applied'],
    ['success', 'state_conflict', 'state_conflict', 'state_conflict', 'state_conflict'],
    ['processing', 'still_processing', 'still_processing', 'still_processing', 'still_processing'],
    ['silent', 'channel_silent', 'channel_silent', 'channel_silent', 'channel_silent'],
    ['unproved', 'not_proved', 'not_proved', 'not_proved', 'not_proved'],
  ] as const)('%s: settle %s, again %s, fail %s, renew %s', (proof, ...expected) => {
    const verdicts = [
      judgeResolution('settle', proof, TERMS),
      judgeResolution('settle', proof, { ...TERMS, proposer: EVE }),
      judgeResolution('fail', proof, TERMS),
      judgeResolution('renew', proof, { ...TERMS, state: 'failed' }),
    ]
    const short = verdicts.map((verdict) =>
      verdict.outcome === 'applied' ? (verdict.to ?? 'applied') : verdict.outcome,
    )
    expect(short).toEqual(expected)
  })

  test('settling by the one who said it first, or who asked: needs another person', () => {
    for (const terms of [
      { ...TERMS, proposer: BOB },
      { ...TERMS, speaker: ANN, proposer: BOB },
    ]) {
      expect(judgeResolution('settle', 'returned', terms).outcome).toBe('same_principal')
    }
  })

  test.each(REFUND_STATES.filter((state) => state !== 'needs_attention'))(
    '%s: nothing is settled or called failed',
    (state) => {
      const terms = { ...TERMS, state, proposer: EVE }
      expect(judgeResolution('settle', 'returned', terms).outcome).toBe('state_conflict')
      expect(judgeResolution('fail', 'closed', terms).outcome).toBe('state_conflict')
    },
  )

  test('whatever is applied: is an edge of the table', () => {
    const goes = (from: RefundState, to: RefundState) =>
      REFUND_EDGES[from].some((edge: { to: RefundState }) => edge.to === to)
    for (const to of ['refunding', 'settled', 'failed'] as const) {
      expect(goes('needs_attention', to)).toBe(true)
    }
  })

  test.each(REFUND_STATES)('trying %s again: by its state alone', (state) => {
    const expected = {
      approved: 'asked_again',
      refunding: 'asked_again',
      needs_attention: 'applied',
    }
    expect(judgeRetry(state, null).outcome).toBe(
      state in expected ? expected[state as keyof typeof expected] : 'state_conflict',
    )
  })

  test.each(['amount_differs', 'beyond_paid'] as const)(
    'trying again what the channel has shown already (%s): only asks again',
    (cause) => {
      expect(judgeRetry('needs_attention', cause)).toEqual({ outcome: 'asked_again' })
    },
  )
})
