import { execFileSync } from 'node:child_process'
import { stat } from 'node:fs/promises'
import path from 'node:path'

const ACCOUNT_NAME = 'postgres'
const OTHERS_MAY_ENTER = 0o001

/** A system account by its numbers. */
export interface SystemAccount {
  readonly uid: number
  readonly gid: number
}

/**
 * The account PostgreSQL has to run under: it refuses to run as root, so root lends it the
 * account `postgres`, made when missing. Undefined means the caller's own account will do.
 *
 * @throws Error when the account is missing and cannot be made.
 */
export function findServerAccount(log: (line: string) => void): SystemAccount | undefined {
  if (process.getuid?.() !== 0) return undefined
  const known = readAccount()
  if (known !== undefined) return known
  log(`Making the system account "${ACCOUNT_NAME}", as PostgreSQL does not run as root.`)
  execFileSync('useradd', ['--system', '--no-create-home', ACCOUNT_NAME], { stdio: 'ignore' })
  const made = readAccount()
  if (made === undefined) throw new Error(`The system account "${ACCOUNT_NAME}" is missing.`)
  return made
}

/** Tells whether another account may pass through every folder on the way to this one. */
export async function canOthersEnter(folder: string): Promise<boolean> {
  const { mode } = await stat(folder)
  if ((mode & OTHERS_MAY_ENTER) === 0) return false
  const parent = path.dirname(folder)
  return parent === folder || canOthersEnter(parent)
}

function readAccount(): SystemAccount | undefined {
  const readId = (flag: string): number => {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore']
    return Number(execFileSync('id', [flag, ACCOUNT_NAME], { encoding: 'utf8', stdio }))
  }
  try {
    return { uid: readId('-u'), gid: readId('-g') }
  } catch {
    return undefined
  }
}
