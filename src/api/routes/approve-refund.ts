import type { ApiContext } from '../context.js'
import { addDecisionRoute } from '../decision-route.js'
import type { ApiServer } from '../server-type.js'

/** POST /v1/refunds/{id}/approve: somebody other than the one who asked lets it go. */
export function approveRefundRoute(app: ApiServer, context: ApiContext): void {
  addDecisionRoute(app, context, {
    verb: 'approve',
    scopes: ['refunds:decide'],
    operationId: 'approveRefund',
    summary: 'Approve a refund',
  })
}
