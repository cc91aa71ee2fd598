import { readFileSync, writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'

import { Option } from 'commander'
import type { Command } from 'commander'

import type { Fields, SignType } from '../wechat/v2/sign.js'

/** The most bytes taken from standard input: more than any message of the protocol has. */
const INPUT_BYTES_MAX = 1024 * 1024

const EXIT_NO = 1
const EXIT_WRONG_USE = 2

interface KeyOptions {
  readonly key?: string
  readonly keyFile?: string
}

interface SignOptions extends KeyOptions {
  readonly type: SignType
}

interface VerifyOptions extends KeyOptions {
  readonly type?: SignType
  readonly json?: string
}

interface DecryptOptions extends KeyOptions {
  readonly json?: string
}

/** `yuanlu wechat sign|verify|decrypt`: the protocol's signatures and secrets, by hand. */
export function registerWechatCommand(program: Command): void {
  const wechat = program
    .command('wechat')
    .description('sign, verify and decrypt messages of WeChat Pay')

  keyed(wechat.command('sign'))
    .description('sign the JSON object on standard input and print the signature')
    .addOption(typeOption().default('MD5'))
    .action(async (options: SignOptions) => {
      await ending(() => sign(options))
    })

  keyed(wechat.command('verify'))
    .description('check the signature of the XML or JSON on standard input')
    .addOption(typeOption())
    .option('--json <file>', 'write the answer as JSON to a file, or to standard output with -')
    .action(async (options: VerifyOptions) => {
      await ending(() => verify(options))
    })

  keyed(wechat.command('decrypt'))
    .description('open the refund notification, or the Base64 of its req_info, on standard input')
    .option('--json <file>', 'write the fields as JSON to a file, or to standard output with -')
    .action(async (options: DecryptOptions) => {
      await ending(() => decrypt(options))
    })
}

function keyed(command: Command): Command {
  return command
    .addOption(new Option('--version <version>', 'of the protocol').choices(['v2']).default('v2'))
    .option('--key <key>', 'API key; other users of this machine can see it while this runs')
    .option('--key-file <file>', 'file that holds the API key')
}

function typeOption(): Option {
  return new Option('--type <type>', 'algorithm').choices(['MD5', 'HMAC-SHA256'])
}

/** Used wrongly: the sentence says how. It never quotes a key or a message. */
class WrongUse extends Error {}

/** Turns wrong use into one sentence and exit status 2, and a "no" into status 1. */
async function ending(run: () => Promise<boolean>): Promise<void> {
  try {
    if (!(await run())) process.exitCode = EXIT_NO
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = EXIT_WRONG_USE
  }
}

async function sign(options: SignOptions): Promise<boolean> {
  const { signFields } = await import('../wechat/v2/sign.js')
  const apiKey = keyOf(options)
  const fields = jsonFields(await readInput())
  process.stdout.write(`${signFields(fields, apiKey, options.type)}\n`)
  return true
}

async function verify(options: VerifyOptions): Promise<boolean> {
  const { verifyFields } = await import('../wechat/v2/sign.js')
  const apiKey = keyOf(options)
  const input = await readInput()
  const fields = isXml(input) ? await xmlFields(input) : jsonFields(input)
  if (!fields.get('sign')) throw new WrongUse('The message has no sign to verify.')
  const valid = verifyFields(fields, apiKey, options.type)
  answer(options.json, { valid }, valid ? 'valid' : 'not valid')
  return valid
}

async function decrypt(options: DecryptOptions): Promise<boolean> {
  const { decryptReqInfo } = await import('../wechat/v2/req-info.js')
  const apiKey = keyOf(options)
  const input = await readInput()
  const reqInfo = isXml(input) ? (await xmlFields(input)).get('req_info') : textOf(input)
  if (!reqInfo) throw new WrongUse('The notification has no req_info to decrypt.')
  const document = decryptReqInfo(reqInfo, apiKey)
  // A wrong key passes the padding now and then, and then what comes out is no document.
  const fields = document === undefined ? undefined : await documentFields(document)
  if (document === undefined || fields === undefined)
    return sayNo('It does not open with this key.')
  answer(options.json, Object.fromEntries(fields), textOf(document))
  return true
}

function sayNo(sentence: string): boolean {
  process.stderr.write(`${sentence}\n`)
  return false
}

function keyOf({ key, keyFile }: KeyOptions): string {
  if ((key === undefined) === (keyFile === undefined)) {
    throw new WrongUse('Give the API key with either --key or --key-file.')
  }
  const apiKey = key ?? readKeyFile(keyFile ?? '')
  if (apiKey === '') throw new WrongUse('The API key is empty.')
  return apiKey
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch {
    throw new WrongUse('The file of --key-file cannot be read.')
  }
}

async function readInput(): Promise<Uint8Array> {
  const input = await buffer(process.stdin)
  if (input.length === 0) throw new WrongUse('Standard input is empty.')
  if (input.length > INPUT_BYTES_MAX) throw new WrongUse('Standard input is too large.')
  return input
}

function isXml(input: Uint8Array): boolean {
  return textOf(input).startsWith('<')
}

function textOf(input: Uint8Array): string {
  return new TextDecoder().decode(input).trim()
}

/** A flat JSON object of strings, numbers that are whole, and nothing else. */
function jsonFields(input: Uint8Array): Fields {
  const fields = new Map<string, string>()
  for (const [name, value] of Object.entries(jsonObject(textOf(input)))) {
    if (typeof value !== 'string' && !Number.isSafeInteger(value)) {
      throw new WrongUse('The values of the JSON object must be strings or whole numbers.')
    }
    fields.set(name, String(value))
  }
  return fields
}

function jsonObject(text: string): object {
  const wrong = 'Standard input must be a JSON object of the parameters.'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new WrongUse(wrong)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new WrongUse(wrong)
  return value
}

async function xmlFields(input: Uint8Array): Promise<Fields> {
  const fields = await documentFields(input)
  if (fields === undefined) throw new WrongUse('Standard input is not a flat XML document.')
  return fields
}

async function documentFields(document: Uint8Array): Promise<Fields | undefined> {
  const { readXml, XmlError } = await import('../wechat/v2/xml.js')
  try {
    return readXml(document, { bytesMax: INPUT_BYTES_MAX })
  } catch (error) {
    if (error instanceof XmlError) return undefined
    throw error
  }
}

function answer(file: string | undefined, value: object, sentence: string): void {
  if (file === undefined) process.stdout.write(`${sentence}\n`)
  else if (file === '-') process.stdout.write(`${JSON.stringify(value)}\n`)
  else writeJson(file, value)
}

function writeJson(file: string, value: object): void {
  try {
    writeFileSync(file, `${JSON.stringify(value)}\n`)
  } catch {
    throw new WrongUse('The file of --json cannot be written.')
  }
}
