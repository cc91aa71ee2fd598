import { randomBytes } from 'node:crypto'

import pg from 'pg'
import { inject } from 'vitest'

import { databaseUrls, TEMPLATE_DATABASE, type DatabaseUrls } from './database-template.js'

/** A migrated, empty database of one test's own. */
export interface TestDatabase extends DatabaseUrls {
  /** Removes the database, cutting off whoever is still connected. */
  readonly drop: () => Promise<void>
}

/** Copies the migrated template into a new database, which takes some tens of milliseconds. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('databaseServer')
  const name = `test_${randomBytes(6).toString('hex')}`
  await runAsSuperuser(server.superuserUrl, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE}`)
  return {
    ...databaseUrls(server, name),
    drop: () => runAsSuperuser(server.superuserUrl, `DROP DATABASE ${name} WITH (FORCE)`),
  }
}

async function runAsSuperuser(superuserUrl: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
