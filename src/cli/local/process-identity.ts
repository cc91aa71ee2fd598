import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'

/**
 * A process as a file can remember it. The system gives process ids again, so the time of the
 * start stands beside it: both together name one process for as long as the machine is up.
 */
export interface ProcessIdentity {
  readonly pid: number
  readonly startedAt: string
}

/** Identifies a running process; undefined when no process has this id. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === 'linux' ? startOnLinux(pid) : startFromPs(pid)
  return startedAt === undefined ? undefined : { pid, startedAt }
}

/** Tells whether the remembered process is still the one that runs under its id. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt
}

/** Writes the identity of a running process to a file; a process already gone removes the file. */
export async function writeIdentity(file: string, pid: number): Promise<void> {
  const identity = identifyProcess(pid)
  if (identity === undefined) await rm(file, { force: true })
  else await writeFile(file, `${JSON.stringify(identity)}\n`)
}

/** Reads what `writeIdentity` wrote; undefined when the file is missing or cut short. */
export async function readIdentity(file: string): Promise<ProcessIdentity | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'))
    return isIdentity(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'startedAt' in value &&
    typeof value.startedAt === 'string'
  )
}

/** Linux counts the start in clock ticks since boot: field 22, and a dead-but-unreaped is gone. */
function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in parentheses and may itself hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function startFromPs(pid: number): string | undefined {
  try {
    const answer = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return answer.trim() || undefined
  } catch {
    return undefined
  }
}
