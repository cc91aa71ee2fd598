// The crash matrix: it needs the whole machine for some minutes, so nothing runs beside it.
import { startVitest } from 'vitest/node'

const MATRIX = 'test/crash/matrix.test.ts'

const vitest = await startVitest('test', [], {
  run: true,
  include: [MATRIX],
  exclude: [],
  reporters: ['verbose'],
})
await vitest.close()
