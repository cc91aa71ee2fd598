import { randomBytes, randomUUID } from 'node:crypto'

import { DEFAULT_POLICY } from '../../../src/domain/approval.js'

/** The merchant whose rows the plans are made of. */
export const PLANS_MERCHANT = 'plans'

/** Rows of the book that statements may be asked about. */
export interface Ids {
  readonly payment: string
  readonly open: string
  readonly refund: string
  readonly account: string
  readonly key: string
}

/** What a function waits for, so that it has something to do. */
const ENTRY = `insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen,
    merchant_id, cause_kind, cause_id, occurred_at)
  select gen_random_uuid(), 1, 'F1', 'fees:' || id, 'wechat:' || id, 1, '${PLANS_MERCHANT}',
    'bill_line', gen_random_uuid(), now() from channel_accounts`
const EVENT = `insert into outbox (id, subject, sequence, type, payload, created_at)
  select gen_random_uuid(), id, 99, 'payment.paid', '{}', now() from payments limit 1`

const CASE_ID = randomUUID()
const CASE = `with paid as (select id, merchant_id from payments limit 1)
  insert into cases (id, merchant_id, kind, payment_id, cause_kind, cause_id, amount_fen, detail,
    opened_at)
  select '${CASE_ID}', merchant_id, 'payment_held', id, 'payment', 'plans', 1, '{}', now()
  from paid`

interface Call {
  readonly before?: string
  readonly values: (ids: Ids) => readonly unknown[]
  /** It looks for what is not there and says so, and has looked by then. */
  readonly refusedBy?: string
}

/** The functions behind the statements that only call one, with something to do. */
export const CALLS: Readonly<Record<string, Call>> = {
  balance_checkpoint: { values: () => [new Date('2027-01-01T00:00:00Z')] },
  cases_open: {
    values: (ids) => [
      randomUUID(),
      PLANS_MERCHANT,
      'payment_held',
      ids.payment,
      'payment',
      ids.payment,
      1,
      {},
      new Date(),
    ],
  },
  cases_resolve: {
    before: CASE,
    values: (ids) => {
      return [CASE_ID, PLANS_MERCHANT, ids.key, 'Alice', 'seen', randomUUID(), new Date()]
    },
  },
  external_refunds_book: {
    values: (ids) => [
      randomUUID(),
      ids.payment,
      'at-the-channel',
      'portal-plans',
      1,
      1,
      'success',
      new Date(),
      randomUUID(),
      randomUUID(),
      randomUUID(),
      randomUUID(),
      new Date(),
    ],
  },
  decisions_record_operator: {
    values: (ids) => [randomUUID(), ids.refund, 'fine', 'run', new Date()],
  },
  inbox_store_notification: {
    values: (ids) => [
      randomUUID(),
      ids.account,
      'payment',
      'another',
      ids.payment,
      'signature',
      {},
      new Date(),
      {},
      Buffer.of(1),
    ],
  },
  inbox_store_payment_notification: {
    values: (ids) => [
      randomUUID(),
      ids.account,
      'nothing',
      'wx1',
      'another',
      {},
      new Date(),
      {},
      Buffer.of(1),
    ],
  },
  channel_holds_pass: {
    values: (ids) => [PLANS_MERCHANT, ids.account, true, 1_000, 150, 6, new Date()],
  },
  credentials_add: {
    values: (ids) => [
      PLANS_MERCHANT,
      ids.account,
      'v2_key',
      9,
      null,
      null,
      'kek',
      Buffer.of(1),
      ids.key,
      'Alice',
      randomUUID(),
      new Date(),
    ],
  },
  credentials_listed: { values: () => [PLANS_MERCHANT] },
  decisions_deciding_keys: { values: () => [PLANS_MERCHANT] },
  decisions_record_deadline: { values: (ids) => [randomUUID(), ids.refund, new Date()] },
  merchants_change: {
    values: (ids) => [
      PLANS_MERCHANT,
      { name: 'x', operatorLimitFen: 0, selfApproval: false, latePayments: 'refund' },
      ids.key,
      'Alice',
      randomUUID(),
      new Date(),
    ],
  },
  payments_adopt: {
    values: (ids) => [
      randomUUID(),
      ids.account,
      'wx1',
      'ADOPTED-PLANS',
      'Tea',
      'transaction-plans',
      1,
      1,
      1,
      new Date(),
      new Date(),
    ],
  },
  outbox_position: { before: EVENT, values: () => [5_000] },
  payers_erase: { values: () => [PLANS_MERCHANT, randomBytes(32), 100, new Date()] },
  payments_lock_for_settling: { values: (ids) => [ids.open] },
  refunds_request: {
    values: (ids) => [
      randomUUID(),
      PLANS_MERCHANT,
      ids.payment,
      'R-plans',
      1,
      'does not fit',
      ids.key,
      'Alice',
      new Date(),
      randomUUID(),
      randomUUID(),
      new Date(),
      'other',
      null,
    ],
  },
  refunds_mark_retry: {
    refusedBy: 'refunds_retry_has_proof',
    values: (ids) => [ids.refund, ids.refund, randomUUID(), new Date()],
  },
  payments_resolve_held_case: {
    before: CASE,
    values: (ids) => [ids.payment, ids.key, 'Alice', 'seen', new Date()],
  },
  policies_add: {
    values: (ids) => [
      PLANS_MERCHANT,
      JSON.stringify(DEFAULT_POLICY),
      ids.key,
      'Alice',
      randomUUID(),
      new Date(),
    ],
  },
  retention_drop_attempts: { values: () => [new Date()] },
  retention_drop_bodies: { values: () => [new Date()] },
  retention_ensure: { values: () => [new Date()] },
  retention_ensure_attempts: { values: () => [new Date()] },
  retention_forget_deliveries: { values: () => [new Date(), 100] },
  retention_erase_payers: { values: () => [new Date(), 100] },
  retention_forget_keys: { values: () => [new Date(), 100] },
  seal_number_entries: { before: ENTRY, values: () => [5_000] },
  surplus_refunds_open: {
    values: (ids) => [randomUUID(), ids.payment, 'S-plans', 'late', new Date()],
  },
  webhook_deliveries_ping: {
    values: () => [randomUUID(), randomUUID(), randomUUID(), '{}', new Date()],
  },
  webhook_deliveries_replay: { values: () => [randomUUID(), new Date()] },
}
