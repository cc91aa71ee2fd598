import { positionEvents } from '../db/outbox-stream.js'
import type { Database } from '../db/pool.js'
import { checkpointBalances } from './checkpoints.js'
import { sealEntries } from './seal.js'
import type { SealingKey } from './seal-key.js'

/** A seal is written when this many entries wait, or a second has passed. */
const ENTRIES_MAX = 5_000
const EVENTS_MAX = 5_000
/** Then the loop looks up, so that a worker that is told to stop stops. */
const ROUNDS_MAX = 20
const BEIJING_OFFSET_MS = 8 * 3_600_000

export interface SealerDependencies {
  readonly database: Database
  /** Without one nothing is sealed, and events still get their positions. */
  readonly key: SealingKey | undefined
  readonly clock: { now(): Date }
}

/**
 * Gives events their places in the stream, seals what was posted since the last tick, and writes
 * the balances of each Beijing day that is over.
 * @returns a tick for a loop; it answers how many entries were sealed
 */
export function createSealer({ database, key, clock }: SealerDependencies) {
  let checkpointedOn = ''

  return async function tick(): Promise<number> {
    await untilFewer(EVENTS_MAX, () => positionEvents(database, EVENTS_MAX))
    if (key === undefined) return 0
    const sealed = await untilFewer(ENTRIES_MAX, () =>
      sealEntries(database, { key, entriesMax: ENTRIES_MAX, now: clock.now() }),
    )
    await checkpoint(clock.now())
    return sealed
  }

  async function checkpoint(now: Date): Promise<void> {
    const today = beijingDayOf(now)
    if (today === checkpointedOn) return
    await checkpointBalances(database, now)
    checkpointedOn = today
  }
}

/** Repeats while rounds are full; what is left then comes with the next tick. */
async function untilFewer(full: number, round: () => Promise<number>): Promise<number> {
  let sum = 0
  for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
    const done = await round()
    sum += done
    if (done < full) break
  }
  return sum
}

const beijingDayOf = (at: Date): string =>
  new Date(at.getTime() + BEIJING_OFFSET_MS).toISOString().slice(0, 10)
