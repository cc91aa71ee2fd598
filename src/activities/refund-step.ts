import { passRefundGate, type Held } from '../db/channel-holds.js'
import type { RefundedPayment } from '../db/payments.js'
import { changeRefund, setRefundSlot, type RefundChange, type RefundRow } from '../db/refunds.js'
import type { Transaction } from '../db/transaction.js'
import { isRefundOver, type HoldReason, type RefundCause } from '../domain/states.js'
import { HOLD_PROBE_MS, REFUND_RATES, REFUND_SPACING_MS, scaledMs } from '../domain/waits.js'

/** What the row says is left to do about a refund, as one step with at most one external call. */
export type RefundStep =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'wait'; readonly why: HoldReason | 'rate'; readonly waitMs: number }
  | { readonly kind: 'submit' }
  | { readonly kind: 'query' }

export interface StepContext {
  readonly tx: Transaction
  readonly payment: RefundedPayment
  readonly refund: RefundRow
  readonly timeScale: number
  readonly now: Date
}

/** Known not to have been taken, so what holds the account's other refunds holds these too. */
const NOT_TAKEN: readonly (RefundCause | null)[] = [
  'rate_limited',
  'insufficient_balance',
  'credentials',
]

/**
 * Chooses the next step under the payment's lock, and claims it when it is a submit: `refunding` is
 * written before the first byte leaves, and every repetition uses the same number and amounts.
 */
export async function claimStep(context: StepContext): Promise<RefundStep> {
  const { refund } = context
  if (isRefundOver(refund.state) || refund.state === 'pending') return { kind: 'nothing' }
  if (refund.state === 'needs_attention') return { kind: 'query' }
  return refund.state === 'refunding' ? claimRepetition(context) : claimFirstSubmit(context)
}

async function claimRepetition(context: StepContext): Promise<RefundStep> {
  const { refund, now } = context
  if (refund.cause === 'accepted') return { kind: 'query' }
  const held = NOT_TAKEN.includes(refund.cause) ? await gate(context, false) : undefined
  if (held !== undefined) return waitUntil(held.reason, held.until, now)
  await claimSubmit(context, {})
  return { kind: 'submit' }
}

/** Whatever holds a refund does so here, in `approved`, where it can still be stopped. */
async function claimFirstSubmit(context: StepContext): Promise<RefundStep> {
  const { tx, payment, timeScale, now } = context
  // More is spoken for than was paid, by a refund of the portal: what was not sent stays here.
  if (payment.overReservedFen > 0) {
    return hold(context, 'over_reserved', new Date(now.getTime() + probeMs(timeScale)))
  }
  const spacingMs = scaledMs(REFUND_SPACING_MS, timeScale)
  const sendMs = turnOf(context, spacingMs)
  const nextMs = Math.max(ms(payment.refundSlotAt), sendMs + spacingMs)
  if (sendMs > now.getTime()) {
    const slot = { nextAt: new Date(nextMs), sentAt: payment.refundSentAt }
    const [step] = await Promise.all([
      hold(context, 'spacing', new Date(sendMs)),
      setRefundSlot(tx, payment.id, slot),
    ])
    return step
  }
  const held = await gate(context, true)
  if (held?.reason === 'rate') return waitUntil(held.reason, held.until, now)
  if (held !== undefined) return hold(context, held.reason, held.until)
  await Promise.all([
    claimSubmit(context, { firstSubmittedAt: now, holdReason: null, holdUntil: null }),
    setRefundSlot(tx, payment.id, { nextAt: new Date(nextMs), sentAt: now }),
  ])
  return { kind: 'submit' }
}

/**
 * When this refund may be sent for the sake of its payment's others. A slot that is used late would
 * come too near to the next one, so the distance is also kept from when the last refund of this
 * payment was really sent and answered.
 */
function turnOf({ payment, refund, now }: StepContext, spacingMs: number): number {
  const slotMs =
    refund.holdReason === 'spacing' && refund.holdUntil !== null
      ? refund.holdUntil.getTime()
      : Math.max(ms(payment.refundSlotAt), now.getTime())
  return Math.max(slotMs, ms(payment.refundSentAt) + spacingMs)
}

async function gate(context: StepContext, isFirst: boolean): Promise<Held | undefined> {
  const { tx, refund, timeScale, now } = context
  return passRefundGate(tx, {
    merchantId: refund.merchantId,
    accountId: refund.accountId,
    isFirst,
    probeMs: probeMs(timeScale),
    rates: REFUND_RATES,
    now,
  })
}

async function hold(context: StepContext, reason: HoldReason, until: Date): Promise<RefundStep> {
  const { tx, refund, now } = context
  await changeRefund(tx, refund.id, { holdReason: reason, holdUntil: until, dueAt: null }, now)
  return waitUntil(reason, until, now)
}

const waitUntil = (why: HoldReason | 'rate', until: Date, now: Date): RefundStep => ({
  kind: 'wait',
  why,
  waitMs: until.getTime() - now.getTime(),
})

async function claimSubmit(context: StepContext, change: RefundChange): Promise<void> {
  const { tx, refund, now } = context
  await changeRefund(
    tx,
    refund.id,
    {
      ...change,
      state: 'refunding',
      cause: 'submitting',
      lastSubmittedAt: now,
      submitCount: refund.submitCount + 1,
      dueAt: null,
      slowAt: null,
      // The worker that sent it before did not live to write down an answer.
      ...(refund.cause === 'submitting' ? { maybeTaken: true } : {}),
    },
    now,
  )
}

const probeMs = (timeScale: number): number => scaledMs(HOLD_PROBE_MS, timeScale)

const ms = (at: Date | null): number => at?.getTime() ?? 0
