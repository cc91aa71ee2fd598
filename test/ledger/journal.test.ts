import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { inTransaction } from '../../src/db/transaction.js'
import { fen } from '../../src/domain/money.js'
import { balances, journalOf, postEntry, type Cause } from '../../src/ledger/journal.js'
import {
  postAccepted,
  postDone,
  postHeld,
  postPaid,
  postReturned,
  type Transfer,
} from '../../src/ledger/postings.js'
import { NOW, openBook, run, type Book } from '../db/support/book.js'
import { refusalOf } from '../db/support/refusal.js'
import { sumsOf } from './support/sums.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const causeOf = (kind: Cause['kind'], id: string, occurredAt = NOW): Cause => ({
  entryId: newId(NOW),
  merchantId: book.merchantId,
  kind,
  id,
  occurredAt,
})

const post = (cause: Cause, transfers: readonly Transfer[]): Promise<void> =>
  inTransaction(book.worker, (tx) => postEntry(tx, cause, transfers))

describe('the journal', () => {
  test('a second posting of the same: is refused, in another entry too', async () => {
    const id = newId(NOW)
    const transfers = postPaid(book, fen(1000), fen(850))
    await post(causeOf('payment', id), transfers)
    expect(await refusalOf(post(causeOf('payment', id), transfers))).toBe('journal_posted_once')
    expect(await journalOf(book.api, [{ kind: 'payment', id }])).toHaveLength(2)
  })

  test('a second round of one refund: is posted beside the first', async () => {
    const id = newId(NOW)
    await post(causeOf('refund', id), postAccepted(book, fen(400), 1))
    await post(causeOf('refund', id), postReturned('J4', book, fen(400), 1))
    await post(causeOf('refund', id), postAccepted(book, fen(400), 2))
    expect(await refusalOf(post(causeOf('refund', id), postAccepted(book, fen(400), 2)))).toBe(
      'journal_posted_once',
    )
  })

  test('a refund whose acceptance nobody saw: is accepted and done in one entry', async () => {
    const id = newId(NOW)
    const transfers = [...postAccepted(book, fen(340), 1), ...postDone(book, fen(400), fen(340))]
    await post(causeOf('refund', id), transfers)
    const lines = await journalOf(book.api, [{ kind: 'refund', id }])
    expect(lines.map(({ rule, n, amountFen }) => [rule, n, amountFen])).toEqual([
      ['J1', 1, 340],
      ['J2', 1, 340],
      ['J2', 2, 60],
    ])
    expect(new Set(lines.map(({ entryId }) => entryId)).size).toBe(1)
  })

  test('an entry with a wrong line: leaves none of its lines', async () => {
    const id = newId(NOW)
    const good = postPaid(book, fen(1000), fen(850))
    const bad = { ...good[1], credit: good[1]?.debit } as Transfer
    expect(await refusalOf(post(causeOf('payment', id), [...good.slice(0, 1), bad]))).toBe(
      'journal_rule_accounts',
    )
    expect(await journalOf(book.api, [{ kind: 'payment', id }])).toEqual([])
  })

  test('an entry without lines: posts nothing', async () => {
    const id = newId(NOW)
    await post(causeOf('payment', id), postHeld(book, fen(0)))
    expect(await journalOf(book.api, [{ kind: 'payment', id }])).toEqual([])
  })

  test.each([
    ['2026-03-01T15:59:59.999Z', '2026-03-01'],
    ['2026-03-01T16:00:00.000Z', '2026-03-02'],
    ['2026-12-31T16:00:00.000Z', '2027-01-01'],
  ])('what happened at %s: belongs to the Beijing day %s', async (at, day) => {
    const id = newId(NOW)
    await post(causeOf('payment', id, new Date(at)), postHeld(book, fen(1)))
    const [line] = await journalOf(book.api, [{ kind: 'payment', id }])
    expect(line?.businessDay).toBe(day)
  })
})

/** What can be posted, each step for a payment or a refund of its own. */
const steps = fc.record({
  what: fc.constantFrom('paid', 'held', 'accepted', 'done', 'closed', 'abnormal'),
  fullFen: fc.integer({ min: 0, max: 100_000_000 }),
  couponPercent: fc.integer({ min: 0, max: 100 }),
})

type Step = typeof steps extends fc.Arbitrary<infer Of> ? Of : never

function transfersOf({ what, fullFen, couponPercent }: Step): Transfer[] {
  const full = fen(fullFen)
  const settled = fen(fullFen - Math.floor((fullFen * couponPercent) / 100))
  const accepted = postAccepted(book, settled, 1)
  switch (what) {
    case 'paid':
      return postPaid(book, full, settled)
    case 'held':
      return postHeld(book, settled)
    case 'accepted':
      return accepted
    case 'done':
      return [...accepted, ...postDone(book, full, settled)]
    default:
      return [...accepted, ...postReturned(what === 'closed' ? 'J3' : 'J4', book, settled, 1)]
  }
}

describe('the balances', () => {
  test('after any sequence of entries: sum to zero and equal what was posted', async () => {
    const posted: Transfer[] = []
    const [before] = await run<{ lines: number }>(
      book.owner,
      'select count(*) as lines from journal_transfers',
    )
    const earlier = await balances(book.api)
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 12 }), async (sequence) => {
        for (const step of sequence) {
          const transfers = transfersOf(step)
          const kind = step.what === 'paid' || step.what === 'held' ? 'payment' : 'refund'
          await post(causeOf(kind, newId(NOW)), transfers)
          posted.push(...transfers)
        }
        const now = await balances(book.api)
        expect(now.reduce((sum, { balanceFen }) => sum + balanceFen, 0)).toBe(0)
        const expected = sumsOf(posted)
        for (const { account, balanceFen } of earlier) {
          expected.set(account, (expected.get(account) ?? 0) + balanceFen)
        }
        expect(new Map(now.map(({ account, balanceFen }) => [account, balanceFen]))).toEqual(
          expected,
        )
      }),
      { numRuns: 25 },
    )
    const [after] = await run<{ lines: number }>(
      book.owner,
      'select count(*) as lines from journal_transfers',
    )
    expect((after?.lines ?? 0) - (before?.lines ?? 0)).toBe(posted.length)
  })
})
