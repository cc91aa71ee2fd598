import type { Static } from 'typebox'
import { resolutionsOf, type ResolutionRow } from '../../db/resolutions.js'
import type { ApiContext } from '../context.js'
import { findOwnRefund } from '../operations/find-own.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import { Resolutions, type Resolution } from '../schemas/resolution.js'
import type { ApiServer } from '../server-type.js'

/** GET /v1/refunds/{id}/resolutions: what people said of it while it was stuck. */
export function listRefundResolutionsRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/refunds/:id/resolutions',
    {
      config: { scopes: ['refunds:read'] },
      schema: {
        operationId: 'listRefundResolutions',
        summary: 'List what people said of a stuck refund',
        description: 'Oldest first, each with what WeChat Pay said when it was applied.',
        tags: ['refunds'],
        params: IdParams,
        response: { 200: named(Resolutions), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const refund = await findOwnRefund(db, clientOf(request), request.params.id)
      return { items: (await resolutionsOf(db, refund.id)).map(resolutionView) }
    },
  )
}

function resolutionView(row: ResolutionRow): Static<typeof Resolution> {
  const { id, verb, principalId, actingUser, evidence, outcome, proof } = row
  return {
    id,
    verb,
    principalId,
    actingUser,
    evidence,
    storedAt: row.storedAt.toISOString(),
    appliedAt: row.appliedAt?.toISOString() ?? null,
    outcome,
    proof: proof && { proves: proof.proves, askedAt: proof.askedAt },
  }
}
