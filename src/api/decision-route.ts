import type { Static } from 'typebox'
import type { Scope } from '../db/api-keys.js'
import type { DecisionVerb } from '../domain/refund.js'
import type { ApiContext } from './context.js'
import { counted } from './counted.js'
import { clientOf } from './plugins/auth.js'
import { IdParams, named } from './schemas/fields.js'
import { problems } from './schemas/problem.js'
import {
  ApproveRefund,
  DecideRefund,
  RecordedDecision,
  RefundWithDecisions,
} from './schemas/refund.js'
import type { ApiServer } from './server-type.js'
import { refundWithDecisionsView, RETRY_AFTER_S } from './views.js'
import { decideRefund } from './operations/decide-refund.js'

export interface DecisionRoute {
  readonly verb: DecisionVerb
  readonly scopes: readonly Scope[]
  readonly operationId: string
  readonly summary: string
}

const DESCRIPTION =
  'Answers 200 once the decision is applied, or 202 `recorded` after 5 s; it is then applied ' +
  'later by itself. The same API key and acting user deciding the same again are told what stands.'

/** One of the three decisions about a refund; they differ in what they say and who may say it. */
export function addDecisionRoute(app: ApiServer, context: ApiContext, route: DecisionRoute): void {
  const { verb, scopes, operationId, summary } = route
  app.post(
    `/refunds/:id/${verb}`,
    {
      config: { scopes },
      schema: {
        operationId,
        summary,
        description: DESCRIPTION,
        tags: ['refunds'],
        params: IdParams,
        body: verb === 'approve' ? ApproveRefund : DecideRefund,
        response: {
          200: named(RefundWithDecisions),
          202: named(RecordedDecision),
          ...problems(400, 401, 403, 404, 409, 413, 415, 503),
        },
      },
    },
    async (request, reply) => {
      const body: Static<typeof ApproveRefund> = request.body
      const { actingUser, reason, selfApproval } = body
      const call = {
        client: clientOf(request),
        refundId: request.params.id,
        verb,
        actingUser,
        reason,
        selfApproval,
      }
      const answer = await counted(
        context.metrics.refunds,
        () => decideRefund(context, call),
        ({ kind }) => `${verb}_${kind}`,
      )
      if (answer.kind === 'recorded') {
        const { decisionId } = answer
        return reply
          .code(202)
          .header('retry-after', RETRY_AFTER_S)
          .send({ outcome: 'recorded', decisionId })
      }
      return reply.code(200).send(refundWithDecisionsView(answer.refund, answer.decisions))
    },
  )
}
