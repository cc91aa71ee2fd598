import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { copyRows, type CopyValue } from '../../src/db/copy.js'
import { sqlState } from '../../src/db/transaction.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'

const TARGET = { table: 'copied', columns: ['id', 'body'] } as const
const LOCK = 77
const KIB = 'x'.repeat(1024)

let database: TestDatabase
let client: pg.Client

const connected = async (): Promise<pg.Client> => {
  const made = new pg.Client({ connectionString: database.ownerUrl })
  made.on('error', () => undefined)
  await made.connect()
  return made
}
const countCopied = async (): Promise<number> => {
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from copied')
  return rows[0]?.n ?? -1
}

/** A count once it no longer grows. */
async function settled(count: () => number): Promise<number> {
  for (let before = -1; ;) {
    await sleep(250)
    if (count() > 0 && count() === before) return before
    before = count()
  }
}

function* counted(count: number, onRow: () => void = () => undefined): Generator<CopyValue[]> {
  for (let id = 1; id <= count; id += 1) {
    onRow()
    yield [id, KIB]
  }
}

describe('copyRows', () => {
  beforeAll(async () => {
    database = await createTestDatabase()
    client = await connected()
    await client.query('create table copied (id int primary key, body text)')
  })
  beforeEach(() => client.query('truncate copied'))
  afterAll(async () => {
    await client.end()
    await database.drop()
  })

  test('copy: what is written reads back the same, of every kind', async () => {
    await client.query(`create temp table kinds (n int, t text, blank text, nothing text,
      yes boolean, at timestamptz, bytes bytea, doc jsonb)`)
    const text = 'tab\there, line\nend\r\\N \\. 茶"'
    const at = new Date('2026-03-01T08:00:00.123Z')
    const bytes = Buffer.from([0, 92, 10, 255])
    const columns = ['n', 't', 'blank', 'nothing', 'yes', 'at', 'bytes', 'doc']
    const row = [7, text, '', null, true, at, bytes, { text }]
    expect(await copyRows(client, { table: 'kinds', columns }, [row])).toBe(1)
    const { rows } = await client.query('select * from kinds')
    expect(rows).toEqual([
      { n: 7, t: text, blank: '', nothing: null, yes: true, at, bytes, doc: { text } },
    ])
  })

  test('copy: no row at all is fine', async () => {
    expect(await copyRows(client, TARGET, [])).toBe(0)
  })

  test('copy: a row the server refuses loads nothing and stops the source', async () => {
    let asked = 0
    function* rows(): Generator<CopyValue[]> {
      yield* counted(10)
      yield ['not a number', '']
      for (const row of counted(200_000)) {
        asked += 1
        yield row
      }
    }
    const failure = copyRows(client, TARGET, rows())
    await expect(failure).rejects.toSatisfy((error) => sqlState(error) === '22P02')
    expect(await settled(() => asked)).toBeLessThan(200_000)
    expect(await countCopied()).toBe(0)
  })

  test('copy: an error of the source aborts, loads nothing and is the one thrown', async () => {
    async function* rows(): AsyncGenerator<CopyValue[]> {
      yield* counted(10)
      await sleep(1)
      throw new RangeError('the well is dry')
    }
    await expect(copyRows(client, TARGET, rows())).rejects.toThrow(
      new RangeError('the well is dry'),
    )
    expect(await countCopied()).toBe(0)
    expect(await copyRows(client, TARGET, counted(3))).toBe(3)
  })

  test('copy: a table that does not exist is told, and the source is never asked', async () => {
    let asked = 0
    const source = counted(5, () => (asked += 1))
    const failure = copyRows(client, { table: 'absent', columns: ['id'] }, source)
    await expect(failure).rejects.toSatisfy((error) => sqlState(error) === '42P01')
    expect(asked).toBe(0)
  })

  test('copy: a server that is slow holds the source back', async () => {
    await client.query(`create function wait_first() returns trigger language plpgsql as $$
      begin
        if new.id = 1 then perform pg_advisory_xact_lock(${LOCK}); end if;
        return new;
      end $$`)
    await client.query(`create trigger waits before insert on copied
      for each row execute function wait_first()`)
    const holder = await connected()
    await holder.query(`select pg_advisory_lock(${LOCK})`)
    let asked = 0
    const count = 128 * 1024
    const copied = copyRows(
      client,
      TARGET,
      counted(count, () => (asked += 1)),
    )
    expect(await settled(() => asked)).toBeLessThan(count / 2)
    await holder.query(`select pg_advisory_unlock(${LOCK})`)
    expect(await copied).toBe(count)
    await holder.end()
    await client.query('drop trigger waits on copied')
  })

  test('copy: a connection that is cut ends it with an error', async () => {
    const cut = await connected()
    const { rows } = await cut.query<{ pid: number }>('select pg_backend_pid() as pid')
    async function* endless(): AsyncGenerator<CopyValue[]> {
      for (let id = 1; ; id += 1) {
        if (id === 1000) await client.query('select pg_terminate_backend($1)', [rows[0]?.pid])
        if (id > 1000) await sleep(1)
        yield [id, KIB]
      }
    }
    await expect(copyRows(cut, TARGET, endless())).rejects.toThrow(/terminat|Connection/i)
    expect(await countCopied()).toBe(0)
  })
})
