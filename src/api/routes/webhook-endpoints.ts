import { Type } from 'typebox'
import { listWebhookEndpoints } from '../../db/webhook-endpoints.js'
import type { ApiContext } from '../context.js'
import {
  changeWebhookEndpoint,
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  findOwnEndpoint,
  rotateWebhookSecret,
  testWebhookEndpoint,
} from '../operations/webhook-endpoints.js'
import { readPage } from '../page.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import {
  ChangeWebhookEndpoint,
  CreateWebhookEndpoint,
  RotateSecretQuery,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookEndpointPage,
  WebhookEndpointsQuery,
  WebhookEndpointWithSecret,
} from '../schemas/webhook.js'
import type { ApiServer } from '../server-type.js'
import { webhookDeliveryView, webhookEndpointView } from '../webhook-views.js'

const tags = ['webhooks']
const READS = { scopes: ['webhooks:read'] } as const
const WRITES = { scopes: ['webhooks:write'] } as const

/** /v1/webhook-endpoints: where a merchant is told of events. */
export function webhookEndpointRoutes(app: ApiServer, context: ApiContext): void {
  addCreating(app, context)
  addReading(app, context)
  addChanging(app, context)
  addRemoving(app, context)
  addRotating(app, context)
  addTesting(app, context)
}

function addCreating(app: ApiServer, context: ApiContext): void {
  app.post(
    '/webhook-endpoints',
    {
      config: WRITES,
      schema: {
        operationId: 'createWebhookEndpoint',
        summary: 'Add an address that events are sent to',
        tags,
        body: CreateWebhookEndpoint,
        response: {
          201: named(WebhookEndpointWithSecret),
          ...problems(400, 401, 403, 409, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const created = await createWebhookEndpoint(context, clientOf(request), request.body)
      const { endpoint, secret } = created
      return reply.code(201).send({ ...webhookEndpointView(endpoint), secret })
    },
  )
}

function addReading(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/webhook-endpoints',
    {
      config: READS,
      schema: {
        operationId: 'listWebhookEndpoints',
        summary: 'List the addresses that events are sent to, newest first',
        tags,
        querystring: WebhookEndpointsQuery,
        response: { 200: named(WebhookEndpointPage), ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => {
      const { merchantId } = clientOf(request)
      return readPage(
        request.query,
        (after, limit) => listWebhookEndpoints(db, { merchantId, after, limit }),
        webhookEndpointView,
      )
    },
  )
  app.get(
    '/webhook-endpoints/:id',
    {
      config: READS,
      schema: {
        operationId: 'getWebhookEndpoint',
        summary: 'Get an address that events are sent to',
        tags,
        params: IdParams,
        response: { 200: named(WebhookEndpoint), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) =>
      webhookEndpointView(await findOwnEndpoint(db, clientOf(request), request.params.id)),
  )
}

function addChanging(app: ApiServer, context: ApiContext): void {
  app.patch(
    '/webhook-endpoints/:id',
    {
      config: WRITES,
      schema: {
        operationId: 'changeWebhookEndpoint',
        summary: 'Change an address, what is sent to it, or whether anything is',
        tags,
        params: IdParams,
        body: ChangeWebhookEndpoint,
        response: { 200: named(WebhookEndpoint), ...problems(400, 401, 403, 404, 413, 415, 503) },
      },
    },
    async (request) => {
      const client = clientOf(request)
      const endpoint = await findOwnEndpoint(context.db, client, request.params.id)
      const changed = await changeWebhookEndpoint(context, client, endpoint, request.body)
      return webhookEndpointView(changed)
    },
  )
}

function addRemoving(app: ApiServer, context: ApiContext): void {
  app.delete(
    '/webhook-endpoints/:id',
    {
      config: WRITES,
      schema: {
        operationId: 'deleteWebhookEndpoint',
        summary: 'Delete an address; what is due to it is skipped',
        tags,
        params: IdParams,
        response: {
          204: Type.Null({ description: 'It is deleted.' }),
          ...problems(401, 403, 404, 503),
        },
      },
    },
    async (request, reply) => {
      const client = clientOf(request)
      const endpoint = await findOwnEndpoint(context.db, client, request.params.id)
      await deleteWebhookEndpoint(context, client, endpoint)
      return reply.code(204).send(null)
    },
  )
}

function addRotating(app: ApiServer, context: ApiContext): void {
  app.post(
    '/webhook-endpoints/:id/rotate-secret',
    {
      config: WRITES,
      schema: {
        operationId: 'rotateWebhookSecret',
        summary: 'Make a new secret; the old one signs beside it for a while',
        tags,
        params: IdParams,
        querystring: RotateSecretQuery,
        response: {
          200: named(WebhookEndpointWithSecret),
          ...problems(400, 401, 403, 404, 503),
        },
      },
    },
    async (request) => {
      const client = clientOf(request)
      const endpoint = await findOwnEndpoint(context.db, client, request.params.id)
      const { overlapSeconds } = request.query
      const { secret } = await rotateWebhookSecret(context, client, endpoint, overlapSeconds)
      return { ...webhookEndpointView(endpoint), secret }
    },
  )
}

function addTesting(app: ApiServer, context: ApiContext): void {
  app.post(
    '/webhook-endpoints/:id/test',
    {
      config: WRITES,
      schema: {
        operationId: 'testWebhookEndpoint',
        summary: 'Send a `ping` to an address',
        tags,
        params: IdParams,
        response: { 202: named(WebhookDelivery), ...problems(401, 403, 404, 409, 503) },
      },
    },
    async (request, reply) => {
      const endpoint = await findOwnEndpoint(context.db, clientOf(request), request.params.id)
      const delivery = await testWebhookEndpoint(context, endpoint)
      return reply.code(202).send(webhookDeliveryView(delivery))
    },
  )
}
