import { randomBytes } from 'node:crypto'

import pg from 'pg'

import { migrate } from '../../src/db/migrate.js'

/** The migrated database of which every test gets a copy. */
export const TEMPLATE_DATABASE = 'yuanlu_template'

/** The one PostgreSQL of a test run, and the passwords of its roles. */
export interface DatabaseServer {
  readonly superuserUrl: string
  readonly apiPassword: string
  readonly workerPassword: string
}

/** The addresses of one database for each of the three roles. */
export interface DatabaseUrls {
  readonly ownerUrl: string
  readonly apiUrl: string
  readonly workerUrl: string
}

/** Creates the template database and migrates it, once for the whole run. */
export async function prepareTemplate(superuserUrl: string): Promise<DatabaseServer> {
  const server = {
    superuserUrl,
    apiPassword: randomBytes(12).toString('hex'),
    workerPassword: randomBytes(12).toString('hex'),
  }
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`)
  } finally {
    await client.end()
  }
  await migrate(databaseUrls(server, TEMPLATE_DATABASE))
  return server
}

/** Composes the three addresses of a database on the run's server. */
export function databaseUrls(server: DatabaseServer, database: string): DatabaseUrls {
  const compose = (user: string, password: string): string => {
    const url = new URL(server.superuserUrl)
    url.username = user
    url.password = password
    url.pathname = `/${database}`
    return url.href
  }
  const owner = new URL(server.superuserUrl)
  return {
    ownerUrl: compose(owner.username, owner.password),
    apiUrl: compose('yuanlu_api', server.apiPassword),
    workerUrl: compose('yuanlu_worker', server.workerPassword),
  }
}
