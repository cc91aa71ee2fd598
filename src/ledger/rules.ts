import type { AccountTypeName } from './accounts.js'

/**
 * The rules by which anything is posted, as data: the database's own list of rules and of the
 * accounts each may touch, and the documentation's table, are held to this one by tests.
 */

export const CAUSE_KINDS = ['payment', 'refund', 'bill_line', 'case'] as const
/** What an entry is posted for. */
export type CauseKind = (typeof CAUSE_KINDS)[number]

/** What a transfer of a rule debits and what it credits. */
export type Legs = readonly [debit: AccountTypeName, credit: AccountTypeName]

export interface RuleTerms {
  readonly when: string
  readonly amount: string
  readonly cause: CauseKind
  readonly legs: readonly Legs[]
}

const rule = (
  cause: CauseKind,
  when: string,
  amount: string,
  ...legs: readonly Legs[]
): RuleTerms => ({ when, amount, cause, legs })

export const RULES = {
  P1: rule(
    'payment',
    'a payment matches its order',
    'the settlement amount; what coupons paid of the price',
    ['wechat', 'sales'],
    ['coupon_cost', 'sales'],
  ),
  P2: rule('payment', 'a payment is late, double, or of another amount', 'the settlement amount', [
    'wechat',
    'suspense',
  ]),
  P3: rule(
    'payment',
    'a person accepts held money',
    'what P2 posted; what coupons paid of it',
    ['suspense', 'sales'],
    ['coupon_cost', 'sales'],
  ),
  J1: rule('refund', 'WeChat Pay accepts a refund', 'its settlement amount', [
    'refunds_in_transit',
    'wechat',
  ]),
  J2: rule(
    'refund',
    'a refund has arrived',
    'its settlement amount; the part that goes back to coupons',
    ['returns', 'refunds_in_transit'],
    ['returns', 'coupon_cost'],
    ['suspense', 'refunds_in_transit'],
  ),
  J3: rule('refund', 'WeChat Pay closes an accepted refund', 'what J1 posted', [
    'wechat',
    'refunds_in_transit',
  ]),
  J4: rule('refund', 'an accepted refund cannot be delivered', 'what J1 posted', [
    'wechat',
    'refunds_in_transit',
  ]),
  J5: rule(
    'refund',
    'a refund is given back by other means',
    'the whole refund',
    ['returns', 'paid_otherwise'],
    ['suspense', 'paid_otherwise'],
  ),
  J6: rule(
    'refund',
    'a refund made in the portal of WeChat Pay is adopted',
    'its settlement amount; the part that went back to coupons',
    ['returns', 'wechat'],
    ['returns', 'coupon_cost'],
    ['suspense', 'wechat'],
  ),
  F1: rule('bill_line', 'the bill shows a fee', 'the fee as printed, rounded to fen per line', [
    'fees',
    'wechat',
  ]),
  F2: rule('bill_line', 'the bill shows a fee given back', 'as F1', ['wechat', 'fees']),
  S1: rule('bill_line', 'WeChat Pay pays out to the bank', 'the line of the fund flow', [
    'bank',
    'wechat',
  ]),
  /** Its legs are those of the entry it reverses, turned round. */
  X: rule('case', 'an entry was wrong', 'every transfer of that entry, turned round'),
} as const satisfies Record<string, RuleTerms>

export type Rule = keyof typeof RULES
export const RULE_NAMES = Object.keys(RULES) as readonly Rule[]
