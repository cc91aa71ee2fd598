import type { Static } from 'typebox'
import { listAudit, type AuditRow } from '../../db/audit.js'
import type { ApiContext } from '../context.js'
import { readPage } from '../page.js'
import { clientOf } from '../plugins/auth.js'
import { AuditPage, AuditQuery, type AuditLine } from '../schemas/audit.js'
import { named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'

/** GET /v1/audit: who did what about a merchant's things, and which way it came. */
export function listAuditRoute(app: ApiServer, { db }: ApiContext): void {
  app.get(
    '/audit',
    {
      config: { scopes: ['audit:read'] },
      schema: {
        operationId: 'listAudit',
        summary: 'List what was done, newest first',
        tags: ['audit'],
        querystring: AuditQuery,
        response: { 200: named(AuditPage), ...problems(400, 401, 403, 503) },
      },
    },
    async (request) => {
      const { merchantId } = clientOf(request)
      const { limit: _limit, cursor: _cursor, ...filters } = request.query
      return readPage(
        request.query,
        (after, limit) => listAudit(db, { merchantId, ...filters, after, limit }),
        auditView,
      )
    },
  )
}

function auditView({ createdAt, ...row }: AuditRow): Static<typeof AuditLine> {
  return { ...row, at: createdAt.toISOString() }
}
