import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { BOOK_TABLES } from '../../src/ledger/book-rows.js'
import { canonicalText } from '../../src/ledger/canonical.js'
import {
  auditHash,
  entryHash,
  rowHash,
  type AuditText,
  type TransferText,
} from '../../src/ledger/row-hash.js'
import { openBook, run, type Book } from '../db/support/book.js'

let book: Book

beforeAll(async () => {
  book = await openBook()
})

afterAll(() => book.close())

const ACCOUNTS = ['sales:demo', 'suspense:0198c3a0-0000-7000-8000-000000000001', 'bank:demo']

const uuids = fc.uuid()
const transfers: fc.Arbitrary<TransferText> = fc.record({
  entryId: uuids,
  n: fc.integer({ min: 1, max: 99 }).map(String),
  rule: fc.constantFrom('P1', 'J2', 'X'),
  debit: fc.constantFrom(...ACCOUNTS),
  credit: fc.constantFrom(...ACCOUNTS),
  amountFen: fc.bigInt({ min: 1n, max: 2n ** 62n }).map(String),
  merchantId: fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('\0')),
  causeKind: fc.constantFrom('payment', '退款'),
  causeId: uuids,
  reverses: fc.option(uuids),
  occurredAtUs: fc.bigInt({ min: -(10n ** 15n), max: 4n * 10n ** 15n }).map(String),
  recordedAtUs: fc.bigInt({ min: 0n, max: 4n * 10n ** 15n }).map(String),
})

const HASH_IN_SQL =
  'select journal_row_hash(jsonb_populate_record(null::journal_transfers, $1)) as hash'

const texts = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !text.includes('\0'))
const auditLines: fc.Arbitrary<AuditText> = fc.record({
  id: uuids,
  merchantId: texts,
  atUs: fc.bigInt({ min: -(10n ** 15n), max: 4n * 10n ** 15n }).map(String),
  actorKind: fc.constantFrom('channel', '退款'),
  actorId: texts,
  actingUser: fc.option(texts),
  action: texts,
  subjectKind: fc.constantFrom('payment', 'refund'),
  subjectId: fc.option(uuids),
  detail: fc.dictionary(texts, fc.oneof(texts, fc.integer())).map((value) => JSON.stringify(value)),
  recordedAtUs: fc.bigInt({ min: 0n, max: 4n * 10n ** 15n }).map(String),
})

/** Two instants in microseconds as the database writes them. */
async function instantsOf(oneUs: string, otherUs: string): Promise<readonly [string, string]> {
  const at = (us: string): string => `timestamptz 'epoch' + ${us} * interval '1 microsecond'`
  const [row] = await run<{ one: string; other: string }>(
    book.owner,
    `select (${at(oneUs)})::text as one, (${at(otherUs)})::text as other`,
  )
  return [row?.one ?? '', row?.other ?? '']
}

/** The line as it is read back, and its hash as the database computes it. */
async function auditInSql(line: AuditText): Promise<{ detail: string; hash: Buffer } | undefined> {
  const [at, recordedAt] = await instantsOf(line.atUs, line.recordedAtUs)
  const [answer] = await run<{ detail: string; hash: Buffer }>(
    book.owner,
    `select a.detail::text, audit_hash(a) as hash
     from jsonb_populate_record(null::audit, $1) as a`,
    [
      JSON.stringify({
        id: line.id,
        merchant_id: line.merchantId,
        at,
        actor_kind: line.actorKind,
        actor_id: line.actorId,
        acting_user: line.actingUser,
        action: line.action,
        subject_kind: line.subjectKind,
        subject_id: line.subjectId,
        detail: JSON.parse(line.detail) as unknown,
        recorded_at: recordedAt,
      }),
    ],
  )
  return answer
}

/** The hash as the database computes it for a row of these values. */
async function hashInSql(transfer: TransferText): Promise<Buffer | undefined> {
  const [occurredAt, recordedAt] = await instantsOf(transfer.occurredAtUs, transfer.recordedAtUs)
  const row = {
    entry_id: transfer.entryId,
    n: transfer.n,
    rule: transfer.rule,
    debit: transfer.debit,
    credit: transfer.credit,
    amount_fen: transfer.amountFen,
    merchant_id: transfer.merchantId,
    cause_kind: transfer.causeKind,
    cause_id: transfer.causeId,
    reverses: transfer.reverses,
    occurred_at: occurredAt,
    recorded_at: recordedAt,
  }
  const [answer] = await run<{ hash: Buffer }>(book.owner, HASH_IN_SQL, [JSON.stringify(row)])
  return answer?.hash
}

describe('the hash of a transfer', () => {
  test('any transfer: is what the database computes', async () => {
    await fc.assert(
      fc.asyncProperty(transfers, async (transfer) => {
        expect(rowHash(transfer)).toEqual(await hashInSql(transfer))
      }),
      { numRuns: 60 },
    )
  })

  test('a column that changes: changes it', () => {
    fc.assert(
      fc.property(transfers, transfers, (one, two) => {
        for (const column of Object.keys(one) as (keyof TransferText)[]) {
          const mixed = { ...one, [column]: two[column] }
          expect(rowHash(mixed).equals(rowHash(one))).toBe(one[column] === two[column])
        }
      }),
    )
  })

  test('the columns of the table: are all in it but the generated one and the hash', async () => {
    const columns = await run<{ name: string }>(
      book.owner,
      `select attname as name from pg_attribute where attrelid = 'journal_transfers'::regclass
         and attnum > 0 and not attisdropped and attgenerated = '' and attname <> 'row_hash'`,
    )
    const [definition] = await run<{ text: string }>(
      book.owner,
      "select pg_get_functiondef('journal_row_hash'::regproc) as text",
    )
    expect(columns.filter(({ name }) => !definition?.text.includes(`t.${name}`))).toEqual([])
    expect(columns).toHaveLength(12)
  })
})

describe('the hash of a line of the audit log', () => {
  test('any line: is what the database computes', async () => {
    await fc.assert(
      fc.asyncProperty(auditLines, async (line) => {
        const stored = await auditInSql(line)
        expect(auditHash({ ...line, detail: stored?.detail ?? '' })).toEqual(stored?.hash)
      }),
      { numRuns: 60 },
    )
  })

  test('a column of it that changes: changes it', () => {
    fc.assert(
      fc.property(auditLines, auditLines, (one, two) => {
        for (const column of Object.keys(one) as (keyof AuditText)[]) {
          const mixed = { ...one, [column]: two[column] }
          expect(auditHash(mixed).equals(auditHash(one))).toBe(one[column] === two[column])
        }
      }),
    )
  })

  test('the columns of its table: are all in it, and in what is exported', async () => {
    const columns = await run<{ name: string }>(
      book.owner,
      `select attname as name from pg_attribute
       where attrelid = 'audit'::regclass and attnum > 0 and not attisdropped`,
    )
    const [definition] = await run<{ text: string }>(
      book.owner,
      "select pg_get_functiondef('audit_hash'::regproc) as text",
    )
    const names = columns.map(({ name }) => name)
    expect(names.filter((name) => !definition?.text.includes(`a.${name}`))).toEqual([])
    expect(names.toSorted()).toEqual([...BOOK_TABLES.audit].toSorted())
  })
})

describe('canonical text', () => {
  test.each([
    [['a', 'b'], '1:a1:b'],
    [['ab', ''], '2:ab0:'],
    [['退', null], '3:退-'],
    [[], ''],
  ])('%j: is %j', (values, text) => {
    expect(canonicalText(values)).toBe(text)
  })

  test('two lists of values: read the same only where they are the same', () => {
    const values = fc.array(fc.option(fc.stringMatching(/^[-:0-9a]{0,4}$/)), { maxLength: 4 })
    fc.assert(
      fc.property(values, values, (one, two) => {
        const isSame = JSON.stringify(one) === JSON.stringify(two)
        expect(canonicalText(one) === canonicalText(two)).toBe(isSame)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the hash of an entry', () => {
  test('its transfers in another order: have another hash', () => {
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
    expect(entryHash([one, two])).not.toEqual(entryHash([two, one]))
  })
})
