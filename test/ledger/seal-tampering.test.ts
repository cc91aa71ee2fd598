import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { exportBook } from '../../src/ledger/export.js'
import { FINDING_KINDS, type Finding, type FindingKind } from '../../src/ledger/findings.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { verifyDump } from '../../src/ledger/verify-dump.js'
import type { Verdict } from '../../src/ledger/verify.js'
import { connect, run, type Book } from '../db/support/book.js'
import { makeTestFolder } from '../support/test-folder.js'
import { copyDatabase, dropDatabase } from './support/copies.js'
import { openSealedBook, tamper } from './support/sealed-book.js'
import type { Tampering } from './support/tampering-words.js'
import { TAMPERINGS } from './support/tamperings.js'

let book: Book
let folder: string
/** Entries and lines of the audit log by number; 0 is the entry that waits. */
let entryIds: readonly string[]
let waitingLineId: string
let heads: readonly Buffer[]
let days: readonly string[]

beforeAll(async () => {
  book = await openSealedBook()
  folder = await makeTestFolder('tampering')
  const numbered = await run<{ id: string }>(
    book.owner,
    `select entry_id as id from journal_unsealed union all
     (select entry_id from journal_order order by seq)`,
  )
  entryIds = numbered.map(({ id }) => id)
  const lines = await run<{ id: string }>(book.owner, 'select id from audit_unsealed')
  waitingLineId = lines[0]?.id ?? 'none waits'
  const seals = await run<{ hash: Buffer }>(book.owner, 'select hash from seals order by seal_no')
  heads = seals.map(({ hash }) => hash)
  const kept = await run<{ day: string }>(
    book.owner,
    'select day::text from balance_days order by day',
  )
  days = kept.map(({ day }) => day)
  await Promise.all([book.owner.close(), book.api.close(), book.worker.close()])
})

afterAll(() => dropDatabase(book.ownerUrl))

/** Puts the ids of the book in for their numbers. */
const filled = (text: string): string =>
  text
    .replaceAll(/\{(\d+)\}/g, (_, seq: string) => entryIds[Number(seq)] ?? 'no such number')
    .replaceAll(/\{day(\d)\}/g, (_, n: string) => days[Number(n) - 1] ?? 'no such day')
    .replaceAll('{line0}', waitingLineId)
    .replaceAll(/\{head(\d)\}/g, (_, n: string) => {
      return heads[Number(n) - 1]?.toString('hex') ?? 'no such head'
    })

const byText = (findings: readonly Finding[]): string[] =>
  findings.map(({ kind, where }) => `${kind}: ${where}`).toSorted()

/** Does it in a copy of the book; answers what is found in the copy, and in a dump of it. */
async function verdictsOf({ what, statements, options }: Tampering): Promise<[Verdict, Verdict]> {
  const copy = await copyDatabase(book.ownerUrl)
  const database = connect(copy.apiUrl)
  try {
    await tamper(copy.ownerUrl, ...statements.map(filled))
    const file = path.join(folder, `${what.replaceAll(/\W+/g, '-')}.dump`)
    await exportBook(database, file)
    return [
      await verifyDatabase(database, options?.(heads)),
      await verifyDump(file, options?.(heads)),
    ]
  } finally {
    await database.close()
    await copy.drop()
  }
}

describe('tampering', () => {
  test.each(TAMPERINGS)('$what: is named by its row', async (tampering) => {
    const [ofDatabase, ofDump] = await verdictsOf(tampering)
    const expected = tampering.found.map(([kind, where]) => `${kind}: ${filled(where)}`).toSorted()
    expect(byText(ofDatabase.findings)).toEqual(expected)
    expect(ofDatabase.ok).toBe(expected.length === 0)
    expect({ ...ofDump, findings: byText(ofDump.findings) }).toEqual({
      ...ofDatabase,
      findings: byText(ofDatabase.findings),
    })
  })

  test('every kind of finding: stands in the table', () => {
    const named = TAMPERINGS.flatMap(({ found }) => found.map(([kind]) => kind))
    const absent = Object.keys(FINDING_KINDS).filter((kind) => !named.includes(kind as FindingKind))
    expect(absent).toEqual([])
  })
})
