import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { upConfig } from '../../src/config.js'
import { cloneRoot } from '../../src/cli/local/clone.js'
import { addKey } from '../../src/cli/merchants.js'
import { MERCHANT_ID, startStack, type Stack } from '../support/stack.js'

const run = promisify(execFile)
const LINES_MAX = 60
const RUN_TIMEOUT_MS = 170_000
const LOOK_EVERY_MS = 200

/** How each language runs its example; the program stands in the search path where it is there. */
const EXAMPLES = [
  { language: 'curl', program: 'sh', needs: 'curl', args: ['curl/pay-and-refund.sh'] },
  {
    language: 'typescript',
    program: 'node',
    needs: 'node',
    args: ['--import', 'tsx', 'typescript/pay-and-refund.ts'],
  },
  { language: 'python', program: 'python3', needs: 'python3', args: ['python/pay_and_refund.py'] },
  { language: 'php', program: 'php', needs: 'php', args: ['php/pay-and-refund.php'] },
  { language: 'java', program: 'java', needs: 'java', args: ['java/PayAndRefund.java'] },
  { language: 'go', program: 'go', needs: 'go', args: ['run', 'go/main.go'] },
] as const

const { searchPath } = upConfig()
const isThere = (program: string): boolean =>
  searchPath.some((folder) => existsSync(path.join(folder, program)))
const runnable = EXAMPLES.filter(({ needs }) => isThere(needs))

const examples = path.join(cloneRoot, 'examples')

describe('examples', () => {
  test.each(EXAMPLES)('$language: is one file of at most 60 lines', ({ language, args }) => {
    const file = args.at(-1) ?? ''
    expect(readdirSync(path.join(examples, language))).toEqual([path.basename(file)])
    const lines = readFileSync(path.join(examples, file), 'utf8').trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(LINES_MAX)
  })

  test('examples: there is none that is not named here', () => {
    const folders = readdirSync(examples, { withFileTypes: true }).filter((each) => {
      return each.isDirectory()
    })
    const languages = EXAMPLES.map(({ language }) => language)
    expect(folders.map(({ name }) => name).toSorted()).toEqual(languages.toSorted())
  })
})

describe('examples against the running system', () => {
  let stack: Stack
  let buyer: NodeJS.Timeout
  let environment: Record<string, string>

  beforeAll(async () => {
    stack = await startStack({ rate: 60 })
    buyer = setInterval(() => void payWhatIsOpen().catch(() => undefined), LOOK_EVERY_MS)
    const key = (name: string, scopes: readonly string[]) =>
      addKey(stack.owner, { merchantId: MERCHANT_ID, name, scopes })
    const asker = ['payments:write', 'payments:read', 'refunds:request', 'refunds:read']
    environment = {
      PATH: searchPath.join(path.delimiter),
      HOME: homedir(),
      YUANLU_URL: stack.apiUrl,
      YUANLU_KEY: (await key('example', asker)).key,
      YUANLU_APPROVER_KEY: (await key('boss', ['refunds:decide', 'refunds:read'])).key,
    }
  })
  afterAll(async () => {
    clearInterval(buyer)
    await stack.stop()
  })

  /** Whatever order stands open is paid, as by a person with a phone. */
  async function payWhatIsOpen(): Promise<void> {
    const { control } = stack.sandbox
    const { orders } = await control.book()
    const open = orders.filter(({ tradeState }) => tradeState === 'NOTPAY')
    for (const { mchId, outTradeNo } of open) await control.pay({ mchId, outTradeNo })
  }

  test.each(runnable)(
    '$language: pays, refunds and reads the truth',
    async ({ program, args }) => {
      const command = program === 'node' ? process.execPath : program
      const { stdout } = await run(command, args, { cwd: examples, env: environment })
      expect(stdout.trimEnd().split('\n').at(-1)).toBe('refunded 100 fen')
    },
    RUN_TIMEOUT_MS,
  )
})
