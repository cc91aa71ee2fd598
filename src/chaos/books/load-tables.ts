import { sql, type Queryable } from '../../db/pool.js'
import type {
  CaseEntry,
  DecisionEntry,
  EventEntry,
  InboxEntry,
  PaymentEntry,
  RefundEntry,
  ResolutionEntry,
  Tables,
  TransferEntry,
} from './books.js'

/** What PostgreSQL holds of one merchant: the journal and the read tables, whole. */

const PAYMENTS = sql(
  'chaos_payments',
  `select id, account_id as "accountId", out_trade_no as "outTradeNo", order_ref as "orderRef",
     origin, state, disposition, total_fen as "totalFen", paid_fen as "paidFen",
     settlement_fen as "settlementFen", reserved_fen as "reservedFen",
     refunded_fen as "refundedFen", settled_fen as "settledFen",
     over_reserved_fen as "overReservedFen", transaction_id as "transactionId"
   from payments where merchant_id = $1 order by created_at, id`,
)
const REFUNDS = sql(
  'chaos_refunds',
  `select id, payment_id as "paymentId", account_id as "accountId",
     out_refund_no as "outRefundNo", origin, state, cause, hold_reason as "holdReason",
     amount_fen as "amountFen", settlement_fen as "settlementFen", in_transit as "isInTransit",
     requested_by as "requestedBy", requested_for as "requestedFor",
     approvals_needed as "approvalsNeeded"
   from refunds where merchant_id = $1 order by created_at, id`,
)
const INBOX = sql(
  'chaos_inbox',
  `select i.id, i.kind, i.business_key as "businessKey", i.subject_id as "subjectId", i.source,
     i.times_seen as "timesSeen", i.applied_at is not null as "isApplied"
   from inbox i join channel_accounts a on a.id = i.account_id
   where a.merchant_id = $1 order by i.stored_at, i.id`,
)
const DECISIONS = sql(
  'chaos_decisions',
  `select d.id, d.refund_id as "refundId", verb, principal_kind as "principalKind",
     principal_id as "principalId", acting_user as "actingUser",
     d.self_approval as "isSelfApproval", d.outcome
   from refund_decisions d join refunds r on r.id = d.refund_id
   where r.merchant_id = $1 order by d.stored_at, d.id`,
)
const RESOLUTIONS = sql(
  'chaos_resolutions',
  `select x.id, x.refund_id as "refundId", verb, outcome
   from refund_resolutions x join refunds r on r.id = x.refund_id
   where r.merchant_id = $1 order by x.stored_at, x.id`,
)
const CASES = sql(
  'chaos_cases',
  `select kind, payment_id as "paymentId", amount_fen as "amountFen",
     state = 'open' as "isOpen"
   from cases where merchant_id = $1 order by opened_at, id`,
)
const EVENTS = sql(
  'chaos_events',
  `select o.subject as "paymentId", o.payload->>'refundId' as "refundId", o.sequence, o.type
   from outbox o join payments p on p.id = o.subject
   where p.merchant_id = $1 order by o.subject, o.sequence`,
)
const JOURNAL = sql(
  'chaos_journal',
  `select entry_id as "entryId", rule, n, debit, credit, amount_fen as "amountFen",
     cause_kind as "causeKind", cause_id as "causeId"
   from journal_transfers where merchant_id = $1 order by recorded_at, entry_id, rule, n`,
)

export async function loadTables(db: Queryable, merchantId: string): Promise<Tables> {
  const [payments, refunds, inbox, decisions, resolutions, cases, events] = await Promise.all([
    db.rows<PaymentEntry>(PAYMENTS, [merchantId]),
    db.rows<RefundEntry>(REFUNDS, [merchantId]),
    db.rows<InboxEntry>(INBOX, [merchantId]),
    db.rows<DecisionEntry>(DECISIONS, [merchantId]),
    db.rows<ResolutionEntry>(RESOLUTIONS, [merchantId]),
    db.rows<CaseEntry>(CASES, [merchantId]),
    db.rows<EventEntry>(EVENTS, [merchantId]),
  ])
  return { payments, refunds, inbox, decisions, resolutions, cases, events }
}

export const loadJournal = (db: Queryable, merchantId: string): Promise<TransferEntry[]> =>
  db.rows<TransferEntry>(JOURNAL, [merchantId])

const NUMBERS = sql(
  'chaos_channel_numbers',
  'select mch_id as "mchId" from channel_accounts where merchant_id = $1',
)

/** The merchant's numbers at the channel. */
export async function channelNumbers(db: Queryable, merchantId: string): Promise<string[]> {
  const rows = await db.rows<{ mchId: string }>(NUMBERS, [merchantId])
  return rows.map(({ mchId }) => mchId)
}
