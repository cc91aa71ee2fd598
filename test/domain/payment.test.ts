import { describe, expect, test } from 'vitest'

import type { PaidFact } from '../../src/domain/channel.js'
import { fen } from '../../src/domain/money.js'
import {
  judgePayment,
  paymentFactKey,
  type PaymentFact,
  type PaymentTerms,
  type HeldResolution,
  type ResolveFact,
} from '../../src/domain/payment.js'
import { PAYMENT_STATES, type PaymentState } from '../../src/domain/states.js'

const TERMS: PaymentTerms = {
  state: 'awaiting_payment',
  disposition: null,
  paidFen: null,
  settlementFen: null,
  spokenFen: 0,
  orderPaid: false,
  revivesLate: false,
  appId: 'wx1',
  mchId: '1900000001',
  outTradeNo: 'P0001',
  totalFen: 1000,
  transactionId: null,
}

const PAID: PaidFact = {
  kind: 'paid',
  appId: 'wx1',
  mchId: '1900000001',
  outTradeNo: 'P0001',
  transactionId: '4200000001',
  currency: 'CNY',
  totalFen: fen(1000),
  cashFen: fen(1000),
  settlementFen: fen(1000),
  paidAt: '2026-01-01T00:00:00.000Z',
}

/** The kinds of fact a payment can meet, each with whether the order is paid by another payment. */
const FACTS = {
  equal: { fact: PAID, orderPaid: false },
  coupon: { fact: { ...PAID, settlementFen: fen(900), cashFen: fen(900) }, orderPaid: false },
  'order paid': { fact: PAID, orderPaid: true },
  'less money': {
    fact: { ...PAID, totalFen: fen(999), settlementFen: fen(999) },
    orderPaid: false,
  },
  'more money': { fact: { ...PAID, totalFen: fen(1001) }, orderPaid: false },
  'settled above': { fact: { ...PAID, settlementFen: fen(1001) }, orderPaid: false },
  dollars: { fact: { ...PAID, currency: 'USD' }, orderPaid: false },
  'other app': { fact: { ...PAID, appId: 'wx2' }, orderPaid: false },
  'other merchant': { fact: { ...PAID, mchId: '1900000002' }, orderPaid: false },
  'other number': { fact: { ...PAID, outTradeNo: 'P0002' }, orderPaid: false },
  closed: { fact: { kind: 'closed' }, orderPaid: false },
} as const satisfies Record<string, { fact: PaymentFact; orderPaid: boolean }>

type FactName = keyof typeof FACTS

function judged(state: PaymentState, name: FactName, revivesLate = false): string {
  const { fact, orderPaid } = FACTS[name]
  const transactionId = state === 'paid' ? PAID.transactionId : null
  const terms = { ...TERMS, state, transactionId, orderPaid, revivesLate }
  const verdict = judgePayment(terms, fact)
  if (verdict.kind === 'pay') return verdict.attention ?? verdict.disposition
  return verdict.kind === 'ignore' ? verdict.outcome : verdict.kind
}

const open = (created: string) => ({ created, awaiting_payment: created })
const ended = (closed: string) => ({ closed, failed: closed })

// What each fact does to a payment in each state; mismatches are held, what is late or double is
// surplus.
const EXPECTED: Readonly<Record<FactName, Readonly<Record<PaymentState, string>>>> = {
  equal: { ...open('accepted'), ...ended('late'), paid: 'duplicate' },
  coupon: { ...open('accepted'), ...ended('late'), paid: 'duplicate' },
  'order paid': { ...open('double_payment'), ...ended('late'), paid: 'duplicate' },
  'less money': { ...open('amount_mismatch'), ...ended('amount_mismatch'), paid: 'duplicate' },
  'more money': { ...open('amount_mismatch'), ...ended('amount_mismatch'), paid: 'duplicate' },
  'settled above': { ...open('amount_mismatch'), ...ended('amount_mismatch'), paid: 'duplicate' },
  dollars: { ...open('currency_mismatch'), ...ended('currency_mismatch'), paid: 'duplicate' },
  'other app': { ...open('foreign'), ...ended('foreign'), paid: 'foreign' },
  'other merchant': { ...open('foreign'), ...ended('foreign'), paid: 'foreign' },
  'other number': { ...open('foreign'), ...ended('foreign'), paid: 'foreign' },
  closed: { ...open('close'), ...ended('already_over'), paid: 'already_over' },
}

const ROWS = (Object.keys(EXPECTED) as FactName[]).flatMap((name) =>
  PAYMENT_STATES.map((state) => ({ state, name, expected: EXPECTED[name][state] })),
)

const DISPOSITION_OF = {
  late: 'surplus',
  double_payment: 'surplus',
  amount_mismatch: 'held',
  currency_mismatch: 'held',
} as const

describe('judging a fact about a payment', () => {
  test.each(ROWS)('$state meets "$name": $expected', ({ state, name, expected }) => {
    expect(judged(state, name)).toBe(expected)
  })

  test('a second transaction under a paid number: is foreign and changes nothing', () => {
    const terms = { ...TERMS, state: 'paid' as const, transactionId: '4200000009' }
    expect(judgePayment(terms, PAID)).toEqual({ kind: 'ignore', outcome: 'foreign' })
  })

  test('money that arrives: is accepted only when nothing asks for attention', () => {
    for (const { state, name } of ROWS) {
      const { fact, orderPaid } = FACTS[name]
      const verdict = judgePayment({ ...TERMS, state, orderPaid }, fact)
      if (verdict.kind !== 'pay') continue
      expect(verdict.disposition).toBe(
        verdict.attention === null ? 'accepted' : DISPOSITION_OF[verdict.attention],
      )
    }
  })

  test.each([
    ['closed', 'equal', 'accepted'],
    ['failed', 'coupon', 'accepted'],
    ['closed', 'order paid', 'double_payment'],
    ['closed', 'less money', 'amount_mismatch'],
    ['closed', 'dollars', 'currency_mismatch'],
    ['awaiting_payment', 'equal', 'accepted'],
  ] as const)('late money that revives, %s meets "%s": %s', (state, name, expected) => {
    expect(judged(state, name, true)).toBe(expected)
  })
})

const HELD: PaymentTerms = {
  ...TERMS,
  state: 'paid',
  disposition: 'held',
  paidFen: 999,
  settlementFen: 999,
  transactionId: '4200000001',
}

describe('judging a decision about held money', () => {
  const decision = (as: HeldResolution): ResolveFact => ({
    kind: 'resolve',
    as,
    principalId: 'key',
    actingUser: 'Ann',
    reason: 'asked the buyer',
  })

  test.each<[string, Partial<PaymentTerms>, HeldResolution, string]>([
    ['is accepted', {}, 'accept', 'accepted'],
    ['goes back', {}, 'refund', 'surplus'],
    ['goes back where the order is paid', { orderPaid: true }, 'refund', 'surplus'],
    ['never pays an order twice', { orderPaid: true }, 'accept', 'order_paid'],
    [
      'with more settled than paid only goes back',
      { settlementFen: 1000 },
      'accept',
      'unacceptable',
    ],
    [
      'of which the portal gave back a part only goes back',
      { spokenFen: 1 },
      'accept',
      'unacceptable',
    ],
    ['of which the portal gave back a part goes back', { spokenFen: 1 }, 'refund', 'surplus'],
    ['is decided once: accepted', { disposition: 'accepted' }, 'refund', 'already_decided'],
    ['is decided once: surplus', { disposition: 'surplus' }, 'accept', 'already_decided'],
    ['has to be there', { state: 'closed', disposition: null }, 'accept', 'already_decided'],
  ])('held money %s', (_name, changes, as, expected) => {
    const verdict = judgePayment({ ...HELD, ...changes }, decision(as))
    const told = verdict.kind === 'resolve' ? verdict.disposition : verdict
    expect(told).toEqual(
      expected === 'accepted' || expected === 'surplus'
        ? expected
        : { kind: 'ignore', outcome: expected },
    )
  })

  test('opposite decisions: have keys of their own', () => {
    expect(paymentFactKey('P0001', decision('accept'))).not.toBe(
      paymentFactKey('P0001', decision('refund')),
    )
  })
})

describe('the key of a fact about a payment', () => {
  test('the same fact told twice: has one key, whenever it says it was paid', () => {
    const again = { ...PAID, paidAt: '2026-01-02T00:00:00.000Z' }
    expect(paymentFactKey('P0001', again)).toBe(paymentFactKey('P0001', PAID))
  })

  test('facts that differ in what counts: have keys of their own', () => {
    const different: PaymentFact[] = [
      PAID,
      { ...PAID, transactionId: '4200000002' },
      { ...PAID, totalFen: fen(1) },
      { ...PAID, settlementFen: fen(1) },
      { ...PAID, currency: 'USD' },
      { kind: 'closed' },
    ]
    const keys = different.map((fact) => paymentFactKey('P0001', fact))
    expect(new Set(keys).size).toBe(different.length)
    expect(paymentFactKey('P0002', PAID)).not.toBe(keys[0])
  })
})
