import { execFile } from 'node:child_process'
import path from 'node:path'

import { cloneRoot } from '../../src/cli/local/clone.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')

export interface Ended {
  readonly status: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end, as a process of its own with these variables and no others. */
export function yuanlu(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { env: { ...env } }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}
