import { chmod, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { OWNER_PID_FILE, stopRecordedChildren } from '../../src/cli/local/child.js'
import { claimStateFolder, findLivingOwner } from '../../src/cli/local/state-folder.js'

const PREFIX = 'yuanlu-test-'
/** A folder without an owner may belong to a run that is just starting. */
const OWNERLESS_AGE_MS = 60_000

/** Makes the folder that holds everything one test run starts, and marks it as ours. */
export async function makeRunFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), PREFIX))
  // PostgreSQL's own account has to pass through; mkdtemp lets nobody but us.
  await chmod(folder, 0o711)
  await claimStateFolder(folder)
  return folder
}

/** Stops whatever the folder's run has started and still runs, then removes the folder. */
export async function removeRunFolder(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  const subfolders = entries.filter((entry) => entry.isDirectory())
  await Promise.all(
    [folder, ...subfolders.map((entry) => path.join(folder, entry.name))].map((each) =>
      stopRecordedChildren(each),
    ),
  )
  await rm(folder, { recursive: true, force: true })
}

/** A run ended by SIGKILL leaves its servers behind; the next run clears them away. */
export async function removeOrphanedRuns(): Promise<void> {
  const names = await readdir(tmpdir())
  const folders = names.filter((name) => name.startsWith(PREFIX))
  await Promise.all(
    folders.map(async (name) => {
      const folder = path.join(tmpdir(), name)
      if (await isOrphaned(folder)) await removeRunFolder(folder)
    }),
  )
}

async function isOrphaned(folder: string): Promise<boolean> {
  if ((await findLivingOwner(folder)) !== undefined) return false
  const owned = await stat(path.join(folder, OWNER_PID_FILE)).catch(() => undefined)
  if (owned !== undefined) return true
  const found = await stat(folder).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > OWNERLESS_AGE_MS
}

/** Makes a named folder that exists once in the run. */
export async function makeServerFolder(runFolder: string, name: string): Promise<string> {
  const folder = path.join(runFolder, name)
  await mkdir(folder, { mode: 0o711 })
  return folder
}
