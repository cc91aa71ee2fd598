import { findOwnPayment } from '../operations/find-own.js'
import { CodedError } from '../../domain/errors.js'
import { isPaymentOver } from '../../domain/states.js'
import type { PaymentRow } from '../../db/payments.js'
import type { ApiContext } from '../context.js'
import { makePayable, PLACING_TIMEOUT_MS } from '../operations/payable.js'
import { clientOf } from '../plugins/auth.js'
import { IdParams, named } from '../schemas/fields.js'
import { PayablePayment } from '../schemas/payment.js'
import { problems } from '../schemas/problem.js'
import type { ApiServer } from '../server-type.js'
import { payableView, RETRY_AFTER_S } from '../views.js'

/** POST /v1/payments/{id}/prepay: fresh parameters for a payment that is still open. */
export function prepayPaymentRoute(app: ApiServer, context: ApiContext): void {
  app.post(
    '/payments/:id/prepay',
    {
      config: { scopes: ['payments:write'] },
      schema: {
        operationId: 'prepayPayment',
        summary: 'Sign the parameters for the buyer again',
        description: 'Places the same order again where its prepay_id grew old.',
        tags: ['payments'],
        params: IdParams,
        response: {
          200: named(PayablePayment),
          202: named(PayablePayment),
          ...problems(401, 403, 404, 409, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const untilMs = performance.now() + PLACING_TIMEOUT_MS
      const payment = await findOwnPayment(context.db, clientOf(request), request.params.id)
      refuseOver(payment, context.clock.now())
      const payable = await makePayable(context, payment, untilMs)
      refuseOver(payable.payment, context.clock.now())
      if (payable.late)
        return reply.code(202).header('retry-after', RETRY_AFTER_S).send(payableView(payable))
      return reply.code(200).send(payableView(payable))
    },
  )
}

/** @throws CodedError `payment_not_open` when nobody can pay it any more. */
function refuseOver({ state, expiresAt }: PaymentRow, now: Date): void {
  if (isPaymentOver(state) || expiresAt <= now) throw new CodedError('payment_not_open', { state })
}
