import { merchantConfig } from '../config.js'
import { Envelope } from '../db/envelope.js'
import { Database } from '../db/pool.js'

/**
 * Does something to merchants with the owner's rights and the key that seals their secrets.
 * @throws ConfigError when one of both is not set
 */
export async function withSecrets<T>(
  work: (database: Database, envelope: Envelope) => Promise<T>,
): Promise<T> {
  const config = merchantConfig()
  const database = new Database({
    url: config.ownerUrl.reveal(),
    connectionsMax: 1,
    applicationName: 'yuanlu-merchant',
  })
  try {
    return await work(database, new Envelope(config.masterKey.reveal()))
  } finally {
    await database.close()
  }
}
