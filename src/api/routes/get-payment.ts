import { findPayment } from '../../db/payments.js'
import { paymentStanding } from '../../db/standings.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { findOwnPayment } from '../operations/find-own.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named, WAIT_DESCRIPTION, WaitQuery } from '../schemas/fields.js'
import { Payment } from '../schemas/payment.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { paymentView } from '../views.js'

/** GET /v1/payments/{id} */
export function getPaymentRoute(app: ApiServer, { db, changes }: ApiContext): void {
  app.get(
    '/payments/:id',
    {
      config: { scopes: ['payments:read'] },
      schema: {
        operationId: 'getPayment',
        summary: 'Get a payment',
        tags: ['payments'],
        description: WAIT_DESCRIPTION,
        params: IdParams,
        querystring: WaitQuery,
        response: { 200: named(Payment), ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const { id } = request.params
      const found = await findOwnPayment(db, clientOf(request), id)
      const { wait } = request.query
      if (wait === undefined) return paymentView(found)
      await changes.wait(id, paymentStanding(found), wait * 1_000)
      return paymentView(existing(await findPayment(db, id)))
    },
  )
}
