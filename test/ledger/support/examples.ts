import { fen } from '../../../src/domain/money.js'
import {
  postAccepted,
  postAdopted,
  postDone,
  postFee,
  postFeeReturned,
  postHeld,
  postHeldAccepted,
  postPaid,
  postPaidOut,
  postReturned,
  postReversal,
  postSettledOtherwise,
  type Transfer,
} from '../../../src/ledger/postings.js'
import type { Rule } from '../../../src/ledger/rules.js'

/** The channel account `a` of the merchant `m`. */
export const PARTIES = { accountId: 'a', merchantId: 'm' }

export interface Example {
  readonly rule: Rule
  /** What happened, as a sentence for the documentation. */
  readonly what: string
  readonly transfers: readonly Transfer[]
  /** `rule.n debit / credit fen`. */
  readonly lines: readonly string[]
}

/** A line for each transfer, as the examples below write it. */
export const written = (transfers: readonly Transfer[]): string[] =>
  transfers.map(
    ({ rule, n, debit, credit, amountFen }) => `${rule}.${n} ${debit} / ${credit} ${amountFen}`,
  )

const example = (
  rule: Rule,
  what: string,
  transfers: readonly Transfer[],
  ...lines: readonly string[]
): Example => ({ rule, what, transfers, lines })

/** Every rule with what it posts, written by hand: the tests and the documentation read these. */
export const EXAMPLES: readonly Example[] = [
  example(
    'P1',
    '10.00 is paid without a coupon',
    postPaid(PARTIES, fen(1000), fen(1000)),
    'P1.1 wechat:a / sales:m 1000',
  ),
  example(
    'P1',
    '10.00 is paid, of which a coupon paid 1.50',
    postPaid(PARTIES, fen(1000), fen(850)),
    'P1.1 wechat:a / sales:m 850',
    'P1.2 coupon_cost:m / sales:m 150',
  ),
  example(
    'P1',
    '10.00 is paid by a coupon alone',
    postPaid(PARTIES, fen(1000), fen(0)),
    'P1.2 coupon_cost:m / sales:m 1000',
  ),
  example(
    'P2',
    '9.99 is paid for an order of 10.00',
    postHeld(PARTIES, fen(999)),
    'P2.1 wechat:a / suspense:a 999',
  ),
  example(
    'P3',
    'a person accepts 10.00 that came late',
    postHeldAccepted(PARTIES, fen(1000), fen(1000)),
    'P3.1 suspense:a / sales:m 1000',
  ),
  example(
    'P3',
    'a person accepts 10.00 that came late, of which a coupon paid 1.50',
    postHeldAccepted(PARTIES, fen(1000), fen(850)),
    'P3.1 suspense:a / sales:m 850',
    'P3.2 coupon_cost:m / sales:m 150',
  ),
  example(
    'J1',
    'a refund of 4.00 is accepted',
    postAccepted(PARTIES, fen(400), 1),
    'J1.1 refunds_in_transit:a / wechat:a 400',
  ),
  example(
    'J1',
    'the same refund is accepted a second time, after it came back',
    postAccepted(PARTIES, fen(400), 2),
    'J1.2 refunds_in_transit:a / wechat:a 400',
  ),
  example(
    'J2',
    'a refund of 4.00 has arrived',
    postDone(PARTIES, fen(400), fen(400)),
    'J2.1 returns:m / refunds_in_transit:a 400',
  ),
  example(
    'J2',
    'a refund of 4.00 has arrived, of which 0.60 went back to a coupon',
    postDone(PARTIES, fen(400), fen(340)),
    'J2.1 returns:m / refunds_in_transit:a 340',
    'J2.2 returns:m / coupon_cost:m 60',
  ),
  example(
    'J2',
    'the 9.99 that were never accepted have arrived at the buyer again',
    postDone(PARTIES, fen(999), fen(999), 'suspense'),
    'J2.1 suspense:a / refunds_in_transit:a 999',
  ),
  example(
    'J3',
    'WeChat Pay closed an accepted refund of 4.00',
    postReturned('J3', PARTIES, fen(400), 1),
    'J3.1 wechat:a / refunds_in_transit:a 400',
  ),
  example(
    'J4',
    'a refund of 4.00, accepted for the second time, cannot be delivered',
    postReturned('J4', PARTIES, fen(400), 2),
    'J4.2 wechat:a / refunds_in_transit:a 400',
  ),
  example(
    'J5',
    'a refund of 4.00 is given back in cash; its coupon of 0.60 does not come back',
    postSettledOtherwise(PARTIES, fen(400)),
    'J5.1 returns:m / paid_otherwise:m 400',
  ),
  example(
    'J5',
    'the 9.99 that were never accepted are given back in cash',
    postSettledOtherwise(PARTIES, fen(999), 'suspense'),
    'J5.1 suspense:a / paid_otherwise:m 999',
  ),
  example(
    'J6',
    'somebody refunded 4.00 in the portal, of which 0.60 went back to a coupon',
    postAdopted(PARTIES, fen(400), fen(340)),
    'J6.1 returns:m / wechat:a 340',
    'J6.2 returns:m / coupon_cost:m 60',
  ),
  example(
    'J6',
    'held money of 9.00 was given back in the portal',
    postAdopted(PARTIES, fen(900), fen(900), 'suspense'),
    'J6.1 suspense:a / wechat:a 900',
  ),
  example(
    'F1',
    'the bill prints a fee of 0.06 for a payment of 10.00',
    postFee(PARTIES, fen(6)),
    'F1.1 fees:a / wechat:a 6',
  ),
  example(
    'F2',
    'the bill gives 0.02 of it back with a refund of 4.00',
    postFeeReturned(PARTIES, fen(2)),
    'F2.1 wechat:a / fees:a 2',
  ),
  example(
    'S1',
    'the fund flow says that 500.00 went to the bank',
    postPaidOut(PARTIES, fen(50_000)),
    'S1.1 bank:m / wechat:a 50000',
  ),
  example(
    'X',
    'the payment of 10.00 with a coupon of 1.50 was posted by mistake',
    postReversal(postPaid(PARTIES, fen(1000), fen(850))),
    'X.1 sales:m / wechat:a 850',
    'X.2 sales:m / coupon_cost:m 150',
  ),
]
