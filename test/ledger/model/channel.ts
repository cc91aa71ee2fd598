import type { Channel, RefundFact, SubmitOutcome } from '../../../src/domain/channel.js'
import { fen } from '../../../src/domain/money.js'
import { lessCouponFen, type PlaceAnswer, type QueryAnswer, type SubmitAnswer } from './book.js'

/** What the channel answers, in the words of the engine's port. */

const unexpected = async (): Promise<never> => {
  throw new Error('Nobody expected this question to the channel.')
}

/** A channel that nobody asks anything. */
export const SILENT: Channel = {
  placeOrder: unexpected,
  queryOrder: unexpected,
  closeOrder: unexpected,
  submitRefund: unexpected,
  queryRefund: unexpected,
  listRefunds: unexpected,
}

export const placed =
  (answer: PlaceAnswer): Channel['placeOrder'] =>
  async () => {
    if (answer === 'placed') return { kind: 'placed', prepayId: 'wx0' }
    if (answer === 'closed') return { kind: 'closed' }
    return { kind: 'refused', code: 'NOAUTH', message: 'no' }
  }

export function submitted(
  answer: SubmitAnswer,
  { amountFen, outRefundNo }: { readonly amountFen: number; readonly outRefundNo: string },
): SubmitOutcome {
  const isAccepted = answer.startsWith('accepted')
  if (isAccepted) {
    const settlementFen = answer === 'accepted with coupon' ? lessCouponFen(amountFen) : amountFen
    const refundFen = answer === 'accepted otherwise' ? amountFen + 1 : amountFen
    return {
      kind: 'accepted',
      refundId: `at-${outRefundNo}`,
      refundFen: fen(refundFen),
      settlementFen: fen(settlementFen),
    }
  }
  const reason = { code: answer.toUpperCase(), message: 'no' }
  if (answer === 'unknown') return { kind: 'unknown', retry: 'soon', ...reason }
  return { kind: answer as 'not_enough' | 'rate_limited' | 'refused', ...reason }
}

/** What a question about a refund is answered. */
export function refundFactOf(
  { outRefundNo, amountFen }: { readonly outRefundNo: string; readonly amountFen: number },
  what: QueryAnswer,
): RefundFact {
  const isCoupon = what === 'success with coupon'
  return {
    kind: 'refund',
    status: isCoupon ? 'success' : what,
    outTradeNo: 'not-compared',
    outRefundNo,
    refundId: `at-${outRefundNo}`,
    refundFen: fen(amountFen),
    settlementFen: fen(isCoupon ? lessCouponFen(amountFen) : amountFen),
  }
}
