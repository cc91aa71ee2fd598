import { subtractFen, type Fen } from '../domain/money.js'
import { account } from './accounts.js'

/** The posting rules as pure functions: which transfers a fact makes. All amounts are in fen. */

export type Rule = 'P1' | 'P2' | 'J1' | 'J2' | 'J3' | 'J4'

export interface Transfer {
  readonly rule: Rule
  /** Distinguishes transfers of one rule and one cause: together the three are unique for ever. */
  readonly n: number
  readonly debit: string
  readonly credit: string
  readonly amountFen: Fen
}

/** Whose books a transfer touches. */
export interface Parties {
  readonly accountId: string
  readonly merchantId: string
}

const transfer = (
  rule: Rule,
  n: number,
  debit: string,
  credit: string,
  amountFen: Fen,
): readonly Transfer[] => (amountFen === 0 ? [] : [{ rule, n, debit, credit, amountFen }])

/**
 * P1: a payment that matches its order. The channel owes us the settlement amount; what coupons
 * paid is a cost of the merchant's; sales are the whole price.
 */
export function postPaid(parties: Parties, totalFen: Fen, settlementFen: Fen): Transfer[] {
  const sales = account.sales(parties.merchantId)
  const couponFen = subtractFen(totalFen, settlementFen)
  return [
    ...transfer('P1', 1, account.wechat(parties.accountId), sales, settlementFen),
    ...transfer('P1', 2, account.couponCost(parties.merchantId), sales, couponFen),
  ]
}

/** P2: money that is late or of another amount waits in suspense. */
export function postHeld(parties: Parties, settlementFen: Fen): Transfer[] {
  const { wechat, suspense } = account
  return [
    ...transfer('P2', 1, wechat(parties.accountId), suspense(parties.accountId), settlementFen),
  ]
}

/** J1: the channel accepted a refund; accepted is not refunded, so the money is in transit. */
export function postAccepted(parties: Parties, settlementFen: Fen, round: number): Transfer[] {
  const { wechat, refundsInTransit } = account
  return [
    ...transfer(
      'J1',
      round,
      refundsInTransit(parties.accountId),
      wechat(parties.accountId),
      settlementFen,
    ),
  ]
}

/** J2: the channel says the money arrived; the coupon part of the price goes back to its cost. */
export function postDone(parties: Parties, refundFen: Fen, settlementFen: Fen): Transfer[] {
  const returns = account.returns(parties.merchantId)
  const couponFen = subtractFen(refundFen, settlementFen)
  return [
    ...transfer('J2', 1, returns, account.refundsInTransit(parties.accountId), settlementFen),
    ...transfer('J2', 2, returns, account.couponCost(parties.merchantId), couponFen),
  ]
}

/** J3, J4: the channel closed the refund, or could not deliver it: the money is with us again. */
export function postReturned(
  rule: 'J3' | 'J4',
  parties: Parties,
  settlementFen: Fen,
  round: number,
): Transfer[] {
  const { wechat, refundsInTransit } = account
  return [
    ...transfer(
      rule,
      round,
      wechat(parties.accountId),
      refundsInTransit(parties.accountId),
      settlementFen,
    ),
  ]
}
