import { Database } from '../../db/pool.js'
import type { ChaosWorld } from '../world.js'

/** Changes the database as its owner: what no role of the product may do. */
export const plantSql =
  (text: string) =>
  async ({ databaseUrls }: ChaosWorld): Promise<void> => {
    await asOwner(databaseUrls.owner, async (owner) => {
      await owner.pool.query(text)
    })
  }

/**
 * Replaces one passage of a function of the database and leaves the rest of it as it is.
 * @throws Error when the passage does not stand there exactly once: then the bug is another one
 */
export const plantInFunction =
  (name: string, passage: string, bug: string) =>
  async ({ databaseUrls }: ChaosWorld): Promise<void> => {
    await asOwner(databaseUrls.owner, async (owner) => {
      const rows = await owner.rows<{ text: string }>(DEFINITION, [name])
      const parts = rows[0]?.text.split(passage) ?? []
      if (parts.length !== 2) {
        throw new Error(`The passage stands ${parts.length - 1} times in ${name}, not once.`)
      }
      await owner.pool.query(parts.join(bug))
    })
  }

const DEFINITION = {
  text: 'select pg_get_functiondef(oid) as text from pg_proc where proname = $1',
}

async function asOwner(url: string, work: (owner: Database) => Promise<void>): Promise<void> {
  const owner = new Database({ url, connectionsMax: 1, applicationName: 'yuanlu-sabotage' })
  try {
    await work(owner)
  } finally {
    await owner.close()
  }
}
