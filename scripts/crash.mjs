// The crash matrix: it needs the whole machine for some minutes, so nothing runs beside it.
import { startVitest } from 'vitest/node'

const MATRIX = 'test/crash/matrix.test.ts'

const vitest = await startVitest('test', [], {
  run: true,
  include: [MATRIX],
  exclude: [],
  reporters: ['verbose'],
})
const outcomes = vitest.state
  .getTestModules()
  .flatMap((module) => [...module.children.allTests()])
  .map((test) => test.result().state)
const isGood = outcomes.length > 0 && outcomes.every((state) => state === 'passed')
await vitest.close()
// A matrix of which nothing ran has shown nothing.
if (!isGood) process.exitCode = 1
