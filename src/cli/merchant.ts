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

/** `yuanlu merchant`: adds one, looks whether it could work, gives it new secrets. */
export function registerMerchantCommand(program: Command): void {
  const merchant = program.command('merchant').description('who takes part')
  merchant
    .command('add')
    .description('add a merchant with its channel account; its secrets are stored encrypted')
    .requiredOption('--file <file>', 'JSON of the merchant; - is standard input')
    .option('--json <file>', 'write what was added as JSON to a file; - is standard output')
    .action(add)
  merchant
    .command('verify')
    .description('whether a merchant could take a payment and give it back; changes nothing')
    .argument('<id>', 'the merchant')
    .option('--json <file>', 'write what was found as JSON to a file; - is standard output')
    .action(verify)
  merchant
    .command('rotate')
    .description('give an account a new key or certificate, beside the present one')
    .argument('<id>', 'the merchant')
    .requiredOption('--file <file>', 'JSON {mchId?, apiV2Key?, certificate?}; - is standard input')
    .action(rotate)
}

async function add(options: AddOptions, command: Command): Promise<void> {
  const [{ withSecrets }, { addMerchant }, { parseMerchant }] = await Promise.all([
    import('./with-secrets.js'),
    import('./merchants.js'),
    import('./merchant-input.js'),
  ])
  await withSecrets(async (database, envelope) => {
    const input = await readParsed(options.file, command, parseMerchant)
    const added = await addMerchant(database, envelope, input)
    announce(options.json, input, added)
    if (options.json !== '-') await tellCertificate(added)
  })
}

/** Reads the file and has it parsed; what is wrong with it is wrong use. */
async function readParsed<T>(
  file: string,
  command: Command,
  parse: (value: unknown) => T,
): Promise<T> {
  const { InputError } = await import('./merchant-input.js')
  const value = parseJson(await readInput(file, command), command)
  try {
    return parse(value)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return command.error(error.message, WRONG_USE)
  }
}

async function verify(id: string, options: { readonly json?: string }): Promise<void> {
  const [{ doctorConfig }, { examineMerchant }, { tell }] = await Promise.all([
    import('./doctor/config.js'),
    import('./doctor/examine-merchant.js'),
    import('./doctor/tell.js'),
  ])
  const config = doctorConfig()
  process.exitCode = tell(await examineMerchant(config, id), config.language, options.json)
}

async function rotate(
  id: string,
  options: { readonly file: string },
  command: Command,
): Promise<void> {
  const [{ doctorConfig }, { parseRotation }, { rotateAndTell }] = await Promise.all([
    import('./doctor/config.js'),
    import('./merchant-input.js'),
    import('./merchant-rotate-told.js'),
  ])
  const rotation = await readParsed(options.file, command, parseRotation)
  process.exitCode = await rotateAndTell(id, rotation, doctorConfig().language)
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

async function tellCertificate({ certificate }: AddedMerchant): Promise<void> {
  if (certificate === undefined) return
  const [{ upConfig }, { certificateSentence }] = await Promise.all([
    import('../config.js'),
    import('./certificate-words.js'),
  ])
  const imported = { outcome: 'imported', certificate } as const
  process.stdout.write(`${certificateSentence(imported, upConfig().language)}\n`)
}
