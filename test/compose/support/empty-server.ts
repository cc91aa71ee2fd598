import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'

import pg from 'pg'

import { startPostgres, type RunningPostgres } from '../../../src/cli/local/postgres.js'

/** A PostgreSQL as the image of docker-compose.yml makes it: one superuser, `postgres`. */
export interface EmptyServer {
  readonly running: RunningPostgres
  readonly address: string
}

/**
 * Starts the embedded PostgreSQL with the roles of the image: its superuser is named otherwise, and
 * would hide that the owner of our schema is none.
 */
export async function startEmptyServer(dataDir: string, password: string): Promise<EmptyServer> {
  const running = await startPostgres({
    dataDir,
    fsync: false,
    persistent: false,
    log: (line) => console.log(line),
  })
  const helper = `helper_${randomBytes(4).toString('hex')}`
  const first = new URL(running.superuserUrl)
  await as(first.href, `create role ${helper} superuser login password '${password}'`)
  const second = new URL(first)
  second.username = helper
  second.password = password
  await as(
    second.href,
    `alter role ${decodeURIComponent(first.username)} rename to postgres`,
    `alter role postgres password '${password}'`,
  )
  return { running, address: `${running.host}:${running.port}` }
}

/** Whether this machine has PostgreSQL's own programs, which its image has. */
export const hasClientPrograms = ['psql', 'pg_isready'].every((name) =>
  existsSync(`/usr/bin/${name}`),
)

/** What make-databases.sh makes of ours, for a machine without psql. */
export async function makeDatabases(
  { running }: EmptyServer,
  passwords: { readonly postgres: string; readonly owner: string },
): Promise<void> {
  const url = new URL(running.superuserUrl)
  url.username = 'postgres'
  url.password = passwords.postgres
  await as(
    url.href,
    `create role yuanlu_owner login createrole password '${passwords.owner}'`,
    'create database yuanlu owner yuanlu_owner',
  )
}

async function as(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
