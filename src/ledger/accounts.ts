/**
 * The chart of accounts. A name is what the account holds and whose it is: `wechat:<channel
 * account>`, `sales:<merchant>`. The database takes no other name and no other pair in an entry.
 */

export type AccountKind = 'asset' | 'liability' | 'income' | 'expense'
/** The side on which an account grows, and on which its balance usually stands. */
export type Side = 'debit' | 'credit'
/** Whose an account is: the second half of its name. */
export type Owner = 'channel account' | 'merchant'

export interface AccountType {
  readonly owner: Owner
  readonly kind: AccountKind
  readonly side: Side
  /** What stands in it, for the reader of the chart. */
  readonly holds: string
}

const type = (owner: Owner, kind: AccountKind, side: Side, holds: string): AccountType => ({
  owner,
  kind,
  side,
  holds,
})

export const CHART = {
  wechat: type('channel account', 'asset', 'debit', 'what WeChat Pay holds for us, settled'),
  refunds_in_transit: type(
    'channel account',
    'asset',
    'debit',
    'taken from us for refunds that the buyers have not got yet',
  ),
  suspense: type(
    'channel account',
    'liability',
    'credit',
    'money that came late, twice or in another amount, and waits for a person',
  ),
  fees: type('channel account', 'expense', 'debit', 'what WeChat Pay keeps for its service'),
  sales: type('merchant', 'income', 'credit', 'the whole price of what was sold'),
  returns: type('merchant', 'income', 'debit', 'the whole price of what was given back'),
  coupon_cost: type('merchant', 'expense', 'debit', 'the part of prices that coupons paid'),
  paid_otherwise: type(
    'merchant',
    'liability',
    'credit',
    'refunds that the merchant paid from another pocket, in cash for example',
  ),
  bank: type('merchant', 'asset', 'debit', 'what WeChat Pay has paid out to the bank account'),
} as const satisfies Record<string, AccountType>

export type AccountTypeName = keyof typeof CHART
export type AccountName<T extends AccountTypeName = AccountTypeName> = `${T}:${string}`

const named =
  <T extends AccountTypeName>(name: T) =>
  (ownerId: string): AccountName<T> =>
    `${name}:${ownerId}`

/** The name of an account of each type, by the id of its channel account or merchant. */
export const account = {
  wechat: named('wechat'),
  refundsInTransit: named('refunds_in_transit'),
  suspense: named('suspense'),
  fees: named('fees'),
  sales: named('sales'),
  returns: named('returns'),
  couponCost: named('coupon_cost'),
  paidOtherwise: named('paid_otherwise'),
  bank: named('bank'),
} as const
