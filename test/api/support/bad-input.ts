import type { ErrorCode } from '../../../src/domain/errors.js'
import type { Stage } from './stage.js'

/** What stands in the book before the requests are sent. */
export interface Standing {
  /** Paid with 10.00, nothing of it refunded. */
  readonly paidId: string
  readonly paidOutTradeNo: string
  /** Has the Idempotency-Key `used-key` and the orderRef `open-order`, and waits for the buyer. */
  readonly openId: string
  readonly openOutTradeNo: string
  readonly closedId: string
  readonly heldId: string
  /** Of the held money. */
  readonly heldCaseId: string
  /** Wang Wei has looked at it. */
  readonly resolvedCaseId: string
  /** Has fifty refunds of one fen each. */
  readonly fiftyId: string
  /** Of a paid payment, asked for by Li Na a moment ago. */
  readonly pendingRefundId: string
  readonly pendingRefundPaymentId: string
  /** Wang Wei rejected it. */
  readonly rejectedRefundId: string
  /** Sent, and waits for a person. */
  readonly stuckRefundId: string
  /** Paid at another merchant. */
  readonly foreignId: string
  readonly accountId: string
  /** Switched off. */
  readonly endpointId: string
  readonly notifyToken: string
  /** A document with these fields, signed as WeChat Pay signs; `key` instead of the right one. */
  readonly signed: (changes: Readonly<Record<string, string>>, key?: string) => string
  /** What WeChat Pay says of a refund, encrypted as it encrypts. */
  readonly sealed: (changes: Readonly<Record<string, string>>, key?: string) => string
}

/** Whose API key a request bears; `none` bears none. */
export type Client = 'asker' | 'approver' | 'reader' | 'head' | 'live' | 'none'

export interface BadRequest {
  /** Method and path. */
  readonly call: `${'GET' | 'POST'} ${string}`
  readonly as: Client
  readonly idempotencyKey?: string
  /** JSON, or text or bytes as they are. */
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
}

export interface BadInput {
  readonly what: string
  readonly status: number
  /** The problem's code; a refused notification has none, and its reason is counted instead. */
  readonly code: ErrorCode | null
  /** The sample that rises by one. */
  readonly counter: string
  /** The message of the line that is logged. */
  readonly log: 'answered' | 'request failed' | 'notification refused' | 'notification not stored'
  /** What has to be so, beside what stands, for the request to be bad. */
  readonly given?: (stage: Stage) => void | Promise<void>
  readonly request: (standing: Standing) => BadRequest
}

export type Outcome = readonly [status: number, code: ErrorCode]

export const ORDER = {
  amountFen: 1_000,
  description: '青团',
  openid: 'oUpF8uMuAJO2pxb1Q9zNjWeS6o',
}
export const REFUND = { amountFen: 1, reason: 'r', actingUser: 'li.na' }
export const BODY_BYTES_MAX = 64 * 1024
export const NOBODY = '01900000-0000-7000-8000-000000000000'

let count = 0
export const once = (): string => `bad-${(count += 1)}`

/** What has no counter of its own is counted by its route and status. */
export const httpCounter = (method: string, route: string, status: number): string =>
  `http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`

interface RefusedCall {
  readonly route: string
  readonly as: Client
  /** Counts by what was answered, where the call has such a counter. */
  readonly counter?: 'refund_requests_total'
  readonly given?: BadInput['given']
  readonly path: (standing: Standing) => string
  readonly body?: (standing: Standing) => object
}

/** A POST that is refused; its path is the route with an id in it. */
export const refusedCall = (
  what: string,
  [status, code]: Outcome,
  { route, as, counter, given, path, body }: RefusedCall,
): BadInput => ({
  what,
  status,
  code,
  counter: counter ? `${counter}{result="${code}"}` : httpCounter('POST', route, status),
  log: status < 500 ? 'answered' : 'request failed',
  ...(given === undefined ? {} : { given }),
  request: (standing) => ({
    call: `POST ${path(standing)}`,
    as,
    ...(body === undefined ? {} : { body: body(standing) }),
  }),
})
