import type { ApiContext } from '../context.js'
import { closePayment } from '../operations/ask-payment.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { Payment } from '../schemas/payment.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { paymentView } from '../views.js'

/** POST /v1/payments/{id}/close: nobody can pay it any more. */
export function closePaymentRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/payments/:id/close',
    {
      config: { scopes: ['payments:write'] },
      schema: {
        operationId: 'closePayment',
        summary: 'Close a payment that is not paid',
        description:
          'WeChat Pay is asked first and told then, and only its word counts: an order found ' +
          'paid is booked as paid and answered with 409 `payment_paid`.',
        tags: ['payments'],
        params: IdParams,
        response: { 200: named(Payment), ...problems(401, 403, 404, 409, 503) },
      },
    },
    async (request) => {
      const call = { client: clientOf(request), paymentId: request.params.id }
      return paymentView(await closePayment(context, call))
    },
  )
}
