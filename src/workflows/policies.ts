import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow'

/** How each kind of work is run, named by intent; no workflow writes a time-out of its own. */

/**
 * One transaction on our own database. It is repeated without bound, because giving up would end a
 * workflow that money depends on.
 */
export const DATABASE: LocalActivityOptions = {
  startToCloseTimeout: '30 s',
  retry: { initialInterval: '200 ms', backoffCoefficient: 2, maximumInterval: '10 s' },
}

/**
 * The one quick try of a channel call that a person or a notification waits for. It is never
 * repeated as it is: what does not answer goes to the channel's own queue.
 */
export const QUICK_TRY: LocalActivityOptions = {
  startToCloseTimeout: '1500 ms',
  retry: { maximumAttempts: 1 },
}

/**
 * A question that a person waits for: asked once, and told as unanswered in time for them to hear
 * it.
 */
export const PROMPT: ActivityOptions = {
  startToCloseTimeout: '6 s',
  scheduleToCloseTimeout: '7 s',
  retry: { maximumAttempts: 1 },
}

/**
 * A channel call on the queue of its own. An attempt may take as long as the slowest time-out; a
 * worker that died is noticed by the missing heartbeat. The activity says itself when it wants to
 * be asked again (`nextRetryDelay`); the policy below is for what it did not foresee. Attempts
 * count through all of a long question: one that lost its worker waits for the longest interval.
 */
export const CHANNEL: ActivityOptions = {
  startToCloseTimeout: '90 s',
  heartbeatTimeout: '12 s',
  retry: { initialInterval: '2 s', backoffCoefficient: 2, maximumInterval: '30 s' },
}

/** After a closing that settled nothing, the channel is asked again this much later. */
export const CLOSE_AGAIN_MS = 10 * 60_000
