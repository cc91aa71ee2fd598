import { Type } from 'typebox'
import { EVENT_TYPES } from '../../db/outbox.js'
import { DELIVERY_STATES } from '../../domain/webhook.js'
import { instant, named, nullable, oneOf, pageFields, uuid } from './fields.js'

const url = Type.String({
  minLength: 8,
  maxLength: 2_048,
  description: 'Where events are sent: https, port 443 or 8443, a public address.',
  examples: ['https://shop.example.com/yuanlu'],
})
const eventTypes = nullable(
  Type.Array(oneOf(EVENT_TYPES, 'A type of event.'), {
    minItems: 1,
    maxItems: EVENT_TYPES.length,
    uniqueItems: true,
    description: 'Only these; null for every type, also those that come later.',
  }),
)
const livemode = Type.Boolean({
  description: 'Events of live accounts, or of sandbox ones; never both at one address.',
})

export const CreateWebhookEndpoint = Type.Object(
  { url, livemode, eventTypes: Type.Optional(eventTypes) },
  { additionalProperties: false },
)

export const ChangeWebhookEndpoint = Type.Object(
  {
    url: Type.Optional(url),
    eventTypes: Type.Optional(eventTypes),
    enabled: Type.Optional(
      Type.Boolean({ description: 'False skips what is due; it can be sent again by hand.' }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)

const OVERLAP_SECONDS = { usual: 86_400, most: 7 * 86_400 } as const

export const RotateSecretQuery = Type.Object(
  {
    overlapSeconds: Type.Integer({
      minimum: 0,
      maximum: OVERLAP_SECONDS.most,
      default: OVERLAP_SECONDS.usual,
      description: 'For how long the old secret signs beside the new one.',
    }),
  },
  { additionalProperties: false },
)

const endpointFields = {
  id: uuid('Its id here.'),
  url,
  enabled: Type.Boolean(),
  disabledReason: nullable(
    oneOf(['by_merchant', 'gone'], '`gone`: your server answered 410, so nothing more is sent.'),
  ),
  eventTypes,
  livemode,
  apiVersion: Type.String({ description: 'The shape of what is sent.' }),
  createdAt: instant('When it was created; it is sent what happens from then on.'),
  updatedAt: instant('When it last changed.'),
}

export const WebhookEndpoint = Type.Object(endpointFields, { $id: 'WebhookEndpoint' })

export const WebhookEndpointWithSecret = Type.Object(
  {
    ...endpointFields,
    secret: Type.String({ description: 'What you verify signatures with; shown this once.' }),
  },
  { $id: 'WebhookEndpointWithSecret' },
)

export const WebhookEndpointsQuery = Type.Object(pageFields, { additionalProperties: false })

const nextCursor = nullable(Type.String({ description: 'Null on the last page.' }))

export const WebhookEndpointPage = Type.Object(
  { items: Type.Array(named(WebhookEndpoint)), nextCursor },
  { $id: 'WebhookEndpointPage' },
)

const deliveryFields = {
  id: uuid('Its id here.'),
  endpointId: uuid('Where it goes.'),
  eventId: uuid('The header `webhook-id`: the same in every try.'),
  type: Type.String({ description: 'The type of the event, or `ping`.' }),
  paymentId: nullable(uuid('The payment it is about.')),
  sequence: nullable(
    Type.Integer({ minimum: 1, description: 'Its place among the events of the payment.' }),
  ),
  state: oneOf(DELIVERY_STATES, '`dead`: given up; `skipped`: the endpoint was switched off.'),
  attemptCount: Type.Integer({ minimum: 0, description: 'How often it was sent.' }),
  nextAt: nullable(instant('When it is sent next, while it is pending.')),
  finishedAt: nullable(instant('When it was delivered, given up or skipped.')),
  createdAt: instant('When it became due.'),
}

export const WebhookDelivery = Type.Object(deliveryFields, { $id: 'WebhookDelivery' })

const attempt = Type.Object({
  n: Type.Integer({ minimum: 1 }),
  startedAt: instant('When it was sent.'),
  durationMs: Type.Integer({ minimum: 0 }),
  status: nullable(Type.Integer({ description: 'What your server answered.' })),
  error: nullable(Type.String({ description: 'Why there was no answer.' })),
  answer: nullable(Type.String({ description: 'The first 1,024 bytes of the answer.' })),
})

export const WebhookDeliveryWithAttempts = Type.Object(
  {
    ...deliveryFields,
    body: Type.String({ description: 'What is sent, byte for byte.' }),
    attempts: Type.Array(attempt),
  },
  { $id: 'WebhookDeliveryWithAttempts' },
)

export const WebhookDeliveriesQuery = Type.Object(
  {
    ...pageFields,
    state: Type.Optional(oneOf(DELIVERY_STATES, 'Only deliveries in this state.')),
    endpointId: Type.Optional(uuid('Only deliveries to this endpoint.')),
    paymentId: Type.Optional(uuid('Only events of this payment.')),
  },
  { additionalProperties: false },
)

export const WebhookDeliveryPage = Type.Object(
  { items: Type.Array(named(WebhookDelivery)), nextCursor },
  { $id: 'WebhookDeliveryPage' },
)
