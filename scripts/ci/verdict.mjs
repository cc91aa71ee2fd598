// Adds up one run of .ci/run: every test, and the checks, the drills and the demo as one each.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const [out] = process.argv.slice(2)
const outcomes = [
  countTests(),
  countOne('check', isZero('check')),
  countOne('chaos', isZero('chaos')),
  countOne('crash', isZero('crash')),
  countOne('demo', isDemoWhole()),
]
const passed = outcomes.reduce((sum, each) => sum + each.passed, 0)
const failed = outcomes.reduce((sum, each) => sum + each.failed, 0)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exit(failed === 0 && passed > 2 ? 0 : 1)

function countOne(name, good) {
  process.stdout.write(`${name}: ${good ? 'passed' : 'FAILED'}\n`)
  return good ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

/** A file that does not even load has no test to fail, so it counts as one. */
function countTests() {
  const file = path.join(out, 'tests.json')
  if (!existsSync(file)) return countOne('test', false)
  const report = JSON.parse(readFileSync(file, 'utf8'))
  const broken = report.testResults.filter(
    (each) => each.status === 'failed' && each.assertionResults.length === 0,
  )
  for (const each of broken) process.stdout.write(`test: ${each.name} did not load\n`)
  const explained = report.numFailedTests + broken.length
  // The runner also fails for an error outside every test.
  const unexplained = explained === 0 && !isZero('test') ? 1 : 0
  const counts = { passed: report.numPassedTests, failed: explained + unexplained }
  process.stdout.write(`test: ${counts.passed} passed, ${counts.failed} failed\n`)
  return counts
}

/** The demo's own last word has to be the good verdict, not only its exit status. */
function isDemoWhole() {
  const file = path.join(out, 'demo.jsonl')
  if (!isZero('demo') || !existsSync(file)) return false
  const last = readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? ''
  process.stdout.write(`demo: ${last}\n`)
  try {
    const { what, verdict, ok, journalSumFen } = JSON.parse(last)
    const answer = verdict ?? { ok, journalSumFen }
    return (what === 'verdict' || verdict !== undefined) && answer.ok && !answer.journalSumFen
  } catch {
    return false
  }
}

function isZero(name) {
  const file = path.join(out, `${name}.status`)
  return existsSync(file) && readFileSync(file, 'utf8').trim() === '0'
}
