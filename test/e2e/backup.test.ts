import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startPostgres, type RunningPostgres } from '../../src/cli/local/postgres.js'
import { Database } from '../../src/db/pool.js'
import { balances } from '../../src/ledger/journal.js'
import { addLog, takeBaseBackup } from '../support/base-backup.js'
import {
  databaseUrls,
  prepareTemplate,
  TEMPLATE_DATABASE,
  type DatabaseServer,
} from '../support/database-template.js'
import { OwnTemporal } from '../support/own-temporal.js'
import { startStack, type Stack } from '../support/stack.js'
import { makeTestFolder } from '../support/test-folder.js'
import { yuanlu } from '../support/yuanlu.js'
import { BUSINESS_RATE, OpenBusiness } from './support/open-business.js'

let folders: { readonly lost: string; readonly restored: string }
let lost: RunningPostgres
let restored: RunningPostgres | undefined
let server: DatabaseServer
let stack: Stack
let owner: Database | undefined
const temporals: OwnTemporal[] = []

const startServer = (dataDir: string): Promise<RunningPostgres> =>
  startPostgres({ dataDir, fsync: false, persistent: false, log: () => undefined })

const startTemporal = async (name: string): Promise<OwnTemporal> => {
  const temporal = await OwnTemporal.start(name)
  temporals.push(temporal)
  return temporal
}

beforeAll(async () => {
  folders = { lost: await makeTestFolder('lost'), restored: await makeTestFolder('restored') }
  lost = await startServer(folders.lost)
  server = await prepareTemplate(lost.superuserUrl)
  const urls = databaseUrls(server, TEMPLATE_DATABASE)
  const temporal = await startTemporal('lost-temporal')
  stack = await startStack({
    rate: BUSINESS_RATE,
    temporalAddress: temporal.address,
    database: { ...urls, drop: () => Promise.resolve() },
  })
}, 120_000)

afterAll(async () => {
  await stack.stop()
  await owner?.close()
  await restored?.stop()
  await lost.stop()
  await Promise.all(temporals.map((temporal) => temporal.stop()))
})

const openOwner = (url: string): Database =>
  new Database({ url, connectionsMax: 1, applicationName: 'test-restored' })

describe('a backup of PostgreSQL', () => {
  it('restored on another server, with an empty Temporal: everything ends right', async () => {
    await takeBaseBackup(lost.superuserUrl, folders.lost, folders.restored)
    const business = await OpenBusiness.begin(stack)
    await stack.leave()
    const before = await balances(stack.owner)
    // The power fails: nothing is written that was not committed.
    process.kill(lost.pid, 'SIGQUIT')
    await lost.exited
    await addLog(folders.lost, folders.restored)
    restored = await startServer(folders.restored)
    expect(restored.port).not.toBe(lost.port)
    const urls = databaseUrls({ ...server, superuserUrl: restored.superuserUrl }, TEMPLATE_DATABASE)
    owner = openOwner(urls.ownerUrl)
    expect(await balances(owner)).toEqual(before)

    const changes = {
      YUANLU_DATABASE_URL_API: urls.apiUrl,
      YUANLU_DATABASE_URL_WORKER: urls.workerUrl,
      TEMPORAL_ADDRESS: (await startTemporal('empty-temporal')).address,
    }
    const environment = { ...stack.workerEnvironment, ...changes }
    const rebuilt = await yuanlu(['rebuild', '--json', '-'], environment)
    expect(JSON.parse(rebuilt.stdout)).toEqual({
      isDryRun: false,
      payments: { running: 0, started: 4 },
      refunds: { running: 0, started: 6 },
      failed: [],
      withoutRow: [],
    })
    expect(rebuilt.status).toBe(0)
    await stack.settle(changes)
    await business.payMeanwhile()
    await business.goOn()
    expect(await business.differences(owner)).toEqual([])
    const verified = await yuanlu(['ledger', 'verify'], environment)
    expect(verified.stdout).toContain('The book is whole')
    expect(verified.status).toBe(0)
  }, 300_000)
})
