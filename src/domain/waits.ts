/** Every wait of the engine, in milliseconds of the channel's time. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** The server's timers are no finer than a second. */
export const WAIT_MS_MIN = SECOND

export const PAYMENT_EXPIRY_MS = { least: 5 * MINUTE, usual: 30 * MINUTE, most: 7 * 24 * HOUR }

/** Closing begins a minute after the buyer's time is over, so that a last second payment lands. */
export const CLOSE_GRACE_MS = MINUTE

/** Somebody is typing a password at expiry: ask again, do not close. */
export const PAYING_WAIT_MS = 30 * SECOND

/** How long a refund may wait for a decision. */
export const APPROVAL_DEADLINE_MS = 24 * HOUR

/** WeChat Pay V2, refund: two refunds of one order at least a minute apart; a second to be sure. */
export const REFUND_SPACING_MS = 61 * SECOND

/** A refund the channel has no money for goes again with the same number this often. */
export const INSUFFICIENT_BALANCE_WAIT_MS = 10 * MINUTE

/** A channel that says "too many" is left alone for a minute. */
export const RATE_LIMITED_WAIT_MS = MINUTE

/** A front end may be signed again for a prepay_id this young; WeChat lets it live two hours. */
export const PREPAY_FRESH_MS = 110 * MINUTE

const ORDER_QUERIES_MS = [15 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE]
const UNKNOWN_ANSWERS_MS = [2 * SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE]
const REFUND_QUERIES_MS = [
  ...[1, 1, 1, 1, 1].map((minutes) => minutes * MINUTE),
  ...[5, 10, 20, 30].map((minutes) => minutes * MINUTE),
]

const nth = (waits: readonly number[], count: number): number =>
  waits[Math.min(Math.max(count, 0), waits.length - 1)] ?? MINUTE

/** The wait before the order is asked for again, after `count` questions. */
export const orderQueryWaitMs = (count: number): number => nth(ORDER_QUERIES_MS, count)

/** WeChat's own advice: each minute for five minutes, then 5, 10, 20, 30 minutes and on. */
export const refundQueryWaitMs = (count: number): number => nth(REFUND_QUERIES_MS, count)

/** The wait before the same call with the same number is repeated, after `count` tries. */
export const unknownAnswerWaitMs = (count: number): number => nth(UNKNOWN_ANSWERS_MS, count)

/**
 * A wait in our own time: a sandbox whose clock runs 60 times as fast has `timeScale` 1/60.
 * Time-outs and freshness rules are never scaled.
 */
export const scaledMs = (waitMs: number, timeScale: number): number =>
  Math.max(WAIT_MS_MIN, Math.ceil(waitMs * timeScale))
