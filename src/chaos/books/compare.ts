import { Database } from '../../db/pool.js'
import type { DrivenOrders } from '../driven.js'
import type { ChaosWorld } from '../world.js'
import type { Books } from './books.js'
import { loadChannel } from './load-channel.js'
import { channelNumbers, loadJournal, loadTables } from './load-tables.js'
import { loadWorkflows } from './load-workflows.js'
import { judgeBooks, type Verdict } from './verdict.js'

/**
 * Compares four books that were each written by somebody else: the journal, the read tables,
 * Temporal's histories and the sandbox's own; and all of them with what the driver was told. It
 * wants a system that is quiet, and changes nothing.
 */
export async function compareBooks(world: ChaosWorld, expected: DrivenOrders): Promise<Verdict> {
  return judgeBooks(await loadBooks(world), expected)
}

async function loadBooks(world: ChaosWorld): Promise<Books> {
  const { merchantId, databaseUrls } = world
  const db = new Database({
    url: databaseUrls.owner,
    connectionsMax: 2,
    applicationName: 'yuanlu-chaos-books',
  })
  try {
    const [tables, journal, mchIds] = await Promise.all([
      loadTables(db, merchantId),
      loadJournal(db, merchantId),
      channelNumbers(db, merchantId),
    ])
    const [workflows, channel] = await Promise.all([
      loadWorkflows(world, tables),
      loadChannel(world.sandbox, mchIds),
    ])
    return { merchantId, journal, tables, workflows, channel }
  } finally {
    await db.close()
  }
}
