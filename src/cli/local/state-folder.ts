import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { OWNER_PID_FILE } from './child.js'
import { isAlive, readIdentity, writeIdentity } from './process-identity.js'

/** A state folder that this process holds until it releases it. */
export interface ClaimedFolder {
  readonly folder: string
  release(): Promise<void>
}

/**
 * Makes this process the one owner of a state folder, creating it when it is missing.
 *
 * @throws Error when another living process owns it.
 */
export async function claimStateFolder(folder: string): Promise<ClaimedFolder> {
  // Others may pass through (PostgreSQL's own account has to), but not look around.
  await mkdir(folder, { recursive: true, mode: 0o711 })
  const ownerPid = await findLivingOwner(folder)
  if (ownerPid !== undefined && ownerPid !== process.pid) {
    throw new Error(`The folder ${folder} is in use by the running process ${ownerPid}.`)
  }
  const file = path.join(folder, OWNER_PID_FILE)
  await writeIdentity(file, process.pid)
  return { folder, release: () => rm(file, { force: true }) }
}

/** Answers the process id that owns the folder now; undefined when nobody does. */
export async function findLivingOwner(folder: string): Promise<number | undefined> {
  const owner = await readIdentity(path.join(folder, OWNER_PID_FILE))
  return owner !== undefined && isAlive(owner) ? owner.pid : undefined
}
