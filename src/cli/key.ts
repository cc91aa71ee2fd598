import { writeFileSync } from 'node:fs'

import type { Command } from 'commander'

import type { AddedKey } from './merchants.js'

interface AddOptions {
  readonly merchant: string
  readonly name: string
  readonly scopes: string
  readonly json?: string
}

const OWNER_ONLY = 0o600

/** `yuanlu key add`: an API key, printed this one time. */
export function registerKeyCommand(program: Command): void {
  program
    .command('key')
    .description('API keys of merchants')
    .command('add')
    .description('make an API key and print it, once: only its hash is kept')
    .requiredOption('--merchant <id>', 'whose key it is')
    .requiredOption('--name <name>', 'what people call the program that gets it')
    .requiredOption('--scopes <list>', 'what it may do, separated by commas')
    .option('--json <file>', 'write the key as JSON to a file; - is standard output')
    .action(add)
}

async function add(options: AddOptions, command: Command): Promise<void> {
  const [{ InputError }, { ownerConfig }, { Database }, { addKey }] = await Promise.all([
    import('./merchant-input.js'),
    import('../config.js'),
    import('../db/pool.js'),
    import('./merchants.js'),
  ])
  const database = new Database({
    url: ownerConfig().ownerUrl.reveal(),
    connectionsMax: 1,
    applicationName: 'yuanlu-key',
  })
  try {
    const scopes = options.scopes.split(',').map((scope) => scope.trim())
    const { merchant: merchantId, name } = options
    const added = await addKey(database, { merchantId, name, scopes })
    announce(options.json, added)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    command.error(error.message, { exitCode: 2, code: 'yuanlu.wrongUse' })
  } finally {
    await database.close()
  }
}

function announce(jsonTarget: string | undefined, added: AddedKey): void {
  const line = `${JSON.stringify(added)}\n`
  if (jsonTarget === '-') process.stdout.write(line)
  else if (jsonTarget === undefined) process.stdout.write(`${added.key}\n`)
  else writeFileSync(jsonTarget, line, { mode: OWNER_ONLY })
}
