import type { Database, Queryable } from '../db/pool.js'
import {
  dropOldAttempts,
  dropOldBodies,
  ensureAttemptPartitions,
  ensureBodyPartitions,
  eraseOldPayers,
  forgetOldDeliveries,
  forgetOldKeys,
} from '../db/retention.js'

const BATCH_MAX = 1_000
/** With a tick an hour this is far more than a day brings; what is left waits for the next. */
const BATCHES_MAX = 200

export interface RetentionDependencies {
  readonly database: Database
  readonly clock: { now(): Date }
  readonly onError: (error: unknown) => void
}

type Step = (db: Queryable, now: Date) => Promise<number>

const inBatches =
  (work: (db: Queryable, now: Date, limit: number) => Promise<number>): Step =>
  async (db, now) => {
    let total = 0
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const count = await work(db, now, BATCH_MAX)
      total += count
      if (count < BATCH_MAX) break
    }
    return total
  }

/** Partitions are made first, so that nothing that fails behind them lets a month go without. */
const STEPS: readonly Step[] = [
  ensureBodyPartitions,
  ensureAttemptPartitions,
  dropOldBodies,
  dropOldAttempts,
  inBatches(forgetOldDeliveries),
  inBatches(forgetOldKeys),
  inBatches(eraseOldPayers),
]

/**
 * Removes what is past its time and makes room for what comes. Several workers may do it at once;
 * a step that fails is reported, does not keep the others from theirs, and comes again.
 * @returns how many partitions and rows were made, removed or erased
 */
export function createRetention({ database, clock, onError }: RetentionDependencies) {
  return async function tick(): Promise<number> {
    let changed = 0
    for (const step of STEPS) {
      changed += await step(database, clock.now()).catch((error: unknown) => {
        onError(error)
        return 0
      })
    }
    return changed
  }
}
