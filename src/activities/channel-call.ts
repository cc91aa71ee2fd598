import { Context } from '@temporalio/activity'
import { refuseInsideTransaction } from '../db/transaction-scope.js'

const HEARTBEAT_MS = 4_000

/** Which try of the activity this is, from 1. */
export const activityAttempt = (): number => Context.current().info.attempt

/** True in the one try of a channel call that runs as a local activity, beside the settling. */
export const isQuickTry = (): boolean => Context.current().info.isLocal

/**
 * Runs one call to the channel inside an activity: it is aborted when the activity is, and a
 * heartbeat tells that the worker lives while a slow answer is waited for. A call that answers
 * before the first heartbeat costs none.
 * @throws Error inside a transaction, which must not wait for anybody's network
 */
export async function callChannel<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
  refuseInsideTransaction('A call to the channel')
  const context = Context.current()
  const beat = setInterval(() => context.heartbeat(), HEARTBEAT_MS)
  try {
    return await call(context.cancellationSignal)
  } finally {
    clearInterval(beat)
  }
}
