import { homedir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

import { Connection } from '@temporalio/client'

import { startChild, type RunningChild } from './child.js'
import { findFreePort } from './free-port.js'
import { SEARCH_ATTRIBUTES, type SearchAttributeKind } from './search-attributes.js'

const HOST = '127.0.0.1'
const NAMESPACE = 'default'
const READY_POLL_MS = 25
const READY_TIMEOUT_MS = 60_000
const STOP_GRACE_MS = 10_000

/** One partition per task queue saves forwarding, which pays far above this rate only. */
const DYNAMIC_CONFIG: Readonly<Record<string, string>> = {
  'system.enableActivityEagerExecution': 'true',
  'matching.numTaskqueueReadPartitions': '1',
  'matching.numTaskqueueWritePartitions': '1',
  'frontend.namespaceRPS.visibility': '100',
}

/** How to run a Temporal development server. */
export interface DevServerOptions {
  readonly cliPath: string
  /** Where its pid file and log are written; must exist. */
  readonly stateDir: string
  /** Where its log is written instead; must exist. */
  readonly logDir?: string
  /** A free port is taken when absent. */
  readonly port?: number
  /** The port of the web page; `'headless'` serves none. */
  readonly uiPort: number | 'headless'
  /** Keeps everything in this SQLite file; in memory when absent. */
  readonly dbFilename?: string
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeKind>>
}

/** A running Temporal development server that listens on the loopback address alone. */
export interface RunningDevServer {
  readonly address: string
  readonly uiUrl: string | undefined
  readonly pid: number
  readonly exited: Promise<string>
  stop(): Promise<void>
}

/**
 * Starts `temporal server start-dev` as a detached child and waits until its namespace answers
 * and knows the search attributes. A server that a killed run left behind is stopped first.
 *
 * @throws Error when the program cannot be started or does not become ready.
 */
export async function startDevServer(options: DevServerOptions): Promise<RunningDevServer> {
  const port = options.port ?? (await findFreePort())
  const searchAttributes = options.searchAttributes ?? SEARCH_ATTRIBUTES
  const child = await startChild({
    name: 'temporal',
    command: options.cliPath,
    args: buildArguments(options, port, searchAttributes),
    stateDir: options.stateDir,
    logDir: options.logDir,
    env: { HOME: homedir() },
    yields: true,
  })
  const address = `${HOST}:${port}`
  await waitUntilReady(child, address, Object.keys(searchAttributes))
  return {
    address,
    uiUrl: options.uiPort === 'headless' ? undefined : `http://${HOST}:${options.uiPort}`,
    pid: child.pid,
    exited: child.exited,
    stop: () => child.stop('SIGINT', STOP_GRACE_MS),
  }
}

function buildArguments(
  options: DevServerOptions,
  port: number,
  searchAttributes: Readonly<Record<string, SearchAttributeKind>>,
): string[] {
  const args = ['server', 'start-dev', '--ip', HOST, '--port', String(port)]
  args.push('--log-level', 'warn', '--log-format', 'json')
  if (options.uiPort === 'headless') args.push('--headless')
  else args.push('--ui-ip', HOST, '--ui-port', String(options.uiPort))
  if (options.dbFilename !== undefined) args.push('--db-filename', options.dbFilename)
  for (const [name, kind] of Object.entries(searchAttributes)) {
    args.push('--search-attribute', `${name}=${kind}`)
  }
  for (const [key, value] of Object.entries(DYNAMIC_CONFIG)) {
    args.push('--dynamic-config-value', `${key}=${value}`)
  }
  return args
}

async function waitUntilReady(
  child: RunningChild,
  address: string,
  attributeNames: readonly string[],
): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS
  let ended: string | undefined
  void child.exited.then((how) => {
    ended = how
  })
  const connection = Connection.lazy({ address })
  try {
    while (!(await isReady(connection, attributeNames))) {
      if (ended === undefined && Date.now() < deadlineMs) await sleep(READY_POLL_MS)
      else throw new Error(`Temporal did not become ready: ${ended ?? 'it took too long.'}`)
    }
  } catch (error) {
    await child.stop('SIGKILL', STOP_GRACE_MS)
    throw error
  } finally {
    await connection.close()
  }
}

async function isReady(
  connection: Connection,
  attributeNames: readonly string[],
): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace: NAMESPACE })
    const known = await connection.operatorService.listSearchAttributes({ namespace: NAMESPACE })
    return attributeNames.every((name) => name in known.customAttributes)
  } catch {
    return false
  }
}
