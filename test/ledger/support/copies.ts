import { randomBytes } from 'node:crypto'

import pg from 'pg'
import { inject } from 'vitest'

import { databaseUrls, type DatabaseUrls } from '../../support/database-template.js'

export interface DatabaseCopy extends DatabaseUrls {
  readonly drop: () => Promise<void>
}

/** Copies a database that nobody is connected to. */
export async function copyDatabase(ownerUrl: string): Promise<DatabaseCopy> {
  const server = inject('databaseServer')
  const source = new URL(ownerUrl).pathname.slice(1)
  const name = `copy_${randomBytes(6).toString('hex')}`
  await asSuperuser(server.superuserUrl, `create database ${name} template ${source}`)
  return {
    ...databaseUrls(server, name),
    drop: () => asSuperuser(server.superuserUrl, `drop database ${name} with (force)`),
  }
}

/** Removes a database whose connections are closed. */
export async function dropDatabase(ownerUrl: string): Promise<void> {
  const name = new URL(ownerUrl).pathname.slice(1)
  await asSuperuser(inject('databaseServer').superuserUrl, `drop database ${name} with (force)`)
}

async function asSuperuser(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
