import { mkdtemp, rm, chmod, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

import pg from 'pg'

import { startPostgres } from '../src/cli/local/postgres.js'
import { migrate } from '../src/db/migrate.js'
import { schemaText } from './schema-text.js'

/** Writes `test/db/schema.sql`: the schema that the migrations make in an empty database. */
const TARGET = fileURLToPath(new URL('../test/db/schema.sql', import.meta.url))

const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-schema-'))
// PostgreSQL's own account has to pass through; mkdtemp lets nobody but us.
await chmod(folder, 0o711)
try {
  await dump(path.join(folder, 'postgres'))
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function dump(dataDir: string): Promise<void> {
  const log = (line: string): void => console.error(line)
  const postgres = await startPostgres({ dataDir, fsync: false, persistent: false, log })
  const client = new pg.Client({ connectionString: postgres.superuserUrl })
  try {
    await migrate({ ownerUrl: postgres.superuserUrl })
    await client.connect()
    await writeFile(TARGET, await schemaText(client))
    console.log(`Wrote ${path.relative(process.cwd(), TARGET)}.`)
  } finally {
    await client.end()
    await postgres.stop()
  }
}
