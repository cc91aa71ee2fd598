import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { setPriority } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { isAlive, readIdentity, writeIdentity, type ProcessIdentity } from './process-identity.js'

const STOP_POLL_MS = 20
const PREDECESSOR_GRACE_MS = 10_000
const PID_SUFFIX = '.pid'
/** About a tenth of the share of one that does not yield; all of the processor when alone. */
const YIELDING_NICENESS = 10
/** The owner of a state folder is not a child and is never stopped by a sweep. */
export const OWNER_PID_FILE = `owner${PID_SUFFIX}`

/** How to start a long-running child process. */
export interface ChildOptions {
  /** Names the pid file and the log file within the state folder. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Where `<name>.pid` is written, and `<name>.log` unless `logDir` is given; must exist. */
  readonly stateDir: string
  readonly logDir?: string | undefined
  readonly env: Readonly<Record<string, string>>
  /** The system account to run under; the caller's own when absent. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined
  /** Lets the others go first where processors are short: what answers before what works. */
  readonly yields?: boolean
}

/** A child process in a process group of its own, which outlives a Ctrl-C on our terminal. */
export interface RunningChild {
  readonly pid: number
  readonly logFile: string
  /** Resolves when the process has ended, with a sentence on how. */
  readonly exited: Promise<string>
  /** Sends the signal, waits, and after `graceMs` ends the process for good. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>
}

/**
 * Starts a detached child whose output goes to a file, so that neither a signal to our terminal
 * nor a closed pipe reaches it: whoever started it decides the order of stopping. A predecessor
 * of the same name that a killed run has left behind is stopped first.
 *
 * @throws Error when the program cannot be started at all.
 */
export async function startChild(options: ChildOptions): Promise<RunningChild> {
  const pidFile = path.join(options.stateDir, `${options.name}${PID_SUFFIX}`)
  const logFile = path.join(options.logDir ?? options.stateDir, `${options.name}.log`)
  await stopRecorded(pidFile, PREDECESSOR_GRACE_MS)
  const child = spawnDetached(options, logFile)
  const exited = describeExit(child, options.name)
  const pid = child.pid
  if (pid === undefined) throw new Error(await exited)
  if (options.yields === true) await letOthersGoFirst(pid)
  await writeIdentity(pidFile, pid)
  const removed = exited.then(() => rm(pidFile, { force: true }))
  return {
    pid,
    logFile,
    exited,
    async stop(signal, graceMs) {
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      await removed
      clearTimeout(timer)
    },
  }
}

/**
 * Ends every child that a killed run has left behind in its state folder, by its recorded pid.
 * SIGINT is the quick clean stop of PostgreSQL and of the Temporal server alike.
 */
export async function stopRecordedChildren(stateDir: string, graceMs = 10_000): Promise<void> {
  const names = await readdir(stateDir).catch(() => [])
  const pidFiles = names.filter((name) => name.endsWith(PID_SUFFIX) && name !== OWNER_PID_FILE)
  await Promise.all(pidFiles.map((name) => stopRecorded(path.join(stateDir, name), graceMs)))
}

async function stopRecorded(pidFile: string, graceMs: number): Promise<void> {
  const identity = await readIdentity(pidFile)
  if (identity !== undefined) await stopProcess(identity, graceMs)
  await rm(pidFile, { force: true })
}

async function stopProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  const deadlineMs = Date.now() + graceMs
  if (isAlive(identity)) process.kill(identity.pid, 'SIGINT')
  while (isAlive(identity)) {
    if (Date.now() > deadlineMs) process.kill(identity.pid, 'SIGKILL')
    await sleep(STOP_POLL_MS)
  }
}

/**
 * A niceness counts among the processes of one session, and a detached child is a session of its
 * own, so Linux is told of the whole session too (sched(7), "The autogroup feature").
 */
async function letOthersGoFirst(pid: number): Promise<void> {
  try {
    setPriority(pid, YIELDING_NICENESS)
    await writeFile(`/proc/${pid}/autogroup`, String(YIELDING_NICENESS))
  } catch {
    // It has ended already, or this system knows no such groups: the order is only a kindness.
  }
}

function spawnDetached(options: ChildOptions, logFile: string): ChildProcess {
  const log = openSync(logFile, 'a', 0o600)
  try {
    return spawn(options.command, options.args, {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: { ...options.env },
      ...options.account,
    })
  } finally {
    closeSync(log)
  }
}

function describeExit(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`${name} could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `${name} ended with status ${code}.` : `${name} got ${signal}.`)
    })
  })
}
