import path from 'node:path'

import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'

import { startPostgres, type RunningPostgres } from '../../src/cli/local/postgres.js'
import { createTestDatabase } from '../support/database.js'
import { makeTestFolder } from '../support/test-folder.js'

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

function start(dataDir: string, persistent: boolean): Promise<RunningPostgres> {
  return startPostgres({ dataDir, fsync: false, persistent, log: () => {} })
}

describe('embedded PostgreSQL', () => {
  test('a second start: finds the data and the password of the first', async () => {
    const dataDir = path.join(await makeTestFolder('pg'), 'server')
    const first = await start(dataDir, true)
    await query(first.superuserUrl, 'CREATE TABLE kept (fen bigint); INSERT INTO kept VALUES (1)')
    await first.stop()

    const second = await start(dataDir, true)
    onTestFinished(() => second.stop())
    const rows = await query(second.superuserUrl, 'SELECT fen FROM kept')
    expect(rows).toEqual([{ fen: '1' }])
  })

  test('a server left by a killed run: is stopped by the next start on its folder', async () => {
    const dataDir = path.join(await makeTestFolder('pg'), 'server')
    const left = await start(dataDir, true)
    const next = await start(dataDir, false)
    onTestFinished(() => next.stop())
    expect(await left.exited).toBe('postgres ended with status 0.')
    expect(next.pid).not.toBe(left.pid)
  })

  test('locale and encoding: sort by bytes and hold every character', async () => {
    const { ownerUrl, drop } = await createTestDatabase()
    onTestFinished(drop)
    const rows = await query(
      ownerUrl,
      `SELECT datcollate, pg_encoding_to_char(encoding) AS encoding FROM pg_database
       WHERE datname = current_database()`,
    )
    expect(rows).toEqual([{ datcollate: 'C', encoding: 'UTF8' }])
  })

  test('a wrong password: is refused', async () => {
    const { ownerUrl, drop } = await createTestDatabase()
    onTestFinished(drop)
    const url = new URL(ownerUrl)
    url.password = 'wrong'
    await expect(query(url.href, 'SELECT 1')).rejects.toThrow('password authentication failed')
  })

  test('test databases: are copies of one template, apart from each other', async () => {
    const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
    onTestFinished(async () => {
      await Promise.all([one.drop(), two.drop()])
    })
    await query(one.ownerUrl, 'CREATE TABLE only_here (id int)')
    const rows = await query(two.ownerUrl, "SELECT to_regclass('only_here') AS found")
    expect(rows).toEqual([{ found: null }])
  })
})
