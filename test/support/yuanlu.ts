import { execFile } from 'node:child_process'
import path from 'node:path'

import { cloneRoot } from '../../src/cli/local/clone.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')

export interface Ended {
  readonly status: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command to its end, as a process of its own with these variables and no others.
 * @param killed ends it with SIGKILL; its status is then `ABORT_ERR`
 */
export function yuanlu(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  killed?: AbortSignal,
): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...env }, signal: killed, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, [PROGRAM, ...args], options, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}
