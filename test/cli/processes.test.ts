import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { createTestDatabase, type TestDatabase } from '../support/database.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
const API_V2_KEY = '192006250b4c09247ec02edce69f6a2d'
const MERCHANT = {
  id: 'tea-house',
  name: '茶馆',
  account: {
    mode: 'sandbox',
    mchId: '1900000109',
    appIds: ['wx2421b1c4370ec43b'],
    apiV2Key: API_V2_KEY,
    shortName: '茶馆',
  },
}

let database: TestDatabase
let environment: Record<string, string>

beforeAll(async () => {
  database = await createTestDatabase()
  environment = {
    YUANLU_DATABASE_URL_OWNER: database.ownerUrl,
    YUANLU_DATABASE_URL_API: database.apiUrl,
    YUANLU_MASTER_KEY: randomBytes(32).toString('base64'),
    YUANLU_PUBLIC_BASE_URL: 'http://127.0.0.1:8080',
    YUANLU_PORT: '0',
    TEMPORAL_ADDRESS: inject('temporalAddress'),
  }
})
afterAll(() => database.drop())

interface Ended {
  readonly status: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[], input = '', env = environment): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    )
    child.stdin?.end(input)
  })
}

describe('yuanlu merchant add', () => {
  test('a merchant on standard input: is added once', async () => {
    const args = ['merchant', 'add', '--file', '-', '--json', '-']
    const added = await run(args, JSON.stringify(MERCHANT))
    expect([added.status, added.stderr]).toEqual([0, ''])
    expect(JSON.parse(added.stdout)).toMatchObject({ merchantId: 'tea-house' })
    const again = await run(args, JSON.stringify(MERCHANT))
    expect([again.status, again.stderr]).toEqual([1, 'A merchant of this id exists already.\n'])
  })

  test.each([
    ['text that is no JSON', `{"apiV2Key": "${API_V2_KEY}"`, 'The merchant is not valid JSON.'],
    ['a merchant without a name', '{"id":"x1"}', "must have required property 'name'."],
  ])('%s: is wrong use, told without the content', async (_what, input, sentence) => {
    const { status, stderr } = await run(['merchant', 'add', '--file', '-'], input)
    expect(status).toBe(2)
    expect(stderr).toContain(sentence)
    expect(stderr).not.toContain(API_V2_KEY)
  })
})

describe('yuanlu key add', () => {
  const add = (scopes: string) =>
    run(['key', 'add', '--merchant', 'tea-house', '--name', 'shop', '--scopes', scopes])

  test('good scopes: print the key alone', async () => {
    const { status, stdout } = await add('payments:write, payments:read')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^yk_[\w-]{43}\n$/)
  })

  test('an unknown scope: is wrong use', async () => {
    const { status, stderr } = await add('everything')
    expect([status, stderr]).toEqual([2, expect.stringContaining('There is no such scope')])
  })
})

describe('yuanlu api', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'one line when it is ready, and %s: ends it in order',
    async (signal) => {
      const child = spawn(process.execPath, [PROGRAM, 'api', '--json', '-'], {
        env: environment,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      const exited = once(child, 'exit')
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
      const ready = JSON.parse(line) as { url: string; pid: number }
      expect(ready).toMatchObject({ event: 'ready', pid: child.pid })
      await expect
        .poll(async () => (await request(`${ready.url}/readyz`)).statusCode, { timeout: 60_000 })
        .toBe(200)
      child.kill(signal)
      expect(await exited).toEqual([0, null])
    },
  )

  test('a missing variable: is wrong use and names it', async () => {
    const { YUANLU_MASTER_KEY: _left, ...rest } = environment
    const { status, stderr } = await run(['api'], '', rest)
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^YUANLU_MASTER_KEY is missing: /)])
  })
})
