import type { ApiContext } from '../context.js'
import { findOwnPayment } from '../operations/find-own.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { Payment } from '../schemas/payment.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { paymentView } from '../views.js'

/** GET /v1/payments/{id} */
export function getPaymentRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/payments/:id',
    {
      config: { scopes: ['payments:read'] },
      schema: {
        operationId: 'getPayment',
        summary: 'Get a payment',
        tags: ['payments'],
        params: IdParams,
        response: { 200: named(Payment), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => paymentView(await findOwnPayment(db, clientOf(request), request.params.id)),
  )
}
