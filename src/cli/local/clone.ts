import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this clone: the nearest one above this file that holds `package.json`. */
export const cloneRoot = findCloneRoot(path.dirname(fileURLToPath(import.meta.url)))

/** The ignored folder that holds all data of a system started with `npm start`. */
export const dataFolder = path.join(cloneRoot, '.yuanlu')

/**
 * A folder outside the clone for what another system account must reach while the clone itself
 * is closed to it. Its name follows from the clone's path, so `npm run reset` finds it again.
 */
export function outsideFolder(root: string = cloneRoot): string {
  const digest = createHash('sha256').update(root).digest('hex').slice(0, 12)
  return path.join('/var/tmp', `yuanlu-${digest}`)
}

function findCloneRoot(folder: string): string {
  if (existsSync(path.join(folder, 'package.json'))) return folder
  const parent = path.dirname(folder)
  if (parent === folder) throw new Error('No package.json lies above the program.')
  return findCloneRoot(parent)
}
