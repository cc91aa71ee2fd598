import { Type } from 'typebox'
import type { ApiContext } from '../context.js'
import type { ApiServer } from '../server-type.js'

const TEXT = { 'text/plain': { schema: Type.String() } } as const

/** GET /metrics, in the text format of Prometheus. */
export function metricsRoute(app: ApiServer, { registry }: ApiContext): void {
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        summary: 'Metrics in the text format of Prometheus',
        tags: ['operation'],
        security: [],
        response: { 200: { description: 'Samples, a line each.', content: TEXT } },
      },
    },
    async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()),
  )
}
