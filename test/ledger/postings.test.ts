import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { addFen, fen, subtractFen, type Fen } from '../../src/domain/money.js'
import { CHART, type AccountTypeName } from '../../src/ledger/accounts.js'
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
} from '../../src/ledger/postings.js'
import { RULE_NAMES, RULES, type Rule, type RuleTerms } from '../../src/ledger/rules.js'
import { EXAMPLES, PARTIES, written } from './support/examples.js'
import { sumsOf } from './support/sums.js'

const amounts = fc.integer({ min: 0, max: 1_000_000_000 }).map(fen)
const rounds = fc.integer({ min: 1, max: 9 })
/** A price and the part of it that is settled. */
const priced = fc
  .tuple(amounts, amounts)
  .map(([one, two]) => ({ fullFen: fen(Math.max(one, two)), partFen: fen(Math.min(one, two)) }))

/** Every function that posts, by its rule. */
function everyEntry(fullFen: Fen, partFen: Fen, round: number): (readonly [Rule, Transfer[]])[] {
  const paid = postPaid(PARTIES, fullFen, partFen)
  return [
    ['P1', paid],
    ['P2', postHeld(PARTIES, partFen)],
    ['P3', postHeldAccepted(PARTIES, fullFen, partFen)],
    ['J1', postAccepted(PARTIES, partFen, round)],
    ['J2', postDone(PARTIES, fullFen, partFen)],
    ['J2', postDone(PARTIES, fullFen, partFen, 'suspense')],
    ['J3', postReturned('J3', PARTIES, partFen, round)],
    ['J4', postReturned('J4', PARTIES, partFen, round)],
    ['J5', postSettledOtherwise(PARTIES, fullFen)],
    ['J5', postSettledOtherwise(PARTIES, fullFen, 'suspense')],
    ['J6', postAdopted(PARTIES, fullFen, partFen)],
    ['F1', postFee(PARTIES, partFen)],
    ['F2', postFeeReturned(PARTIES, partFen)],
    ['S1', postPaidOut(PARTIES, partFen)],
    ['X', postReversal(paid)],
  ]
}

const kindOf = (name: string) => name.split(':')[0] as AccountTypeName
const left = (transfers: readonly Transfer[]) =>
  Object.fromEntries([...sumsOf(transfers)].filter(([, sumFen]) => sumFen !== 0))
const noZero = (sums: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(sums).filter(([, sumFen]) => sumFen !== 0))

describe('posting rules', () => {
  test.each(EXAMPLES)('$rule: $what', ({ rule, transfers, lines }) => {
    expect(written(transfers)).toEqual(lines)
    expect(new Set(transfers.map((transfer) => transfer.rule))).toEqual(new Set([rule]))
  })

  test('every rule: has its example', () => {
    expect(new Set(EXAMPLES.map(({ rule }) => rule))).toEqual(new Set(RULE_NAMES))
  })

  test('every pair of accounts of a rule: is used by an example, and no other', () => {
    const terms: Readonly<Record<Rule, RuleTerms>> = RULES
    for (const rule of RULE_NAMES.filter((name) => name !== 'X')) {
      const used = EXAMPLES.filter((example) => example.rule === rule).flatMap(({ transfers }) =>
        transfers.map(({ debit, credit }) => `${kindOf(debit)} ${kindOf(credit)}`),
      )
      const listed = terms[rule].legs.map((legs) => legs.join(' '))
      expect([rule, new Set(used)]).toEqual([rule, new Set(listed)])
    }
  })

  test('every account of the chart: is moved by an example', () => {
    const moved = EXAMPLES.flatMap(({ transfers }) =>
      transfers.flatMap(({ debit, credit }) => [kindOf(debit), kindOf(credit)]),
    )
    expect(new Set(moved)).toEqual(new Set(Object.keys(CHART)))
  })

  test('every entry: balances, moves two accounts, posts no zero and no number twice', () => {
    fc.assert(
      fc.property(priced, rounds, ({ fullFen, partFen }, round) => {
        for (const [rule, transfers] of everyEntry(fullFen, partFen, round)) {
          expect([...sumsOf(transfers).values()].reduce((one, two) => one + two, 0)).toBe(0)
          expect(new Set(transfers.map(({ n }) => n)).size).toBe(transfers.length)
          for (const transfer of transfers) {
            expect(transfer.rule).toBe(rule)
            expect(transfer.debit).not.toBe(transfer.credit)
            expect(transfer.amountFen).toBeGreaterThan(0)
          }
        }
      }),
    )
  })

  test.each(['J3', 'J4'] as const)('%s: takes back exactly what J1 posted', (rule) => {
    fc.assert(
      fc.property(amounts, rounds, (amountFen, round) => {
        const accepted = postAccepted(PARTIES, amountFen, round)
        expect(left([...accepted, ...postReturned(rule, PARTIES, amountFen, round)])).toEqual({})
      }),
    )
  })

  test('X: takes back exactly what any entry posted', () => {
    fc.assert(
      fc.property(priced, rounds, ({ fullFen, partFen }, round) => {
        for (const [, transfers] of everyEntry(fullFen, partFen, round)) {
          const reversal = postReversal(transfers)
          expect(left([...transfers, ...reversal])).toEqual({})
          expect(reversal.map(({ n }) => n)).toEqual(transfers.map((_, index) => index + 1))
        }
      }),
    )
  })

  test('P3 behind P2: leaves what P1 would have posted', () => {
    fc.assert(
      fc.property(priced, ({ fullFen, partFen }) => {
        const held = postHeld(PARTIES, partFen)
        expect(left([...held, ...postHeldAccepted(PARTIES, fullFen, partFen)])).toEqual(
          left(postPaid(PARTIES, fullFen, partFen)),
        )
      }),
    )
  })

  test('more settled than the price: is refused, never posted as a negative coupon', () => {
    for (const post of [postPaid, postHeldAccepted, postDone, postAdopted]) {
      expect(() => post(PARTIES, fen(10), fen(11))).toThrow(RangeError)
    }
    expect(() => postDone(PARTIES, fen(10), fen(11), 'suspense')).toThrow(RangeError)
  })
})

/** A payment that is given back in two parts, with the coupon's share in each. */
const refundedInParts = fc
  .tuple(priced, fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }))
  .map(([{ fullFen, partFen }, percent, couponPercent]) => {
    const share = (of: Fen, hundredths: number) => fen(Math.floor((of * hundredths) / 100))
    const couponFen = subtractFen(fullFen, partFen)
    const firstCouponFen = share(couponFen, couponPercent)
    const firstPartFen = share(partFen, percent)
    return {
      fullFen,
      partFen,
      first: { refundFen: addFen(firstPartFen, firstCouponFen), settlementFen: firstPartFen },
      second: {
        refundFen: subtractFen(fullFen, addFen(firstPartFen, firstCouponFen)),
        settlementFen: subtractFen(partFen, firstPartFen),
      },
    }
  })

describe('coupons', () => {
  test('a payment that is all given back, in two parts: leaves only sales and returns', () => {
    fc.assert(
      fc.property(refundedInParts, ({ fullFen, partFen, first, second }) => {
        const refund = ({ refundFen, settlementFen }: typeof first): Transfer[] => [
          ...postAccepted(PARTIES, settlementFen, 1),
          ...postDone(PARTIES, refundFen, settlementFen),
        ]
        const all = [...postPaid(PARTIES, fullFen, partFen), ...refund(first), ...refund(second)]
        expect(left(all)).toEqual(noZero({ 'sales:m': 0 - fullFen, 'returns:m': fullFen }))
      }),
    )
  })

  test('by the portal: the same as by us, but never in transit', () => {
    fc.assert(
      fc.property(priced, ({ fullFen, partFen }) => {
        const ours = [...postAccepted(PARTIES, partFen, 1), ...postDone(PARTIES, fullFen, partFen)]
        expect(left(postAdopted(PARTIES, fullFen, partFen))).toEqual(left(ours))
      }),
    )
  })

  test('by other means: the coupon stays a cost and the pocket paid all of it', () => {
    fc.assert(
      fc.property(priced, ({ fullFen, partFen }) => {
        const paid = postPaid(PARTIES, fullFen, partFen)
        expect(left([...paid, ...postSettledOtherwise(PARTIES, fullFen)])).toEqual(
          noZero({
            'wechat:a': partFen,
            'coupon_cost:m': fullFen - partFen,
            'sales:m': 0 - fullFen,
            'returns:m': fullFen,
            'paid_otherwise:m': 0 - fullFen,
          }),
        )
      }),
    )
  })
})

describe('suspense', () => {
  const fates = fc.constantFrom('waits', 'accepted', 'refunded', 'settled otherwise')

  test('whatever becomes of held money: it holds what nobody has decided about', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(amounts, fates)), (payments) => {
        const posted = payments.flatMap(([heldFen, fate]) => {
          const held = postHeld(PARTIES, heldFen)
          if (fate === 'accepted') return [...held, ...postHeldAccepted(PARTIES, heldFen, heldFen)]
          if (fate === 'settled otherwise') {
            return [...held, ...postSettledOtherwise(PARTIES, heldFen, 'suspense')]
          }
          const accepted = postAccepted(PARTIES, heldFen, 1)
          const done = postDone(PARTIES, heldFen, heldFen, 'suspense')
          return fate === 'refunded' ? [...held, ...accepted, ...done] : held
        })
        const waitsFen = payments
          .filter(([, fate]) => fate === 'waits')
          .reduce((sum, [heldFen]) => sum + heldFen, 0)
        expect(left(posted)['suspense:a'] ?? 0).toBe(0 - waitsFen)
      }),
    )
  })
})
