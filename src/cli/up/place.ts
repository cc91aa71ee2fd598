import { chmod, mkdir, rename } from 'node:fs/promises'
import path from 'node:path'

import { stopRecordedChildren } from '../local/child.js'
import { claimStateFolder, findLivingOwner, type ClaimedFolder } from '../local/state-folder.js'

/** The folders of one running system, all within its data folder. */
export interface Place {
  readonly dataDir: string
  readonly logs: string
  /** Process ids, and what tells that a process is ready. */
  readonly run: string
  readonly postgres: string
  readonly temporal: string
  readonly sandbox: string
}

/** The folder is in use: nothing was changed. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError'
  readonly pid: number

  constructor(pid: number) {
    super(`Yuanlu is already running on this data as process ${pid}.`)
    this.pid = pid
  }
}

/**
 * Makes this process the owner of a data folder, ends what a killed owner has left running, and
 * puts the logs of the last run aside.
 *
 * @throws AlreadyRunningError when another process owns it.
 */
export async function openPlace(dataDir: string): Promise<Place & ClaimedFolder> {
  const ownerPid = await findLivingOwner(dataDir)
  if (ownerPid !== undefined) throw new AlreadyRunningError(ownerPid)
  const claimed = await claimStateFolder(dataDir)
  // Root has to let PostgreSQL's account pass through; nobody else has a reason to let others in.
  if (process.getuid?.() !== 0) await chmod(dataDir, 0o700)
  const place = placeOf(dataDir)
  for (const folder of [place.logs, place.run, place.temporal]) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  }
  await Promise.all(
    [place.run, place.temporal, place.postgres].map((each) => stopRecordedChildren(each)),
  )
  await Promise.all(LOGS.map((name) => putAside(path.join(place.logs, `${name}.log`))))
  return { ...place, ...claimed }
}

const LOGS = ['up', 'api', 'worker', 'sandbox', 'temporal', 'postgres']

export function placeOf(dataDir: string): Place {
  const within = (name: string): string => path.join(dataDir, name)
  return {
    dataDir,
    logs: within('logs'),
    run: within('run'),
    postgres: within('postgres'),
    temporal: within('temporal'),
    sandbox: within('sandbox'),
  }
}

/** One run's log is kept beside the present one, so that logs do not grow for ever. */
async function putAside(logFile: string): Promise<void> {
  await rename(logFile, `${logFile}.1`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
