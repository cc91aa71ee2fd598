import type { ApiContext } from '../context.js'
import { counted } from '../counted.js'
import { findOwnRefund } from '../operations/find-own.js'
import { resolveRefund } from '../operations/resolve-refund.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { problems } from '../schemas/problem.js'
import { Refund } from '../schemas/refund.js'
import { RecordedResolution, ResolveRefund } from '../schemas/resolution.js'
import type { ApiServer } from '../server-type.js'
import { refundView, RETRY_AFTER_S } from '../views.js'

const VERBS = { settled: 'settle', failed: 'fail' } as const

/** POST /v1/refunds/{id}/resolve: a person says how a stuck refund ended, with evidence. */
export function resolveRefundRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/refunds/:id/resolve',
    {
      config: { scopes: ['refunds:decide'] },
      schema: {
        operationId: 'resolveRefund',
        summary: 'Say how a stuck refund ended',
        description:
          'WeChat Pay is asked first, and its answer is kept with the evidence: while it is ' +
          'still working on the refund, or does not say, nothing is changed. If it says SUCCESS ' +
          'the refund is `done`, whatever was said here. `settled` takes two people.',
        tags: ['refunds'],
        params: IdParams,
        body: ResolveRefund,
        response: {
          200: named(Refund),
          202: named(RecordedResolution),
          ...problems(400, 401, 403, 404, 409, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const { as, actingUser, evidence } = request.body
      const client = clientOf(request)
      const refund = await findOwnRefund(context.db, client, request.params.id)
      const call = { client, actingUser, evidence, verb: VERBS[as] }
      const answer = await counted(
        context.metrics.refunds,
        () => resolveRefund(context, refund, call),
        ({ kind }) => `resolve_${kind}`,
      )
      if (answer.kind === 'applied') return reply.code(200).send(refundView(answer.refund))
      const { kind: outcome, resolutionId } = answer
      if (outcome === 'recorded') reply.header('retry-after', RETRY_AFTER_S)
      return reply.code(202).send({ outcome, resolutionId })
    },
  )
}
