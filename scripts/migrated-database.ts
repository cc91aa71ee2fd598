import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import pg from 'pg'

import { startPostgres } from '../src/cli/local/postgres.js'
import { migrate } from '../src/db/migrate.js'

/** Runs `work` on a database that has just been migrated, and removes it with its server. */
export async function withMigratedDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-schema-'))
  // PostgreSQL's own account has to pass through; mkdtemp lets nobody but us.
  await chmod(folder, 0o711)
  try {
    return await serve(path.join(folder, 'postgres'), work)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function serve<T>(dataDir: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const log = (line: string): void => console.error(line)
  const postgres = await startPostgres({ dataDir, fsync: false, persistent: false, log })
  const client = new pg.Client({ connectionString: postgres.superuserUrl })
  try {
    await migrate({ ownerUrl: postgres.superuserUrl })
    await client.connect()
    return await work(client)
  } finally {
    await client.end()
    await postgres.stop()
  }
}
