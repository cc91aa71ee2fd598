import { arch, cpus, release } from 'node:os'

import { BenchUseError, parseChoice, SECTIONS } from './support/choice.js'
import { line } from './support/print.js'

/**
 * `npm run bench -- [section...] [--payments N]`: prints every figure with what it is compared
 * with, and exits with 1 when a promise is not kept.
 */
try {
  const { sections, payments } = parseChoice(process.argv.slice(2))
  line('machine', `${cpus().length} cores, ${arch()}, ${release()}, node ${process.version}`)
  let areKept = true
  for (const name of sections) {
    const { bench } = await SECTIONS[name]()
    areKept = (await bench({ payments })) && areKept
  }
  line('verdict', areKept ? 'kept' : 'not kept')
  process.exitCode = areKept ? 0 : 1
} catch (error) {
  if (!(error instanceof BenchUseError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
