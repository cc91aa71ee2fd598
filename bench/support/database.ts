import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { startPostgres } from '../../src/cli/local/postgres.js'
import { migrate } from '../../src/db/migrate.js'

/** A PostgreSQL of a benchmark's own, with fsync on and a migrated database. */
export interface BenchDatabase extends DatabaseUrls {
  stop(): Promise<void>
}

export interface DatabaseUrls {
  readonly ownerUrl: string
  readonly apiUrl: string
  readonly workerUrl: string
}

export async function startBenchDatabase(): Promise<BenchDatabase> {
  const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-bench-'))
  // PostgreSQL's own account has to pass through; mkdtemp lets nobody but us.
  await chmod(folder, 0o711)
  const dataDir = path.join(folder, 'postgres')
  const log = (): void => undefined
  const postgres = await startPostgres({ dataDir, fsync: true, persistent: false, log })
  const urls = urlsOf(postgres.superuserUrl)
  await migrate(urls)
  return {
    ...urls,
    async stop() {
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The addresses of the three roles, with new passwords for two of them. */
export function urlsOf(superuserUrl: string): DatabaseUrls {
  const compose = (user: string): string => {
    const url = new URL(superuserUrl)
    url.username = user
    url.password = randomBytes(12).toString('hex')
    return url.href
  }
  return {
    ownerUrl: superuserUrl,
    apiUrl: compose('yuanlu_api'),
    workerUrl: compose('yuanlu_worker'),
  }
}
