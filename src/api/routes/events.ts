import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { outboxHead, readMerchantEvents } from '../../db/outbox-stream.js'
import type { ApiContext } from '../context.js'
import { EventStreams } from '../event-streams.js'
import { eventView, streamEvents } from '../operations/stream-events.js'
import { clientOf } from '../plugins/auth.js'
import { named } from '../schemas/fields.js'
import { EventPage, EventsHeaders, EventsQuery } from '../schemas/event.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'

const STREAM = 'text/event-stream'

const DESCRIPTION =
  'With `Accept: text/event-stream` events are sent as they come, and `Last-Event-ID` says after ' +
  'which one; otherwise a page is answered. Nothing is missed and the order is that of all events.'

/** GET /v1/events: what happened, as a stream or a page at a time, oldest first. */
export function eventRoutes(app: ApiServer, context: ApiContext): void {
  const { db } = context
  const streams = new EventStreams(() => outboxHead(db))
  app.addHook('preClose', async () => streams.endAll())
  app.get(
    '/events',
    {
      config: { scopes: ['payments:read'] },
      schema: {
        operationId: 'readEvents',
        summary: 'Read events, oldest first, or follow them',
        description: DESCRIPTION,
        tags: ['events'],
        headers: EventsHeaders,
        querystring: EventsQuery,
        response: {
          200: {
            description: 'A page, or the stream.',
            content: {
              'application/json': { schema: named(EventPage) },
              [STREAM]: { schema: Type.String() },
            },
          },
          ...problems(400, 401, 403, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const { merchantId } = clientOf(request)
      const { cursor, limit } = request.query
      const afterPosition = Number(request.headers['last-event-id'] ?? cursor ?? 0)
      if (request.headers.accept?.includes(STREAM) === true) {
        await follow(context, streams, reply, { merchantId, afterPosition })
        return reply
      }
      const page = await readMerchantEvents(db, { merchantId, afterPosition, limit })
      return {
        items: page.events.map(eventView),
        nextCursor: String(page.readTo),
        hasMore: page.readTo < page.head,
      }
    },
  )
}

/** Takes the connection over from the server, and gives it back closed. */
async function follow(
  { db, logger }: ApiContext,
  streams: EventStreams,
  reply: FastifyReply,
  call: { readonly merchantId: string; readonly afterPosition: number },
): Promise<void> {
  const controller = streams.enter(call.merchantId)
  const { raw } = reply.hijack()
  raw.on('close', () => controller.abort())
  // Whoever left while its key was looked up has closed already.
  if (raw.destroyed) controller.abort()
  raw.writeHead(200, {
    'content-type': `${STREAM}; charset=utf-8`,
    'cache-control': 'no-store',
    // A connection that is kept would keep a closing server waiting for its next request.
    connection: 'close',
    // A proxy must not gather what is to arrive at once.
    'x-accel-buffering': 'no',
  })
  try {
    await streamEvents({ db, streams }, raw, { ...call, signal: controller.signal })
    raw.end()
  } catch (err) {
    // The reader comes back with the id of the last event it has.
    if (!controller.signal.aborted) logger.warn({ err }, 'an event stream broke')
    raw.destroy()
  } finally {
    streams.leave(controller)
  }
}
