/**
 * What the book should be, in plain words and without a database: no code of `src` is used here, so
 * that a mistake there is not made twice. A step changes the model at once, as a transaction does.
 */

export type Answer = string

/** How a buyer's payment looks to the channel, compared with what was ordered. */
export type Paid = 'exact' | 'coupon' | 'short' | 'dollars' | 'foreign' | 'twice'
export type PlaceAnswer = 'placed' | 'refused' | 'closed'
export type SubmitAnswer =
  | 'accepted'
  | 'accepted with coupon'
  | 'accepted otherwise'
  | 'not_enough'
  | 'rate_limited'
  | 'refused'
  | 'unknown'
export type QueryAnswer = 'success' | 'success with coupon' | 'closed' | 'abnormal' | 'processing'
/** What a person may say about money that is held. */
export type HeldWord = 'accept' | 'refund'
export type Verb = 'approve' | 'reject' | 'cancel'
/** The one who asked; another; another key in the hands of the one who asked. */
export type Who = 'asker' | 'approver' | 'asker by another key'

export interface Fact {
  readonly key: string
  readonly source: 'notify' | 'query' | 'manual'
  readonly what: Paid | 'closed' | QueryAnswer | HeldWord
  outcome: string | null
}

export interface Decision {
  readonly verb: Verb
  readonly who: Who | 'operator'
  outcome: string | null
}

export interface Refund {
  readonly id: string
  readonly paymentId: string
  readonly amountFen: number
  state: string
  cause: string | null
  isHeldBack: boolean
  settlementFen: number | null
  round: number
  isInTransit: boolean
  submits: number
  queries: number
  /** How often its deadline has passed. */
  deadlines: number
  /** The step in which it was last sent, or seen for the first time. */
  submittedIn: number
  readonly facts: Fact[]
  readonly decisions: Decision[]
  readonly lines: string[]
}

/** What a person has to look at. */
export interface Case {
  readonly kind: string
  readonly cause: string
  readonly amountFen: number
  state: 'open' | 'resolved'
}

export interface Payment {
  readonly id: string
  readonly orderRef: string | null
  readonly totalFen: number
  state: string
  disposition: string | null
  attention: string | null
  paidFen: number | null
  settlementFen: number | null
  transaction: string | null
  reservedFen: number
  refundedFen: number
  /** How much more is spoken for than was paid. */
  overReservedFen: number
  readonly cases: Case[]
  /** The step in which it was placed, and the one in which a refund of it was last sent. */
  placedIn: number
  sentIn: number
  readonly facts: Fact[]
  readonly events: string[]
  readonly lines: string[]
}

export interface Book {
  payments: Record<string, Payment>
  refunds: Record<string, Refund>
  /** Idempotency keys with the request they stand for. */
  keys: Record<string, { readonly request: string; readonly refundId: string }>
  /** The account's money has run out; in this step another one was sent to try, and none after. */
  triedIn: number | null
}

/** What a step knows beside the book: which step it is, and in which order facts were stored. */
export interface Moment {
  readonly step: number
  readonly storedAt: (subjectId: string, key: string) => number
  readonly operatorLimitFen: number
}

export const emptyBook = (): Book => ({
  payments: {},
  refunds: {},
  keys: {},
  triedIn: null,
})

const quarterFen = (amountFen: number): number => Math.floor(amountFen / 4)
/** What is settled of an amount of which a coupon paid a quarter. */
export const lessCouponFen = (amountFen: number): number => amountFen - quarterFen(amountFen)

export function the<T>(things: Record<string, T>, id: string): T {
  const thing = things[id]
  if (thing === undefined) throw new Error(`The model has no ${id}.`)
  return thing
}

export const isOpen = (state: string): boolean =>
  state === 'created' || state === 'awaiting_payment'
export const isSent = (state: string): boolean =>
  state === 'refunding' || state === 'needs_attention'
export const isEnded = (state: string): boolean =>
  !['pending', 'approved'].includes(state) && !isSent(state)

/** A refund that begins; what was not said of it is nothing. */
export const newRefund = (
  of: Pick<Refund, 'id' | 'paymentId' | 'amountFen' | 'state'> & Partial<Refund>,
): Refund => ({
  cause: null,
  isHeldBack: false,
  settlementFen: null,
  round: 0,
  isInTransit: false,
  submits: 0,
  queries: 0,
  deadlines: 0,
  submittedIn: -1,
  facts: [],
  decisions: [],
  lines: [],
  ...of,
})

/** Opens a case, once for each cause. */
export function openCase({ cases }: Payment, kind: string, cause: string, amountFen: number): void {
  if (cases.some((known) => known.kind === kind && known.cause === cause)) return
  cases.push({ kind, cause, amountFen, state: 'open' })
}

/** What is too much falls with what is released, and its cases with the last of it. */
export function recount(payment: Payment): void {
  const { reservedFen, refundedFen, paidFen, overReservedFen } = payment
  const tooMuchFen = Math.max(0, reservedFen + refundedFen - (paidFen ?? 0))
  payment.overReservedFen = Math.min(overReservedFen, tooMuchFen)
  if (overReservedFen === 0 || payment.overReservedFen > 0) return
  for (const each of payment.cases) {
    if (each.kind === 'refunds_exceed_payment') each.state = 'resolved'
  }
}

/** Posts a line, unless it is of nothing. */
export function post(lines: string[], rule: string, accounts: string, amountFen: number): void {
  if (amountFen > 0) lines.push(`${rule} ${accounts} ${amountFen}`)
}

/** The facts that nobody has applied, in the order in which they were stored. */
export const inOrder = (facts: readonly Fact[], subjectId: string, { storedAt }: Moment): Fact[] =>
  facts
    .filter(({ outcome }) => outcome === null)
    .toSorted((one, two) => storedAt(subjectId, one.key) - storedAt(subjectId, two.key))
