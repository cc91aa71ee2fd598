import { refundWithDecisionsView, paymentView } from '../api/views.js'
import { decisionsOf } from '../db/decisions.js'
import { findPayment } from '../db/payments.js'
import type { Queryable } from '../db/pool.js'
import { findRefund } from '../db/refunds.js'
import type { WantedEvent } from '../db/webhook-fan-out.js'
import { WEBHOOK_API_VERSION } from '../domain/webhook.js'

/**
 * What is sent about an event: what it is, its place among the events of its payment, and the whole
 * object as the API shows it. The object is read when the event is handed out, so it may already
 * tell of more than the event does; `facts` are the event's own.
 */
export async function eventBody(db: Queryable, event: WantedEvent): Promise<string> {
  const { id, type, createdAt, livemode, paymentId, sequence, payload } = event
  const about = await objectOf(db, event)
  return JSON.stringify({
    id,
    type,
    timestamp: createdAt.toISOString(),
    apiVersion: WEBHOOK_API_VERSION,
    livemode,
    paymentId,
    sequence,
    data: { ...about, facts: payload },
  })
}

/** @throws Error when the object is not there, which foreign keys keep from happening. */
async function objectOf(db: Queryable, event: WantedEvent): Promise<object> {
  const { refundId } = event.payload
  if (!event.type.startsWith('refund.') || typeof refundId !== 'string') {
    const payment = await findPayment(db, event.paymentId)
    if (payment === undefined) throw new Error(`Event ${event.id} tells of no payment.`)
    return { objectType: 'payment', object: paymentView(payment) }
  }
  const [refund, decisions] = await Promise.all([
    findRefund(db, refundId),
    decisionsOf(db, refundId),
  ])
  if (refund === undefined) throw new Error(`Event ${event.id} tells of no refund.`)
  return { objectType: 'refund', object: refundWithDecisionsView(refund, decisions) }
}

/** An event that tells of nothing, for a merchant who tries an endpoint out. */
export function pingBody(ping: {
  readonly eventId: string
  readonly livemode: boolean
  readonly now: Date
}): string {
  return JSON.stringify({
    id: ping.eventId,
    type: 'ping',
    timestamp: ping.now.toISOString(),
    apiVersion: WEBHOOK_API_VERSION,
    livemode: ping.livemode,
    data: {},
  })
}
