import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { fen } from '../../src/domain/money.js'
import {
  postAccepted,
  postDone,
  postHeld,
  postPaid,
  postReturned,
  type Transfer,
} from '../../src/ledger/postings.js'
import { sumsOf } from './support/sums.js'

const PARTIES = { accountId: 'a', merchantId: 'm' }

const written = (transfers: readonly Transfer[]): string[] =>
  transfers.map(
    ({ rule, n, debit, credit, amountFen }) => `${rule}.${n} ${debit} / ${credit} ${amountFen}`,
  )

interface Example {
  readonly what: string
  readonly transfers: readonly Transfer[]
  /** `rule.n debit / credit fen`, as in the table of posting rules. */
  readonly lines: readonly string[]
}

const EXAMPLES: readonly Example[] = [
  {
    what: 'P1: 10.00 paid without a coupon',
    transfers: postPaid(PARTIES, fen(1000), fen(1000)),
    lines: ['P1.1 wechat:a / sales:m 1000'],
  },
  {
    what: 'P1: 10.00 paid, of which a coupon paid 1.50',
    transfers: postPaid(PARTIES, fen(1000), fen(850)),
    lines: ['P1.1 wechat:a / sales:m 850', 'P1.2 coupon_cost:m / sales:m 150'],
  },
  {
    what: 'P1: 10.00 paid by a coupon alone',
    transfers: postPaid(PARTIES, fen(1000), fen(0)),
    lines: ['P1.2 coupon_cost:m / sales:m 1000'],
  },
  {
    what: 'P2: 9.99 paid for an order of 10.00',
    transfers: postHeld(PARTIES, fen(999)),
    lines: ['P2.1 wechat:a / suspense:a 999'],
  },
  {
    what: 'J1: a refund of 4.00 is accepted',
    transfers: postAccepted(PARTIES, fen(400), 1),
    lines: ['J1.1 refunds_in_transit:a / wechat:a 400'],
  },
  {
    what: 'J1: the same refund is accepted a second time, after it came back',
    transfers: postAccepted(PARTIES, fen(400), 2),
    lines: ['J1.2 refunds_in_transit:a / wechat:a 400'],
  },
  {
    what: 'J2: a refund of 4.00 arrived',
    transfers: postDone(PARTIES, fen(400), fen(400)),
    lines: ['J2.1 returns:m / refunds_in_transit:a 400'],
  },
  {
    what: 'J2: a refund of 4.00 arrived, of which 0.60 went back to a coupon',
    transfers: postDone(PARTIES, fen(400), fen(340)),
    lines: ['J2.1 returns:m / refunds_in_transit:a 340', 'J2.2 returns:m / coupon_cost:m 60'],
  },
  {
    what: 'J3: the channel closed a refund of 4.00',
    transfers: postReturned('J3', PARTIES, fen(400), 1),
    lines: ['J3.1 wechat:a / refunds_in_transit:a 400'],
  },
  {
    what: 'J4: a refund of 4.00 could not be delivered',
    transfers: postReturned('J4', PARTIES, fen(400), 2),
    lines: ['J4.2 wechat:a / refunds_in_transit:a 400'],
  },
]

const amounts = fc.integer({ min: 0, max: 1_000_000_000 }).map(fen)
/** A price and the part of it that is settled. */
const priced = fc
  .tuple(amounts, amounts)
  .map(([one, two]) => ({ fullFen: fen(Math.max(one, two)), partFen: fen(Math.min(one, two)) }))

describe('posting rules', () => {
  test.each(EXAMPLES)('$what', ({ transfers, lines }) => {
    expect(written(transfers)).toEqual(lines)
  })

  test('every rule: has its example', () => {
    const rules = EXAMPLES.flatMap(({ transfers }) => transfers.map(({ rule }) => rule))
    expect([...new Set(rules)].toSorted()).toEqual(['J1', 'J2', 'J3', 'J4', 'P1', 'P2'])
  })

  test('every entry: balances, moves two accounts and posts no zero', () => {
    fc.assert(
      fc.property(priced, fc.integer({ min: 1, max: 9 }), ({ fullFen, partFen }, round) => {
        for (const transfers of [
          postPaid(PARTIES, fullFen, partFen),
          postHeld(PARTIES, partFen),
          postAccepted(PARTIES, partFen, round),
          postDone(PARTIES, fullFen, partFen),
          postReturned('J3', PARTIES, partFen, round),
          postReturned('J4', PARTIES, partFen, round),
        ]) {
          expect([...sumsOf(transfers).values()].reduce((one, two) => one + two, 0)).toBe(0)
          for (const { debit, credit, amountFen } of transfers) {
            expect(debit).not.toBe(credit)
            expect(amountFen).toBeGreaterThan(0)
          }
        }
      }),
    )
  })

  test('a payment and a refund of all of it: leave nothing but sales and returns', () => {
    fc.assert(
      fc.property(priced, ({ fullFen, partFen }) => {
        const sums = sumsOf([
          ...postPaid(PARTIES, fullFen, partFen),
          ...postAccepted(PARTIES, partFen, 1),
          ...postDone(PARTIES, fullFen, partFen),
        ])
        const left = [...sums].filter(([, sumFen]) => sumFen !== 0)
        expect(Object.fromEntries(left)).toEqual(
          fullFen === 0 ? {} : { 'sales:m': 0 - fullFen, 'returns:m': fullFen },
        )
      }),
    )
  })

  test.each(['J3', 'J4'] as const)('%s: takes back exactly what J1 posted', (rule) => {
    fc.assert(
      fc.property(amounts, (amountFen) => {
        const sums = sumsOf([
          ...postAccepted(PARTIES, amountFen, 1),
          ...postReturned(rule, PARTIES, amountFen, 1),
        ])
        expect([...sums.values()].every((sumFen) => sumFen === 0)).toBe(true)
      }),
    )
  })

  test('more settled than the price: is refused, never posted as a negative coupon', () => {
    expect(() => postPaid(PARTIES, fen(10), fen(11))).toThrow(RangeError)
    expect(() => postDone(PARTIES, fen(10), fen(11))).toThrow(RangeError)
  })
})
