import { writeFileSync } from 'node:fs'

import { InvalidArgumentError, type Command } from 'commander'

import { createProgressBar } from './progress-bar.js'
import type { Seeded } from './seed/seed-book.js'

interface SeedCommandOptions {
  readonly payments: number
  readonly refunds: number
  readonly merchant: string
  readonly seed: string
  readonly days: number
  readonly until?: Date
  readonly yes?: boolean
  readonly json?: string
}

const PAYMENTS_MAX = 100_000_000
const DAYS_MAX = 400
const REFUNDS_PER_PAYMENT_MAX = 2

/** `yuanlu seed`: fills a book with made-up payments and refunds, as large as one wants. */
export function registerSeedCommand(program: Command): void {
  program
    .command('seed')
    .description('fill a book with a made-up merchant, as large as wanted, valid and sealed')
    .option('--payments <n>', 'how many payments', wholeNumber(1, PAYMENTS_MAX), 10_000)
    .option('--refunds <n>', 'how many refunds, two per payment at most', wholeNumber(0), 2_000)
    .option('--merchant <id>', 'the new merchant they belong to', 'seed')
    .option('--seed <words>', 'the same words give the same book', '1')
    .option('--days <n>', 'over how many days they are spread', wholeNumber(1, DAYS_MAX), DAYS_MAX)
    .option('--until <instant>', 'when the book ends (ISO 8601); now unless given', instant)
    .option('--yes', 'also where NODE_ENV is production')
    .option('--json <file>', 'write what was done as JSON to a file; - is standard output')
    .action(seed)
}

function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
  }
}

function instant(text: string): Date {
  const at = new Date(text)
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(at.getTime())) return at
  throw new InvalidArgumentError('It must be an instant such as 2026-03-01T12:00:00Z.')
}

async function seed(options: SeedCommandOptions, command: Command): Promise<void> {
  const { payments, refunds, merchant: merchantId } = options
  if (refunds > payments * REFUNDS_PER_PAYMENT_MAX) {
    wrongUse(command, 'There can be two refunds per payment at most.')
  }
  const [{ seedConfig }, { Envelope }, { isMerchantId }, { SealingKey }, { seedBook }] =
    await Promise.all([
      import('../config.js'),
      import('../db/envelope.js'),
      import('../domain/ids.js'),
      import('../ledger/seal-key.js'),
      import('./seed/seed-book.js'),
    ])
  if (!isMerchantId(merchantId)) wrongUse(command, 'This cannot be the id of a merchant.')
  const { ownerUrl, masterKey, ledgerKey, nodeEnv } = seedConfig()
  if (nodeEnv === 'production' && options.yes !== true) {
    throw new Error('NODE_ENV is production: say --yes to put made-up payments into this book.')
  }
  const seeded = await seedBook({
    ...options,
    merchantId,
    until: options.until ?? new Date(),
    ownerUrl: ownerUrl.reveal(),
    envelope: new Envelope(masterKey.reveal()),
    key: new SealingKey(ledgerKey.reveal()),
    onProgress: createProgressBar('Seeding'),
  })
  announce(options.json, seeded)
}

function wrongUse(command: Command, sentence: string): never {
  return command.error(sentence, { exitCode: 2, code: 'yuanlu.wrongUse' })
}

function announce(target: string | undefined, seeded: Seeded): void {
  const json = `${JSON.stringify(seeded)}\n`
  if (target === '-') {
    process.stdout.write(json)
    return
  }
  if (target !== undefined) writeFileSync(target, json)
  const { merchantId, payments, refunds, transfers, entries, seals, seconds, peakMib } = seeded
  process.stdout.write(
    `Merchant ${merchantId}: ${payments} payments, ${refunds} refunds, ${transfers} transfers.\n` +
      `The book has ${entries} entries under ${seals} seals. ` +
      `It took ${seconds} s and ${peakMib} MiB at most.\n`,
  )
}
