import { decisionsOf } from '../../db/decisions.js'
import type { ApiContext } from '../context.js'
import { findOwnRefund } from '../operations/find-own.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import { RefundWithDecisions } from '../schemas/refund.js'
import type { ApiServer } from '../server-type.js'
import { refundWithDecisionsView } from '../views.js'

/** GET /v1/refunds/{id}: with everything that was decided about it. */
export function getRefundRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/refunds/:id',
    {
      config: { scopes: ['refunds:read'] },
      schema: {
        operationId: 'getRefund',
        summary: 'Get a refund with its decisions',
        tags: ['refunds'],
        params: IdParams,
        response: { 200: named(RefundWithDecisions), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const refund = await findOwnRefund(db, clientOf(request), request.params.id)
      return refundWithDecisionsView(refund, await decisionsOf(db, refund.id))
    },
  )
}
