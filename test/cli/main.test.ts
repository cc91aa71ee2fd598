import { spawnSync } from 'node:child_process'
import path from 'node:path'

import { describe, expect, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'

function runYuanlu(...args: string[]): { status: number | null; stderr: string } {
  const program = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
  return spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env: {} })
}

describe('yuanlu', () => {
  test.each([
    ['--help', 0, ''],
    ['bogus', 2, "error: unknown command 'bogus'"],
    ['migrate --bogus', 2, "error: unknown option '--bogus'"],
    ['migrate', 2, 'YUANLU_DATABASE_URL_OWNER is missing'],
  ])('%s: ends with status %i', (line, status, sentence) => {
    const run = runYuanlu(...line.split(' '))
    expect(run.status).toBe(status)
    expect(run.stderr).toContain(sentence)
  })
})
