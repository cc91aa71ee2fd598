import { Type } from 'typebox'
import { instant, named, PAGE_SIZE_MAX, uuid } from './fields.js'

const position = Type.String({
  pattern: '^\\d{1,15}$',
  description: 'The position of the last event that you have; those after it come.',
})

export const Event = Type.Object(
  {
    id: uuid('Its id here.'),
    position: Type.Integer({
      minimum: 1,
      description: 'Its place in the one order of all events.',
    }),
    type: Type.String({ examples: ['payment.paid'] }),
    paymentId: uuid('The payment that it is about.'),
    sequence: Type.Integer({ minimum: 1, description: 'Dense for each payment.' }),
    createdAt: instant('When it happened.'),
    data: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: 'object',
      additionalProperties: true,
    }),
  },
  { $id: 'Event' },
)

export const EventsQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: PAGE_SIZE_MAX, default: 20 }),
    cursor: Type.Optional(position),
  },
  { additionalProperties: false },
)

export const EventsHeaders = Type.Object({ 'last-event-id': Type.Optional(position) })

export const EventPage = Type.Object(
  {
    items: Type.Array(named(Event)),
    nextCursor: Type.String({ description: 'Where the next page begins; there is always one.' }),
    hasMore: Type.Boolean({ description: 'False when you have read to the end of now.' }),
  },
  { $id: 'EventPage' },
)
