// Wipes the data of the running system: the ignored folder in the clone, and what lies outside
// because PostgreSQL's account may not enter the clone. Refuses while the system runs.
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { register } from 'tsx/esm/api'

register()
const { stopRecordedChildren } = await import('../src/cli/local/child.ts')
const { dataFolder, outsideFolder } = await import('../src/cli/local/clone.ts')
const { findLivingOwner } = await import('../src/cli/local/state-folder.ts')

const ownerPid = await findLivingOwner(dataFolder)
if (ownerPid !== undefined) {
  process.stderr.write(`Yuanlu is running as process ${ownerPid}; stop it first.\n`)
  process.exit(1)
}
await stopLeftovers()
for (const folder of [dataFolder, outsideFolder()]) {
  const existed = existsSync(folder)
  await rm(folder, { recursive: true, force: true })
  if (existed) process.stdout.write(`Removed ${folder}\n`)
}

/** A killed run leaves its servers behind; they would go on writing into what is removed. */
async function stopLeftovers() {
  if (!existsSync(dataFolder)) return
  const entries = await readdir(dataFolder, { withFileTypes: true })
  const subfolders = entries.filter((entry) => entry.isDirectory())
  const folders = [dataFolder, ...subfolders.map((entry) => path.join(dataFolder, entry.name))]
  await Promise.all(folders.map((folder) => stopRecordedChildren(folder)))
}
