import type { DeliveryState } from '../domain/webhook.js'
import type { Cursor } from './payments.js'
import { only, sql, type Queryable } from './pool.js'

/** The delivery log as merchants see it, and what they may ask of it. */
export interface WebhookDeliveryRow {
  readonly id: string
  readonly endpointId: string
  readonly merchantId: string
  readonly eventId: string
  readonly type: string
  readonly paymentId: string | null
  readonly sequence: number | null
  readonly body: string
  readonly state: DeliveryState
  readonly nextAt: Date
  readonly attemptCount: number
  readonly finishedAt: Date | null
  readonly createdAt: Date
}

const COLUMNS = `id, endpoint_id as "endpointId", merchant_id as "merchantId",
  event_id as "eventId", type, payment_id as "paymentId", sequence, body, state,
  next_at as "nextAt", attempt_count as "attemptCount", finished_at as "finishedAt",
  created_at as "createdAt"`

const BY_ID = sql(
  'webhook_deliveries_by_id',
  `select ${COLUMNS} from webhook_deliveries where id = $1`,
)

export async function findWebhookDelivery(
  db: Queryable,
  id: string,
): Promise<WebhookDeliveryRow | undefined> {
  return (await db.rows<WebhookDeliveryRow>(BY_ID, [id]))[0]
}

const LIST = sql(
  'webhook_deliveries_list',
  `select ${COLUMNS} from webhook_deliveries
   where merchant_id = $1 and ($2::text is null or state = $2)
     and ($3::uuid is null or endpoint_id = $3) and ($4::uuid is null or payment_id = $4)
     and ($5::timestamptz is null or (created_at, id) < ($5, $6::uuid))
   order by created_at desc, id desc limit $7`,
)

export interface WebhookDeliveriesQuery {
  readonly merchantId: string
  readonly state?: DeliveryState | undefined
  readonly endpointId?: string | undefined
  readonly paymentId?: string | undefined
  readonly after?: Cursor | undefined
  readonly limit: number
}

export async function listWebhookDeliveries(
  db: Queryable,
  query: WebhookDeliveriesQuery,
): Promise<WebhookDeliveryRow[]> {
  const { merchantId, state, endpointId, paymentId, after, limit } = query
  const values = [merchantId, state, endpointId, paymentId, after?.createdAt, after?.id, limit]
  return db.rows<WebhookDeliveryRow>(LIST, values)
}

export interface WebhookAttemptRow {
  readonly n: number
  readonly startedAt: Date
  readonly durationMs: number
  readonly status: number | null
  readonly error: string | null
  readonly answer: Buffer | null
}

const ATTEMPTS = sql(
  'webhook_attempts_of',
  `select n, started_at as "startedAt", duration_ms as "durationMs", status, error, answer
   from webhook_attempts where delivery_id = $1 order by n`,
)

/** Each try of a delivery, oldest first; a number is missing where a worker died with it. */
export async function webhookAttemptsOf(
  db: Queryable,
  deliveryId: string,
): Promise<WebhookAttemptRow[]> {
  return db.rows<WebhookAttemptRow>(ATTEMPTS, [deliveryId])
}

const REPLAY = sql('webhook_deliveries_replay', 'select replay_webhook_delivery($1, $2) as done')

/**
 * Makes a delivery due now, with three days of its own.
 * @returns false when its endpoint is switched off or deleted
 */
export async function replayWebhookDelivery(
  db: Queryable,
  id: string,
  now: Date,
): Promise<boolean> {
  return only(await db.rows<{ done: boolean }>(REPLAY, [id, now])).done
}

const PING = sql('webhook_deliveries_ping', 'select add_webhook_ping($1, $2, $3, $4, $5) as done')

/** Adds an event that tells of nothing. @returns false when the endpoint is switched off */
export async function addWebhookPing(
  db: Queryable,
  ping: {
    readonly id: string
    readonly eventId: string
    readonly endpointId: string
    readonly body: string
    readonly now: Date
  },
): Promise<boolean> {
  const { id, eventId, endpointId, body, now } = ping
  return only(await db.rows<{ done: boolean }>(PING, [id, eventId, endpointId, body, now])).done
}
