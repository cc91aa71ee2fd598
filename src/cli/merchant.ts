import { readFileSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

import type { Command } from 'commander'

import type { MerchantInput } from './merchant-input.js'
import type { AddedMerchant } from './merchants.js'

interface AddOptions {
  readonly file: string
  readonly json?: string
}

const WRONG_USE = { exitCode: 2, code: 'yuanlu.wrongUse' } as const

/** `yuanlu merchant add`: a merchant with its channel account, from a file. */
export function registerMerchantCommand(program: Command): void {
  program
    .command('merchant')
    .description('who takes part')
    .command('add')
    .description('add a merchant with its channel account; its secrets are stored encrypted')
    .requiredOption('--file <file>', 'JSON of the merchant; - is standard input')
    .option('--json <file>', 'write what was added as JSON to a file; - is standard output')
    .action(add)
}

async function add(options: AddOptions, command: Command): Promise<void> {
  const [{ merchantConfig }, { Database }, { Envelope }, { addMerchant }] = await Promise.all([
    import('../config.js'),
    import('../db/pool.js'),
    import('../db/envelope.js'),
    import('./merchants.js'),
  ])
  const config = merchantConfig()
  const input = await readMerchant(options.file, command)
  const database = new Database({
    url: config.ownerUrl.reveal(),
    connectionsMax: 1,
    applicationName: 'yuanlu-merchant',
  })
  try {
    const envelope = new Envelope(config.masterKey.reveal())
    const added = await addMerchant(database, envelope, input)
    announce(options.json, input, added)
  } finally {
    await database.close()
  }
}

async function readMerchant(file: string, command: Command): Promise<MerchantInput> {
  const { InputError, parseMerchant } = await import('./merchant-input.js')
  const value = parseJson(await readInput(file, command), command)
  try {
    return parseMerchant(value)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return command.error(error.message, WRONG_USE)
  }
}

async function readInput(file: string, command: Command): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8')
  } catch {
    return command.error('The file of --file cannot be read.', WRONG_USE)
  }
}

/** The parser's own message quotes what it read, which holds secrets. */
function parseJson(json: string, command: Command): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return command.error('The merchant is not valid JSON.', WRONG_USE)
  }
}

function announce(
  jsonTarget: string | undefined,
  input: MerchantInput,
  added: AddedMerchant,
): void {
  const line = `${JSON.stringify(added)}\n`
  if (jsonTarget === '-') {
    process.stdout.write(line)
    return
  }
  if (jsonTarget !== undefined) writeFileSync(jsonTarget, line)
  const { mode, mchId } = input.account
  process.stdout.write(`Added merchant ${added.merchantId} with its ${mode} account ${mchId}\n`)
}
