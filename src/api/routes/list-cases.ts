import { listCases } from '../../db/cases.js'
import { caseView } from '../case-views.js'
import type { ApiContext } from '../context.js'
import { readPage } from '../page.js'
import { clientOf } from '../plugins/auth.js'
import { CasePage, CasesQuery } from '../schemas/case.js'
import { named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'

/** GET /v1/cases: what a person has to look at, newest first, a page at a time. */
export function listCasesRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/cases',
    {
      config: { scopes: ['cases:read'] },
      schema: {
        operationId: 'listCases',
        summary: 'List cases, newest first',
        tags: ['cases'],
        querystring: CasesQuery,
        response: { 200: named(CasePage), ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => {
      const { merchantId } = clientOf(request)
      const { state, kind, paymentId } = request.query
      return readPage(
        request.query,
        (after, limit) => listCases(db, { merchantId, state, kind, paymentId, after, limit }),
        caseView,
      )
    },
  )
}
