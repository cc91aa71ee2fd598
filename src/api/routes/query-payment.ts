import type { ApiContext } from '../context.js'
import { queryPayment } from '../operations/ask-payment.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { AskedPayment } from '../schemas/payment-actions.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { paymentView } from '../views.js'

/** POST /v1/payments/{id}/query: what WeChat Pay says of it now. */
export function queryPaymentRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/payments/:id/query',
    {
      config: { scopes: ['payments:write'] },
      schema: {
        operationId: 'queryPayment',
        summary: 'Ask WeChat Pay about a payment now',
        description:
          'What WeChat Pay says is booked before this answers. 503 `channel_unavailable` when it ' +
          'does not say within 8 s; nothing is concluded from that.',
        tags: ['payments'],
        params: IdParams,
        response: { 200: named(AskedPayment), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const call = { client: clientOf(request), paymentId: request.params.id }
      const { payment, said, askedAt } = await queryPayment(context, call)
      return { ...paymentView(payment), channel: { said, askedAt: askedAt.toISOString() } }
    },
  )
}
