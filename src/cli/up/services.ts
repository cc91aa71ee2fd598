import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'

import { startChild, type RunningChild } from '../local/child.js'
import { cloneRoot } from '../local/clone.js'
import { startPostgres } from '../local/postgres.js'
import { startDevServer } from '../local/temporal.js'
import { findTool } from '../local/tools.js'
import { lastLines } from './log-tail.js'
import type { Place } from './place.js'
import type { Ports } from './ports.js'
import { readIfThere } from './stored-secret.js'
import type { Service, ServiceName, Started } from './supervisor.js'
import { until } from './until.js'

const READY_TIMEOUT_MS = 150_000
const READY_POLL_MS = 25
const ENTRY = path.join(cloneRoot, 'bin', 'yuanlu.mjs')

/** PostgreSQL, with the address of its superuser once it runs. */
export interface PostgresService extends Service {
  superuserUrl(): string
}

export function postgresService(
  place: Place,
  ports: Ports,
  log: (line: string) => void,
): PostgresService {
  let url = ''
  return {
    name: 'postgres',
    logFile: path.join(place.logs, 'postgres.log'),
    superuserUrl: () => url,
    async start() {
      const { postgres: dataDir, logs: logDir } = place
      const durable = { fsync: true, persistent: true }
      const running = await startPostgres({
        dataDir,
        logDir,
        port: ports.postgres,
        ...durable,
        log,
      })
      url = running.superuserUrl
      return running
    },
  }
}

export function temporalService(place: Place, ports: Ports): Service {
  return {
    name: 'temporal',
    logFile: path.join(place.logs, 'temporal.log'),
    start: () =>
      startDevServer({
        cliPath: findTool('temporalCli'),
        stateDir: place.temporal,
        logDir: place.logs,
        port: ports.temporal,
        uiPort: ports.temporalUi,
        dbFilename: path.join(place.temporal, 'temporal.sqlite'),
      }),
  }
}

/** A process of our own: a command of `yuanlu` that tells by `--json` that it is ready. */
export interface CommandOptions<Name extends string = ServiceName> {
  readonly name: Name
  /** What Node runs; the command line of `yuanlu` unless given. */
  readonly program?: readonly string[]
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly place: Place
  /** How long it may take to end what it is doing before it is ended for good. */
  readonly stopGraceMs: number
  /** Lets the others go first where processors are short. */
  readonly yields?: boolean
}

export function commandService<Name extends string>(options: CommandOptions<Name>): Service<Name> {
  const { name, place } = options
  return {
    name,
    logFile: path.join(place.logs, `${name}.log`),
    start: (signal) => startCommand(options, signal),
  }
}

async function startCommand(
  options: CommandOptions<string>,
  signal: AbortSignal,
): Promise<Started> {
  const { name, place, env, program = [ENTRY], yields = false } = options
  const readyFile = path.join(place.run, `${name}.ready.json`)
  await rm(readyFile, { force: true })
  const child = await startChild({
    name,
    command: process.execPath,
    args: [...program, ...options.args, '--json', readyFile],
    stateDir: place.run,
    logDir: place.logs,
    env,
    yields,
  })
  const stop = () => child.stop('SIGTERM', options.stopGraceMs)
  try {
    await waitUntilReady(child, name, readyFile, signal)
  } catch (error) {
    await stop()
    throw error
  }
  return { pid: child.pid, exited: child.exited, stop }
}

async function waitUntilReady(
  child: RunningChild,
  name: string,
  readyFile: string,
  signal: AbortSignal,
): Promise<void> {
  let ended: string | undefined
  void child.exited.then((how) => {
    ended = how
  })
  const ask = async (): Promise<true | undefined> => {
    if (ended !== undefined) throw new Error(await describeFailure(child, ended))
    return (await isWritten(readyFile)) || undefined
  }
  const what = `The ${name} is ready`
  await until(ask, { what, timeoutMs: READY_TIMEOUT_MS, pollMs: READY_POLL_MS, signal })
}

async function describeFailure(child: RunningChild, how: string): Promise<string> {
  return [how, ...lastLines(await readFile(child.logFile, 'utf8'))].join('\n')
}

/** The line is whole when it ends. */
async function isWritten(file: string): Promise<boolean> {
  return (await readIfThere(file))?.endsWith('\n') ?? false
}
