import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { CodedError, ERRORS } from '../../domain/errors.js'
import { NOTIFICATION_FAIL, NOTIFICATION_SUCCESS } from '../../wechat/v2/notifications.js'
import type { KeyedAccount } from '../account-book.js'
import type { ApiContext } from '../context.js'
import { receiveNotification, type NotificationKind } from '../operations/receive-notification.js'
import { answerError } from '../plugins/problems.js'
import { failureOf } from '../problem.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'

const BODY_BYTES_MAX = 64 * 1024
const TOKEN = /^[A-Za-z0-9_-]{22,128}$/
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+[ \t]*(?:;|$)/
const XML_TYPE = 'text/xml; charset=utf-8'

const xmlAnswer = (description: string) =>
  ({ description, content: { 'text/xml': { schema: Type.String() } } }) as const

/** In V2 the document decides; the status says the same to people. */
const ANSWERS = {
  200: xmlAnswer('It is kept: `return_code` SUCCESS.'),
  400: xmlAnswer('It is not believed: `return_code` FAIL, as in each of those below.'),
  413: xmlAnswer('It is too large.'),
  503: xmlAnswer('It cannot be kept now.'),
} as const

/** How many notifications may still have to be told to the engine, and how long that may take. */
const DRAIN_TIMEOUT_MS = 5_000

/**
 * POST /notify/{token}/{payment|refund}: what WeChat Pay has to say. In V2 the body of the answer
 * decides: SUCCESS ends the delivery, anything else has it sent again; the status is for people.
 */
export function notifyRoutes(app: ApiServer, context: ApiContext): void {
  const accounts = new WeakMap<FastifyRequest, KeyedAccount>()
  const delivering = new Set<Promise<void>>()
  app.removeAllContentTypeParsers()
  // What arrives is read by its bytes: a wrong content type must not lose a payment.
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
    (_request, body, done) => done(null, body),
  )
  app.addHook('onResponse', (request, _reply, done) => {
    const delivery = request.afterAnswer?.()
    if (delivery !== undefined) {
      delivering.add(delivery)
      void delivery.finally(() => delivering.delete(delivery))
    }
    done()
  })
  app.addHook('onClose', async () => {
    const timeout = new Promise<void>((resolve) => {
      setTimeout(resolve, DRAIN_TIMEOUT_MS).unref()
    })
    await Promise.race([Promise.allSettled(delivering), timeout])
  })
  for (const kind of ['payment', 'refund'] as const) {
    addRoute(app, context, kind, accounts)
    app.route({
      method: ['GET', 'PUT', 'PATCH', 'DELETE'],
      url: `/:token/${kind}`,
      schema: { hide: true },
      onRequest: async (_request, reply) => {
        void reply.header('allow', 'POST')
        throw new CodedError('method_not_allowed')
      },
      handler: () => undefined,
    })
  }
}

function addRoute(
  app: ApiServer,
  context: ApiContext,
  kind: NotificationKind,
  accounts: WeakMap<FastifyRequest, KeyedAccount>,
): void {
  app.post(
    `/:token/${kind}`,
    {
      schema: {
        operationId: `notify${kind === 'payment' ? 'Payment' : 'Refund'}`,
        summary: `What WeChat Pay says about a ${kind}`,
        description: 'Called by WeChat Pay only, at an unguessable address per channel account.',
        tags: ['notifications'],
        security: [],
        params: Type.Object({ token: Type.String() }),
        response: { ...ANSWERS, ...problems(404) },
      },
      onRequest: async (request, reply) => {
        // Who does not know the token is sent away before a byte of the body is read.
        const keyed = await knownAccount(context, request.params)
        if (keyed === undefined) {
          void reply.header('connection', 'close')
          throw new CodedError('not_found')
        }
        accounts.set(request, keyed)
        // What is no media type at all would be refused without being read.
        const { headers } = request
        if (!MEDIA_TYPE.test(headers['content-type'] ?? '')) delete headers['content-type']
      },
      errorHandler: (error, request, reply) => fail(context, kind, error, request, reply),
    },
    async (request, reply) => {
      const keyed = accounts.get(request)
      if (keyed === undefined) throw new CodedError('not_found')
      const body = request.body instanceof Uint8Array ? request.body : new Uint8Array()
      const raw = { body, headers: request.headers }
      const received = await receiveNotification(context, kind, keyed, raw)
      const result = received.kind === 'refused' ? received.reason : received.kind
      context.metrics.notifications.inc({ kind, result })
      if (received.kind === 'refused') {
        const { id: accountId } = keyed.account
        request.log.warn(
          { kind, reason: result, accountId, from: request.ip },
          'notification refused',
        )
        return sendXml(reply, 400, NOTIFICATION_FAIL)
      }
      if (received.kind === 'stored') {
        request.afterAnswer = () => deliverLogged(request, received.deliver)
      }
      return sendXml(reply, 200, NOTIFICATION_SUCCESS)
    },
  )
}

async function knownAccount(
  context: ApiContext,
  params: unknown,
): Promise<KeyedAccount | undefined> {
  const token =
    typeof params === 'object' && params !== null && 'token' in params ? params.token : ''
  return typeof token === 'string' && TOKEN.test(token)
    ? context.accounts.byToken(token)
    : undefined
}

/** A signal that fails is no loss: the row stands, and the redelivery loop sends it later. */
async function deliverLogged(request: FastifyRequest, deliver: () => Promise<void>): Promise<void> {
  try {
    await deliver()
  } catch (error) {
    request.log.warn({ err: error }, 'the engine was not told of a stored notification')
  }
}

/** Nothing was stored, so WeChat Pay must send it again, whatever the reason. */
function fail(
  context: ApiContext,
  kind: NotificationKind,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const { code } = failureOf(error)
  if (code === 'not_found') {
    answerError(error, request, reply)
    return
  }
  const { status } = ERRORS[code]
  const result =
    code === 'body_too_large' ? 'too_large' : status < 500 ? 'malformed' : 'unavailable'
  context.metrics.notifications.inc({ kind, result })
  request.log[status < 500 ? 'warn' : 'error']({ err: error, kind }, 'notification not stored')
  void sendXml(reply, status < 500 ? status : 503, NOTIFICATION_FAIL)
}

const sendXml = (reply: FastifyReply, status: number, xml: string): FastifyReply =>
  reply.code(status).type(XML_TYPE).send(xml)
