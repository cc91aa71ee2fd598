import { decisionsOf } from '../../db/decisions.js'
import { findRefund } from '../../db/refunds.js'
import { refundStanding } from '../../db/standings.js'
import type { ApiContext } from '../context.js'
import { existing } from '../existing.js'
import { findOwnRefund } from '../operations/find-own.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named, WAIT_DESCRIPTION, WaitQuery } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import { RefundWithDecisions } from '../schemas/refund.js'
import type { ApiServer } from '../server-type.js'
import { refundWithDecisionsView } from '../views.js'

/** GET /v1/refunds/{id}: with everything that was decided about it. */
export function getRefundRoute(app: ApiServer, { db, changes }: ApiContext): void {
  app.get(
    '/refunds/:id',
    {
      config: { scopes: ['refunds:read'] },
      schema: {
        operationId: 'getRefund',
        summary: 'Get a refund with its decisions',
        tags: ['refunds'],
        description: WAIT_DESCRIPTION,
        params: IdParams,
        querystring: WaitQuery,
        response: { 200: named(RefundWithDecisions), ...problems(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const { id } = request.params
      const found = await findOwnRefund(db, clientOf(request), id)
      const { wait } = request.query
      if (wait !== undefined) await changes.wait(id, refundStanding(found), wait * 1_000)
      const refund = wait === undefined ? found : existing(await findRefund(db, id))
      return refundWithDecisionsView(refund, await decisionsOf(db, refund.id))
    },
  )
}
