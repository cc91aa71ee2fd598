import { newId } from '../db/ids.js'
import type { SettlingPayment } from '../db/payments.js'
import { insertSurplusRefund } from '../db/surplus-refunds.js'
import type { Transaction } from '../db/transaction.js'
import { surplusRefundNo } from '../domain/ids.js'
import { recordChange } from '../ledger/record.js'
import { ENGINE } from './refund-record.js'

/** What the buyer is told; WeChat Pay shows it beside the refund. */
export const SURPLUS_REASONS: Readonly<Record<'late' | 'double_payment', string>> = {
  late: '订单已关闭,原路退回',
  double_payment: '重复支付,原路退回',
}
const REASON_OTHERWISE = '实付与订单不符,原路退回'

/**
 * Opens the refund of surplus money in the transaction that makes it surplus: all that was paid, by
 * a derived number, approved without a person. A loop of the worker starts its workflow.
 */
export async function openSurplusRefund(
  tx: Transaction,
  payment: SettlingPayment,
  now: Date,
): Promise<void> {
  const amountFen = (payment.paidFen ?? 0) - payment.spokenFen
  // The portal gave all of it back already.
  if (amountFen <= 0) return
  const id = newId(now)
  const outRefundNo = surplusRefundNo(payment.outTradeNo)
  const { attention } = payment
  const reason =
    attention === 'late' || attention === 'double_payment'
      ? SURPLUS_REASONS[attention]
      : REASON_OTHERWISE
  insertSurplusRefund(tx, { id, paymentId: payment.id, outRefundNo, reason, now })
  const facts = { state: 'approved', origin: 'system', surplus: payment.attention }
  await recordChange(tx, {
    type: 'refund.approved',
    actor: ENGINE,
    merchantId: payment.merchantId,
    paymentId: payment.id,
    subjectKind: 'refund',
    subjectId: id,
    payload: {
      refundId: id,
      paymentId: payment.id,
      outRefundNo,
      amountFen,
      ...facts,
    },
    detail: facts,
    transfers: [],
    occurredAt: now,
    now,
  })
}
