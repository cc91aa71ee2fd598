import type { Static } from 'typebox'
import type { WebhookAttemptRow, WebhookDeliveryRow } from '../db/webhook-deliveries.js'
import type { WebhookEndpointRow } from '../db/webhook-endpoints.js'
import type {
  WebhookDelivery,
  WebhookDeliveryWithAttempts,
  WebhookEndpoint,
} from './schemas/webhook.js'

export function webhookEndpointView(row: WebhookEndpointRow): Static<typeof WebhookEndpoint> {
  return {
    id: row.id,
    url: row.url,
    enabled: row.enabled,
    disabledReason: row.disabledReason,
    eventTypes: row.eventTypes === null ? null : [...row.eventTypes],
    livemode: row.livemode,
    apiVersion: row.apiVersion,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

export function webhookDeliveryView(row: WebhookDeliveryRow): Static<typeof WebhookDelivery> {
  return {
    id: row.id,
    endpointId: row.endpointId,
    eventId: row.eventId,
    type: row.type,
    paymentId: row.paymentId,
    sequence: row.sequence,
    state: row.state,
    attemptCount: row.attemptCount,
    nextAt: row.state === 'pending' ? row.nextAt.toISOString() : null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  }
}

export function webhookDeliveryWithAttemptsView(
  row: WebhookDeliveryRow,
  attempts: readonly WebhookAttemptRow[],
): Static<typeof WebhookDeliveryWithAttempts> {
  return { ...webhookDeliveryView(row), body: row.body, attempts: attempts.map(attemptView) }
}

type Attempt = Static<typeof WebhookDeliveryWithAttempts>['attempts'][number]

const attemptView = (row: WebhookAttemptRow): Attempt => ({
  n: row.n,
  startedAt: row.startedAt.toISOString(),
  durationMs: row.durationMs,
  status: row.status,
  error: row.error,
  answer: row.answer === null ? null : row.answer.toString('utf8'),
})
