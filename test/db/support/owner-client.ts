import pg from 'pg'
import { onTestFinished } from 'vitest'

import { createTestDatabase } from '../../support/database.js'

/** A connection as the owner to a migrated database that the test may change as it likes. */
export async function connectAsOwner(): Promise<pg.Client> {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.ownerUrl })
  await client.connect()
  onTestFinished(async () => {
    await client.end()
    await database.drop()
  })
  return client
}
