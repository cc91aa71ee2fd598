import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { copyLine, copyRow } from '../../src/ledger/dump-format.js'
import { DumpError } from '../../src/ledger/dump-reader.js'
import { exportBook } from '../../src/ledger/export.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { verifyDump } from '../../src/ledger/verify-dump.js'
import { run, type Book } from '../db/support/book.js'
import { makeTestFolder } from '../support/test-folder.js'
import { openSealedBook } from './support/sealed-book.js'

let book: Book
let folder: string
let dump: string

beforeAll(async () => {
  book = await openSealedBook()
  folder = await makeTestFolder('dumps')
  const file = path.join(folder, 'whole.dump')
  await exportBook(book.api, file)
  dump = await readFile(file, 'utf8')
})

afterAll(() => book.close())

/** The same rows as an export of format 1 had them. */
const withoutAudit = (text: string): string =>
  text
    .replace('format 2', 'format 1')
    .replaceAll(/COPY public\.audit(_unsealed)? [^]*?\n\\\.\n/g, '')
    .replace(/(COPY public\.journal_order \(.*), kind(.*\n)([^]*?\\\.\n)/, (_, copy, end, rows) => {
      return `${copy}${end}${String(rows).replaceAll(/\t(entry|audit)$/gm, '')}`
    })

let files = 0

async function verifyText(content: string | Buffer) {
  files += 1
  const file = path.join(folder, `${files}.dump`)
  await writeFile(file, content)
  return verifyDump(file)
}

const copyOf = (text: string, table: string): string =>
  new RegExp(`COPY public\\.${table} [^]*?\\n\\\\\\.\\n`).exec(text)?.[0] ?? ''

/** The problem that a text is refused with. */
const problemOf = (content: string | Buffer): Promise<string> =>
  verifyText(content).then(
    ({ ok }) => (ok ? 'whole' : 'not whole'),
    (error: unknown) => (error instanceof DumpError ? error.problem : String(error)),
  )

/** The same rows as pg_dump writes them: among other tables, with columns in the table's order. */
function asPgDump(text: string): string {
  const turned = text.replace(
    /(COPY public\.journal_order) .*\n([^]*?)(\\\.\n)/,
    (_, copy: string, rows: string, end: string) =>
      `${copy} (seq, entry_id, entry_hash, seal_no, kind) FROM stdin;\n${rows.replaceAll(
        /^(\S+)\t(\S+)\t(\S+)\t(\S+)\t(\S+)$/gm,
        '$1\t$3\t$4\t$2\t$5',
      )}${end}`,
  )
  expect(turned).not.toBe(text)
  return [
    '--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n',
    '-- Dumped from database version 18.4',
    'SET statement_timeout = 0;',
    'CREATE TABLE public.merchants (id text NOT NULL);',
    'COPY public.merchants (id, name) FROM stdin;\ndemo\tone\\ttwo\n\\.\n',
    turned.replaceAll(/^-- (Yuanlu|Taken|End of) .*\n/gm, ''),
    '--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n',
  ].join('\n')
}

describe('a dump of the book', () => {
  test('an export: has the verdict of its database', async () => {
    expect(await verifyText(dump)).toEqual(await verifyDatabase(book.api))
  })

  test('a plain dump of pg_dump: has the same verdict', async () => {
    expect(await verifyText(asPgDump(dump))).toEqual(await verifyText(dump))
  })

  test('an export from before the audit log was sealed: is read for what it holds', async () => {
    const verdict = await verifyText(withoutAudit(dump))
    const { auditLines, findings, waiting } = await verifyText(dump)
    expect(auditLines).toBe(3)
    expect(verdict).toMatchObject({ auditLines: null, waiting, auditWaiting: 0 })
    // This book has lines of the audit log under its last seal, which no old book had.
    expect(verdict.findings.map(({ where }) => where)).toEqual([
      expect.stringMatching(/^number 21, entry /),
      expect.stringMatching(/^number 23, entry /),
    ])
    expect(findings).toEqual([])
  })

  test('cut off at every tenth byte: never passes', async () => {
    const bytes = Buffer.from(dump)
    const verdicts = new Set<string>()
    for (let length = 0; length < bytes.length; length += 10) {
      verdicts.add(await problemOf(bytes.subarray(0, length)))
    }
    for (let length = bytes.length - 10; length < bytes.length; length += 1) {
      verdicts.add(await problemOf(bytes.subarray(0, length)))
    }
    expect([...verdicts].toSorted()).toEqual(['cut_off', 'not_a_dump'])
  }, 120_000)

  test.each<[string, (text: string) => string | Buffer, string]>([
    ['nothing', () => '', 'not_a_dump'],
    ['another text', () => '<html></html>\n', 'not_a_dump'],
    ['another comment', () => '--\n-- MySQL dump 10.13\n--\n', 'not_a_dump'],
    ['one long line', () => 'x'.repeat(20 * 1024 * 1024), 'not_a_dump'],
    ['an archive of pg_dump', () => Buffer.from('PGDMP\u0001\u0010'), 'not_a_dump'],
    ['a compressed one', () => Buffer.from('1f8b0800', 'hex'), 'not_a_dump'],
    ['another format', (text) => text.replace('format 2', 'format 3'), 'other_version'],
    [
      'a version with another column',
      (text) => text.replace(', reverses,', ', note,'),
      'other_version',
    ],
    [
      'a version without a table',
      (text) => text.replace(/COPY public\.balance_days [^\\]*\\\.\n/, ''),
      'other_version',
    ],
    [
      'an audit log without a seal, beside numbers that know of it',
      (text) => text.replace(/COPY public\.audit \([^]*?\n\\\.\n/, ''),
      'other_version',
    ],
    [
      'numbers that do not know of the audit log beside it',
      (text) => withoutAudit(text).replace(/COPY/, `${copyOf(text, 'audit')}\nCOPY`),
      'other_version',
    ],
    ['a lost end', (text) => text.replace(/-- End of .*\n/, ''), 'cut_off'],
    ['rows without an end', (text) => text.replaceAll('\n\\.\n', '\n'), 'damaged'],
    ['text behind its end', (text) => `${text}\n`, 'damaged'],
    ['a line that is torn', (text) => text.replace('\tP1\t', '\n'), 'damaged'],
    ['a number that is none', (text) => text.replace(/\t901\t/, '\tlots\t'), 'damaged'],
    ['a hash that is none', (text) => text.replace(/\\\\x[0-9a-f]{64}/, 'x'), 'damaged'],
    ['a time that is none', (text) => text.replace(/Taken at .*/, 'Taken at noon'), 'damaged'],
  ])('%s: is refused with the problem by its name', async (_, change, problem) => {
    expect(await problemOf(change(dump))).toBe(problem)
  })

  test('every problem: is one sentence', async () => {
    const error = await verifyText(dump.slice(0, 1_000)).catch((failure: unknown) => failure)
    expect(error).toMatchObject({
      problem: 'cut_off',
      message: 'The dump is cut off: its last line is missing.',
    })
  })

  test('an export that fails: leaves no file behind', async () => {
    const file = path.join(folder, 'no-such-folder', 'book.dump')
    await expect(exportBook(book.api, file)).rejects.toThrow('ENOENT')
  })

  test('rows in any order: have the same verdict', async () => {
    const [verdict] = [await verifyText(dump)]
    const shuffled = dump.replaceAll(
      /(FROM stdin;\n)([^]*?)(\\\.\n)/g,
      (_, start: string, rows: string, end: string) =>
        `${start}${rows
          .split('\n')
          .slice(0, -1)
          .toReversed()
          .map((row) => `${row}\n`)
          .join('')}${end}`,
    )
    expect(shuffled).not.toBe(dump)
    expect(await verifyText(shuffled)).toEqual(verdict)
  })
})

describe('a row of COPY', () => {
  test('any values: are read as they were written', () => {
    const values = fc.array(fc.option(fc.string({ unit: 'grapheme' })), { minLength: 1 })
    fc.assert(
      fc.property(values, (row) => {
        expect(copyRow(copyLine(row))).toEqual(row)
        expect(copyLine(row)).not.toContain('\n')
      }),
    )
  })

  test('any values: are written as PostgreSQL reads them', async () => {
    const text = 'a\tb\nc\\d\re\ff\vg\bh退'
    const [row] = await run<{ text: string }>(book.owner, 'select $1::text as text', [text])
    expect(copyLine([row?.text ?? null, null])).toBe('a\\tb\\nc\\\\d\\re\\ff\\vg\\bh退\t\\N')
  })
})
