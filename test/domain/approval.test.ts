import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  approvalsNeeded,
  deadlineStep,
  DEFAULT_POLICY,
  nextStepAt,
  policyFaults,
  type ApprovalPolicy,
  type ApprovalRule,
  type ApprovalTerms,
  type DeadlineTerms,
} from '../../src/domain/approval.js'
import {
  judgeDecision,
  REASON_CATEGORIES,
  type ApprovalBounds,
  type Principal,
} from '../../src/domain/refund.js'

const DAY_MS = 86_400_000

/** Small and young goes by itself, broken goods need one, what was shipped needs two. */
const RULES: readonly ApprovalRule[] = [
  { upToFen: 1_000, withinDays: 7, shipped: false, approvals: 0 },
  { reasonCategories: ['defective', 'not_received'], upToFen: 50_000, approvals: 1 },
  { shipped: true, approvals: 2 },
  { upToFen: 10_000, approvals: 1 },
  { approvals: 2 },
]

const TERMS: ApprovalTerms = {
  amountFen: 1_000,
  paymentAgeMs: DAY_MS,
  shipped: false,
  reasonCategory: 'unwanted',
}

describe('how many have to approve', () => {
  test.each<[string, Partial<ApprovalTerms>, number]>([
    ['small, young and unshipped', {}, 0],
    ['a fen more', { amountFen: 1_001 }, 1],
    ['exactly seven days old', { paymentAgeMs: 7 * DAY_MS }, 0],
    ['a millisecond older', { paymentAgeMs: 7 * DAY_MS + 1 }, 1],
    ['nobody knows whether it was shipped', { shipped: null }, 1],
    ['shipped', { shipped: true }, 2],
    ['shipped, but defective', { shipped: true, reasonCategory: 'defective' }, 1],
    ['large and defective', { amountFen: 50_001, reasonCategory: 'defective' }, 2],
    ['large', { amountFen: 10_001 }, 2],
  ])('%s', (_name, terms, needed) => {
    expect(approvalsNeeded(RULES, { ...TERMS, ...terms })).toBe(needed)
  })

  test('a list that nothing of fits: asks for two', () => {
    expect(approvalsNeeded([], TERMS)).toBe(2)
  })

  const terms: fc.Arbitrary<ApprovalTerms> = fc.record({
    amountFen: fc.integer({ min: 1, max: 100_000 }),
    paymentAgeMs: fc.integer({ min: 0, max: 400 * DAY_MS }),
    shipped: fc.constantFrom(true, false, null),
    reasonCategory: fc.constantFrom(...REASON_CATEGORIES),
  })

  test('with these rules: more money never needs fewer people', () => {
    fc.assert(
      fc.property(terms, fc.integer({ min: 1, max: 100_000 }), (one, more) => {
        const larger = { ...one, amountFen: one.amountFen + more }
        return approvalsNeeded(RULES, larger) >= approvalsNeeded(RULES, one)
      }),
    )
  })

  test('a rule in front of the others: changes nothing that it does not fit', () => {
    fc.assert(
      fc.property(terms, (one) => {
        const strict = { upToFen: 1, approvals: 2 } as const
        const with2 = approvalsNeeded([strict, ...RULES], one)
        expect(with2).toBe(one.amountFen <= 1 ? 2 : approvalsNeeded(RULES, one))
      }),
    )
  })
})

describe('what is wrong with a policy', () => {
  test.each<[string, Partial<ApprovalPolicy>, readonly string[]]>([
    ['nothing', {}, []],
    ['no rules', { rules: [] }, ['rules_not_total']],
    [
      'a last rule with a condition',
      { rules: [{ upToFen: 1, approvals: 1 }] },
      ['rules_not_total'],
    ],
    [
      'a rule behind one that fits everything',
      { rules: [{ approvals: 1 }, { approvals: 2 }] },
      ['rule_never_reached'],
    ],
    ['approving without an amount', { atDeadline: 'approve' }, ['approve_needs_amount']],
    ['an amount without approving', { approveUpToFen: 1 }, ['amount_without_approve']],
    ['approving up to an amount', { atDeadline: 'approve', approveUpToFen: 1 }, []],
  ])('%s', (_name, change, faults) => {
    expect(policyFaults({ ...DEFAULT_POLICY, ...change })).toEqual(faults)
  })
})

const ASKED: DeadlineTerms = {
  amountFen: 1_000,
  shipped: false,
  approvalsNeeded: 1,
  createdAt: new Date('2026-03-01T00:00:00Z'),
  remindAt: new Date('2026-03-01T12:00:00Z'),
  expiresAt: new Date('2026-03-02T00:00:00Z'),
  remindedAt: null,
  escalatedAt: null,
}
const REMINDED: DeadlineTerms = { ...ASKED, remindedAt: new Date('2026-03-01T12:00:01Z') }
const ESCALATED: DeadlineTerms = { ...REMINDED, escalatedAt: new Date('2026-03-02T00:00:02Z') }
const APPROVES = { atDeadline: 'approve', approveUpToFen: 1_000 } as const

describe('what happens when nobody decides', () => {
  test.each<[string, DeadlineTerms, Parameters<typeof deadlineStep>[1], number | null, string]>([
    ['half time', ASKED, DEFAULT_POLICY, null, 'remind'],
    ['the deadline', REMINDED, DEFAULT_POLICY, null, 'escalate'],
    ['the deadline after escalating', ESCALATED, DEFAULT_POLICY, null, 'close'],
    ['closing', REMINDED, { atDeadline: 'close', approveUpToFen: null }, null, 'close'],
    ['approving what is small and unshipped', REMINDED, APPROVES, null, 'approve'],
    ['approving a fen too much', { ...REMINDED, amountFen: 1_001 }, APPROVES, null, 'escalate'],
    ['approving what was shipped', { ...REMINDED, shipped: true }, APPROVES, null, 'escalate'],
    ['approving what nobody knows of', { ...REMINDED, shipped: null }, APPROVES, null, 'escalate'],
    ['approving what needs two', { ...REMINDED, approvalsNeeded: 2 }, APPROVES, null, 'escalate'],
    ['approving within the day', REMINDED, APPROVES, 1_000, 'approve'],
    ['approving over the day', REMINDED, APPROVES, 999, 'escalate'],
    ['one without half time', { ...ASKED, remindAt: null }, DEFAULT_POLICY, null, 'escalate'],
  ])('%s', (_name, terms, policy, dayLeftFen, step) => {
    expect(deadlineStep(terms, policy, dayLeftFen)).toBe(step)
  })

  test('the steps: are due at half time, at the deadline, and once more as long after', () => {
    expect(nextStepAt(ASKED)).toEqual(ASKED.remindAt)
    expect(nextStepAt(REMINDED)).toEqual(ASKED.expiresAt)
    expect(nextStepAt(ESCALATED)).toEqual(new Date('2026-03-03T00:00:02Z'))
  })
})

const key = (id: string, actingUser: string): Principal => ({ kind: 'api_key', id, actingUser })
const OPERATOR: Principal = {
  kind: 'temporal-operator',
  id: 'temporal:run',
  actingUser: 'temporal-operator',
}
const TIME: Principal = { kind: 'deadline', id: 'policy:1', actingUser: 'deadline' }
const [BOB, CAROL] = [key('key-2', 'Bob'), key('key-3', 'Carol')]
const TWO: Partial<ApprovalBounds> = { approvalsNeeded: 2 }

describe('approving under a policy', () => {
  test.each<[string, Principal, Partial<ApprovalBounds>, string]>([
    ['the first of two', BOB, TWO, 'first_of_two'],
    ['the second of two', CAROL, { ...TWO, firstApprover: BOB }, 'applied'],
    ['the first once more', BOB, { ...TWO, firstApprover: BOB }, 'same_principal'],
    [
      'the first with another key',
      key('key-4', 'bob '),
      { ...TWO, firstApprover: BOB },
      'same_principal',
    ],
    [
      'another name on the first key',
      key('key-2', 'Dan'),
      { ...TWO, firstApprover: BOB },
      'same_principal',
    ],
    ['who asked, as the first', key('key-1', 'Al'), TWO, 'same_principal'],
    [
      'who asked, as the second',
      key('key-1', 'Al'),
      { ...TWO, firstApprover: BOB },
      'same_principal',
    ],
    ['the operator as the first', OPERATOR, TWO, 'first_of_two'],
    ['the operator as the second', OPERATOR, { ...TWO, firstApprover: BOB }, 'operator_not_second'],
    ['a person after the operator', BOB, { ...TWO, firstApprover: OPERATOR }, 'applied'],
    ['a shop of one', key('key-1', 'Alice'), { isSelfApproval: true }, 'applied'],
    [
      'a shop of one that needs two',
      key('key-1', 'Alice'),
      { ...TWO, isSelfApproval: true },
      'same_principal',
    ],
    ['exactly what is left of the day', BOB, { dayLeftFen: 1_000 }, 'applied'],
    ['over the day', BOB, { dayLeftFen: 999 }, 'over_day_limit'],
    ['over what one may', BOB, { personLeftFen: 999 }, 'over_person_limit'],
    ['over both', BOB, { dayLeftFen: 0, personLeftFen: 0 }, 'over_day_limit'],
    ['over the day, and who asked', key('key-1', 'Al'), { dayLeftFen: 0 }, 'same_principal'],
    ['the operator over the day', OPERATOR, { dayLeftFen: 999 }, 'over_day_limit'],
    ['the deadline', TIME, {}, 'applied'],
    ['the deadline over the day', TIME, { dayLeftFen: 999 }, 'over_day_limit'],
  ])('%s', (_name, principal, bounds, outcome) => {
    const terms = {
      state: 'pending',
      amountFen: 1_000,
      requestedBy: 'key-1',
      requestedFor: 'Alice',
    } as const
    const all = { operatorLimitFen: 1_000, ...bounds }
    expect(judgeDecision(terms, 'approve', principal, all).outcome).toBe(outcome)
  })
})
