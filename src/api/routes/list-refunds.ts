import { listRefunds } from '../../db/refunds.js'
import type { ApiContext } from '../context.js'
import { readPage } from '../page.js'
import { clientOf } from '../plugins/auth.js'
import { named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import { RefundPage, RefundsQuery } from '../schemas/refund.js'
import type { ApiServer } from '../server-type.js'
import { refundView } from '../views.js'

/** GET /v1/refunds: newest first, a page at a time. */
export function listRefundsRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/refunds',
    {
      config: { scopes: ['refunds:read'] },
      schema: {
        operationId: 'listRefunds',
        summary: 'List refunds, newest first',
        tags: ['refunds'],
        querystring: RefundsQuery,
        response: { 200: named(RefundPage), ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => {
      const { merchantId } = clientOf(request)
      const { state, paymentId } = request.query
      return readPage(
        request.query,
        (after, limit) => listRefunds(db, { merchantId, state, paymentId, after, limit }),
        refundView,
      )
    },
  )
}
