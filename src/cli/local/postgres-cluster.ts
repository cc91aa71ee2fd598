import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { outsideFolder } from './clone.js'
import type { PostgresBinaries } from './postgres-binaries.js'
import { canOthersEnter, type SystemAccount } from './system-account.js'

/** The superuser of the embedded server: owner of the schema, used by migrations only. */
export const OWNER_ROLE = 'yuanlu_owner'

const run = promisify(execFile)
const PASSWORD_BYTES = 24

/** What `prepareCluster` needs to know. */
export interface ClusterOptions {
  readonly dataDir: string
  readonly binaries: PostgresBinaries
  readonly account: SystemAccount | undefined
  readonly fsync: boolean
  readonly log: (line: string) => void
}

/** A folder that `postgres` can be started on, and its superuser's password. */
export interface Cluster {
  readonly folder: string
  readonly password: string
}

/**
 * Makes a database cluster, or finds the one made by an earlier start.
 *
 * @throws Error when data of an earlier start is there but its password is not.
 */
export async function prepareCluster(options: ClusterOptions): Promise<Cluster> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o711 })
  const folder = await chooseFolder(options)
  const passwordFile = path.join(options.dataDir, 'password')
  if (existsSync(folder)) return { folder, password: await readPassword(passwordFile, folder) }
  const password = randomBytes(PASSWORD_BYTES).toString('base64url')
  await writeFile(passwordFile, password, { mode: 0o600 })
  await initialise(options, folder, password)
  return { folder, password }
}

async function readPassword(passwordFile: string, folder: string): Promise<string> {
  if (existsSync(passwordFile)) return readFile(passwordFile, 'utf8')
  throw new Error(`${folder} holds a database whose password is gone. Run "npm run reset".`)
}

/** A closed clone cannot hold the data of another account: it then lies beside the binaries. */
async function chooseFolder(options: ClusterOptions): Promise<string> {
  const inPlace = path.join(options.dataDir, 'cluster')
  if (options.account === undefined || (await canOthersEnter(options.dataDir))) return inPlace
  const digest = createHash('sha256').update(options.dataDir).digest('hex').slice(0, 12)
  const outside = path.join(outsideFolder(), `cluster-${digest}`)
  options.log(`PostgreSQL keeps its data in ${outside}: its account may not enter this clone.`)
  await mkdir(outsideFolder(), { recursive: true, mode: 0o755 })
  await chmod(outsideFolder(), 0o755)
  return outside
}

/** The finished cluster is renamed into place, so that a broken start leaves nothing half made. */
async function initialise(
  options: ClusterOptions,
  folder: string,
  password: string,
): Promise<void> {
  const unfinished = `${folder}.new`
  const passwordFile = `${folder}.pw`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  try {
    await giveTo(options.account, [unfinished, passwordFile])
    await runInitdb(options, unfinished, passwordFile)
  } finally {
    await rm(passwordFile, { force: true })
  }
  await rename(unfinished, folder)
}

async function giveTo(account: SystemAccount | undefined, paths: string[]): Promise<void> {
  if (account === undefined) return
  await Promise.all(paths.map((each) => chown(each, account.uid, account.gid)))
}

/** The C locale sorts by bytes, alike on every machine, and needs no locale package. */
async function runInitdb(
  options: ClusterOptions,
  folder: string,
  passwordFile: string,
): Promise<void> {
  const args = ['-D', folder, '-U', OWNER_ROLE, `--pwfile=${passwordFile}`]
  args.push('--auth=scram-sha-256', '--locale=C', '--encoding=UTF8', '--no-instructions')
  if (!options.fsync) args.push('--no-sync')
  const environment = { cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC' }, ...options.account }
  await run(options.binaries.initdb, args, environment).catch((error: { stderr?: string }) => {
    throw new Error(`PostgreSQL cannot make its data folder: ${error.stderr?.trim()}`)
  })
}
