import { afterAll, beforeAll } from 'vitest'

import type { Activities } from '../../src/activities/index.js'
import { createTestDatabase } from './database.js'
import { createTestActivities } from './run-activity.js'
import { Seed, TestClock, type SeedOptions } from './seed.js'
import { StubChannel } from './stub-channel.js'

/** What a file of activity tests shares; its parts are there once `beforeAll` has run. */
export interface Workshop {
  readonly seed: Seed
  readonly clock: TestClock
  readonly channel: StubChannel
  readonly activities: Activities
}

/** Gives a test file a database, a clock that stands still and a channel of its own. */
export function useWorkshop(options: Omit<SeedOptions, 'clock'> = {}): Workshop {
  const clock = new TestClock('2026-03-01T10:00:00Z')
  const channel = new StubChannel()
  let made: Pick<Workshop, 'seed' | 'activities'> | undefined
  let drop: () => Promise<void> = () => Promise.resolve()
  beforeAll(async () => {
    const database = await createTestDatabase()
    const seed = await Seed.create(database, { ...options, clock })
    made = { seed, activities: createTestActivities(seed, channel) }
    drop = async () => {
      await seed.close()
      await database.drop()
    }
  })
  afterAll(() => drop())
  const ready = () => {
    if (made === undefined) throw new Error('The workshop opens when the tests begin.')
    return made
  }
  return {
    clock,
    channel,
    get seed() {
      return ready().seed
    },
    get activities() {
      return ready().activities
    },
  }
}
