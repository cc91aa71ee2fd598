import type { ApiContext } from '../context.js'
import { addDecisionRoute } from '../decision-route.js'
import type { ApiServer } from '../server-type.js'

/** POST /v1/refunds/{id}/reject: an approver says no. */
export function rejectRefundRoute(app: ApiServer, context: ApiContext): void {
  addDecisionRoute(app, context, {
    verb: 'reject',
    scopes: ['refunds:decide'],
    operationId: 'rejectRefund',
    summary: 'Reject a refund',
  })
}
