// One command for all that is checked without running the program: a line for each, and the
// tool's own words for each that fails.
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { cloneRoot } from './bootstrap/folders.mjs'
import { run } from './bootstrap/run.mjs'
import { findUnlockedPackages } from './check/lock.mjs'

const bin = (...parts) => path.join(cloneRoot, 'node_modules', ...parts)

/** Type-aware linting and the formatter read the same tree, so nothing here writes. */
const CHECKS = [
  ['types', bin('tsc7', 'bin', 'tsc'), '-p', '.'],
  ['lint', bin('oxlint', 'bin', 'oxlint'), '--type-aware', '--deny-warnings'],
  ['format', bin('oxfmt', 'bin', 'oxfmt'), '--check'],
  ['unused', bin('knip', 'bin', 'knip.js'), '--no-progress'],
  ['tidy', '--import', 'tsx', path.join(cloneRoot, 'scripts', 'tidy.ts')],
]

const results = [await checkLock()]
for (const [name, ...args] of CHECKS) {
  const startedAtMs = Date.now()
  const { status, text } = await run(process.execPath, args, { cwd: cloneRoot })
  results.push({ name, passed: status === 0, text, tookMs: Date.now() - startedAtMs })
  print(results.at(-1))
}
process.exit(results.every((result) => result.passed) ? 0 : 1)

async function checkLock() {
  const lock = JSON.parse(readFileSync(path.join(cloneRoot, 'package-lock.json'), 'utf8'))
  const missing = findUnlockedPackages(lock)
  const text = missing
    .map((each) => `${each.from} wants ${each.name}, which the lock does not hold`)
    .join('\n')
  const result = { name: 'lock', passed: missing.length === 0, text, tookMs: 0 }
  print(result)
  return result
}

function print({ name, passed, text, tookMs }) {
  const seconds = (tookMs / 1000).toFixed(1)
  process.stdout.write(`check: ${name} ${passed ? 'fine' : 'FAILED'} (${seconds} s)\n`)
  if (!passed) process.stdout.write(`${text.trimEnd()}\n`)
}
