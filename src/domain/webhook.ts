/** What becomes of an event that is sent to a merchant's server: the rules, without the sending. */

export const DELIVERY_STATES = ['pending', 'delivered', 'dead', 'skipped'] as const
export type DeliveryState = (typeof DELIVERY_STATES)[number]

/** The shape of what is sent; an endpoint keeps the one it was made with. */
export const WEBHOOK_API_VERSION = 'v1'

/** Why nothing was answered, or why nothing was asked. */
export type SendError =
  | 'address_refused'
  | 'url_refused'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'connection_closed'

/** How one try went: an HTTP status, or why there is none. */
export type SendResult =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** The header as it came. */
      readonly retryAfter?: string
      /** The beginning of the body. */
      readonly answer: Buffer
    }
  | { readonly kind: 'failed'; readonly error: SendError }

/** `gone` is the receiver's word that it wants nothing more: the endpoint is switched off. */
export type SendVerdict = 'delivered' | 'again' | 'dead' | 'gone'

const AGAIN_STATUSES: ReadonlySet<number> = new Set([408, 425, 429])
const GONE = 410

/** What a try means. A redirect is not followed, because it leads where nobody has looked. */
export function judgeSend(result: SendResult): SendVerdict {
  if (result.kind === 'failed') {
    const refused = result.error === 'address_refused' || result.error === 'url_refused'
    return refused ? 'dead' : 'again'
  }
  const { status } = result
  if (status >= 200 && status < 300) return 'delivered'
  if (status === GONE) return 'gone'
  return AGAIN_STATUSES.has(status) || status >= 500 ? 'again' : 'dead'
}

/** For how long an event is tried, from its first try. */
export const DELIVERY_PATIENCE_MS = 3 * 86_400_000

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** The waits after the first try, the second, and so on; the last fits into three days. */
export const DELIVERY_WAITS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
  12 * HOUR_MS,
  12 * HOUR_MS,
  12 * HOUR_MS,
  12 * HOUR_MS,
  6 * HOUR_MS,
]

/** A receiver may ask for this long at most, or one answer would end all tries. */
export const RETRY_AFTER_MAX_MS = 24 * HOUR_MS
const JITTER = 0.05

export interface TriesSoFar {
  /** Including the one that just failed. */
  readonly tries: number
  readonly firstTriedAt: Date
  readonly now: Date
  /** The header `Retry-After` of the answer. */
  readonly retryAfter?: string | undefined
  /** From 0 to 1, so that many receivers are not asked at one instant. */
  readonly random: number
}

/** When a failed event is tried again, or undefined when its three days are over. */
export function nextTryAt(so: TriesSoFar): Date | undefined {
  const waitMs = DELIVERY_WAITS_MS[so.tries - 1]
  if (waitMs === undefined) return undefined
  const jittered = waitMs * (1 - JITTER + 2 * JITTER * so.random)
  const asked = Math.min(retryAfterMs(so.retryAfter, so.now), RETRY_AFTER_MAX_MS)
  const at = so.now.getTime() + Math.round(Math.max(jittered, asked))
  return at > so.firstTriedAt.getTime() + DELIVERY_PATIENCE_MS ? undefined : new Date(at)
}

/** RFC 9110: a number of seconds or a date; anything else asks for nothing. */
function retryAfterMs(header: string | undefined, now: Date): number {
  const text = header?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND_MS
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? 0 : Math.max(0, at - now.getTime())
}
