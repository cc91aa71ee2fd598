import { chmod, mkdtemp } from 'node:fs/promises'
import path from 'node:path'

import { inject } from 'vitest'

/** Makes a folder of one test's own within the run's folder; it goes when the run ends. */
export async function makeTestFolder(name: string): Promise<string> {
  const folder = await mkdtemp(path.join(inject('runFolder'), `${name}-`))
  // PostgreSQL's own account has to pass through; mkdtemp lets nobody but us.
  await chmod(folder, 0o711)
  return folder
}
