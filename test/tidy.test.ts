import { describe, expect, test } from 'vitest'

import { cloneRoot } from '../src/cli/local/clone.js'
import { checkBannedWords } from './support/tidy/banned-words.js'
import { checkTree, formatProblem } from './support/tidy/check-tree.js'
import { checkExports } from './support/tidy/exports.js'
import { checkImports, listImports } from './support/tidy/imports.js'
import { checkLimits } from './support/tidy/limits.js'
import { readSourceFiles, type Problem, type SourceFile } from './support/tidy/source-file.js'
import { checkTestNames } from './support/tidy/test-names.js'
import { checkWorkflowState } from './support/tidy/workflow-state.js'

/** What a check says of a file with these lines, wrapped so that a snapshot can be read. */
function say(check: (file: SourceFile) => Problem[], path: string, ...lines: string[]): string[] {
  const problems = check({ path, text: lines.join('\n') })
  return problems.flatMap((problem) => formatProblem(problem).match(/.{1,76}(?:\s|$)/g) ?? [])
}

describe('the tree', () => {
  const files = readSourceFiles(cloneRoot)

  test('its files: are seen, and so are the imports between them', () => {
    const paths = files.map((file) => file.path)
    expect(paths).toContain('src/domain/money.ts')
    expect(paths).toContain('scripts/bootstrap.mjs')
    expect(files.flatMap(listImports).length).toBeGreaterThan(files.length / 2)
  })

  test('its files: keep the rules of the house', () => {
    expect(checkTree(files).map(formatProblem)).toEqual([])
  })
})

describe('import directions', () => {
  test.each([
    // importer                       imports                              allowed
    ['src/domain/refund.ts', "import { a } from './money.js'", true],
    ['src/domain/refund.ts', "import { a } from '../db/pool.js'", false],
    ['src/domain/refund.ts', "import type { A } from '../db/pool.js'", false],
    ['src/db/payments.ts', "import { a } from '../domain/money.js'", true],
    ['src/db/payments.ts', "import { a } from '../ledger/journal.js'", false],
    ['src/ledger/journal.ts', "import { a } from '../db/pool.js'", true],
    ['src/wechat/channel.ts', "import { a } from '../domain/errors.js'", true],
    ['src/wechat/channel.ts', "import { a } from '../domain/money.js'", false],
    ['src/wechat/v2/sign.ts', "import { a } from '../../domain/errors.js'", false],
    ['src/workflows/refund.ts', "import { a } from '../domain/states.js'", true],
    ['src/workflows/refund.ts', "import type { A } from '../activities/index.js'", true],
    ['src/workflows/refund.ts', "import { type A } from '../activities/index.js'", true],
    ['src/workflows/refund.ts', "import { a } from '../activities/index.js'", false],
    ['src/activities/x.ts', "import { a } from '../ledger/journal.js'", true],
    ['src/activities/x.ts', "import { a } from '../workflows/messages.js'", false],
    ['src/api/server.ts', "import { a } from '../workflows/messages.js'", true],
    ['src/api/server.ts', "import { a } from '../workflows/refund.js'", false],
    ['src/api/main.ts', "import { a } from '../config.js'", true],
    ['src/api/server.ts', "import { a } from '../config.js'", false],
    ['src/sandbox/sign.ts', "import { a } from '../wechat/v2/sign.js'", false],
    ['src/sandbox/sign.ts', "import type { A } from '../domain/money.js'", false],
    ['src/sandbox/main.ts', "import { a } from '../domain/money.js'", false],
    ['src/cli/up.ts', "const a = await import('../api/main.js')", true],
    ['src/worker.ts', "import { a } from './config.js'", true],
    ['src/db/pool.ts', "import { a } from '../../test/support/x.js'", false],
  ])('%s with %s: allowed is %s', (path, text, allowed) => {
    expect(checkImports({ path, text })).toHaveLength(allowed ? 0 : 1)
  })

  test('a wrong one: is told with its reason and the way out', () => {
    const text = "import { pool } from '../db/pool.js'"
    expect(say(checkImports, 'src/domain/refund.ts', '', text)).toMatchInlineSnapshot(`
      [
        "src/domain/refund.ts:2 src/domain may not import values of src/db/pool: ",
        "dependencies point from the edge to the domain (ARCHITECTURE.md). Take it as ",
        "an argument, or move it to where both may look.",
      ]
    `)
  })

  test('the configuration below the roots: is told to come as an argument', () => {
    const text = "import { apiConfig } from '../config.js'"
    expect(say(checkImports, 'src/db/pool.ts', text)).toMatchInlineSnapshot(`
      [
        "src/db/pool.ts:1 Only worker.ts, cli/ and main.ts read the configuration: ",
        "take the value as an argument.",
      ]
    `)
  })

  test('a new unit of src without a rule: is refused rather than let through', () => {
    const text = "import { a } from '../domain/money.js'"
    expect(() => checkImports({ path: 'src/novel/x.ts', text })).toThrow('has no rule for novel')
  })
})

describe('banned words', () => {
  test.each([
    ['src/api/server.ts', 'const level = process.env.LEVEL'],
    ['src/wechat/client.ts', 'connect({ rejectUnauthorized: false })'],
    ['src/domain/bill.ts', 'parseFloat(yuan)'],
    ['src/api/view.ts', '(fen / 100).toFixed(2)'],
    ['src/api/view.ts', 'const view = value as any'],
    ['src/api/view.ts', '// TODO later'],
    ['test/a.test.ts', "test.only('a', run)"],
    ['test/a.test.ts', "describe.skip('a', run)"],
    ['src/api/view.ts', '// @ts-ignore'],
    ['scripts/x.mjs', "read('/home/anna/clone/x')"],
  ])('in %s, %s: is refused once', (path, text) => {
    expect(checkBannedWords({ path, text })).toHaveLength(1)
  })

  test.each([
    ['src/config.ts', 'export const raw = process.env'],
    ['scripts/bootstrap.mjs', 'process.env.PATH'],
    ['src/sandbox/server.ts', 'createServer({ requestCert: true, rejectUnauthorized: false })'],
    ['bench/main.ts', 'seconds.toFixed(1)'],
    ['src/api/view.ts', '// The same as any other view.'],
    ['src/cli/up.ts', "read('/var/tmp/x')"],
  ])('in %s, %s: is allowed', (path, text) => {
    expect(checkBannedWords({ path, text })).toEqual([])
  })

  test('a banned word: is told with its replacement', () => {
    const text = 'const level = process.env.LEVEL'
    expect(say(checkBannedWords, 'src/api/server.ts', text)).toMatchInlineSnapshot(`
      [
        "src/api/server.ts:1 The environment is read and checked once, in ",
        "src/config.ts. Take the value from there.",
      ]
    `)
  })
})

describe('limits', () => {
  test('a file, a line and a function that are too long: are told with their size', () => {
    const body = Array.from({ length: 400 }, (_, line) => `  use(${line})`)
    const lines = ['function long() {', ...body, `  use('${'x'.repeat(100)}')`, '}']
    expect(say(checkLimits, 'src/domain/long.ts', ...lines)).toMatchInlineSnapshot(`
      [
        "src/domain/long.ts:401 403 lines, more than 400: give each of its parts a ",
        "file.",
        "src/domain/long.ts:402 109 columns, more than 100: break the line.",
        "src/domain/long.ts:1 A function of 403 lines, more than 60: name its steps.",
      ]
    `)
  })

  test('a folder too deep: is told', () => {
    expect(say(checkLimits, 'src/a/b/c/d/e.ts', '')).toMatchInlineSnapshot(`
      [
        "src/a/b/c/d/e.ts:1 4 folders deep, more than 3: a flat tree is found sooner.",
      ]
    `)
  })

  test('a long block of tests: is a list and no long function', () => {
    const body = Array.from({ length: 100 }, (_, line) => `  use(${line})`)
    const lines = ["describe('a', () => {", ...body, '})']
    expect(say(checkLimits, 'test/a.test.ts', ...lines)).toEqual([])
  })
})

describe('exports', () => {
  test('a default export and a barrel: are told with what to do instead', () => {
    const lines = ['export default function run() {}', "export { a } from './a.js'"]
    expect(say(checkExports, 'src/api/index.ts', ...lines)).toMatchInlineSnapshot(`
      [
        "src/api/index.ts:1 A default export has another name in every file. Export ",
        "it by its name.",
        "src/api/index.ts:2 A file that passes on exports hides where things are. ",
        "Import from the file that has them.",
      ]
    `)
  })

  test('the entries and the configuration files: are allowed what their readers ask for', () => {
    const passedOn = "export { paymentWorkflow } from './payment.js'"
    expect(say(checkExports, 'src/workflows/index.ts', passedOn)).toEqual([])
    expect(say(checkExports, 'vitest.config.ts', 'export default {}')).toEqual([])
  })
})

describe('test names', () => {
  test('two of one name in one group: are told', () => {
    const lines = ["test('a: works', run)", "test('a: works', run)"]
    expect(say(checkTestNames, 'test/a.test.ts', ...lines)).toMatchInlineSnapshot(`
      [
        "test/a.test.ts:2 A second test named "a: works": say in its name how it ",
        "differs.",
      ]
    `)
  })

  test('one name in two groups: is allowed', () => {
    const lines = ["describe('x', () => test('a', run))", "describe('y', () => test('a', run))"]
    expect(say(checkTestNames, 'test/a.test.ts', ...lines)).toEqual([])
  })
})

describe('workflow state', () => {
  test.each(['let count = 0', 'const seen = new Set()', 'const seen = []', 'const byId = {}'])(
    'at the top of a workflow module, %s: is refused',
    (text) => {
      expect(checkWorkflowState({ path: 'src/workflows/refund.ts', text })).toHaveLength(1)
    },
  )

  test.each(["const STATES = ['a', 'b'] as const", 'function run() { let count = 0 }'])(
    'at the top of a workflow module, %s: is allowed',
    (text) => {
      expect(checkWorkflowState({ path: 'src/workflows/refund.ts', text })).toEqual([])
    },
  )

  test('mutable module state: is told with its danger', () => {
    expect(say(checkWorkflowState, 'src/workflows/refund.ts', 'let n = 0')).toMatchInlineSnapshot(`
      [
        "src/workflows/refund.ts:1 Module state is shared by every workflow of a ",
        "worker and is not replayed. Keep it in a variable of the workflow function.",
      ]
    `)
  })
})
