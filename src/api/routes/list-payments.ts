import { listPayments } from '../../db/payments.js'
import type { ApiContext } from '../context.js'
import { readPage } from '../page.js'
import { clientOf } from '../plugins/auth.js'
import { named } from '../schemas/fields.js'
import { PaymentPage, PaymentsQuery } from '../schemas/payment.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { paymentView } from '../views.js'

/** GET /v1/payments: newest first, a page at a time. */
export function listPaymentsRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/payments',
    {
      config: { scopes: ['payments:read'] },
      schema: {
        operationId: 'listPayments',
        summary: 'List payments, newest first',
        tags: ['payments'],
        querystring: PaymentsQuery,
        response: { 200: named(PaymentPage), ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => {
      const { merchantId } = clientOf(request)
      const { state, orderRef } = request.query
      return readPage(
        request.query,
        (after, limit) => listPayments(db, { merchantId, state, orderRef, after, limit }),
        paymentView,
      )
    },
  )
}
