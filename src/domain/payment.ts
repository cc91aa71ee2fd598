import type { PaidFact } from './channel.js'
import type { Disposition, PaymentState } from './states.js'

/** What a verified fact of the channel is held against. */
export interface PaymentTerms {
  readonly state: PaymentState
  readonly appId: string
  readonly mchId: string
  readonly outTradeNo: string
  readonly totalFen: number
  readonly transactionId: string | null
}

/** A fact as the inbox keeps it: paid, or closed at the channel. */
export type PaymentFact = PaidFact | { readonly kind: 'closed' }

/** Why money that arrived is held for a person instead of being accepted. */
export type PaymentAttention = 'late' | 'amount_mismatch' | 'currency_mismatch' | 'double_payment'

export type PaymentVerdict =
  | {
      readonly kind: 'pay'
      readonly disposition: Disposition
      readonly attention: PaymentAttention | null
    }
  | { readonly kind: 'close' }
  | { readonly kind: 'ignore'; readonly outcome: 'duplicate' | 'foreign' | 'already_over' }

/**
 * What a fact does to a payment. Paid means that merchant, appid, number, amount and currency are
 * all equal; money that differs or comes late is never paid silently but held, and a fact about
 * another order changes nothing.
 * @param orderPaid another payment of the same orderRef is accepted already
 */
export function judgePayment(
  terms: PaymentTerms,
  fact: PaymentFact,
  orderPaid: boolean,
): PaymentVerdict {
  if (fact.kind === 'closed') {
    const open = terms.state === 'created' || terms.state === 'awaiting_payment'
    return open ? { kind: 'close' } : { kind: 'ignore', outcome: 'already_over' }
  }
  if (!concerns(terms, fact)) return { kind: 'ignore', outcome: 'foreign' }
  if (terms.state === 'paid') {
    const same = terms.transactionId === fact.transactionId
    return { kind: 'ignore', outcome: same ? 'duplicate' : 'foreign' }
  }
  const attention = whyHeld(terms, fact, orderPaid)
  return { kind: 'pay', disposition: attention === null ? 'accepted' : 'held', attention }
}

const concerns = (terms: PaymentTerms, fact: PaidFact): boolean =>
  fact.appId === terms.appId && fact.mchId === terms.mchId && fact.outTradeNo === terms.outTradeNo

function whyHeld(terms: PaymentTerms, fact: PaidFact, orderPaid: boolean): PaymentAttention | null {
  if (fact.currency !== 'CNY') return 'currency_mismatch'
  if (fact.totalFen !== terms.totalFen || fact.settlementFen > fact.totalFen) {
    return 'amount_mismatch'
  }
  if (terms.state === 'closed' || terms.state === 'failed') return 'late'
  return orderPaid ? 'double_payment' : null
}

/**
 * The key under which a fact is kept once per account. The amount is part of it, so that a wrong
 * fact can never stand in the way of the right one.
 */
export function paymentFactKey(outTradeNo: string, fact: PaymentFact): string {
  if (fact.kind === 'closed') return `${outTradeNo}:closed`
  return [outTradeNo, fact.transactionId, fact.totalFen, fact.settlementFen, fact.currency].join(
    ':',
  )
}
