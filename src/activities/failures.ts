import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import type { ChannelReason } from '../domain/channel.js'

/**
 * The one translator of what went wrong, or is not over yet, into Temporal's failures. Nothing here
 * ends a workflow: a channel's answer is an outcome, and a failure only says when to ask again.
 */

/** Not an error: the answer is not final, so the activity asks again after a while. */
export function askAgain(type: string, message: string, delayMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nextRetryDelay: delayMs,
    category: ApplicationFailureCategory.BENIGN,
  })
}

/** The channel did not answer, or not so that anything can be concluded: same number again. */
export function unknownAnswer(reason: ChannelReason, delayMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: reason.code,
    message: `The outcome is unknown: ${reason.message}`,
    nextRetryDelay: delayMs,
  })
}

/** The account's channel is slow, so the quick try is not made: its own queue has the patience. */
export const breakerOpen = (): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'BreakerOpen',
    message: "The channel is slow; the order is placed from the channel's own queue.",
    nonRetryable: true,
    category: ApplicationFailureCategory.BENIGN,
  })

const NO_CREDENTIALS = 'NO_CREDENTIALS'

/** The account's secrets are missing or unusable, so nothing can be said to the channel for now. */
export const noCredentials = (accountId: string): ApplicationFailure =>
  ApplicationFailure.create({
    type: NO_CREDENTIALS,
    message: `Channel account ${accountId} has no credentials that can be used.`,
    nextRetryDelay: 60_000,
  })

/** True for the failure that `noCredentials` makes. */
export const isNoCredentials = (error: unknown): boolean =>
  error instanceof ApplicationFailure && error.type === NO_CREDENTIALS

/** A row that an id names does not exist: somebody else's id, or another database. */
export function noSuchRow(kind: string, id: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'NO_SUCH_ROW',
    message: `There is no ${kind} ${id} in this database.`,
    nextRetryDelay: 60_000,
  })
}
