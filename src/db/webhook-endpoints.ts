import type { Envelope } from './envelope.js'
import type { EventType } from './outbox.js'
import type { Cursor } from './payments.js'
import { sql, type Queryable } from './pool.js'
import type { Transaction } from './transaction.js'

export interface WebhookEndpointRow {
  readonly id: string
  readonly merchantId: string
  readonly url: string
  readonly enabled: boolean
  readonly disabledReason: 'by_merchant' | 'gone' | null
  /** Null means every type. */
  readonly eventTypes: readonly EventType[] | null
  readonly livemode: boolean
  readonly apiVersion: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

const COLUMNS = `id, merchant_id as "merchantId", url, enabled,
  disabled_reason as "disabledReason", event_types as "eventTypes", livemode,
  api_version as "apiVersion", created_at as "createdAt", updated_at as "updatedAt"`

/** A merchant has this many endpoints at most: each costs a row for every event. */
export const WEBHOOK_ENDPOINTS_MAX = 16

const INSERT = sql(
  'webhook_endpoints_insert',
  `insert into webhook_endpoints (id, merchant_id, url, event_types, livemode, api_version,
     created_at, updated_at)
   select $1, $2, $3, $4, $5, $6, $7, $7
   where (select count(*) from webhook_endpoints where merchant_id = $2 and deleted_at is null) < $8
   returning ${COLUMNS}`,
)

export interface NewWebhookEndpoint {
  readonly id: string
  readonly merchantId: string
  readonly url: string
  readonly eventTypes: readonly EventType[] | null
  readonly livemode: boolean
  readonly apiVersion: string
  readonly now: Date
}

/** @returns the endpoint, or undefined when the merchant has as many as one may have */
export async function insertWebhookEndpoint(
  db: Queryable,
  endpoint: NewWebhookEndpoint,
): Promise<WebhookEndpointRow | undefined> {
  const { id, merchantId, url, eventTypes, livemode, apiVersion, now } = endpoint
  const values = [id, merchantId, url, eventTypes, livemode, apiVersion, now]
  return (await db.rows<WebhookEndpointRow>(INSERT, [...values, WEBHOOK_ENDPOINTS_MAX]))[0]
}

const BY_ID = sql(
  'webhook_endpoints_by_id',
  `select ${COLUMNS} from webhook_endpoints where id = $1 and deleted_at is null`,
)

export async function findWebhookEndpoint(
  db: Queryable,
  id: string,
): Promise<WebhookEndpointRow | undefined> {
  return (await db.rows<WebhookEndpointRow>(BY_ID, [id]))[0]
}

const LIST = sql(
  'webhook_endpoints_list',
  `select ${COLUMNS} from webhook_endpoints
   where merchant_id = $1 and deleted_at is null
     and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
   order by created_at desc, id desc limit $4`,
)

export async function listWebhookEndpoints(
  db: Queryable,
  { merchantId, after, limit }: WebhookEndpointsQuery,
): Promise<WebhookEndpointRow[]> {
  return db.rows<WebhookEndpointRow>(LIST, [merchantId, after?.createdAt, after?.id, limit])
}

export interface WebhookEndpointsQuery {
  readonly merchantId: string
  readonly after?: Cursor | undefined
  readonly limit: number
}

const UPDATE = sql(
  'webhook_endpoints_update',
  `update webhook_endpoints set url = $2, event_types = $3, enabled = $4, disabled_reason = $5,
     updated_at = $6
   where id = $1 and deleted_at is null returning ${COLUMNS}`,
)

/** Writes what a merchant may change; what is due to an endpoint switched off is skipped. */
export async function updateWebhookEndpoint(
  db: Queryable,
  endpoint: Pick<
    WebhookEndpointRow,
    'id' | 'url' | 'eventTypes' | 'enabled' | 'disabledReason' | 'updatedAt'
  >,
): Promise<WebhookEndpointRow | undefined> {
  const { id, url, eventTypes, enabled, disabledReason, updatedAt } = endpoint
  const values = [id, url, eventTypes, enabled, disabledReason, updatedAt]
  return (await db.rows<WebhookEndpointRow>(UPDATE, values))[0]
}

const GONE = sql(
  'webhook_endpoints_gone',
  `update webhook_endpoints set enabled = false, disabled_reason = 'gone', updated_at = $2
   where id = $1 and enabled`,
)

/** Switches an endpoint off whose server says that it wants nothing more. */
export async function disableGoneEndpoint(db: Queryable, id: string, now: Date): Promise<void> {
  await db.rows(GONE, [id, now])
}

const REMOVE = sql(
  'webhook_endpoints_remove',
  'update webhook_endpoints set deleted_at = $2, updated_at = $2 where id = $1',
)
const REMOVE_SECRETS = sql(
  'webhook_secrets_remove',
  'delete from webhook_secrets where endpoint_id = $1',
)

/** Takes an endpoint away with its secrets; its delivery log stays for its time. */
export async function removeWebhookEndpoint(tx: Transaction, id: string, now: Date): Promise<void> {
  await tx.rows(REMOVE, [id, now])
  await tx.rows(REMOVE_SECRETS, [id])
}

/** What a sealed secret is bound to: a ciphertext moved to another row does not open. */
const contextOf = (endpointId: string, version: number): string =>
  `webhook:${endpointId}:${version}`

const INSERT_SECRET = sql(
  'webhook_secrets_insert',
  `insert into webhook_secrets (endpoint_id, version, kek_id, ciphertext, created_at)
   values ($1, $2, $3, $4, $5)`,
)

export interface NewWebhookSecret {
  readonly endpointId: string
  readonly secret: string
  readonly now: Date
}

export async function insertFirstSecret(
  tx: Transaction,
  envelope: Envelope,
  secret: NewWebhookSecret,
): Promise<void> {
  await insertSecret(tx, envelope, 1, secret)
}

async function insertSecret(
  tx: Transaction,
  envelope: Envelope,
  version: number,
  { endpointId, secret, now }: NewWebhookSecret,
): Promise<void> {
  const ciphertext = envelope.seal(secret, contextOf(endpointId, version))
  await tx.rows(INSERT_SECRET, [endpointId, version, envelope.kekId, ciphertext, now])
}

const LOCK = sql(
  'webhook_endpoints_lock',
  'select from webhook_endpoints where id = $1 and deleted_at is null for no key update',
)
const NEWEST = sql(
  'webhook_secrets_newest',
  'select max(version) as version from webhook_secrets where endpoint_id = $1',
)
const EXPIRE = sql(
  'webhook_secrets_expire',
  `update webhook_secrets
   set expires_at = case when version = $2 then $3 else least(expires_at, $4) end
   where endpoint_id = $1`,
)

/**
 * Puts a new secret before the one there is, which goes on signing until `oldUntil`. One from
 * before that ends now, so that never more than two sign.
 * @returns false when the endpoint was deleted meanwhile
 */
export async function rotateSecret(
  tx: Transaction,
  envelope: Envelope,
  rotation: NewWebhookSecret & { readonly oldUntil: Date },
): Promise<boolean> {
  const { endpointId, oldUntil, now } = rotation
  if ((await tx.rows(LOCK, [endpointId])).length === 0) return false
  const [newest] = await tx.rows<{ version: number | null }>(NEWEST, [endpointId])
  const version = newest?.version ?? 0
  await tx.rows(EXPIRE, [endpointId, version, oldUntil, now])
  await insertSecret(tx, envelope, version + 1, rotation)
  return true
}

const SECRETS = sql(
  'webhook_secrets_active',
  `select version, ciphertext from webhook_secrets
   where endpoint_id = $1 and (expires_at is null or expires_at > $2) order by version desc`,
)

/** The secrets that sign for an endpoint now, newest first. Only the worker's role reads them. */
export async function activeWebhookSecrets(
  db: Queryable,
  envelope: Envelope,
  endpointId: string,
  now: Date,
): Promise<string[]> {
  const rows = await db.rows<{ version: number; ciphertext: Buffer }>(SECRETS, [endpointId, now])
  return rows.map(({ version, ciphertext }) =>
    envelope.open(ciphertext, contextOf(endpointId, version)).toString('utf8'),
  )
}
