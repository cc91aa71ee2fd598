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

/** While an account is on hold, one of its refunds is sent this often to see whether it is over. */
export const HOLD_PROBE_MS = 5 * MINUTE

/**
 * Refunds a second per account that may be sent, and that may be refused; WeChat Pay V2, limits of
 * refund. A second's worth may be used at once.
 */
export const REFUND_RATES = { sends: 150, failures: 6 } as const

/** A refund that takes longer than this is asked for by a loop, which costs no history events. */
export const SLOW_REFUND_MS = HOUR

/** After this long a number that the channel does not know was never taken by it. */
export const NEVER_TAKEN_MS = 24 * HOUR

/** The channel's own word, as proof for a person's decision, is no older than this; unscaled. */
export const PROOF_FRESH_MS = MINUTE

/** A channel that says "too many" is left alone for a minute. */
export const RATE_LIMITED_WAIT_MS = MINUTE

/** A front end may be signed again for a prepay_id this young; WeChat lets it live two hours. */
export const PREPAY_FRESH_MS = 110 * MINUTE

/**
 * How old an order is when it is asked for, in seconds: each time half as old again, so that a
 * lost notification costs about half of the time the buyer took, in 13 questions for half an hour.
 */
const ORDER_QUERIES_S = [13, 21, 32, 47, 69, 101, 149, 219, 322, 473, 695, 1_022, 1_502]
const ORDER_QUERY_GROWTH = 1.47
const ORDER_QUERY_WAIT_MS_MAX = 12 * HOUR
const ORDER_QUERIES_GROWING_MAX = 60

const UNKNOWN_ANSWERS_MS = [2 * SECOND, 5 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE]
const REFUND_QUERIES_MS = [
  ...[1, 1, 1, 1, 1].map((minutes) => minutes * MINUTE),
  ...[5, 10, 20, 30].map((minutes) => minutes * MINUTE),
]

const nth = (waits: readonly number[], count: number): number =>
  waits[Math.min(Math.max(count, 0), waits.length - 1)] ?? MINUTE

/** How old an order is at its question of this number, from 0; 0 before the first. */
function orderQueryAgeMs(count: number): number {
  if (count < 0) return 0
  const last = ORDER_QUERIES_S.length - 1
  const seconds = ORDER_QUERIES_S[Math.min(count, last)] ?? 0
  const grown = seconds * ORDER_QUERY_GROWTH ** Math.max(count - last, 0)
  return Math.round(grown) * SECOND
}

/**
 * The wait before an order is asked for again, in the channel's time.
 * @param count how often it was asked for
 * @param ageMs how old it is: a question that came late does not put off the next. Where that is
 *   over already, because nobody asked for long, the usual distance is kept
 */
export function orderQueryWaitMs(count: number, ageMs = orderQueryAgeMs(count - 1)): number {
  // So many questions are far apart: nobody has to compute how old such an order is.
  if (count > ORDER_QUERIES_GROWING_MAX) return ORDER_QUERY_WAIT_MS_MAX
  const age = orderQueryAgeMs(Math.max(count, 0))
  const waitMs = age > ageMs ? age - ageMs : age - orderQueryAgeMs(count - 1)
  return Math.min(waitMs, ORDER_QUERY_WAIT_MS_MAX)
}

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
