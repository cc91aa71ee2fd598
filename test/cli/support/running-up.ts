import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

import { cloneRoot } from '../../../src/cli/local/clone.js'
import { findFreePort } from '../../../src/cli/local/free-port.js'
import { identifyProcess } from '../../../src/cli/local/process-identity.js'

/** How a run of the command line ended. */
export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** One line of the journal in which the supervisor notes starts and stops. */
export interface Noted {
  readonly event: string
  readonly name: string
  readonly pid: number
}

const ENTRY = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
const ENVIRONMENT = { LANG: 'C', PATH: '/usr/local/bin:/usr/bin:/bin', TERM: 'xterm' }
const PORT_NAMES = 'api temporal temporalUi sandbox cashier postgres workerMetrics'.split(' ')
const OUTPUT_POLL_MS = 50
const OUTPUT_TIMEOUT_MS = 150_000

/** Runs `yuanlu up` without a terminal until it ends. */
export async function runUp(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const env = { ...ENVIRONMENT, ...environment }
  const child = spawn(process.execPath, [ENTRY, 'up', ...args], { env, stdio: 'pipe' })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  child.stdin.end()
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ])
  return { status, stdout, stderr }
}

/** A run of `yuanlu up` on a terminal of its own. */
export interface UpOnTerminal {
  readonly ended: Promise<number | null>
  type(keys: string): void
  /** Resolves once the terminal shows the text. */
  shows(expected: string): Promise<void>
}

/** Python brings a pseudo-terminal with its standard library; Node does not. */
const ON_TERMINAL = [
  'import os, pty, sys',
  'status = pty.spawn(sys.argv[1:])',
  'sys.exit(os.waitstatus_to_exitcode(status))',
].join('\n')

export function upOnTerminal(args: readonly string[]): UpOnTerminal {
  const command = [process.execPath, ENTRY, 'up', ...args]
  const options = { env: ENVIRONMENT, stdio: 'pipe' as const }
  const child = spawn('python3', ['-c', ON_TERMINAL, ...command], options)
  let hasEnded = false
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  void ended.then(() => (hasEnded = true))
  const output = collect(child)
  return {
    ended,
    type: (keys) => {
      child.stdin.write(keys)
    },
    async shows(expected) {
      const untilMs = Date.now() + OUTPUT_TIMEOUT_MS
      while (!output().includes(expected)) {
        if (hasEnded || Date.now() > untilMs) throw new Error(`Not shown: ${expected}\n${output()}`)
        await sleep(OUTPUT_POLL_MS)
      }
    },
  }
}

function collect(child: ChildProcessWithoutNullStreams): () => string {
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk
  })
  return () => shown
}

/** Gives a data folder ports that nobody uses, so that runs beside each other do not meet. */
export async function givePorts(dataDir: string): Promise<void> {
  const ports: Record<string, number> = {}
  for (const name of PORT_NAMES) ports[name] = await findFreePort()
  await writeFile(path.join(dataDir, 'ports.json'), JSON.stringify(ports))
}

export async function readPorts(dataDir: string): Promise<Record<string, number>> {
  return JSON.parse(await readFile(path.join(dataDir, 'ports.json'), 'utf8'))
}

/** What the supervisor of the last run has noted. */
export async function readNotes(dataDir: string): Promise<Noted[]> {
  const notes = await readFile(path.join(dataDir, 'logs', 'up.log'), 'utf8')
  return notes
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

export const isRunning = (pid: number): boolean => identifyProcess(pid) !== undefined
