import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { migrationNames } from '../../src/db/migrate.js'
import { sealEntries } from '../../src/ledger/seal.js'
import { verifyDatabase } from '../../src/ledger/verify-database.js'
import { KEY } from '../ledger/support/sealed-book.js'
import { databaseUrls } from '../support/database-template.js'
import { connect } from './support/book.js'

const SEALING = '0007-sealing.sql'
const MIGRATIONS = new URL('../../src/db/migrations/', import.meta.url)
const name = `before_${randomBytes(6).toString('hex')}`

let urls: ReturnType<typeof databaseUrls>

async function asSuperuser(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseServer').superuserUrl })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

beforeAll(async () => {
  await asSuperuser(`create database ${name}`)
  urls = databaseUrls(inject('databaseServer'), name)
})
afterAll(() => asSuperuser(`drop database ${name} with (force)`))

const POSTED = `insert into merchants (id, name, created_at) values ('demo', 'demo', now());
  insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
    cause_kind, cause_id, occurred_at)
  select ('0198c3a0-0000-7000-8000-00000000000' || entry)::uuid, n, 'P1',
    case n when 1 then 'wechat:0198c3a0-0000-7000-8000-000000000000' else 'coupon_cost:demo' end,
    'sales:demo', 100, 'demo', 'payment',
    ('0198c3a0-0000-7000-8000-00000000000' || entry)::uuid, now()
  from generate_series(1, 3) as entry, generate_series(1, 2) as n;
  insert into audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind, subject_id,
    detail)
  select gen_random_uuid(), 'demo', now(), 'engine', 'yuanlu', 'payment.paid', 'payment',
    gen_random_uuid(), '{"state": "paid"}' from generate_series(1, 2)`

describe('the migrations that bring the seals', () => {
  test('what was written before them: is hashed, queued and sealed', async () => {
    const client = new pg.Client({ connectionString: urls.ownerUrl })
    await client.connect()
    const run = async (file: string): Promise<void> => {
      await client.query(await readFile(new URL(file, MIGRATIONS), 'utf8'))
    }
    const names = await migrationNames()
    for (const file of names.filter((each) => each < SEALING)) await run(file)
    await client.query(POSTED)
    await run(SEALING)
    const database = connect(urls.ownerUrl)
    const round = { key: KEY, entriesMax: 100, now: new Date() }
    expect(await sealEntries(database, round)).toBe(3)
    for (const file of names.filter((each) => each > SEALING)) await run(file)
    await client.end()
    expect(await sealEntries(database, round)).toBe(2)
    expect(await verifyDatabase(database)).toMatchObject({
      ok: true,
      entries: 3,
      transfers: 6,
      auditLines: 2,
      seals: 2,
    })
    await database.close()
  })
})
