import { openCase } from '../db/cases.js'
import type { EventType } from '../db/outbox.js'
import type { RefundRow } from '../db/refunds.js'
import type { Transaction } from '../db/transaction.js'
import type { CaseKind } from '../domain/cases.js'
import type { FactCause } from '../domain/refund.js'
import type { Transfer } from '../ledger/postings.js'
import { recordChange, type Actor } from '../ledger/record.js'

export const ENGINE: Actor = { actorKind: 'engine', actorId: 'yuanlu', actingUser: null }

/** WeChat Pay as who did something, by the merchant number it speaks to. */
export const channelActor = (mchId: string): Actor => ({
  actorKind: 'channel',
  actorId: mchId,
  actingUser: null,
})

/** What happened to a refund, by whom, and what it moved in the book. */
export interface RefundHappening {
  readonly type: Extract<EventType, `refund.${string}`>
  readonly actor: Actor
  readonly facts: object
  readonly now: Date
  readonly transfers?: readonly Transfer[]
  /** When the money moved; now unless the channel says when. */
  readonly occurredAt?: Date
}

/** The event, the audit's line and the entry about a refund, with the state they tell of. */
export async function recordOfRefund(
  tx: Transaction,
  refund: RefundRow,
  { type, actor, facts, now, transfers = [], occurredAt = now }: RefundHappening,
): Promise<void> {
  const payload = {
    refundId: refund.id,
    paymentId: refund.paymentId,
    outRefundNo: refund.outRefundNo,
    amountFen: refund.amountFen,
    ...facts,
  }
  await recordChange(tx, {
    type,
    actor,
    merchantId: refund.merchantId,
    paymentId: refund.paymentId,
    subjectKind: 'refund',
    subjectId: refund.id,
    payload,
    detail: facts,
    transfers,
    occurredAt,
    now,
  })
}

export const CASE_OF: Readonly<Record<FactCause, CaseKind>> = {
  amount_differs: 'refund_differs',
  beyond_paid: 'refund_beyond_paid',
}

/** Has a person look at a refund that the channel shows as it cannot be; once, however often. */
export async function openRefundCase(
  tx: Transaction,
  refund: RefundRow,
  kind: CaseKind,
  { shown, now }: { readonly shown: object; readonly now: Date },
): Promise<void> {
  await openCase(tx, {
    kind,
    merchantId: refund.merchantId,
    paymentId: refund.paymentId,
    causeKind: 'refund',
    causeId: refund.id,
    amountFen: refund.amountFen,
    detail: { refundId: refund.id, ...shown },
    now,
  })
}
