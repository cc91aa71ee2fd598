import type { ApiContext } from '../context.js'
import { counted } from '../counted.js'
import { requestRefund } from '../operations/request-refund.js'
import { clientOf } from '../plugins/auth.js'
import { IdempotencyHeaders, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import { Refund, RequestRefund } from '../schemas/refund.js'
import type { ApiServer } from '../server-type.js'
import { refundView } from '../views.js'

/** POST /v1/refunds: asks for a refund, which then waits for somebody else's approval. */
export function requestRefundRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/refunds',
    {
      config: { scopes: ['refunds:request'] },
      schema: {
        operationId: 'requestRefund',
        summary: 'Request a refund',
        description:
          'The amount is reserved at once, so that the refunds of a payment never exceed what ' +
          'was paid. After 503 `engine_unavailable` the reservation stands: send the same ' +
          'Idempotency-Key again.',
        tags: ['refunds'],
        headers: IdempotencyHeaders,
        body: RequestRefund,
        response: {
          201: named(Refund),
          ...problems(400, 401, 403, 404, 409, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const call = {
        client: clientOf(request),
        idempotencyKey: request.headers['idempotency-key'],
        body: request.body,
      }
      const refund = await counted(
        context.metrics.refunds,
        () => requestRefund(context, call),
        () => 'requested',
      )
      return reply.code(201).send(refundView(refund))
    },
  )
}
