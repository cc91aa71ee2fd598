import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
const run = promisify(execFile)

/** What a run that is refused says; it must be refused before anything is started. */
async function refused(...args: string[]): Promise<{ code: number; said: string }> {
  const failed: unknown = await run(process.execPath, [PROGRAM, 'chaos', ...args]).catch(
    (error: unknown) => error,
  )
  const { code, stderr } = failed as { code: number; stderr: string }
  return { code, said: stderr.split('\n')[0] ?? '' }
}

describe.concurrent('yuanlu chaos', () => {
  test.each([
    [['--profile', 'gale'], 'There is no profile "gale"; there are storm, channel, deaths, calm'],
    [['--profile', 'constructor'], 'There is no profile "constructor"'],
    [['--seed', 'seven'], "option '--seed <n>' argument 'seven' is invalid. It must be a whole"],
    [['--seed', '-1'], "option '--seed <n>' argument '-1' is invalid. It must be a whole"],
    [['--payments', '0'], 'A plan of no payments asks for nothing.'],
    [['--payments', '1.5'], "option '--payments <n>' argument '1.5' is invalid."],
    [['--payments', '20001'], 'A plan has at most 20000 payments.'],
    [['--seed', ''], "option '--seed <n>' argument '' is invalid. It must be a whole"],
    [['--seed', '0x1f'], "option '--seed <n>' argument '0x1f' is invalid. It must be a whole"],
    [['--seed', '1e3'], "option '--seed <n>' argument '1e3' is invalid. It must be a whole"],
    [['--seed', '1234567890123'], 'It must be a whole number of at most 12 digits.'],
    [['--sabotage', 'nothing'], 'There is no sabotage "nothing"; there are '],
    [['--sabotage', 'toString'], 'There is no sabotage "toString"; there are '],
    [['--keep', cloneRoot], 'is invalid. It must be a new folder in one that is there.'],
    [['--keep', path.join(cloneRoot, 'no', 'folder')], 'It must be a new folder in one that is'],
    [['--json', path.join(cloneRoot, 'no', 'folder.json')], 'The folder for it is not there.'],
    [['--json', cloneRoot], 'It is a folder, and must be a file.'],
    [['--json', ''], 'It is a folder, and must be a file.'],
  ])('with %j: is refused with a sentence and status 2', async (args, sentence) => {
    const { code, said } = await refused(...args)
    expect(said.replace(/^error: /, '')).toContain(sentence)
    expect(code).toBe(2)
  })
})
