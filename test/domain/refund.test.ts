import { describe, expect, test } from 'vitest'

import type { RefundStatus } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import {
  judgeDecision,
  isRefundNews,
  isSamePrincipal,
  judgeRefundFact,
  judgeRefundInBook,
  queriedFactKey,
  refundFactKey,
  type DecisionVerb,
  type Principal,
  type RefundStanding,
  type RefundTerms,
  type RefundVerdict,
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

const STANDING: RefundStanding = {
  state: 'refunding',
  cause: 'accepted',
  amountFen: 400,
  totalFen: 1000,
}

/** What the channel shows of that refund, as it was asked for. */
const shown = (status: RefundStatus) => ({ status, refundFen: fen(400), totalFen: fen(1000) })

const short = (verdict: RefundVerdict): string =>
  verdict.kind === 'stay' ? 'stay' : (verdict.cause ?? verdict.to)

function moved(state: RefundState, status: RefundStatus): string {
  const verdict = judgeRefundFact({ ...STANDING, state }, shown(status))
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

  test('whatever moves: is an edge of the table, taken by the channel, or a new cause', () => {
    for (const state of REFUND_STATES) {
      for (const status of statuses) {
        for (const refundFen of [fen(400), fen(399)]) {
          const verdict = judgeRefundFact({ ...STANDING, state }, { ...shown(status), refundFen })
          if (verdict.kind === 'stay' || verdict.to === state) continue
          expect(edgeBy(state, verdict.to)).toBe('channel')
        }
      }
    }
  })
})

describe('what the channel shows with other amounts', () => {
  test.each([
    ['less', { refundFen: fen(399) }],
    ['more', { refundFen: fen(401) }],
    ["another order's total", { totalFen: fen(1001) }],
  ])('%s: needs a person, whatever the status', (_name, other) => {
    for (const status of statuses) {
      const fact = { ...shown(status), ...other }
      expect(short(judgeRefundFact(STANDING, fact))).toBe('amount_differs')
      const waits = { ...STANDING, state: 'needs_attention', cause: 'amount_differs' } as const
      expect(isRefundNews(waits, fact)).toBe(false)
      expect(judgeRefundFact({ ...STANDING, state: 'done' }, fact)).toEqual({ kind: 'stay' })
    }
  })

  test('no total: is held against the amount alone', () => {
    const fact = { status: 'success', refundFen: fen(400) } as const
    expect(short(judgeRefundFact(STANDING, fact))).toBe('done')
  })

  // What the channel shows later with the right amounts settles it.
  test.each([
    ['processing', 'stay'],
    ['success', 'done'],
    ['closed', 'failed'],
    ['abnormal', 'abnormal'],
  ] as const)('then the right ones, %s: %s', (status, to) => {
    const waits = { ...STANDING, state: 'needs_attention', cause: 'amount_differs' } as const
    expect(short(judgeRefundFact(waits, shown(status)))).toBe(to)
  })
})

describe('a success in the book', () => {
  test.each([
    ['what is left', 600, 'done'],
    ['more than is left', 601, 'beyond_paid'],
    ['after all of it', 1000, 'beyond_paid'],
  ])('%s: of 1000 with %i given back before, %s', (_name, refundedFen, to) => {
    const payment = { paidFen: 1000, refundedFen }
    expect(short(judgeRefundInBook(STANDING, shown('success'), payment))).toBe(to)
    expect(short(judgeRefundInBook(STANDING, shown('closed'), payment))).toBe('failed')
  })

  // It is told once, and only another word of the channel takes it from there.
  test.each([
    ['processing', 'stay'],
    ['success', 'stay'],
    ['closed', 'failed'],
    ['abnormal', 'abnormal'],
  ] as const)('beyond what was paid, then %s: %s', (status, to) => {
    const waits = { ...STANDING, state: 'needs_attention', cause: 'beyond_paid' } as const
    const payment = { paidFen: 1000, refundedFen: 1000 }
    expect(short(judgeRefundInBook(waits, shown(status), payment))).toBe(to)
  })
})

describe('two people', () => {
  const ann = { id: 'key-1', actingUser: 'Ann' }
  test.each([
    ['the same key and name', ann, true],
    ['the same key', { ...ann, actingUser: 'Zoe' }, true],
    ['the same name in other letters', { id: 'key-2', actingUser: ' aNN' }, true],
    ['another key and name', { id: 'key-2', actingUser: 'Bob' }, false],
  ])('%s', (_name, other, same) => {
    expect(isSamePrincipal(ann, other)).toBe(same)
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

  test('other amounts: never stand in the way of the right ones', () => {
    const refund = { ...STANDING, outRefundNo: 'R1', submitCount: 1 }
    const fact = shown('success')
    expect(queriedFactKey(refund, fact)).toBe(refundFactKey('R1', 'success', 'query'))
    const others = [{ refundFen: fen(399) }, { refundFen: fen(401) }, { totalFen: fen(1) }]
    const keys = others.map((other) => queriedFactKey(refund, { ...fact, ...other }))
    expect(new Set([...keys, queriedFactKey(refund, fact)]).size).toBe(4)
  })
})
