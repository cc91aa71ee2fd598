import { subtractFen, type Fen } from '../domain/money.js'
import { account, type AccountName } from './accounts.js'
import type { Rule } from './rules.js'

/** The posting rules as pure functions: which transfers a fact makes. All amounts are in fen. */

export interface Transfer {
  readonly rule: Rule
  /** Distinguishes transfers of one rule and one cause: together the three are unique for ever. */
  readonly n: number
  readonly debit: AccountName
  readonly credit: AccountName
  readonly amountFen: Fen
}

/** Whose books a transfer touches. */
export interface Parties {
  readonly accountId: string
  readonly merchantId: string
}

/** Which account gives a refund: the merchant's returns, or money that was never accepted. */
export type RefundSource = 'returns' | 'suspense'

const transfer = (
  rule: Rule,
  n: number,
  debit: AccountName,
  credit: AccountName,
  amountFen: Fen,
): Transfer[] => (amountFen === 0 ? [] : [{ rule, n, debit, credit, amountFen }])

/**
 * P1: a payment that matches its order. The channel owes us the settlement amount; what coupons
 * paid is a cost of the merchant's; sales are the whole price.
 * @throws RangeError when more is settled than the price
 */
export function postPaid(parties: Parties, totalFen: Fen, settlementFen: Fen): Transfer[] {
  const sales = account.sales(parties.merchantId)
  const couponFen = subtractFen(totalFen, settlementFen)
  return [
    ...transfer('P1', 1, account.wechat(parties.accountId), sales, settlementFen),
    ...transfer('P1', 2, account.couponCost(parties.merchantId), sales, couponFen),
  ]
}

/** P2: money that is late, double or of another amount waits in suspense. */
export function postHeld({ accountId }: Parties, settlementFen: Fen): Transfer[] {
  return transfer('P2', 1, account.wechat(accountId), account.suspense(accountId), settlementFen)
}

/**
 * P3: a person accepts held money, which then stands as if P1 had posted it.
 * @throws RangeError when more is settled than was paid
 */
export function postHeldAccepted(parties: Parties, paidFen: Fen, settlementFen: Fen): Transfer[] {
  const sales = account.sales(parties.merchantId)
  const couponFen = subtractFen(paidFen, settlementFen)
  return [
    ...transfer('P3', 1, account.suspense(parties.accountId), sales, settlementFen),
    ...transfer('P3', 2, account.couponCost(parties.merchantId), sales, couponFen),
  ]
}

/**
 * J1: the channel accepted a refund; accepted is not refunded, so the money is in transit.
 * @param round how often this refund was accepted, from 1: it may come back and go again
 */
export function postAccepted(
  { accountId }: Parties,
  settlementFen: Fen,
  round: number,
): Transfer[] {
  const inTransit = account.refundsInTransit(accountId)
  return transfer('J1', round, inTransit, account.wechat(accountId), settlementFen)
}

/**
 * J2: the channel says the money arrived. Sales were the whole price, so returns are the whole
 * refund, and the coupon part goes back to its cost. Money from suspense was never a sale: only
 * what came leaves.
 * @throws RangeError when more is settled than the refund
 */
export function postDone(
  parties: Parties,
  refundFen: Fen,
  settlementFen: Fen,
  source: RefundSource = 'returns',
): Transfer[] {
  const inTransit = account.refundsInTransit(parties.accountId)
  const couponFen = subtractFen(refundFen, settlementFen)
  if (source === 'suspense') {
    return transfer('J2', 1, account.suspense(parties.accountId), inTransit, settlementFen)
  }
  const returns = account.returns(parties.merchantId)
  return [
    ...transfer('J2', 1, returns, inTransit, settlementFen),
    ...transfer('J2', 2, returns, account.couponCost(parties.merchantId), couponFen),
  ]
}

/** J3, J4: the channel closed the refund, or could not deliver it: the money is with us again. */
export function postReturned(
  rule: 'J3' | 'J4',
  { accountId }: Parties,
  settlementFen: Fen,
  round: number,
): Transfer[] {
  const inTransit = account.refundsInTransit(accountId)
  return transfer(rule, round, account.wechat(accountId), inTransit, settlementFen)
}

/**
 * J5: a refund given back by other means. The buyer gets money instead of coupons, so the whole
 * refund was paid otherwise and no coupon comes back.
 */
export function postSettledOtherwise(
  { accountId, merchantId }: Parties,
  refundFen: Fen,
  source: RefundSource = 'returns',
): Transfer[] {
  const gives = source === 'suspense' ? account.suspense(accountId) : account.returns(merchantId)
  return transfer('J5', 1, gives, account.paidOtherwise(merchantId), refundFen)
}

/**
 * J6: a refund that somebody made in the channel's own portal is a fact: it was never in transit
 * with us, so it leaves at once. The database posts it (`book_external_refund`) as this says.
 * @throws RangeError when more is settled than the refund
 */
export function postAdopted(
  parties: Parties,
  refundFen: Fen,
  settlementFen: Fen,
  source: RefundSource = 'returns',
): Transfer[] {
  const wechat = account.wechat(parties.accountId)
  const couponFen = subtractFen(refundFen, settlementFen)
  if (source === 'suspense') {
    return transfer('J6', 1, account.suspense(parties.accountId), wechat, settlementFen)
  }
  const returns = account.returns(parties.merchantId)
  return [
    ...transfer('J6', 1, returns, wechat, settlementFen),
    ...transfer('J6', 2, returns, account.couponCost(parties.merchantId), couponFen),
  ]
}

/** F1: a fee as its line of the bill prints it. */
export function postFee({ accountId }: Parties, feeFen: Fen): Transfer[] {
  return transfer('F1', 1, account.fees(accountId), account.wechat(accountId), feeFen)
}

/** F2: a fee given back, with a refund, as its line of the bill prints it. */
export function postFeeReturned({ accountId }: Parties, feeFen: Fen): Transfer[] {
  return transfer('F2', 1, account.wechat(accountId), account.fees(accountId), feeFen)
}

/** S1: a line of the fund flow says that money went to the bank. */
export function postPaidOut({ accountId, merchantId }: Parties, amountFen: Fen): Transfer[] {
  return transfer('S1', 1, account.bank(merchantId), account.wechat(accountId), amountFen)
}

/**
 * X: the exact opposite of one entry, posted with `reverses` set to that entry.
 * @param entry every transfer of the entry; the database refuses a reversal of a part
 */
export function postReversal(entry: readonly Transfer[]): Transfer[] {
  return entry.map(({ debit, credit, amountFen }, index) => ({
    rule: 'X',
    n: index + 1,
    debit: credit,
    credit: debit,
    amountFen,
  }))
}
