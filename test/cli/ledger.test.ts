import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { cloneRoot } from '../../src/cli/local/clone.js'
import { run as runSql, type Book } from '../db/support/book.js'
import { openSealedBook } from '../ledger/support/sealed-book.js'
import { makeTestFolder } from '../support/test-folder.js'

const PROGRAM = path.join(cloneRoot, 'bin', 'yuanlu.mjs')
/** The key the book is sealed with, and one that it is not. */
const LEDGER_KEY = Buffer.alloc(32, 7).toString('base64')
const OTHER_LEDGER_KEY = Buffer.alloc(32, 8).toString('base64')

let book: Book
let folder: string
let dump: string
let head: string

interface Ended {
  readonly status: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

function run(args: readonly string[], ledgerKey = LEDGER_KEY): Promise<Ended> {
  const env = { YUANLU_DATABASE_URL_API: book.apiUrl, YUANLU_LEDGER_KEY: ledgerKey }
  const command = [PROGRAM, 'ledger', ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, command, { env }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}

async function keyFile(name: string, ledgerKey: string): Promise<string> {
  const file = path.join(folder, name)
  await writeFile(file, (await run(['public-key'], ledgerKey)).stdout)
  return file
}

beforeAll(async () => {
  book = await openSealedBook()
  folder = await makeTestFolder('ledger-command')
  dump = path.join(folder, 'book.dump')
  const [last] = await runSql<{ hash: Buffer }>(
    book.owner,
    'select hash from seals order by seal_no desc limit 1',
  )
  head = last?.hash.toString('hex') ?? ''
  await run(['export', dump])
})

afterAll(() => book.close())

describe('yuanlu ledger export', () => {
  test('a file that is there already: is left alone', async () => {
    const before = await readFile(dump)
    const ended = await run(['export', dump])
    expect(ended).toMatchObject({ status: 2, stdout: '' })
    expect(ended.stderr).toContain(`${dump} is there already.`)
    expect(await readFile(dump)).toEqual(before)
  })

  test('what was written: is told as JSON', async () => {
    const file = path.join(folder, 'again.dump')
    const ended = await run(['export', file, '--json', '-'])
    expect(JSON.parse(ended.stdout)).toEqual({ file, rows: expect.any(Number) })
  })
})

describe('yuanlu ledger verify', () => {
  test('a whole book in the database: is told in one sentence, with what that means', async () => {
    const ended = await run(['verify'])
    expect(ended).toMatchObject({ status: 0, stderr: '' })
    const [whole, waiting, last, seal] = ended.stdout.split('\n')
    expect([whole, waiting, last]).toEqual([
      'The book is whole: 22 entries with 44 transfers and 3 lines of the audit log under 5 seals.',
      'Rows that wait for their seal: 2.',
      `Head ${head}`,
    ])
    expect(seal).toMatch(/^Seal 5 of [-0-9]{10}T[0-9:.]{12}Z, key [0-9a-f]{16}\.$/)
    expect(ended.stdout).toContain('Without --head or --public-key')
  })

  test('a dump with a head and a key from outside: is whole', async () => {
    const key = await keyFile('own.pem', LEDGER_KEY)
    const ended = await run(['verify', dump, '--head', head, '--public-key', key, '--json', '-'])
    expect(ended.status).toBe(0)
    expect(JSON.parse(ended.stdout)).toMatchObject({
      ok: true,
      entries: 22,
      auditLines: 3,
      keys: 'given',
      findings: [],
      head: { hash: head },
    })
  })

  test('a key that the book was not sealed with: ends with 1', async () => {
    const key = await keyFile('other.pem', OTHER_LEDGER_KEY)
    const ended = await run(['verify', dump, '--public-key', key])
    expect(ended.status).toBe(1)
    expect(ended.stdout).toContain('The book is not whole: 5 findings')
    expect(ended.stdout).toMatch(/^key_unknown {2}seal 1, key [0-9a-f]{16}: /m)
  })

  test('a head that the book does not hold: ends with 1', async () => {
    const ended = await run(['verify', '--head', 'ab'.repeat(32)])
    expect(ended.status).toBe(1)
    expect(ended.stdout).toContain('head_missing')
  })

  test('a dump with a changed row: names it and ends with 1', async () => {
    const changed = path.join(folder, 'changed.dump')
    await writeFile(changed, (await readFile(dump, 'utf8')).replace('\t907\t', '\t908\t'))
    const ended = await run(['verify', changed])
    expect(ended.status).toBe(1)
    expect(ended.stdout).toMatch(/^row_changed {2}entry [-0-9a-f]{36}, transfer P1 1: /m)
  })

  test.each<[string, readonly string[], number, RegExp]>([
    ['no such file', ['verify', '{folder}/none'], 2, /none cannot be read: it is not there\./],
    ['a folder', ['verify', '{folder}'], 2, /cannot be read: it is a folder\./],
    ['not a dump', ['verify', PROGRAM], 2, /neither a ledger export nor a plain pg_dump\./],
    ['a head that is none', ['verify', '--head', 'abc'], 2, /64 hexadecimal digits/],
    ['a key that is none', ['verify', '--public-key', PROGRAM], 2, /no Ed25519 public key in PEM/],
    ['a dump that is cut off', ['verify', '{folder}/short'], 1, /^The dump is cut off/],
  ])('%s: is one sentence and its status', async (_, args, status, sentence) => {
    await writeFile(path.join(folder, 'short'), (await readFile(dump)).subarray(0, 2_000))
    const ended = await run(args.map((each) => each.replace('{folder}', folder)))
    expect(ended).toMatchObject({ status, stdout: '' })
    expect(ended.stderr).toMatch(sentence)
  })
})

describe('yuanlu ledger public-key', () => {
  test('the key in the environment: gives its public half and nothing else', async () => {
    const ended = await run(['public-key'])
    expect(ended.stdout).toMatch(/^-----BEGIN PUBLIC KEY-----\n[^-]+\n-----END PUBLIC KEY-----\n$/)
    expect(ended.stdout).not.toContain(LEDGER_KEY)
  })

  test('a key that is no key: is named without its value', async () => {
    const ended = await run(['public-key'], 'hush')
    expect(ended.status).toBe(2)
    expect(ended.stderr).toMatch(/^YUANLU_LEDGER_KEY must be 32 bytes in Base64/)
    expect(ended.stderr).not.toContain('hush')
  })
})
