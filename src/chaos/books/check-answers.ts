import { PAYMENT_EDGES, REFUND_EDGES } from '../../domain/states.js'
import { isReachable } from './check-histories.js'
import type { Offender } from './offences.js'
import { yuan, type Shelf } from './shelf.js'

/** What the API has told its caller: what was said stays true, or went on from there. */
export function checkAnswers({ expected, paymentById, refundById }: Shelf): Offender[] {
  const payments = expected.payments.flatMap(({ id, outTradeNo, lastAnswer }) => {
    const payment = paymentById.get(id)
    if (payment === undefined || lastAnswer === undefined) return []
    const { state, refundedFen } = lastAnswer
    if (!isReachable(state, payment.state, PAYMENT_EDGES)) {
      return [contradicted('payment', outTradeNo, state, payment.state)]
    }
    if (payment.refundedFen >= refundedFen) return []
    const [was, is] = [`${yuan(refundedFen)} given back`, yuan(payment.refundedFen)]
    return [contradicted('payment', outTradeNo, was, is)]
  })
  const refunds = expected.refunds.flatMap(({ id, outRefundNo, lastAnswer }) => {
    const refund = refundById.get(id)
    if (refund === undefined || lastAnswer === undefined) return []
    return isReachable(lastAnswer.state, refund.state, REFUND_EDGES)
      ? []
      : [contradicted('refund', outRefundNo, lastAnswer.state, refund.state)]
  })
  return [...payments, ...refunds]
}

const contradicted = (what: string, subject: string, was: string, is: string): Offender => ({
  kind: 'answer_contradicted',
  subject,
  sentence: `${what} ${subject}: the API said ${was}, and the book says ${is}`,
})
