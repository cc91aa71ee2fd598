import type { ApiContext } from '../context.js'
import { resolvePayment } from '../operations/resolve-payment.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { ResolvePayment } from '../schemas/payment-actions.js'
import { Payment } from '../schemas/payment.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { paymentView, RETRY_AFTER_S } from '../views.js'

/** POST /v1/payments/{id}/resolve: what becomes of money that is held. */
export function resolvePaymentRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/payments/:id/resolve',
    {
      config: { scopes: ['refunds:decide'] },
      schema: {
        operationId: 'resolvePayment',
        summary: 'Decide about money that does not match its order',
        description:
          '`accept` takes it as if it matched, `refund` gives all of it back. Answers 200 once ' +
          'that is applied, or 202 after 5 s; it is then applied later by itself.',
        tags: ['payments'],
        params: IdParams,
        body: ResolvePayment,
        response: {
          200: named(Payment),
          202: named(Payment),
          ...problems(400, 401, 403, 404, 409, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const call = { client: clientOf(request), paymentId: request.params.id, ...request.body }
      const { payment, late } = await resolvePayment(context, call)
      if (late) {
        return reply.code(202).header('retry-after', RETRY_AFTER_S).send(paymentView(payment))
      }
      return reply.code(200).send(paymentView(payment))
    },
  )
}
