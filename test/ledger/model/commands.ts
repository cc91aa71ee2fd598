import fc from 'fast-check'

import type {
  Book,
  HeldWord,
  Paid,
  PlaceAnswer,
  QueryAnswer,
  SubmitAnswer,
  Verb,
  Who,
} from './book.js'
import type { PortalRefund } from './portal.js'

/** What somebody does; payments and refunds stand there by their ids. */
export type Command =
  | {
      readonly kind: 'create'
      readonly id: string
      readonly orderRef: string | null
      readonly totalFen: number
    }
  | { readonly kind: 'place'; readonly paymentId: string; readonly answer: PlaceAnswer }
  | { readonly kind: 'notify payment'; readonly paymentId: string; readonly what: Paid }
  | {
      readonly kind: 'expire payment'
      readonly paymentId: string
      readonly answer: 'exact' | 'closed'
    }
  | { readonly kind: 'settle payment'; readonly paymentId: string }
  | { readonly kind: 'decide held'; readonly paymentId: string; readonly word: HeldWord }
  | {
      readonly kind: 'request'
      readonly id: string
      readonly paymentId: string
      readonly amountFen: number
      readonly key: string
    }
  | { readonly kind: 'decide'; readonly refundId: string; readonly verb: Verb; readonly who: Who }
  | { readonly kind: 'approve in Temporal'; readonly refundId: string }
  | { readonly kind: 'expire refund'; readonly refundId: string }
  | {
      readonly kind: 'send'
      readonly refundId: string
      readonly submit: SubmitAnswer
      readonly query: QueryAnswer
    }
  | { readonly kind: 'notify refund'; readonly refundId: string; readonly what: QueryAnswer }
  | { readonly kind: 'confirm'; readonly refundId: string; readonly query: QueryAnswer }
  | { readonly kind: 'settle refund'; readonly refundId: string }
  | ({ readonly kind: 'portal'; readonly what: QueryAnswer } & PortalRefund)

export type Of<Kind extends Command['kind']> = Extract<Command, { kind: Kind }>

/** A command before it is known which payments there are: `at` picks one of them. */
export interface Draft {
  readonly at: number
  readonly make: (target: { readonly id: string; readonly key: string }) => Command
  readonly on: 'nothing' | 'payment' | 'refund'
  /** What a failing plan is printed as. */
  readonly [fc.toStringMethod]: () => string
}

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
const TOTAL_FEN = 1_000

const answers = {
  place: fc.constantFrom<PlaceAnswer>('placed', 'placed', 'placed', 'refused', 'closed'),
  paid: fc.constantFrom(...PAIDS),
  submit: fc.constantFrom(...SUBMITS),
  query: fc.constantFrom(...QUERIES),
  verb: fc.constantFrom<Verb>('approve', 'approve', 'approve', 'reject', 'cancel'),
  who: fc.constantFrom<Who>('approver', 'approver', 'approver', 'asker', 'asker by another key'),
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
        key: fc.constantFrom(null, null, null, null, 'key-1', 'key-2'),
      }),
      ({ amountFen, key }, target) => ({
        kind: 'request',
        id: '',
        paymentId: target.id,
        amountFen,
        key: key ?? target.key,
      }),
    ),
  },
  {
    weight: 8,
    arbitrary: draft(
      'refund',
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
      'refund',
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
)

/** What is done at the same time, on eight connections at most. */
const batches = fc.array(drafts, { minLength: 3, maxLength: 8, size: 'max' })

/** Steps one after the other. */
export const plans = fc.array(batches, { minLength: 12, maxLength: 24, size: 'max' })

const fixed = (on: Draft['on'], at: number, make: (id: string) => Command): Draft => ({
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
/** How every plan begins: three payments that are paid, one of them for an order; one is held. */
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
]

/** Gives each draft a payment or refund that is there; one that finds none is left out. */
export function resolve(book: Book, batch: readonly Draft[], newId: () => string): Command[] {
  const there = {
    nothing: [''],
    payment: Object.keys(book.payments),
    refund: Object.keys(book.refunds),
  }
  return batch.flatMap(({ on, at, make }) => {
    const target = there[on][at % there[on].length]
    if (target === undefined) return []
    const id = newId()
    const command = make({ id: on === 'nothing' ? id : target, key: id })
    return [command.kind === 'request' ? { ...command, id } : command]
  })
}
