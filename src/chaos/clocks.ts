import { readFile, rm, writeFile } from 'node:fs/promises'

import { until } from '../cli/up/until.js'
import type { Fleet } from './fleet.js'
import { seenFile } from './processes/shifted-clock.js'

/** A process whose clock can be set wrong. */
export interface ShiftableProcess {
  readonly name: string
  /** Says by how many milliseconds; the process reads it at SIGUSR2 and when it starts. */
  readonly clockFile: string
}

const SEEN_WITHIN_MS = 10_000

/** Sets the clock of a running process and waits until it goes by it. */
export async function shiftClock(
  fleet: Pick<Fleet, 'signal'>,
  { name, clockFile }: ShiftableProcess,
  shiftMs: number,
): Promise<void> {
  await writeFile(clockFile, String(shiftMs))
  await rm(seenFile(clockFile), { force: true })
  fleet.signal(name, 'SIGUSR2')
  const ask = async (): Promise<true | undefined> =>
    (await readFile(seenFile(clockFile), 'utf8').catch(() => '')) === String(shiftMs) || undefined
  const { signal } = new AbortController()
  await until(ask, { what: `The clock of ${name} is set`, timeoutMs: SEEN_WITHIN_MS, signal })
}
