import type { ApiContext } from '../context.js'
import { adoptPayment } from '../operations/adopt-payment.js'
import { clientOf } from '../plugins/auth.js'
import { named } from '../schemas/fields.js'
import { AdoptPayment } from '../schemas/payment-actions.js'
import { Payment } from '../schemas/payment.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { paymentView } from '../views.js'

/** POST /v1/payments/adopt: a payment that was taken before Yuanlu. */
export function adoptPaymentRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/payments/adopt',
    {
      config: { scopes: ['payments:write'] },
      schema: {
        operationId: 'adoptPayment',
        summary: 'Take over a payment made before Yuanlu',
        description:
          'WeChat Pay is asked, and only what it answers is booked: the payment, and every ' +
          'refund it already has. It can be refunded here from then on.',
        tags: ['payments'],
        body: AdoptPayment,
        response: { 201: named(Payment), ...problems(400, 401, 403, 409, 413, 415, 503) },
      },
    },
    async (request, reply) => {
      const call = { client: clientOf(request), body: request.body }
      return reply.code(201).send(paymentView(await adoptPayment(context, call)))
    },
  )
}
