/**
 * `npm run fuzz -- [--inputs N] [--seed S] [--json FILE]`: sends hostile inputs to an API process
 * with a PostgreSQL of its own, prints what came of them, and ends with 1 where one got through.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { startBenchDatabase } from '../bench/support/database.js'
import { fuzz, type FuzzReport } from '../test/hostile/support/fuzz.js'
import { surfaceOf } from '../test/hostile/support/surface.js'
import { startTarget } from '../test/hostile/support/target.js'

const INPUTS_USUAL = 100_000
const PROGRESS_EVERY = 1_000
const VIOLATIONS_SHOWN_MAX = 20

interface Choice {
  readonly inputs: number
  readonly seed: number
  readonly json: string | undefined
}

/** @throws TypeError when an option is not known or is no number */
function choiceOf(args: readonly string[]): Choice {
  const { values } = parseArgs({
    args: [...args],
    options: {
      inputs: { type: 'string', default: String(INPUTS_USUAL) },
      seed: { type: 'string', default: String(randomBytes(4).readUInt32LE()) },
      json: { type: 'string' },
    },
  })
  const whole = (name: 'inputs' | 'seed', least: number): number => {
    const value = Number(values[name])
    if (Number.isSafeInteger(value) && value >= least) return value
    throw new TypeError(`--${name} is a whole number from ${least}, not "${values[name]}".`)
  }
  return { inputs: whole('inputs', 1), seed: whole('seed', 0), json: values.json }
}

async function run({ inputs, seed }: Choice): Promise<FuzzReport> {
  const database = await startBenchDatabase()
  const folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-fuzz-'))
  await chmod(folder, 0o711)
  try {
    const target = await startTarget(database, folder)
    try {
      const onProgress = process.stderr.isTTY ? showProgress(inputs) : () => undefined
      return await fuzz(target, await surfaceOf(target), { inputs, seed, onProgress })
    } finally {
      await target.stop()
    }
  } finally {
    await database.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const showProgress = (inputs: number) => (done: number) => {
  if (done % PROGRESS_EVERY === 0) process.stderr.write(`\r${done} of ${inputs}`)
}

const mib = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`

function print(report: FuzzReport): void {
  const { answers, slowest, rssBytes, rows, violations } = report
  const line = (text: string) => process.stdout.write(`${text}\n`)
  line(`inputs ${report.inputs}, seed ${report.seed}, ${report.seconds} s`)
  for (const [lane, counts] of answers) {
    const parts = [...counts]
      .toSorted(([one], [two]) => one - two)
      .map(([status, count]) => `${status === 0 ? 'cut' : status} ${count}`)
    line(`${lane.padEnd(22)} ${parts.join('  ')}`)
  }
  line(`genuine after all       ${report.genuine}`)
  line(`slowest answer          ${Math.round(slowest.ms)} ms (${slowest.number}, ${slowest.lane})`)
  line(`slowest reading         ${Math.round(report.slowestReadingMs)} ms`)
  const { warm, most, last } = rssBytes
  line(`memory                  warm ${mib(warm)}, most ${mib(most)}, last ${mib(last)}`)
  line(`rows before             ${JSON.stringify(rows.before)}`)
  line(`rows after              ${JSON.stringify(rows.after)}`)
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN_MAX)) line(`VIOLATION ${violation}`)
  line(`verdict: ${violations.length === 0 ? 'nothing got through' : `${violations.length} found`}`)
}

try {
  const choice = choiceOf(process.argv.slice(2))
  const report = await run(choice)
  print(report)
  if (choice.json !== undefined) {
    const answers = Object.fromEntries(
      [...report.answers].map(([lane, counts]) => [lane, Object.fromEntries(counts)]),
    )
    await writeFile(choice.json, `${JSON.stringify({ ...report, answers }, null, 2)}\n`)
  }
  process.exitCode = report.violations.length === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof TypeError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
