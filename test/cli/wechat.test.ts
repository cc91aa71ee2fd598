import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { readFixture, vectorsOf } from '../wechat/support/fixtures.js'

const ENTRY = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const KEY = '192006250b4c09247ec02edce69f6a2d'
const PARAMS = {
  appid: 'wxd930ea5d5a258f4f',
  mch_id: '10000100',
  device_info: '1000',
  body: 'test',
  nonce_str: 'ibuaiVcKdpRxkhJA',
}
const MD5_SIGN = '9A0A8659F005D6984697E2CA0A9CF3B7'

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

let folder: string

async function run(input: string | Uint8Array, ...args: readonly string[]): Promise<Ended> {
  const command = ['--import', 'tsx', ENTRY, 'wechat', ...args]
  const child = spawn(process.execPath, command, { stdio: 'pipe' })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ])
  return { status, stdout, stderr }
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'yuanlu-wechat-'))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('yuanlu wechat sign', () => {
  test('the signature alone on standard output, MD5 unless told', async () => {
    const ended = await run(JSON.stringify(PARAMS), 'sign', '--version', 'v2', '--key', KEY)
    expect(ended).toEqual({ status: 0, stdout: `${MD5_SIGN}\n`, stderr: '' })
  })

  test('HMAC-SHA256, with the key from a file', async () => {
    const keyFile = path.join(folder, 'key')
    await writeFile(keyFile, `${KEY}\n`)
    const args = ['--type', 'HMAC-SHA256', '--key-file', keyFile]
    const ended = await run(JSON.stringify(PARAMS), 'sign', ...args)
    expect(ended.stdout).toBe('6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6\n')
  })

  test.each([
    ['no key', JSON.stringify(PARAMS), []],
    ['two keys', JSON.stringify(PARAMS), ['--key', KEY, '--key-file', 'x']],
    ['a key file that is not there', JSON.stringify(PARAMS), ['--key-file', '/nowhere']],
    ['nothing to sign', '', ['--key', KEY]],
    ['no JSON', 'hello', ['--key', KEY]],
    ['no object', '[1]', ['--key', KEY]],
    ['an amount in floating point', '{"total_fee":1.5}', ['--key', KEY]],
    ['a nested object', '{"a":{}}', ['--key', KEY]],
  ])('used wrongly: %s ends with 2, one sentence and no key', async (_, input, args) => {
    const ended = await run(input, 'sign', ...args)
    expect(ended).toMatchObject({ status: 2, stdout: '' })
    expect(ended.stderr).toMatch(/^[^\n]+\.\n$/)
    expect(ended.stderr).not.toContain(KEY)
  })
})

test('yuanlu wechat: an unknown option or algorithm is used wrongly', async () => {
  expect((await run('{}', 'sign', '--key', KEY, '--frobnicate')).status).toBe(2)
  expect((await run('{}', 'sign', '--key', KEY, '--type', 'SHA-1')).status).toBe(2)
})

describe('yuanlu wechat verify', () => {
  test('a good XML message ends with 0', async () => {
    const ended = await run(readFixture('v2_signed_demo_request.xml'), 'verify', '--key', KEY)
    expect(ended).toEqual({ status: 0, stdout: 'valid\n', stderr: '' })
  })

  test('a message signed with another key ends with 1, as JSON where asked', async () => {
    const input = JSON.stringify({ ...PARAMS, sign: MD5_SIGN })
    expect(await run(input, 'verify', '--key', `${KEY}0`, '--json', '-')).toEqual({
      status: 1,
      stdout: '{"valid":false}\n',
      stderr: '',
    })
  })

  test('a message without a signature is used wrongly', async () => {
    const ended = await run(JSON.stringify(PARAMS), 'verify', '--key', KEY)
    expect(ended).toMatchObject({ status: 2, stderr: 'The message has no sign to verify.\n' })
  })

  test('a document type is used wrongly', async () => {
    const ended = await run('<!DOCTYPE xml><xml/>', 'verify', '--key', KEY)
    expect(ended.status).toBe(2)
  })
})

describe('yuanlu wechat decrypt', () => {
  const [vector] = vectorsOf('aes-256-ecb-pkcs7').filter(({ id }) => id.includes('gopay'))
  const { req_info: reqInfo = '', api_key: apiKey = '' } = vector?.inputs ?? {}
  const document = readFixture('v2_refund_req_info_gopay.decrypted.xml').toString('utf8')

  test('the Base64 of req_info gives the document', async () => {
    const ended = await run(reqInfo, 'decrypt', '--key', apiKey)
    expect(ended).toEqual({ status: 0, stdout: `${document}\n`, stderr: '' })
  })

  test('a whole notification gives the fields as JSON in a file', async () => {
    const file = path.join(folder, 'refund.json')
    const notification = `<xml><req_info>${reqInfo}</req_info></xml>`
    const ended = await run(notification, 'decrypt', '--key', apiKey, '--json', file)
    expect(ended).toEqual({ status: 0, stdout: '', stderr: '' })
    const fields: unknown = JSON.parse(await readFile(file, 'utf8'))
    expect(fields).toMatchObject({ refund_fee: '6', refund_status: 'SUCCESS' })
  })

  test('another key ends with 1 and says so', async () => {
    const ended = await run(reqInfo, 'decrypt', '--key', KEY)
    expect(ended).toEqual({
      status: 1,
      stdout: '',
      stderr: 'It does not open with this key.\n',
    })
  })
})
