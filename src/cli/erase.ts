import { writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'

import type { Command } from 'commander'

import type { Erasure } from './erase-payer.js'

interface EraseOptions {
  readonly merchant: string
  readonly openid: string
  readonly dryRun?: boolean
  readonly json?: string
}

const EXIT_NO = 1

/** `yuanlu erase`: takes a buyer out of everything that is stored, and leaves the book as it is. */
export function registerEraseCommand(program: Command): void {
  program
    .command('erase')
    .description('erase a buyer from the payments of a merchant; the book is not touched')
    .requiredOption('--merchant <id>', 'whose buyer it is')
    .requiredOption('--openid <openid>', 'who is erased; - reads it from standard input')
    .option('--dry-run', 'only say what would be erased')
    .option('--json <file>', 'write what was erased as JSON to a file; - is standard output')
    .action(erase)
}

async function erase(options: EraseOptions, command: Command): Promise<void> {
  const [{ InputError }, { merchantConfig }, { Database }, { Envelope }, { erasePayerOf }] =
    await Promise.all([
      import('./merchant-input.js'),
      import('../config.js'),
      import('../db/pool.js'),
      import('../db/envelope.js'),
      import('./erase-payer.js'),
    ])
  const { ownerUrl, masterKey } = merchantConfig()
  const openid = options.openid === '-' ? (await text(process.stdin)).trim() : options.openid
  const database = new Database({
    url: ownerUrl.reveal(),
    connectionsMax: 1,
    applicationName: 'yuanlu-erase',
  })
  try {
    const envelope = new Envelope(masterKey.reveal())
    const { merchant: merchantId, dryRun: isDryRun = false } = options
    const erasure = await erasePayerOf(database, envelope, { merchantId, openid, isDryRun })
    announce(options.json, erasure)
    if (erasure.open > 0) process.exitCode = EXIT_NO
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    command.error(error.message, { exitCode: 2, code: 'yuanlu.wrongUse' })
  } finally {
    await database.close()
  }
}

function announce(jsonTarget: string | undefined, erasure: Erasure): void {
  const line = `${JSON.stringify(erasure)}\n`
  if (jsonTarget === '-') process.stdout.write(line)
  else if (jsonTarget === undefined) process.stdout.write(`${sentences(erasure)}\n`)
  else writeFileSync(jsonTarget, line)
}

function sentences({ isDryRun, payments, bodies, open }: Erasure): string {
  const verb = isDryRun ? 'Would erase' : 'Erased'
  const done = `${verb} the buyer from payments: ${payments}, stored notifications: ${bodies}.`
  const left = `Payments still open: ${open}. Run it again when they are over.`
  return open === 0 ? done : `${done}\n${left}`
}
