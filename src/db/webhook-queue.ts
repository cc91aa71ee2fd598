import type { SendResult } from '../domain/webhook.js'
import { sql, type Queryable } from './pool.js'

/** A delivery that this worker has until its lease ends. */
export interface ClaimedDelivery {
  readonly id: string
  readonly endpointId: string
  readonly eventId: string
  readonly url: string
  readonly body: string
  /** Which attempt this is, of all there were; it is also what the claim is known by. */
  readonly attempt: number
  /** Tries in this round, this one included. */
  readonly tries: number
  readonly firstTriedAt: Date
}

// Of the events of one payment only the first that waits may go to an endpoint; each endpoint has
// a share of its own, so that a slow one keeps nobody else waiting.
const CLAIM = sql(
  'webhook_queue_claim',
  `with due as (
     select d.id from webhook_endpoints e cross join lateral (
       select w.id, w.next_at from webhook_deliveries w
       where w.endpoint_id = e.id and w.state = 'pending' and w.next_at <= $1
         and not exists (
           select from webhook_deliveries b
           where b.endpoint_id = w.endpoint_id and b.payment_id = w.payment_id
             and b.state = 'pending' and b.sequence < w.sequence)
       order by w.next_at, w.id
       limit greatest(0, $4 - (
         select count(*) from webhook_deliveries l
         where l.endpoint_id = e.id and l.state = 'pending' and l.leased_until > $1))
       for update of w skip locked) d
     where e.enabled and e.deleted_at is null
     order by d.next_at, d.id limit $3)
   update webhook_deliveries d set leased_until = $2, next_at = $2,
     attempt_count = attempt_count + 1, tries = tries + 1,
     first_tried_at = coalesce(first_tried_at, $1)
   from due, webhook_endpoints e where d.id = due.id and e.id = d.endpoint_id
   returning d.id, d.endpoint_id as "endpointId", d.event_id as "eventId", e.url, d.body,
     d.attempt_count as attempt, d.tries, d.first_tried_at as "firstTriedAt"`,
)

/**
 * Claims what is due, at most `limit` in all and `perEndpoint` under way for each endpoint.
 * A claim that is not finished by `leaseUntil` is due again then: a killed worker loses nothing.
 */
export async function claimDeliveries(
  db: Queryable,
  claim: {
    readonly now: Date
    readonly leaseUntil: Date
    readonly limit: number
    readonly perEndpoint: number
  },
): Promise<ClaimedDelivery[]> {
  const { now, leaseUntil, limit, perEndpoint } = claim
  return db.rows<ClaimedDelivery>(CLAIM, [now, leaseUntil, limit, perEndpoint])
}

// What waits behind it in its line goes when it goes: at once when it has ended, and not before
// the next try otherwise. Who comes late, or after the endpoint was switched off, ends nothing new.
const FINISH = sql(
  'webhook_queue_finish',
  `with logged as (
     insert into webhook_attempts (delivery_id, n, started_at, duration_ms, status, error, answer)
     values ($1, $2, $5, $6, $7, $8, $9)
   ), finished as (
     update webhook_deliveries set leased_until = null,
       state = case when state = 'skipped' and $3 = 'pending' then state else $3 end,
       next_at = coalesce($4, next_at),
       finished_at = case when state = 'pending' and $3 = 'pending' then null
         else $10::timestamptz end
     where id = $1 and attempt_count = $2 and state in ('pending', 'skipped')
     returning endpoint_id, payment_id, sequence, coalesce($4, $10::timestamptz) as go_on_at
   )
   update webhook_deliveries d set next_at = f.go_on_at from finished f
   where d.endpoint_id = f.endpoint_id and d.payment_id = f.payment_id
     and d.sequence > f.sequence and d.state = 'pending'`,
)

export interface FinishedAttempt {
  readonly deliveryId: string
  readonly attempt: number
  readonly startedAt: Date
  readonly durationMs: number
  readonly result: SendResult
  readonly state: 'delivered' | 'dead' | 'pending'
  /** When it is tried again, for one that stays pending. */
  readonly nextAt: Date | null
  readonly now: Date
}

/** Writes how a try went and what becomes of the delivery. */
export async function finishAttempt(db: Queryable, attempt: FinishedAttempt): Promise<void> {
  const { deliveryId, state, nextAt, startedAt, durationMs, result, now } = attempt
  const [status, error, answer] =
    result.kind === 'answered' ? [result.status, null, result.answer] : [null, result.error, null]
  const tried = [startedAt, durationMs, status, error, answer]
  await db.rows(FINISH, [deliveryId, attempt.attempt, state, nextAt, ...tried, now])
}
