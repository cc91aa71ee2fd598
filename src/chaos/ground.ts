import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import pg from 'pg'

import { OWNER_PID_FILE, stopRecordedChildren } from '../cli/local/child.js'
import { findFreePort } from '../cli/local/free-port.js'
import { findLivingOwner } from '../cli/local/state-folder.js'
import { openPlace, placeOf, type Place } from '../cli/up/place.js'
import type { Ports } from '../cli/up/ports.js'
import { commandService, postgresService, temporalService } from '../cli/up/services.js'
import { bundleWorkflows } from '../cli/up/workflow-bundle.js'
import { Fleet } from './fleet.js'

/** How many times as fast as ours the channel's clock runs: half an hour there is 30 s here. */
export const CLOCK_RATE = 60
const REFUND_DELAY_MS = 60_000
const SANDBOX_GRACE_MS = 1_000
const HOST = '127.0.0.1'
const PREFIX = 'yuanlu-chaos-'

/** What the system under test stands on; drills can follow each other on the same ground. */
export interface Ground {
  readonly place: Place
  readonly fleet: Fleet
  readonly workflowBundle: string
  readonly temporalAddress: string
  readonly sandboxUrl: string
  readonly sandboxCa: string
  /** Makes an empty database and answers the address of its owner. */
  createDatabase(name: string): Promise<string>
  /** Stops everything and removes its data. */
  close(): Promise<void>
}

/**
 * Starts PostgreSQL, Temporal and the sandbox, all of which keep what they know in files, so that
 * they can be killed and started again.
 * @param keep a new folder for data and logs, which stays; a temporary one unless given
 */
export async function openGround(log: (line: string) => void, keep?: string): Promise<Ground> {
  await removeAbandoned()
  const folder = await makeFolder(keep)
  const place = await openPlace(folder)
  const fleet = new Fleet()
  const close = async (): Promise<void> => {
    await fleet.stop()
    await place.release()
    if (keep === undefined) await rm(folder, { recursive: true, force: true })
  }
  try {
    return await startGround(place, fleet, { close, log })
  } catch (error) {
    await close()
    throw error
  }
}

/** Ends what a killed drill has left running, and removes what it has left lying. */
async function removeAbandoned(): Promise<void> {
  const names = await readdir(tmpdir())
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const folder = path.join(tmpdir(), name)
    const { run, temporal, postgres } = placeOf(folder)
    // One without an owner's file may be in the making by somebody else.
    const isClaimed = existsSync(path.join(folder, OWNER_PID_FILE))
    if (!isClaimed || (await findLivingOwner(folder)) !== undefined) continue
    await Promise.all([run, temporal, postgres].map((each) => stopRecordedChildren(each)))
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeFolder(keep: string | undefined): Promise<string> {
  const folder = keep ?? (await mkdtemp(path.join(tmpdir(), PREFIX)))
  if (keep !== undefined) await mkdir(folder)
  // PostgreSQL's own account has to pass through where root runs the drill.
  await chmod(folder, 0o711)
  return folder
}

async function startGround(
  place: Place,
  fleet: Fleet,
  { close, log }: { readonly close: () => Promise<void>; readonly log: (line: string) => void },
): Promise<Ground> {
  const ports = await freePorts()
  const postgres = postgresService(place, ports, log)
  const workflowBundle = path.join(place.run, 'workflow-bundle.js')
  await mkdir(place.sandbox, { recursive: true, mode: 0o700 })
  await Promise.all([
    fleet.start(postgres),
    fleet.start(temporalService(place, ports)),
    fleet.start(sandboxService(place, ports)),
    bundleWorkflows(workflowBundle),
  ])
  return {
    place,
    fleet,
    workflowBundle,
    temporalAddress: `${HOST}:${ports.temporal}`,
    sandboxUrl: `https://${HOST}:${ports.sandbox}`,
    sandboxCa: await readFile(path.join(place.sandbox, 'ca.pem'), 'utf8'),
    createDatabase: (name) => createDatabase(postgres.superuserUrl(), name),
    close,
  }
}

async function freePorts(): Promise<Ports> {
  const [temporal, temporalUi, sandbox, postgres] = await Promise.all([
    findFreePort(),
    findFreePort(),
    findFreePort(),
    findFreePort(),
  ])
  // Those of the processes that each drill starts for itself are chosen there.
  return { temporal, temporalUi, sandbox, postgres, api: 0, cashier: 0, workerMetrics: 0 }
}

function sandboxService(place: Place, { sandbox }: Ports) {
  const args = ['sandbox', '--port', String(sandbox), '--data', place.sandbox]
  args.push('--rate', String(CLOCK_RATE), '--refund-delay', String(REFUND_DELAY_MS))
  const stopGraceMs = SANDBOX_GRACE_MS
  return commandService({ name: 'sandbox', args, env: {}, place, stopGraceMs })
}

async function createDatabase(superuserUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    await client.query(`create database ${pg.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
  const url = new URL(superuserUrl)
  url.pathname = `/${name}`
  return url.href
}
