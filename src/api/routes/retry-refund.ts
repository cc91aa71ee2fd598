import type { ApiContext } from '../context.js'
import { counted } from '../counted.js'
import { retryRefund } from '../operations/retry-refund.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import { Refund } from '../schemas/refund.js'
import { RecordedResolution, RetryRefund } from '../schemas/resolution.js'
import type { ApiServer } from '../server-type.js'
import { refundView, RETRY_AFTER_S } from '../views.js'

/** POST /v1/refunds/{id}/retry: the same number again, or a new request once it is closed. */
export function retryRefundRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/refunds/:id/retry',
    {
      config: { scopes: ['refunds:decide'] },
      schema: {
        operationId: 'retryRefund',
        summary: 'Try a stuck refund again',
        description:
          'Sends the same number again at once (200), which never gives back twice. A refund ' +
          'that is `failed` is asked for again under a new number (201) once WeChat Pay has just ' +
          'said again that the old one is closed; it then waits for approval, and repeating the ' +
          'call answers the same new refund.',
        tags: ['refunds'],
        params: IdParams,
        body: RetryRefund,
        response: {
          200: named(Refund),
          201: named(Refund),
          202: named(RecordedResolution),
          ...problems(400, 401, 403, 404, 409, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const call = { client: clientOf(request), refundId: request.params.id, ...request.body }
      const answer = await counted(
        context.metrics.refunds,
        () => retryRefund(context, call),
        ({ kind }) => `retry_${kind}`,
      )
      if (answer.kind === 'recorded') {
        const { kind: outcome, resolutionId } = answer
        return reply.code(202).header('retry-after', RETRY_AFTER_S).send({ outcome, resolutionId })
      }
      return reply.code(answer.kind === 'renewed' ? 201 : 200).send(refundView(answer.refund))
    },
  )
}
