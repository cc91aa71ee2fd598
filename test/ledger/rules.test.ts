import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { newId } from '../../src/db/ids.js'
import { inTransaction } from '../../src/db/transaction.js'
import { fen } from '../../src/domain/money.js'
import { CHART } from '../../src/ledger/accounts.js'
import { balances, postEntry, transfersOfEntry, type Cause } from '../../src/ledger/journal.js'
import { postPaid, postReversal, type Transfer } from '../../src/ledger/postings.js'
import {
  CAUSE_KINDS,
  RULE_NAMES,
  RULES,
  type Rule,
  type RuleTerms,
} from '../../src/ledger/rules.js'
import { NOW, openBook, run, type Book } from '../db/support/book.js'
import { refusalOf } from '../db/support/refusal.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

/** The words between quotes in a constraint of the database. */
async function wordsOf(constraint: string): Promise<string[]> {
  const [row] = await run<{ text: string }>(
    book.owner,
    'select pg_get_constraintdef(oid) as text from pg_constraint where conname = $1',
    [constraint],
  )
  return [...(row?.text ?? '').matchAll(/'([^']*)'/g)].map(([, word = '']) => word)
}

describe("the database's lists", () => {
  test('rules and their accounts: are those of the posting rules', async () => {
    const terms: Readonly<Record<Rule, RuleTerms>> = RULES
    const pairs = RULE_NAMES.flatMap((rule) =>
      terms[rule].legs.map((legs) => `${rule} ${legs.join(' ')}`),
    )
    const words = await wordsOf('journal_rule_accounts')
    expect(words.filter((word) => word.length > 1).toSorted()).toEqual(pairs.toSorted())
    expect(words[0]).toBe('X')
  })

  test('account names: are those of the chart, each with its kind of owner', async () => {
    const pattern = (await wordsOf('account_name_check')).join('')
    const named = (owner: string): string[] =>
      Object.entries(CHART).flatMap(([name, type]) => (type.owner === owner ? [name] : []))
    expect(pattern).toBe(
      `^((${named('channel account').join('|')}):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}` +
        `|(${named('merchant').join('|')}):[a-z0-9][a-z0-9_-]{1,31})$`,
    )
  })

  test('causes: are those that rules name', async () => {
    const words = await wordsOf('journal_transfers_cause_kind_check')
    expect(words).toEqual([...CAUSE_KINDS])
    const terms: readonly RuleTerms[] = Object.values(RULES)
    expect(new Set(terms.map(({ cause }) => cause))).toEqual(new Set(CAUSE_KINDS))
  })
})

const cause = (kind: Cause['kind'], reverses?: string): Cause => ({
  entryId: newId(NOW),
  merchantId: book.merchantId,
  kind,
  id: newId(NOW),
  occurredAt: NOW,
  ...(reverses === undefined ? {} : { reverses }),
})

const post = (of: Cause, transfers: readonly Transfer[]): Promise<void> =>
  inTransaction(book.worker, (tx) => postEntry(tx, of, transfers))

async function postedEntry(): Promise<{ entryId: string; transfers: Transfer[] }> {
  const paid = cause('payment')
  await post(paid, postPaid(book, fen(1000), fen(850)))
  return { entryId: paid.entryId, transfers: await transfersOfEntry(book.api, paid.entryId) }
}

describe('a reversal', () => {
  test('of a whole entry: leaves every balance as it was before the entry', async () => {
    const before = await balances(book.api)
    const { entryId, transfers } = await postedEntry()
    await post(cause('case', entryId), postReversal(transfers))
    const after = await balances(book.api)
    expect(after.filter(({ balanceFen }) => balanceFen !== 0)).toEqual(
      before.filter(({ balanceFen }) => balanceFen !== 0),
    )
  })

  test('a second one of the same entry: is refused, also when both come at once', async () => {
    const { entryId, transfers } = await postedEntry()
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, () => post(cause('case', entryId), postReversal(transfers))),
    )
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await refusalOf(post(cause('case', entryId), postReversal(transfers)))).toBe(
      'journal_reversed_once',
    )
  })

  const turned = (change: (lines: Transfer[]) => Transfer[]) => change
  test.each([
    ['a part of it', turned((lines) => lines.slice(0, 1)), 'journal_reversal_exact'],
    [
      'another amount',
      turned((lines) => lines.map((line) => ({ ...line, amountFen: fen(1) }))),
      'journal_reversal_exact',
    ],
    [
      'the same way round',
      turned((lines) => lines.map((line) => ({ ...line, debit: line.credit, credit: line.debit }))),
      'journal_reversal_exact',
    ],
    [
      'numbers that leave room for a second one',
      turned((lines) => lines.map((line) => ({ ...line, n: line.n + 2 }))),
      'journal_reversal_exact',
    ],
    [
      'a line beside it',
      turned((lines) => [...lines, { ...lines[0], n: 9 } as Transfer]),
      'journal_reversal_exact',
    ],
  ] as const)('with %s: is refused', async (_, change, refusedBy) => {
    const { entryId, transfers } = await postedEntry()
    const lines = change(postReversal(transfers))
    expect(await refusalOf(post(cause('case', entryId), lines))).toBe(refusedBy)
  })

  test('of nothing, of a reversal, or without saying of what: is refused', async () => {
    const { entryId, transfers } = await postedEntry()
    const reversal = postReversal(transfers)
    expect(await refusalOf(post(cause('case', newId(NOW)), reversal))).toBe(
      'journal_reversal_exact',
    )
    expect(await refusalOf(post(cause('case'), reversal))).toBe('journal_reversal_names_entry')
    const first = cause('case', entryId)
    await post(first, reversal)
    expect(await refusalOf(post(cause('case', first.entryId), postReversal(reversal)))).toBe(
      'journal_reversal_exact',
    )
  })
})
