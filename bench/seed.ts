import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { startBenchDatabase } from './support/database.js'

const YUANLU = fileURLToPath(new URL('../bin/yuanlu.mjs', import.meta.url))
const REFUNDS_PER_TEN_PAYMENTS = 3
const LOOK_EVERY_MS = 100
const KIB_OF_MIB = 1024

export interface SeedResult {
  readonly seeded: { readonly seconds: number; readonly peakMib: number }
  readonly verified: {
    readonly entries: number
    readonly seconds: number
    readonly peakMib: number
  }
}

/** Seeds a book by the command itself, then verifies the whole of it by the command itself. */
export async function benchSeed(payments: number): Promise<SeedResult> {
  const server = await startBenchDatabase()
  const environment = {
    YUANLU_DATABASE_URL_OWNER: server.ownerUrl,
    YUANLU_DATABASE_URL_API: server.apiUrl,
    YUANLU_MASTER_KEY: randomBytes(32).toString('base64'),
    YUANLU_LEDGER_KEY: randomBytes(32).toString('base64'),
  }
  try {
    const refunds = Math.floor((payments * REFUNDS_PER_TEN_PAYMENTS) / 10)
    const size = ['--payments', `${payments}`, '--refunds', `${refunds}`, '--json', '-']
    const seeded = await yuanlu(['seed', ...size], environment)
    const verified = await yuanlu(['ledger', 'verify', '--json', '-'], environment)
    return {
      seeded: seeded.answer as SeedResult['seeded'],
      verified: { ...verified, entries: (verified.answer as { entries: number }).entries },
    }
  } finally {
    await server.stop()
  }
}

interface Run {
  readonly answer: unknown
  readonly seconds: number
  readonly peakMib: number
}

/** Runs a command of ours to its end. @throws Error when it answers no */
async function yuanlu(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Run> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [YUANLU, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let peakMib = 0
  const looking = setInterval(() => {
    void peakOf(child.pid).then((mib) => {
      peakMib = Math.max(peakMib, mib)
    })
  }, LOOK_EVERY_MS)
  try {
    const answer = await text(child.stdout)
    const status = await ended
    if (status !== 0) throw new Error(`yuanlu ${args.join(' ')} ended with ${status}.`)
    const seconds = (performance.now() - startedAt) / 1_000
    return { answer: JSON.parse(answer), seconds, peakMib }
  } finally {
    clearInterval(looking)
  }
}

/** The most memory that a process ever had, as Linux tells it; 0 where there is no such file. */
async function peakOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? '0'
  return Math.round(Number(kib) / KIB_OF_MIB)
}
