import { newId } from '../db/ids.js'
import { insertEvent, type EventType } from '../db/outbox.js'
import type { RefundRow } from '../db/refunds.js'
import type { Transaction } from '../db/transaction.js'
import { recordAudit, type AuditEntry } from '../ledger/audit.js'

export type Actor = Pick<AuditEntry, 'actorKind' | 'actorId' | 'actingUser'>

export const ENGINE: Actor = { actorKind: 'engine', actorId: 'yuanlu', actingUser: null }

export const channelActor = (mchId: string): Actor => ({
  actorKind: 'channel',
  actorId: mchId,
  actingUser: null,
})

/**
 * The event for the merchant and the audit's line about a refund, both with the state they tell of.
 */
export async function tellOfRefund(
  tx: Transaction,
  refund: RefundRow,
  type: Extract<EventType, `refund.${string}`>,
  actor: Actor,
  facts: object,
  now: Date,
): Promise<void> {
  const payload = {
    refundId: refund.id,
    paymentId: refund.paymentId,
    outRefundNo: refund.outRefundNo,
    amountFen: refund.amountFen,
    ...facts,
  }
  await insertEvent(tx, { id: newId(now), paymentId: refund.paymentId, type, payload, now })
  await recordAudit(tx, {
    id: newId(now),
    merchantId: refund.merchantId,
    at: now,
    ...actor,
    action: type,
    subjectKind: 'refund',
    subjectId: refund.id,
    detail: facts,
  })
}
