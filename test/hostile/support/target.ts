import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { request } from 'undici'

import { startChild } from '../../../src/cli/local/child.js'
import { cloneRoot } from '../../../src/cli/local/clone.js'
import { findFreePort } from '../../../src/cli/local/free-port.js'
import { addKey, addMerchant } from '../../../src/cli/merchants.js'
import { SCOPES } from '../../../src/db/api-keys.js'
import { sealChannelRequest } from '../../../src/db/channel-requests.js'
import { Envelope } from '../../../src/db/envelope.js'
import { newId } from '../../../src/db/ids.js'
import { insertPayment } from '../../../src/db/payments.js'
import { Database, only } from '../../../src/db/pool.js'
import { inTransaction } from '../../../src/db/transaction.js'
import { fen } from '../../../src/domain/money.js'
import type { DatabaseUrls } from '../../support/database-template.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
const READY_POLL_MS = 100
const READY_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 10_000
const KIB = 1_024

export const MCH_ID = '1900000109'
export const APP_ID = 'wx2421b1c4370ec43b'
export const API_V2_KEY = '192006250b4c09247ec02edce69f6a2d'
/** The one order that the merchant has; a message that is not genuine must leave it as it is. */
export const OUT_TRADE_NO = 'P20261123000001'

/** An API process on a real database, with one merchant and one order, that is to be attacked. */
export interface Target {
  readonly url: string
  readonly notifyToken: string
  readonly apiKey: string
  /** Memory of the process as the system counts it, in bytes. */
  rssBytes(): number
  isRunning(): boolean
  /** What the process has logged so far. */
  log(): string
  /** How many rows each table has that money can depend on. */
  rowCounts(): Promise<Record<string, number>>
  stop(): Promise<void>
}

/**
 * @param urls a migrated database with nothing in it
 * @param folder where the process writes its log
 */
export async function startTarget(urls: DatabaseUrls, folder: string): Promise<Target> {
  const masterKey = randomBytes(32)
  const owner = new Database({ url: urls.ownerUrl, connectionsMax: 2, applicationName: 'hostile' })
  const { notifyToken, apiKey } = await setUp(owner, new Envelope(masterKey))
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const child = await startChild({
    name: 'api',
    command: process.execPath,
    args: [PROGRAM, 'api'],
    stateDir: folder,
    env: {
      YUANLU_DATABASE_URL_API: urls.apiUrl,
      YUANLU_MASTER_KEY: masterKey.toString('base64'),
      YUANLU_PUBLIC_BASE_URL: url,
      YUANLU_PORT: String(port),
      YUANLU_LOG_LEVEL: 'warn',
      // Nobody listens there: what is not genuine never comes so far.
      TEMPORAL_ADDRESS: '127.0.0.1:1',
    },
  })
  let ended: string | undefined
  void child.exited.then((how) => {
    ended = how
  })
  const target: Target = {
    url,
    notifyToken,
    apiKey,
    rssBytes: () => rssOf(child.pid),
    isRunning: () => ended === undefined,
    log: () => readFileSync(child.logFile, 'utf8'),
    rowCounts: () => rowCounts(owner),
    async stop() {
      await child.stop('SIGTERM', STOP_GRACE_MS)
      await owner.close()
    },
  }
  await untilReady(target)
  return target
}

async function untilReady(target: Target): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS
  for (;;) {
    const isUp = await request(`${target.url}/healthz`).then(
      async ({ statusCode, body }) => {
        await body.dump()
        return statusCode === 200
      },
      () => false,
    )
    if (isUp) return
    if (!target.isRunning() || Date.now() > deadlineMs) {
      throw new Error(`The API did not start:\n${target.log()}`)
    }
    await sleep(READY_POLL_MS)
  }
}

async function setUp(
  owner: Database,
  envelope: Envelope,
): Promise<{ notifyToken: string; apiKey: string }> {
  const { notifyToken, accountId, merchantId } = await addMerchant(owner, envelope, {
    id: 'tea-house',
    name: '茶馆',
    account: {
      mode: 'sandbox',
      mchId: MCH_ID,
      appIds: [APP_ID],
      apiV2Key: API_V2_KEY,
      shortName: '茶馆',
    },
  })
  const { key: apiKey } = await addKey(owner, { merchantId, name: 'all', scopes: SCOPES })
  const now = new Date()
  const id = newId(now)
  const channelRequest = sealChannelRequest(envelope, id, {
    appId: APP_ID,
    outTradeNo: OUT_TRADE_NO,
    body: '茶馆-青团',
    totalFen: fen(1_000),
    payerIp: '203.0.113.7',
    openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o',
    notifyUrl: 'https://pay.example.com/notify',
  })
  await inTransaction(owner, (tx) =>
    insertPayment(tx, {
      id,
      merchantId,
      accountId,
      mchId: MCH_ID,
      appId: APP_ID,
      outTradeNo: OUT_TRADE_NO,
      orderRef: null,
      description: '青团',
      totalFen: 1_000,
      channelRequest,
      payerRef: null,
      expiresAt: new Date(now.getTime() + 7 * 24 * 3_600_000),
      now,
    }),
  )
  return { notifyToken, apiKey }
}

/** Linux tells it by process; elsewhere nothing is known, which reads as nothing. */
function rssOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * KIB
  } catch {
    return 0
  }
}

const TABLES = [
  'payments',
  'refunds',
  'refund_decisions',
  'refund_resolutions',
  'inbox',
  'inbox_bodies',
  'journal_transfers',
  'outbox',
  'cases',
] as const

async function rowCounts(owner: Database): Promise<Record<string, number>> {
  const columns = TABLES.map((name) => `(select count(*)::int from ${name}) as ${name}`).join(', ')
  return only(await owner.rows<Record<string, number>>({ text: `select ${columns}` }, []))
}
