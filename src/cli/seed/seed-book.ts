import pg from 'pg'

import type { Envelope } from '../../db/envelope.js'
import { hasLiveAccount, isMerchantKnown } from '../../db/merchants.js'
import { Database } from '../../db/pool.js'
import { inTransaction } from '../../db/transaction.js'
import type { SealingKey } from '../../ledger/seal-key.js'
import { createSealer } from '../../ledger/sealer.js'
import { bookInBatches, type Batch, type BookSize } from './batches.js'
import { checkBook, type Count } from './check.js'
import { Draw } from './draw.js'
import { loadBatch, prepareLoading } from './load.js'
import { drawShop, openShop } from './open-shop.js'
import { SEEDED_TABLES } from './rows.js'
import type { Shop, Teller } from './shop.js'

/** One buyer for so many payments. */
const PAYMENTS_OF_BUYER = 4
const DAY_MS = 86_400_000
const KIB_OF_MIB = 1024
/** Nobody waits for a seed as for an answer, and it may itself be what keeps the server busy. */
const CONNECT_TIMEOUT_MS = 120_000

export interface SeedOptions extends BookSize {
  readonly ownerUrl: string
  readonly envelope: Envelope
  readonly key: SealingKey
  readonly merchantId: string
  /** The same one gives the same book, but for secrets and what is encrypted. */
  readonly seed: string
  /** When the book ends. */
  readonly until: Date
  /** Told how much is done, from 0 to 1. */
  readonly onProgress: (done: number) => void
}

export interface Seeded extends Count {
  readonly merchantId: string
  readonly seconds: number
  /** The most memory that this process ever had. */
  readonly peakMib: number
}

/**
 * Fills a book with a merchant of its own: payments, refunds and all they leave, valid under every
 * guard, sealed and with balances by day. It needs the owner's role. Stopped anywhere, what is
 * loaded is a book: a batch is one transaction.
 * @throws Error when there are live accounts, or the merchant exists
 */
export async function seedBook(options: SeedOptions): Promise<Seeded> {
  const startedAt = performance.now()
  const { ownerUrl: url, merchantId } = options
  const database = new Database({
    url,
    connectionsMax: 2,
    applicationName: 'yuanlu-seed',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  })
  const client = new pg.Client({ connectionString: url, application_name: 'yuanlu-seed' })
  // A connection that breaks fails the statement under way; unheard, it would end the process.
  client.on('error', () => undefined)
  try {
    await refuseToMix(database, merchantId)
    await client.connect()
    await prepareLoading(client)
    await loadAll(client, database, options)
    for (const table of SEEDED_TABLES) {
      if (table !== 'refund_moves') await client.query(`analyze ${table}`)
    }
    const count = await checkBook(database, merchantId, options)
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    return { merchantId, ...count, seconds, peakMib: peakMib() }
  } finally {
    await client.end()
    await database.close()
  }
}

async function refuseToMix(database: Database, merchantId: string): Promise<void> {
  if (await hasLiveAccount(database)) {
    throw new Error('This book has accounts with real money; nothing made up is put beside them.')
  }
  if (await isMerchantKnown(database, merchantId)) {
    throw new Error(`There is a merchant ${merchantId} already: name another one with --merchant.`)
  }
}

/** While one batch is loaded, the next one is made up and the one before is sealed. */
async function loadAll(client: pg.Client, database: Database, options: SeedOptions): Promise<void> {
  const teller = tellerOf(options)
  await inTransaction(database, (tx) => openShop(tx, teller.shop, beginOf(options)))
  const batches = bookInBatches(teller, options)
  let loaded: Batch | undefined
  let next = await batches.next()
  for (let done = 0; next.done !== true;) {
    const batch = next.value
    const followed = follow(database, options.key, loaded)
    // A seal holds one batch, whichever of the two is quicker.
    const loading = loadBatch(client, batch.rows, followed)
    const [following] = await Promise.all([batches.next(), loading, followed])
    done += batch.rows.payments.length
    options.onProgress(done / options.payments)
    loaded = batch
    next = following
  }
  await follow(database, options.key, loaded)
}

/** Seals what a batch posted, as the worker would have when it happened. */
async function follow(
  database: Database,
  key: SealingKey,
  batch: Batch | undefined,
): Promise<void> {
  if (batch === undefined) return
  await createSealer({ database, key, clock: { now: () => batch.endsAt } })()
}

const beginOf = ({ until, days }: SeedOptions): Date => new Date(until.getTime() - days * DAY_MS)

function tellerOf(options: SeedOptions): Teller {
  const { seed, merchantId, until, payments, envelope } = options
  const draw = new Draw('yuanlu seed', seed, merchantId, until.toISOString())
  const shop: Shop = drawShop(draw, merchantId, beginOf(options))
  return { draw, shop, envelope, until, buyers: Math.ceil(payments / PAYMENTS_OF_BUYER) }
}

const peakMib = (): number => Math.round(process.resourceUsage().maxRSS / KIB_OF_MIB)
