import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

import { beforeAll, describe, expect, test } from 'vitest'

import { DumpError } from '../../src/ledger/dump-reader.js'
import { verifyDump } from '../../src/ledger/verify-dump.js'
import { makeTestFolder } from '../support/test-folder.js'

const FIXTURES = fileURLToPath(new URL('../fixtures/ledger/', import.meta.url))

let folder: string
let whole: string
let quoted: string

beforeAll(async () => {
  folder = await makeTestFolder('pg-dumps')
  const unpack = async (name: string): Promise<string> =>
    gunzipSync(await readFile(path.join(FIXTURES, name))).toString()
  whole = await unpack('pg-dump-18.6.sql.gz')
  quoted = await unpack('pg-dump-18.6-quoted.sql.gz')
})

let files = 0

async function verifyText(text: string) {
  files += 1
  const file = path.join(folder, `${files}.sql`)
  await writeFile(file, text)
  return verifyDump(file)
}

/** The rows of a table, as one text. */
const rowsOf = (text: string, table: string): string =>
  new RegExp(`COPY public\\.${table} \\(.*\\) FROM stdin;\\n([^]*?)\\\\\\.\\n`).exec(text)?.[1] ??
  ''

/** The same dump with the rows of every table as statements of their own. */
const asInserts = (text: string): string =>
  text.replaceAll(
    /COPY (public\.\w+) \(.*\) FROM stdin;\n([^]*?)\\\.\n/g,
    (_, table: string, rows: string) =>
      rows.replaceAll(/^.+$/gm, (row) => `INSERT INTO ${table} VALUES ('${row}');`),
  )

describe('what pg_dump 18 really writes', () => {
  test('one from before the audit log was sealed: is read, and its book is sound', async () => {
    expect(whole).toMatch(/^\\restrict \w+$/m)
    expect(whole).toContain('-- Dumped by pg_dump version 18.6')
    expect(await verifyText(whole)).toMatchObject({
      ok: true,
      entries: 21,
      transfers: 42,
      auditLines: null,
      seals: 4,
      waiting: 1,
      findings: [],
    })
  })

  test('with every name in quotes: has the same verdict', async () => {
    expect(quoted).toContain('COPY "public"."journal_transfers" ("entry_id", "n"')
    expect(await verifyText(quoted)).toEqual(await verifyText(whole))
  })

  test('an amount that was changed in it: is found', async () => {
    const rows = rowsOf(whole, 'journal_transfers')
    const tampered = whole.replace(rows, rows.replace(/\t901\t/, '\t902\t'))
    expect(tampered).not.toBe(whole)
    const verdict = await verifyText(tampered)
    expect(verdict.ok).toBe(false)
    expect(verdict.findings.map(({ kind }) => kind)).toContain('row_changed')
  })

  test('its rows as INSERT: are refused with what to do', async () => {
    const error = await verifyText(asInserts(whole)).catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(DumpError)
    expect(error).toMatchObject({
      problem: 'not_a_dump',
      message: 'The dump has its rows as INSERT: make it without --inserts.',
    })
  })

  test('compressed, as it is stored here: is refused with what to do', async () => {
    const error = await verifyDump(path.join(FIXTURES, 'pg-dump-18.6.sql.gz')).catch(
      (failure: unknown) => failure,
    )
    expect(error).toMatchObject({
      problem: 'not_a_dump',
      message: 'The file is compressed: unpack it first.',
    })
  })

  test.each(['the last line', 'half of it'])('without %s: is cut off', async (what) => {
    const end =
      what === 'half of it'
        ? whole.length / 2
        : whole.indexOf('-- PostgreSQL database dump complete')
    const error = await verifyText(whole.slice(0, end)).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ problem: 'cut_off' })
  })
})
