import type { FrontEndParameters } from '../../domain/channel.js'
import { CodedError } from '../../domain/errors.js'
import { CLOSE_GRACE_MS, PREPAY_FRESH_MS, scaledMs } from '../../domain/waits.js'
import { findPayment, type PaymentRow } from '../../db/payments.js'
import { signFrontEnd } from '../../wechat/channel.js'
import type { KeyedAccount } from '../account-book.js'
import type { ApiContext } from '../context.js'

/** How long a caller waits for an order to be placed. */
export const PLACING_TIMEOUT_MS = 8_000

/** A payment, and what its buyer needs while it can be paid. */
export interface Payable {
  readonly payment: PaymentRow
  readonly frontEnd: FrontEndParameters | null
  /** The order is still being placed: the same question later finds the answer. */
  readonly late: boolean
}

/**
 * Has the order placed if it is not yet, or placed again if its prepay_id grew old, and signs what
 * the buyer needs. Repeating it is harmless.
 * @param untilMs when to stop waiting, on the clock of `performance.now()`
 * @throws CodedError `payment_failed` when the channel refused, `engine_unavailable`
 */
export async function makePayable(
  context: ApiContext,
  found: PaymentRow,
  untilMs: number,
): Promise<Payable> {
  const { account, apiV2Keys } = await accountOf(context, found)
  const payment = await placed(context, found, account.timeScale, untilMs)
  if (payment.state === 'failed') {
    const { id: paymentId, outTradeNo, failureCode } = payment
    throw new CodedError('payment_failed', {
      paymentId,
      outTradeNo,
      failureCode: failureCode ?? 'unknown',
    })
  }
  const [apiV2Key] = apiV2Keys
  const now = context.clock.now()
  if (payment.prepayId === null || !isFresh(payment, account.timeScale, now)) {
    const open = payment.state === 'created' || payment.state === 'awaiting_payment'
    return { payment, frontEnd: null, late: open }
  }
  if (apiV2Key === undefined) throw new CodedError('account_unusable')
  const order = { appId: payment.appId, prepayId: payment.prepayId, nowMs: now.getTime() }
  const frontEnd = signFrontEnd(order, { apiV2Key, signType: account.signType })
  return { payment, frontEnd, late: false }
}

async function accountOf(context: ApiContext, payment: PaymentRow): Promise<KeyedAccount> {
  const keyed = await context.accounts.byId(payment.accountId)
  if (keyed === undefined) throw new CodedError('account_unusable')
  return keyed
}

async function placed(
  context: ApiContext,
  payment: PaymentRow,
  timeScale: number,
  untilMs: number,
): Promise<PaymentRow> {
  const { engine, gate, clock, db } = context
  const now = clock.now()
  const leftMs = Math.max(1, Math.round(untilMs - performance.now()))
  if (payment.state === 'created') {
    const closesAtMs = payment.expiresAt.getTime() + scaledMs(CLOSE_GRACE_MS, timeScale)
    const closesInMs = Math.max(0, closesAtMs - now.getTime())
    await gate.run(() => engine.placePayment(payment, closesInMs, leftMs))
  } else if (payment.state === 'awaiting_payment' && !isFresh(payment, timeScale, now)) {
    // Whoever asks at the same time joins the same placing.
    const updateId = `again-${payment.prepayAt?.getTime() ?? 0}`
    await gate.run(() => engine.placeAgain(payment, updateId, leftMs))
  } else {
    return payment
  }
  return (await findPayment(db, payment.id)) ?? payment
}

/** The prepay_id lives by the channel's clock. */
function isFresh(payment: PaymentRow, timeScale: number, now: Date): boolean {
  if (payment.state !== 'awaiting_payment' || payment.prepayAt === null) return false
  return now.getTime() - payment.prepayAt.getTime() < scaledMs(PREPAY_FRESH_MS, timeScale)
}
