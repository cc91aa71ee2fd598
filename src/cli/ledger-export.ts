import { existsSync, writeFileSync } from 'node:fs'

import type { Command } from 'commander'

import { auditorConfig, sealerConfig } from '../config.js'
import { Database } from '../db/pool.js'
import { exportBook } from '../ledger/export.js'
import { publicKeyPem, SealingKey } from '../ledger/seal-key.js'
import { createProgressBar } from './progress-bar.js'

/** Nobody waits for a long command as for an answer, and the machine may be busy with others. */
const CONNECT_TIMEOUT_MS = 120_000

/** `yuanlu ledger export FILE` */
export async function runExport(
  file: string,
  { json }: { readonly json?: string },
  command: Command,
): Promise<void> {
  if (existsSync(file)) {
    command.error(`${file} is there already.`, { exitCode: 2, code: 'yuanlu.wrongUse' })
  }
  const database = openAuditor()
  try {
    const rows = await exportBook(database, file, createProgressBar('Exporting'))
    const answer = `${JSON.stringify({ file, rows })}\n`
    if (json === '-') process.stdout.write(answer)
    else process.stdout.write(`Wrote ${rows} rows to ${file}.\n`)
    if (json !== undefined && json !== '-') writeFileSync(json, answer)
  } finally {
    await database.close()
  }
}

/** `yuanlu ledger public-key` */
export function runPublicKey(): void {
  const key = new SealingKey(sealerConfig().ledgerKey.reveal())
  process.stdout.write(publicKeyPem(key.publicKey))
}

/** The book as the role that can only read it. */
export function openAuditor(): Database {
  return new Database({
    url: auditorConfig().databaseUrl.reveal(),
    connectionsMax: 1,
    applicationName: 'yuanlu-ledger',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  })
}
