import { listWebhookDeliveries, webhookAttemptsOf } from '../../db/webhook-deliveries.js'
import type { ApiContext } from '../context.js'
import { findOwnDelivery, replayDelivery } from '../operations/webhook-endpoints.js'
import { readPage } from '../page.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import {
  WebhookDeliveriesQuery,
  WebhookDelivery,
  WebhookDeliveryPage,
  WebhookDeliveryWithAttempts,
} from '../schemas/webhook.js'
import type { ApiServer } from '../server-type.js'
import { webhookDeliveryView, webhookDeliveryWithAttemptsView } from '../webhook-views.js'

const tags = ['webhooks']

/** /v1/webhook-deliveries: what was sent, how it went, and sending it again. */
export function webhookDeliveryRoutes(app: ApiServer, context: ApiContext): void {
  addListing(app, context)
  addReading(app, context)
  addReplaying(app, context)
}

function addListing(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/webhook-deliveries',
    {
      config: { scopes: ['webhooks:read'] },
      schema: {
        operationId: 'listWebhookDeliveries',
        summary: 'List what was sent or waits to be, newest first',
        tags,
        querystring: WebhookDeliveriesQuery,
        response: { 200: named(WebhookDeliveryPage), ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => {
      const { merchantId } = clientOf(request)
      const { state, endpointId, paymentId } = request.query
      return readPage(
        request.query,
        (after, limit) =>
          listWebhookDeliveries(db, { merchantId, state, endpointId, paymentId, after, limit }),
        webhookDeliveryView,
      )
    },
  )
}

function addReading(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/webhook-deliveries/:id',
    {
      config: { scopes: ['webhooks:read'] },
      schema: {
        operationId: 'getWebhookDelivery',
        summary: 'Get what was sent, with each attempt',
        tags,
        params: IdParams,
        response: { 200: named(WebhookDeliveryWithAttempts), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const delivery = await findOwnDelivery(db, clientOf(request), request.params.id)
      const attempts = await webhookAttemptsOf(db, delivery.id)
      return webhookDeliveryWithAttemptsView(delivery, attempts)
    },
  )
}

function addReplaying(app: ApiServer, context: ApiContext): void {
  app.post(
    '/webhook-deliveries/:id/replay',
    {
      config: { scopes: ['webhooks:write'] },
      schema: {
        operationId: 'replayWebhookDelivery',
        summary: 'Send it again, with the same id and three days of its own',
        tags,
        params: IdParams,
        response: { 202: named(WebhookDelivery), ...problems(401, 403, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      const delivery = await findOwnDelivery(context.db, clientOf(request), request.params.id)
      return reply.code(202).send(webhookDeliveryView(await replayDelivery(context, delivery)))
    },
  )
}
