import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of this clone. */
export const cloneRoot = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))

/** What is fetched once is kept here for every clone of this account. */
export const cacheFolder = path.join(
  process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'),
  'yuanlu',
)
