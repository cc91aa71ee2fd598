import type { PaidFact } from './channel.js'
import type { Disposition, PaymentState } from './states.js'

/** What a verified fact of the channel is held against. */
export interface PaymentTerms {
  readonly state: PaymentState
  readonly disposition: Disposition | null
  readonly appId: string
  readonly mchId: string
  readonly outTradeNo: string
  readonly totalFen: number
  readonly paidFen: number | null
  readonly settlementFen: number | null
  /** What was given back of it or is asked back, also in the channel's own portal. */
  readonly spokenFen: number
  readonly transactionId: string | null
  /** Another payment of the same orderRef is accepted already. */
  readonly orderPaid: boolean
  /** The merchant wants late money to revive its order instead of going back. */
  readonly revivesLate: boolean
}

/** What a person may make of held money: take it as if it matched, or give it back. */
export const HELD_RESOLUTIONS = ['accept', 'refund'] as const
export type HeldResolution = (typeof HELD_RESOLUTIONS)[number]

/** A person's decision about held money; like every fact it is a row first. */
export interface ResolveFact {
  readonly kind: 'resolve'
  readonly as: HeldResolution
  /** The API key and who used it. */
  readonly principalId: string
  readonly actingUser: string
  readonly reason: string
}

/** A fact as the inbox keeps it: paid, closed at the channel, or decided by a person. */
export type PaymentFact = PaidFact | { readonly kind: 'closed' } | ResolveFact

/** Why money that arrived was not simply accepted. */
export type PaymentAttention = 'late' | 'amount_mismatch' | 'currency_mismatch' | 'double_payment'

/** Why a fact changes nothing. */
export type IgnoredOutcome =
  | 'duplicate'
  | 'foreign'
  | 'already_over'
  | 'already_decided'
  | 'order_paid'
  | 'unacceptable'

export type PaymentVerdict =
  | {
      readonly kind: 'pay'
      readonly fact: PaidFact
      readonly disposition: Disposition
      readonly attention: PaymentAttention | null
    }
  | { readonly kind: 'close' }
  | {
      readonly kind: 'resolve'
      readonly fact: ResolveFact
      readonly disposition: 'accepted' | 'surplus'
    }
  | { readonly kind: 'ignore'; readonly outcome: IgnoredOutcome }

/**
 * What a fact does to a payment. Paid means that merchant, appid, number, amount and currency are
 * all equal; money that differs is never paid silently but held, money that comes late or twice is
 * surplus and goes back, and a fact about another order changes nothing.
 */
export function judgePayment(terms: PaymentTerms, fact: PaymentFact): PaymentVerdict {
  if (fact.kind === 'resolve') return judgeResolution(terms, fact)
  if (fact.kind === 'closed') {
    const open = terms.state === 'created' || terms.state === 'awaiting_payment'
    return open ? { kind: 'close' } : { kind: 'ignore', outcome: 'already_over' }
  }
  if (!concerns(terms, fact)) return { kind: 'ignore', outcome: 'foreign' }
  if (terms.state === 'paid') {
    const same = terms.transactionId === fact.transactionId
    return { kind: 'ignore', outcome: same ? 'duplicate' : 'foreign' }
  }
  const mismatch = mismatchOf(terms, fact)
  if (mismatch !== null) return { kind: 'pay', fact, disposition: 'held', attention: mismatch }
  const surplus = surplusOf(terms)
  const disposition = surplus === null ? 'accepted' : 'surplus'
  return { kind: 'pay', fact, disposition, attention: surplus }
}

/** Only held money is decided about, once, and an order is never paid by two payments. */
function judgeResolution(terms: PaymentTerms, fact: ResolveFact): PaymentVerdict {
  if (terms.disposition !== 'held') return { kind: 'ignore', outcome: 'already_decided' }
  if (fact.as === 'refund') return { kind: 'resolve', fact, disposition: 'surplus' }
  if (terms.orderPaid) return { kind: 'ignore', outcome: 'order_paid' }
  // More settled than paid is no coupon that anybody could book: such money can only go back.
  const isBookable = (terms.settlementFen ?? 0) <= (terms.paidFen ?? 0)
  // What the portal gave back left suspense, so the rest is no whole sale either.
  return isBookable && terms.spokenFen === 0
    ? { kind: 'resolve', fact, disposition: 'accepted' }
    : { kind: 'ignore', outcome: 'unacceptable' }
}

const concerns = (terms: PaymentTerms, fact: PaidFact): boolean =>
  fact.appId === terms.appId && fact.mchId === terms.mchId && fact.outTradeNo === terms.outTradeNo

function mismatchOf(terms: PaymentTerms, fact: PaidFact): PaymentAttention | null {
  if (fact.currency !== 'CNY') return 'currency_mismatch'
  const isEqual = fact.totalFen === terms.totalFen && fact.settlementFen <= fact.totalFen
  return isEqual ? null : 'amount_mismatch'
}

function surplusOf({ state, orderPaid, revivesLate }: PaymentTerms): PaymentAttention | null {
  const isLate = state === 'closed' || state === 'failed'
  if (isLate && !revivesLate) return 'late'
  return orderPaid ? 'double_payment' : null
}

/**
 * The key under which a fact is kept once per account. The amount is part of it, so that a wrong
 * fact can never stand in the way of the right one; so is what a person decided.
 */
export function paymentFactKey(outTradeNo: string, fact: PaymentFact): string {
  if (fact.kind === 'closed') return `${outTradeNo}:closed`
  if (fact.kind === 'resolve') return `${outTradeNo}:resolve:${fact.as}`
  return [outTradeNo, fact.transactionId, fact.totalFen, fact.settlementFen, fact.currency].join(
    ':',
  )
}
