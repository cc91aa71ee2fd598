import { ApplicationFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import type { OpenAccount } from '../../src/activities/dependencies.js'
import { createActivities, type Activities } from '../../src/activities/index.js'
import type { Seed } from './seed.js'
import type { StubChannel } from './stub-channel.js'

/** Every activity on a seeded database, with a channel that answers what the test says. */
export function createTestActivities(seed: Seed, channel: StubChannel): Activities {
  const open: OpenAccount = { account: seed.account, channel }
  return createActivities({
    database: seed.worker,
    envelope: seed.envelope,
    clock: seed.clock,
    notifyBaseUrl: 'https://pay.example.com',
    openAccount: async () => open,
  })
}

// Failing is how an activity asks for another attempt; a test has no use for a warning about it.
const logger = new DefaultLogger('ERROR')

/** Runs an activity in a context of its own, as its first attempt unless told otherwise. */
export function runActivity<Arguments extends unknown[], Result>(
  activity: (...args: Arguments) => Promise<Result>,
  args: Arguments,
  { attempt = 1, isLocal = false }: { readonly attempt?: number; readonly isLocal?: boolean } = {},
): Promise<Result> {
  return new MockActivityEnvironment({ attempt, isLocal }, { logger }).run(activity, ...args)
}

/** What an attempt failed with, as far as it decides what happens next. */
export interface Failure {
  readonly type: string
  readonly retryMs: number
  readonly benign: boolean
}

/** @throws whatever else the activity does than failing with an ApplicationFailure. */
export async function failureOf(attempt: Promise<unknown>): Promise<Failure> {
  const failure = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(failure instanceof ApplicationFailure)) throw failure ?? new Error('It did not fail.')
  return {
    type: failure.type ?? '',
    retryMs: Number(failure.nextRetryDelay ?? 0),
    benign: failure.category === 'BENIGN',
  }
}
