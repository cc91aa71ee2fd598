import type { ApiContext } from '../context.js'
import { addDecisionRoute } from '../decision-route.js'
import type { ApiServer } from '../server-type.js'

/** POST /v1/refunds/{id}/cancel: the request is withdrawn. */
export function cancelRefundRoute(app: ApiServer, context: ApiContext): void {
  addDecisionRoute(app, context, {
    verb: 'cancel',
    scopes: ['refunds:request', 'refunds:decide'],
    operationId: 'cancelRefund',
    summary: 'Cancel a refund that was not sent',
  })
}
