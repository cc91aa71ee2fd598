import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A Python that has wechatpy, or why there is none here. */
export type PythonEnvironment =
  | { readonly python: string; readonly whyNot?: never }
  | { readonly python?: never; readonly whyNot: string }

const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/', import.meta.url))
/** What pip says when it cannot reach a registry; a wrong hash reads differently. */
const UNREACHABLE = new RegExp(
  [
    'NewConnectionError',
    'NameResolutionError',
    'ConnectTimeoutError',
    'ReadTimeoutError',
    'ProxyError',
    'SSLError',
    'ConnectionResetError',
    'RemoteDisconnected',
    'IncompleteRead',
    'Max retries exceeded',
    String.raw`HTTP error (?:403|407|429|5\d\d)`,
    String.raw`\(from versions: none\)`,
  ].join('|'),
)
const PATIENCE = ['--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '20']
const PINNED = ['--require-hashes', '--no-deps', '--only-binary', ':all:']
const INSTALL_MS = 240_000

/**
 * Makes a virtual environment with what `requirements.txt` pins, or takes the one that an earlier
 * run has made of the same file.
 *
 * @throws Error when pip refuses what it has been given, as it does when a hash is wrong
 */
export async function openPythonEnvironment(): Promise<PythonEnvironment> {
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex')
  const folder = join(CACHE, `wechatpy-${digest.slice(0, 16)}`)
  const python = join(folder, 'bin', 'python')
  const ready = join(folder, 'ready')
  if (existsSync(ready)) return { python }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(CACHE, { recursive: true })
  const made = await run('python3', ['-m', 'venv', folder])
  if (made.isMissing) return { whyNot: 'there is no python3 on this machine' }
  if (made.status !== 0) throw new Error(made.output)
  const options = [...PATIENCE, ...PINNED, '--requirement', REQUIREMENTS]
  const installed = await run(python, ['-m', 'pip', 'install', ...options])
  if (installed.status !== 0) {
    rmSync(folder, { recursive: true, force: true })
    if (UNREACHABLE.test(installed.output)) return { whyNot: 'pip cannot reach a registry' }
    if (installed.isLate) return { whyNot: 'the registry did not answer in time' }
    throw new Error(installed.output)
  }
  writeFileSync(ready, '')
  return { python }
}

interface Ran {
  readonly status: number
  readonly output: string
  readonly isMissing: boolean
  readonly isLate: boolean
}

function run(command: string, args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: INSTALL_MS }, (error, stdout, stderr) => {
      const isMissing = error?.code === 'ENOENT'
      const isLate = error?.killed === true
      resolve({ status: error ? 1 : 0, output: `${stdout}${stderr}`, isMissing, isLate })
    })
  })
}
