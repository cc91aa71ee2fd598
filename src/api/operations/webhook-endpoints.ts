import type { Static } from 'typebox'
import type { ApiKeyRow } from '../../db/api-keys.js'
import { newId } from '../../db/ids.js'
import type { Queryable } from '../../db/pool.js'
import { inTransaction } from '../../db/transaction.js'
import { auditEndpoint } from '../../db/webhook-audit.js'
import {
  addWebhookPing,
  findWebhookDelivery,
  replayWebhookDelivery,
  type WebhookDeliveryRow,
} from '../../db/webhook-deliveries.js'
import {
  findWebhookEndpoint,
  insertFirstSecret,
  insertWebhookEndpoint,
  removeWebhookEndpoint,
  rotateSecret,
  updateWebhookEndpoint,
  WEBHOOK_ENDPOINTS_MAX,
  type WebhookEndpointRow,
} from '../../db/webhook-endpoints.js'
import { CodedError } from '../../domain/errors.js'
import { WEBHOOK_API_VERSION } from '../../domain/webhook.js'
import { pingBody } from '../../webhooks/body.js'
import { newWebhookSecret } from '../../webhooks/signature.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import type { ChangeWebhookEndpoint, CreateWebhookEndpoint } from '../schemas/webhook.js'
import { refuseUrl } from '../webhook-url.js'

export interface EndpointWithSecret {
  readonly endpoint: WebhookEndpointRow
  /** Told once; from then on only the worker can open it. */
  readonly secret: string
}

/** @throws CodedError `not_found`, also for an endpoint of another merchant. */
export async function findOwnEndpoint(
  db: Queryable,
  client: ApiKeyRow,
  id: string,
): Promise<WebhookEndpointRow> {
  const endpoint = await findWebhookEndpoint(db, id)
  if (endpoint?.merchantId !== client.merchantId) throw new CodedError('not_found')
  return endpoint
}

/** @throws CodedError `not_found`, also for a delivery of another merchant. */
export async function findOwnDelivery(
  db: Queryable,
  client: ApiKeyRow,
  id: string,
): Promise<WebhookDeliveryRow> {
  const delivery = await findWebhookDelivery(db, id)
  if (delivery?.merchantId !== client.merchantId) throw new CodedError('not_found')
  return delivery
}

/** @throws InvalidFields for an address that is not sent to; CodedError when there are too many */
export async function createWebhookEndpoint(
  { db, envelope, clock, webhookAllowedHosts }: ApiContext,
  client: ApiKeyRow,
  { url, livemode, eventTypes = null }: Static<typeof CreateWebhookEndpoint>,
): Promise<EndpointWithSecret> {
  refuseUrl(url, webhookAllowedHosts ?? [])
  const now = clock.now()
  const secret = newWebhookSecret()
  const wanted = { merchantId: client.merchantId, url, livemode, eventTypes, now }
  const endpoint = await inTransaction(db, async (tx) => {
    const row = await insertWebhookEndpoint(tx, {
      ...wanted,
      id: newId(now),
      apiVersion: WEBHOOK_API_VERSION,
    })
    if (row === undefined) {
      throw new CodedError('too_many_webhook_endpoints', { limit: WEBHOOK_ENDPOINTS_MAX })
    }
    await insertFirstSecret(tx, envelope, { endpointId: row.id, secret, now })
    const action = 'webhook_endpoint.create'
    const facts = { url, livemode, eventTypes }
    auditEndpoint(tx, { ...lineOf(client, row, now), action, facts })
    return row
  })
  return { endpoint, secret }
}

/** Switching an endpoint on again sends what happens from then on, not what was skipped. */
export async function changeWebhookEndpoint(
  { db, clock, webhookAllowedHosts }: ApiContext,
  client: ApiKeyRow,
  endpoint: WebhookEndpointRow,
  change: Static<typeof ChangeWebhookEndpoint>,
): Promise<WebhookEndpointRow> {
  const { id } = endpoint
  const { url = endpoint.url, eventTypes = endpoint.eventTypes } = change
  if (change.url !== undefined) refuseUrl(url, webhookAllowedHosts ?? [])
  const enabled = change.enabled ?? endpoint.enabled
  const disabledReason = enabled ? null : (endpoint.disabledReason ?? 'by_merchant')
  const now = clock.now()
  const wanted = { id, url, eventTypes, enabled, disabledReason, updatedAt: now }
  return inTransaction(db, async (tx) => {
    const changed = await updateWebhookEndpoint(tx, wanted)
    if (changed === undefined) throw new CodedError('not_found')
    const action = 'webhook_endpoint.change'
    auditEndpoint(tx, { ...lineOf(client, endpoint, now), action, facts: change })
    return changed
  })
}

const lineOf = (client: ApiKeyRow, { id: endpointId, merchantId }: WebhookEndpointRow, now: Date) =>
  ({ merchantId, clientId: client.id, endpointId, now }) as const

export async function deleteWebhookEndpoint(
  { db, clock }: ApiContext,
  client: ApiKeyRow,
  endpoint: WebhookEndpointRow,
): Promise<void> {
  const now = clock.now()
  await inTransaction(db, async (tx) => {
    await removeWebhookEndpoint(tx, endpoint.id, now)
    auditEndpoint(tx, { ...lineOf(client, endpoint, now), action: 'webhook_endpoint.delete' })
  })
}

/** Makes a new secret; the old one signs beside it for `overlapSeconds`. */
export async function rotateWebhookSecret(
  { db, envelope, clock }: ApiContext,
  client: ApiKeyRow,
  endpoint: WebhookEndpointRow,
  overlapSeconds: number,
): Promise<EndpointWithSecret> {
  const now = clock.now()
  const secret = newWebhookSecret()
  const oldUntil = new Date(now.getTime() + overlapSeconds * 1_000)
  const action = 'webhook_endpoint.rotate_secret'
  await inTransaction(db, async (tx) => {
    const rotation = { endpointId: endpoint.id, secret, oldUntil, now }
    if (!(await rotateSecret(tx, envelope, rotation))) throw new CodedError('not_found')
    auditEndpoint(tx, { ...lineOf(client, endpoint, now), action, facts: { overlapSeconds } })
  })
  return { endpoint, secret }
}

/** Sends an event that tells of nothing. @throws CodedError `webhook_endpoint_disabled` */
export async function testWebhookEndpoint(
  { db, clock }: ApiContext,
  { id: endpointId, livemode }: WebhookEndpointRow,
): Promise<WebhookDeliveryRow> {
  const now = clock.now()
  const [id, eventId] = [newId(now), newId(now)]
  const body = pingBody({ eventId, livemode, now })
  const isAdded = await addWebhookPing(db, { id, eventId, endpointId, body, now })
  if (!isAdded) throw new CodedError('webhook_endpoint_disabled')
  return existing(await findWebhookDelivery(db, id))
}

/** Sends a delivery again, with the same id. @throws CodedError `webhook_endpoint_disabled` */
export async function replayDelivery(
  { db, clock }: ApiContext,
  { id }: WebhookDeliveryRow,
): Promise<WebhookDeliveryRow> {
  const isDue = await replayWebhookDelivery(db, id, clock.now())
  if (!isDue) throw new CodedError('webhook_endpoint_disabled')
  return existing(await findWebhookDelivery(db, id))
}
