import fc from 'fast-check'

import type { HeldWord, Paid, PlaceAnswer, QueryAnswer, Said, SubmitAnswer, Verb } from './book.js'
import type { Command, Draft } from './commands.js'
import { PEOPLE, type Who } from './people.js'
import type { Policy, Rule } from './policies.js'

/** What is done at random: which commands, how often, and how every plan begins. */

const SUBMITS: readonly SubmitAnswer[] = [
  'accepted',
  'accepted',
  'accepted with coupon',
  'accepted otherwise',
  'not_enough',
  'rate_limited',
  'refused',
  'unknown',
]
const QUERIES: readonly QueryAnswer[] = [
  'success',
  'success with coupon',
  'closed',
  'abnormal',
  'processing',
]
const PAIDS: readonly Paid[] = [
  'exact',
  'exact',
  'exact',
  'coupon',
  'coupon',
  'short',
  'dollars',
  'foreign',
  'twice',
]
const WHO = Object.keys(PEOPLE) as Who[]
const SAID: readonly Said[] = ['success', 'processing', 'unknown number', 'silence']
const TOTAL_FEN = 1_000

const answers = {
  place: fc.constantFrom<PlaceAnswer>('placed', 'placed', 'placed', 'refused', 'closed'),
  paid: fc.constantFrom(...PAIDS),
  submit: fc.constantFrom(...SUBMITS),
  query: fc.constantFrom(...QUERIES),
  verb: fc.constantFrom<Verb>(...Array<Verb>(6).fill('approve'), 'reject', 'cancel'),
  who: fc.constantFrom<Who>('approver', 'approver', 'second', ...WHO),
  said: fc.constantFrom<Said>('abnormal', 'abnormal', 'closed', 'closed', ...SAID),
}

const draft = <T>(
  on: Draft['on'],
  parts: fc.Arbitrary<T>,
  make: (parts: T, target: { readonly id: string; readonly key: string }) => Command,
): fc.Arbitrary<Draft> =>
  fc.tuple(fc.nat(99), parts).map(([at, known]) => ({
    on,
    at,
    make: (target) => make(known, target),
    [fc.toStringMethod]: () => JSON.stringify(make(known, { id: `${on}#${at}`, key: '' })),
  }))

const none = fc.constant({})

/** Some are seen twice: what is equal of two of them is their number. */
const portal = draft(
  'payment',
  fc.record({
    amountFen: fc.integer({ min: 100, max: 800 }),
    what: fc.constantFrom<QueryAnswer>('success', 'success', ...QUERIES),
    again: fc.constantFrom(null, null, 'twice'),
  }),
  ({ amountFen, what, again }, { id, key }) => ({
    kind: 'portal',
    id: again === null ? `portal|${key}` : `portal|${id}|${again}`,
    paymentId: id,
    amountFen,
    what,
  }),
)

const rule = fc.record<Rule>({
  upToFen: fc.constantFrom(null, 150, 300),
  withinDays: fc.constantFrom(null, null, 8),
  shipped: fc.constantFrom(null, null, false, true),
  approvals: fc.constantFrom<Rule['approvals']>(0, 1, 2),
})

/** The last rule fits everything. */
const policy = fc
  .record({
    first: fc.array(rule, { maxLength: 2 }),
    otherwise: fc.constantFrom<Rule['approvals']>(1, 2, 2),
    limits: fc.constantFrom([null, null], [null, null], [500, null], [null, 300], [700, 400]),
    isSpaced: fc.constantFrom(false, false, true),
    atDeadline: fc.constantFrom<Policy['atDeadline']>('escalate', 'approve', 'close'),
  })
  .map(({ first, otherwise, limits: [dayLimitFen = null, personDayLimitFen = null], ...rest }) => {
    const last = { upToFen: null, withinDays: null, shipped: null, approvals: otherwise }
    const approveUpToFen = rest.atDeadline === 'approve' ? 300 : null
    return { rules: [...first, last], dayLimitFen, personDayLimitFen, approveUpToFen, ...rest }
  })

const rules = draft('nothing', policy, (of) => ({ kind: 'policy', policy: of }))

const resolving = (
  kind: 'retry' | 'settle' | 'fail',
  on: 'refund in need' | 'closed refund',
): fc.Arbitrary<Draft> =>
  draft(on, fc.record({ who: answers.who, says: answers.said }), (parts, { id: refundId }) => ({
    kind,
    refundId,
    ...parts,
  }))

/** Something to do, the more often the more it moves. */
const drafts: fc.Arbitrary<Draft> = fc.oneof(
  {
    weight: 1,
    arbitrary: draft(
      'nothing',
      fc.record({ orderRef: fc.constantFrom(null, 'order-1', 'order-1', 'order-2') }),
      ({ orderRef }, { id }) => ({ kind: 'create', id, orderRef, totalFen: TOTAL_FEN }),
    ),
  },
  {
    weight: 3,
    arbitrary: draft('payment', answers.place, (answer, { id }) => ({
      kind: 'place',
      paymentId: id,
      answer,
    })),
  },
  {
    weight: 6,
    arbitrary: draft('payment', answers.paid, (what, { id }) => ({
      kind: 'notify payment',
      paymentId: id,
      what,
    })),
  },
  {
    weight: 1,
    arbitrary: draft('payment', fc.constantFrom('exact', 'closed', 'closed'), (answer, { id }) => ({
      kind: 'expire payment',
      paymentId: id,
      answer,
    })),
  },
  {
    weight: 6,
    arbitrary: draft('payment', none, (_, { id }) => ({ kind: 'settle payment', paymentId: id })),
  },
  {
    weight: 3,
    arbitrary: draft('payment', fc.constantFrom<HeldWord>('accept', 'refund'), (word, { id }) => ({
      kind: 'decide held',
      paymentId: id,
      word,
    })),
  },
  {
    weight: 8,
    arbitrary: draft(
      'payment',
      fc.record({
        amountFen: fc.integer({ min: 1, max: 500 }),
        shipped: fc.constantFrom(null, false, true),
        key: fc.constantFrom(null, null, null, null, 'key-1', 'key-2'),
      }),
      ({ amountFen, shipped, key }, target) => ({
        kind: 'request',
        id: '',
        paymentId: target.id,
        amountFen,
        shipped,
        key: key ?? target.key,
      }),
    ),
  },
  {
    weight: 8,
    arbitrary: draft(
      'pending refund',
      fc.record({ verb: answers.verb, who: answers.who }),
      (parts, { id }) => ({
        kind: 'decide',
        refundId: id,
        ...parts,
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: draft('refund', none, (_, { id }) => ({
      kind: 'approve in Temporal',
      refundId: id,
    })),
  },
  {
    weight: 1,
    arbitrary: draft('refund', none, (_, { id }) => ({ kind: 'expire refund', refundId: id })),
  },
  {
    weight: 12,
    arbitrary: draft(
      'moving refund',
      fc.record({ submit: answers.submit, query: answers.query }),
      (parts, { id }) => ({
        kind: 'send',
        refundId: id,
        ...parts,
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: draft('refund', answers.query, (what, { id }) => ({
      kind: 'notify refund',
      refundId: id,
      what,
    })),
  },
  {
    weight: 3,
    arbitrary: draft('refund', answers.query, (query, { id }) => ({
      kind: 'confirm',
      refundId: id,
      query,
    })),
  },
  {
    weight: 6,
    arbitrary: draft('refund', none, (_, { id }) => ({ kind: 'settle refund', refundId: id })),
  },
  { weight: 4, arbitrary: portal },
  { weight: 1, arbitrary: rules },
  { weight: 2, arbitrary: resolving('retry', 'refund in need') },
  { weight: 2, arbitrary: resolving('retry', 'closed refund') },
  { weight: 6, arbitrary: resolving('settle', 'refund in need') },
  { weight: 1, arbitrary: resolving('fail', 'refund in need') },
)

/** What is done at the same time, on eight connections at most. */
const batches = fc.array(drafts, { minLength: 3, maxLength: 8, size: 'max' })

const steps = fc.array(batches, { minLength: 12, maxLength: 24, size: 'max' })

/** Steps one after the other; many begin with rules of the merchant's. */
export const plans = fc
  .tuple(fc.option(rules, { freq: 2 }), steps)
  .map(([first, rest]) => (first === null ? rest : [[first], ...rest]))

export const fixed = (on: Draft['on'], at: number, make: (id: string) => Command): Draft => ({
  on,
  at,
  make: ({ id }) => make(id),
  [fc.toStringMethod]: () => JSON.stringify(make(`${on}#${at}`)),
})

const PAYMENTS: readonly { readonly orderRef: string | null; readonly what: Paid }[] = [
  { orderRef: null, what: 'exact' },
  { orderRef: null, what: 'exact' },
  { orderRef: 'order-1', what: 'exact' },
  { orderRef: null, what: 'short' },
]
/**
 * How every plan begins: three payments that are paid, one of them for an order, and one that is
 * held; one refund that the channel refused, and one that it has closed.
 */
export const OPENING: readonly (readonly Draft[])[] = [
  PAYMENTS.map(({ orderRef }, at) =>
    fixed('nothing', at, (id) => ({ kind: 'create', id, orderRef, totalFen: TOTAL_FEN })),
  ),
  PAYMENTS.map(({ what }, at) =>
    fixed('payment', at, (paymentId) => ({ kind: 'notify payment', paymentId, what })),
  ),
  PAYMENTS.map((_, at) =>
    fixed('payment', at, (paymentId) => ({ kind: 'settle payment', paymentId })),
  ),
  [0, 1].map((at) =>
    fixed('payment', at, (paymentId) => {
      const asked = { amountFen: 200, shipped: false, key: `opening-${at}` }
      return { kind: 'request', id: '', paymentId, ...asked }
    }),
  ),
  [0, 1].map((at) =>
    fixed('refund', at, (refundId) => {
      return { kind: 'decide', refundId, verb: 'approve', who: 'approver' }
    }),
  ),
  (['refused', 'accepted'] as const).map((submit, at) =>
    fixed('refund', at, (refundId) => ({ kind: 'send', refundId, submit, query: 'processing' })),
  ),
  [fixed('refund', 1, (refundId) => ({ kind: 'confirm', refundId, query: 'closed' }))],
]
