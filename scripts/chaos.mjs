// `npm run test:chaos`: the same drill with a seed that stays and with one that nobody has seen.
import { randomInt } from 'node:crypto'
import path from 'node:path'

import { cloneRoot } from './bootstrap/folders.mjs'
import { run } from './bootstrap/run.mjs'

const FIXED_SEED = 20_261_123
const PAYMENTS = 60

const failed = []
for (const seed of [FIXED_SEED, randomInt(1_000_000_000)]) {
  const args = ['chaos', '--payments', `${PAYMENTS}`, '--seed', `${seed}`]
  process.stdout.write(`== yuanlu ${args.join(' ')}\n`)
  const program = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
  const { status, text } = await run(process.execPath, [program, ...args])
  process.stdout.write(text)
  if (status !== 0) failed.push(args.join(' '))
}
for (const args of failed) process.stdout.write(`== to be seen again: yuanlu ${args}\n`)
process.exitCode = failed.length === 0 ? 0 : 1
