import { Type } from 'typebox'
import type { ApiContext } from '../context.js'
import { oneOf } from '../schemas/fields.js'
import type { ApiServer } from '../server-type.js'

const READY_TIMEOUT_MS = 1_500

const Readiness = Type.Object({
  status: oneOf(['ready', 'not_ready'], 'Whether calls can be served now.'),
  database: Type.Boolean(),
  engine: Type.Boolean(),
})

/** GET /healthz says that the process runs, GET /readyz that it reaches what it needs. */
export function healthRoutes(app: ApiServer, context: ApiContext): void {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'health',
        summary: 'Whether the process runs',
        tags: ['operation'],
        security: [],
        response: { 200: Type.Object({ status: oneOf(['ok'], 'It runs.') }) },
      },
    },
    () => ({ status: 'ok' as const }),
  )
  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'readiness',
        summary: 'Whether database and engine are reached',
        tags: ['operation'],
        security: [],
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_request, reply) => {
      const [database, engine] = await Promise.all([
        context.db.isReachable(READY_TIMEOUT_MS),
        context.isEngineReachable(READY_TIMEOUT_MS).catch(() => false),
      ])
      const ready = database && engine
      const status = ready ? ('ready' as const) : ('not_ready' as const)
      return reply.code(ready ? 200 : 503).send({ status, database, engine })
    },
  )
}
