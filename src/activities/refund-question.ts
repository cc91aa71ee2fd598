import { findPayment, type PaymentRow } from '../db/payments.js'
import type { Database } from '../db/pool.js'
import type { RefundRow } from '../db/refunds.js'
import type { Channel, RefundOutcome } from '../domain/channel.js'
import { failPoints } from '../domain/fail-points.js'
import { callChannel } from './channel-call.js'
import { noSuchRow } from './failures.js'

const AT = failPoints('askAboutRefund', ['queryRefund'])

/** The payment that a refund gives back. */
export async function paymentOf(database: Database, refund: RefundRow): Promise<PaymentRow> {
  const payment = await findPayment(database, refund.paymentId)
  if (payment === undefined) throw noSuchRow('payment', refund.paymentId)
  return payment
}

/**
 * Asks the channel once where a refund's money is. Whatever ends the activity ends the question,
 * and so does `limit` where somebody waits for less long.
 */
export async function askAboutRefund(
  database: Database,
  channel: Channel,
  refund: RefundRow,
  limit?: AbortSignal,
): Promise<RefundOutcome> {
  const { appId, outTradeNo } = await paymentOf(database, refund)
  const { outRefundNo } = refund
  return callChannel((ended) => {
    const signal = limit === undefined ? ended : AbortSignal.any([ended, limit])
    const options = { signal, urgency: 'background' } as const
    return AT.queryRefund(() => channel.queryRefund({ appId, outTradeNo, outRefundNo }, options))
  })
}
