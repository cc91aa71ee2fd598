import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { ApiContext } from '../context.js'
import { counted } from '../counted.js'
import { createPayment } from '../operations/create-payment.js'
import { clientOf } from '../plugins/auth.js'
import { IdempotencyHeaders, named } from '../schemas/fields.js'
import { CreatePayment, PayablePayment } from '../schemas/payment.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { payableView, RETRY_AFTER_S } from '../views.js'

/** POST /v1/payments: an order at WeChat Pay, and what the buyer needs to pay it. */
export function createPaymentRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/payments',
    {
      config: { scopes: ['payments:write'] },
      schema: {
        operationId: 'createPayment',
        summary: 'Create a payment',
        description:
          'Answers within 8 s: 201 with the parameters for the buyer, or 202 while the order is ' +
          'still being placed; the same Idempotency-Key then fetches them.',
        tags: ['payments'],
        headers: IdempotencyHeaders,
        body: CreatePayment,
        response: {
          201: named(PayablePayment),
          202: named(PayablePayment),
          ...problems(400, 401, 403, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const call = {
        client: clientOf(request),
        idempotencyKey: request.headers['idempotency-key'],
        body: request.body,
        callerIp: callerIpOf(request),
      }
      const payable = await counted(
        context.metrics.payments,
        () => createPayment(context, call),
        ({ late }) => (late ? 'late' : 'created'),
      )
      if (payable.late)
        return reply.code(202).header('retry-after', RETRY_AFTER_S).send(payableView(payable))
      return reply.code(201).send(payableView(payable))
    },
  )
}

/** What a proxy says of its caller need not be an address; then the proxy's own has to do. */
const callerIpOf = ({ ip, socket }: FastifyRequest): string =>
  isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip
