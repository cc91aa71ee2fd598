import { caseWithEventsView } from '../case-views.js'
import type { ApiContext } from '../context.js'
import { resolveCase } from '../operations/resolve-case.js'
import { clientOf } from '../plugins/auth.js'
import { CaseWithEvents, ResolveCase } from '../schemas/case.js'
import { IdParams, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'

/** POST /v1/cases/{id}/resolve: a person has looked at it, and says what was done. */
export function resolveCaseRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/cases/:id/resolve',
    {
      config: { scopes: ['refunds:decide'] },
      schema: {
        operationId: 'resolveCase',
        summary: 'Close a case with what was done about it',
        description:
          'Moves neither money nor a state. 409 `case_cause_lasts` for a case that the engine ' +
          'resolves by itself: held money is decided about at its payment, and what is too much ' +
          'fits again once refunds are cancelled. The same API key and acting user doing so ' +
          'again are told what stands.',
        tags: ['cases'],
        params: IdParams,
        body: ResolveCase,
        response: {
          200: named(CaseWithEvents),
          ...problems(400, 401, 403, 404, 409, 413, 415, 503),
        },
      },
    },
    async (request) => {
      const call = { client: clientOf(request), caseId: request.params.id, ...request.body }
      const { row, events } = await resolveCase(context, call)
      return caseWithEventsView(row, events)
    },
  )
}
