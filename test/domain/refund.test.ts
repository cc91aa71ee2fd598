import { describe, expect, test } from 'vitest'

import type { RefundStatus } from '../../src/domain/channel.js'
import {
  judgeDecision,
  judgeRefundStatus,
  refundFactKey,
  type DecisionVerb,
  type Principal,
  type RefundTerms,
} from '../../src/domain/refund.js'
import {
  REFUND_EDGES,
  REFUND_STATES,
  type Edge,
  type RefundState,
} from '../../src/domain/states.js'

const verbs: readonly DecisionVerb[] = ['approve', 'reject', 'cancel']
const statuses: readonly RefundStatus[] = ['processing', 'success', 'closed', 'abnormal']

const edgeBy = (from: RefundState, to: RefundState): string | undefined =>
  REFUND_EDGES[from].find((edge: Edge<RefundState>) => edge.to === to)?.by

function moved(state: RefundState, status: RefundStatus): string {
  const verdict = judgeRefundStatus(state, status)
  return verdict.kind === 'move' ? verdict.to : 'stay'
}

const TERMS: RefundTerms = {
  state: 'pending',
  amountFen: 1000,
  requestedBy: 'key-1',
  requestedFor: 'Alice',
}

const key = (id: string, actingUser: string): Principal => ({ kind: 'api_key', id, actingUser })
const OPERATOR: Principal = {
  kind: 'temporal-operator',
  id: 'temporal:run',
  actingUser: 'temporal-operator',
}

/** Everybody who can decide, with the limit of what the operator may release. */
const WHO = {
  'another key and user': { principal: key('key-2', 'Bob'), limitFen: 0 },
  'the same key, another user': { principal: key('key-1', 'Bob'), limitFen: 0 },
  'another key, the same user': { principal: key('key-2', 'Alice'), limitFen: 0 },
  'another key, the same user in other letters': {
    principal: key('key-2', ' aLICE '),
    limitFen: 0,
  },
  'the same key and user': { principal: key('key-1', 'Alice'), limitFen: 0 },
  'the operator without a limit': { principal: OPERATOR, limitFen: 0 },
  'the operator a fen below': { principal: OPERATOR, limitFen: 999 },
  'the operator at the limit': { principal: OPERATOR, limitFen: 1000 },
} as const

type Who = keyof typeof WHO

function decided(state: RefundState, verb: DecisionVerb, who: Who): string {
  const { principal, limitFen } = WHO[who]
  const verdict = judgeDecision({ ...TERMS, state }, verb, principal, {
    operatorLimitFen: limitFen,
  })
  return verdict.outcome === 'applied' ? verdict.to : verdict.outcome
}

// What an approval of a pending refund becomes, by who says it.
const APPROVING: Readonly<Record<Who, string>> = {
  'another key and user': 'approved',
  'the same key, another user': 'same_principal',
  'another key, the same user': 'same_principal',
  'another key, the same user in other letters': 'same_principal',
  'the same key and user': 'same_principal',
  'the operator without a limit': 'over_operator_limit',
  'the operator a fen below': 'over_operator_limit',
  'the operator at the limit': 'approved',
}

function expected(state: RefundState, verb: DecisionVerb, who: Who): string {
  if (verb === 'cancel') {
    return state === 'pending' || state === 'approved' ? 'cancelled' : 'already_decided'
  }
  if (state !== 'pending') return 'already_decided'
  return verb === 'reject' ? 'rejected' : APPROVING[who]
}

describe('judging a decision', () => {
  test.each(Object.entries(APPROVING) as [Who, string][])(
    'approving what is pending, by %s: %s',
    (who, outcome) => {
      expect(decided('pending', 'approve', who)).toBe(outcome)
    },
  )

  test.each(REFUND_STATES.flatMap((state) => verbs.map((verb) => [state, verb] as const)))(
    '%s, %s: the same by every principal but for the approval of what is pending',
    (state, verb) => {
      for (const who of Object.keys(WHO) as Who[]) {
        expect(decided(state, verb, who), who).toBe(expected(state, verb, who))
      }
    },
  )

  test('whatever is applied: is an edge of the table, taken by a person', () => {
    for (const state of REFUND_STATES) {
      for (const verb of verbs) {
        for (const { principal, limitFen } of Object.values(WHO)) {
          const verdict = judgeDecision({ ...TERMS, state }, verb, principal, {
            operatorLimitFen: limitFen,
          })
          if (verdict.outcome !== 'applied') continue
          expect(edgeBy(state, verdict.to)).toBe('person')
        }
      }
    }
  })
})

describe("judging the channel's status", () => {
  // state of ours    | processing | success | closed   | abnormal
  test.each([
    ['pending', 'stay', 'stay', 'stay', 'stay'],
    ['approved', 'stay', 'stay', 'stay', 'stay'],
    ['refunding', 'stay', 'done', 'failed', 'needs_attention'],
    ['needs_attention', 'stay', 'done', 'failed', 'stay'],
    ['done', 'stay', 'stay', 'stay', 'stay'],
    ['settled', 'stay', 'stay', 'stay', 'stay'],
    ['failed', 'stay', 'stay', 'stay', 'stay'],
    ['rejected', 'stay', 'stay', 'stay', 'stay'],
    ['cancelled', 'stay', 'stay', 'stay', 'stay'],
    ['expired', 'stay', 'stay', 'stay', 'stay'],
  ] as const)('%s: processing %s, success %s, closed %s, abnormal %s', (state, ...verdicts) => {
    expect(statuses.map((status) => moved(state, status))).toEqual(verdicts)
  })

  test('whatever moves: is an edge of the table, taken by the channel', () => {
    for (const state of REFUND_STATES) {
      for (const status of statuses) {
        const verdict = judgeRefundStatus(state, status)
        if (verdict.kind === 'move') expect(edgeBy(state, verdict.to)).toBe('channel')
      }
    }
  })
})

describe('the key of a fact about a refund', () => {
  test('number, status and source: each make a key of its own', () => {
    const keys = ['R1', 'R2'].flatMap((number) =>
      statuses.flatMap((status) =>
        (['notify', 'query'] as const).map((source) => refundFactKey(number, status, source)),
      ),
    )
    expect(new Set(keys).size).toBe(2 * statuses.length * 2)
    expect(refundFactKey('R1', 'success', 'query')).toBe('R1:success:query')
  })
})
