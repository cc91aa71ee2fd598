import type { CopyTarget, CopyValue } from '../../db/copy.js'

const columns = (text: string): readonly string[] => text.trim().split(/[\s,]+/)

/** The columns that a seeded book fills, in the order of its rows. */
const COLUMNS = {
  payments: columns(`id, merchant_id, account_id, api_version, mch_id, app_id, out_trade_no,
    order_ref, description, state, disposition, attention, failure_code, total_fen, paid_fen,
    cash_fen, settlement_fen, transaction_id, prepay_id, prepay_at, channel_request, payer_ref,
    payer_erased_at, expires_at, due_at, due_count, paid_at, created_at, updated_at`),
  refunds: columns(`id, merchant_id, payment_id, account_id, api_version, mch_id, out_refund_no,
    origin, state, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
    created_at, updated_at, workflow_started_at`),
  refund_moves: columns(`stage, id, state, cause, last_code, settlement_fen, transit_round,
    in_transit, refund_id, first_submitted_at, submit_count, accepted_at, query_count, done_at,
    updated_at`),
  idempotency_keys: columns(`merchant_id, client_id, route, key, request_hash, object_id,
    created_at`),
  inbox: columns(`id, account_id, kind, business_key, subject_id, source, verified_by, fact,
    stored_at, signalled_at, applied_at, outcome`),
  refund_decisions: columns(`id, refund_id, verb, principal_kind, principal_id, acting_user, reason,
    stored_at, signalled_at, applied_at, outcome`),
  journal_transfers: columns(`entry_id, n, rule, debit, credit, amount_fen, merchant_id, cause_kind,
    cause_id, occurred_at, recorded_at`),
  cases: columns(`id, merchant_id, kind, payment_id, cause_kind, cause_id, amount_fen, detail,
    opened_at`),
  case_events: columns('case_id, n, type, actor_kind, actor_id, at'),
  outbox: columns('id, subject, sequence, type, payload, created_at'),
  audit: columns(`id, merchant_id, at, actor_kind, actor_id, acting_user, action, subject_kind,
    subject_id, detail, recorded_at`),
} as const

export type SeededTable = keyof typeof COLUMNS
export type Row = readonly CopyValue[]

/** The rows of one batch by table, and what they come to. */
export type BatchRows = Readonly<Record<SeededTable, Row[]>>

/** In this order: a row comes after those it refers to, and refunds move once they are there. */
export const SEEDED_TABLES = Object.keys(COLUMNS) as readonly SeededTable[]

export const emptyBatch = (): BatchRows => ({
  payments: [],
  refunds: [],
  refund_moves: [],
  idempotency_keys: [],
  inbox: [],
  refund_decisions: [],
  journal_transfers: [],
  cases: [],
  case_events: [],
  outbox: [],
  audit: [],
})

export const copyTarget = (table: SeededTable): CopyTarget => ({ table, columns: COLUMNS[table] })
