import type { OrderRef, PaidFact, TransactionRef } from './channel.js'
import { isOutTradeNo } from './ids.js'
import { PAYMENT_FEN_MAX } from './money.js'

/** A payment that was taken before this engine, and by whom it is taken over. */
export interface Adoption {
  readonly accountId: string
  readonly order: OrderRef | TransactionRef
  /** The API key that asks. */
  readonly principalId: string
}

export type AdoptedOutcome =
  | { readonly outcome: 'adopted'; readonly paymentId: string }
  /** It stands here already, taken by this engine or taken over before. */
  | { readonly outcome: 'known' }
  /** The channel knows no such order, or one that is not paid. */
  | { readonly outcome: 'not_paid' }
  /** Another merchant's or appid's, or amounts that the book cannot hold. */
  | { readonly outcome: 'not_adoptable' }
  /** The channel did not say. */
  | { readonly outcome: 'unknown' }

/** Only what the channel shows as this merchant's, under the appid asked with, is adopted. */
export function isAdoptable(
  fact: PaidFact,
  own: { readonly mchId: string; readonly appId: string },
): boolean {
  return (
    fact.mchId === own.mchId &&
    fact.appId === own.appId &&
    fact.currency === 'CNY' &&
    fact.totalFen >= 1 &&
    fact.totalFen <= PAYMENT_FEN_MAX &&
    fact.settlementFen <= fact.totalFen &&
    isOutTradeNo(fact.outTradeNo)
  )
}
