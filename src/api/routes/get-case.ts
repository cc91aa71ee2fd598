import { eventsOfCase } from '../../db/cases.js'
import { caseWithEventsView } from '../case-views.js'
import type { ApiContext } from '../context.js'
import { findOwnCase } from '../operations/find-own.js'
import { clientOf } from '../plugins/auth.js'
import { CaseWithEvents } from '../schemas/case.js'
import { IdParams, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'

/** GET /v1/cases/{id}: with everything that became of it. */
export function getCaseRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/cases/:id',
    {
      config: { scopes: ['cases:read'] },
      schema: {
        operationId: 'getCase',
        summary: 'Get a case with what became of it',
        tags: ['cases'],
        params: IdParams,
        response: { 200: named(CaseWithEvents), ...problems(401, 403, 404, 503) },
      },
    },
    async (request) => {
      const found = await findOwnCase(db, clientOf(request), request.params.id)
      return caseWithEventsView(found, await eventsOfCase(db, found.id))
    },
  )
}
