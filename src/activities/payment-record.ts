import type { EventType } from '../db/outbox.js'
import type { PaymentRow } from '../db/payments.js'
import type { Transfer } from '../ledger/postings.js'
import type { Actor, Change } from '../ledger/record.js'
import { channelActor } from './refund-record.js'

/** What happened to a payment, by whom, and what it moved in the book. */
export interface PaymentHappening {
  readonly type: Extract<EventType, `payment.${string}`>
  readonly facts: object
  readonly now: Date
  /** The channel unless a person or the engine did it. */
  readonly actor?: Actor
  readonly transfers?: readonly Transfer[]
  /** When the money moved; now unless the channel says when. */
  readonly occurredAt?: Date
}

type Subject = Pick<PaymentRow, 'id' | 'merchantId' | 'mchId' | 'outTradeNo'>

/** The event, the audit's line and the entry about a payment, with the state they tell of. */
export const paymentChange = (
  payment: Subject,
  { type, facts, now, actor, transfers = [], occurredAt = now }: PaymentHappening,
): Change => ({
  type,
  actor: actor ?? channelActor(payment.mchId),
  merchantId: payment.merchantId,
  paymentId: payment.id,
  subjectKind: 'payment',
  subjectId: payment.id,
  payload: { paymentId: payment.id, outTradeNo: payment.outTradeNo, ...facts },
  detail: facts,
  transfers,
  occurredAt,
  now,
})
