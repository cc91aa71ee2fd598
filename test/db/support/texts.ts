/**
 * Statements as somebody with a database prompt would type them; names in braces are the
 * ids of a scene.
 */

export const DECISION = `insert into refund_decisions
  (id, refund_id, verb, principal_kind, principal_id, acting_user, reason, stored_at)
  values (gen_random_uuid(), '{pending}', 'approve', 'api_key', '{key}', 'Bob', 'fine', now())`

export const PAYMENT = `insert into payments (id, merchant_id, account_id, api_version, mch_id,
  app_id, out_trade_no, order_ref, description, total_fen, channel_request, expires_at, created_at,
  updated_at)
  values (gen_random_uuid(), 'demo', '{account}', 'v2', '1900000001', 'wx1', 'ORDER-0001', null,
  'Tea', 100, '', now(), now(), now())`

export const REFUND = `insert into refunds (id, merchant_id, payment_id, account_id, api_version,
  mch_id, out_refund_no, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
  created_at, updated_at)
  values (gen_random_uuid(), 'demo', '{other}', '{account}', 'v2', '1900000001', 'R-1', 600, 1000,
  'x', '{key}', 'Alice', now(), now(), now())`

/** A refund of {other} that nobody asked for here, as nobody may write it. */
export const EXTERNAL_REFUND = REFUND.replace(
  'requested_for, expires_at,',
  'requested_for, origin, state, first_submitted_at, done_at, expires_at,',
).replace("'{key}', 'Alice',", "null, 'x', 'external', 'done', now(), now(),")

export const bookExternal = (status: string): string => `select book_external_refund(
  gen_random_uuid(), '{other}', 'at-1', 'portal-x', 1, 1, '${status}', null, gen_random_uuid(),
  gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now())`

export const OPEN_CASE = `select open_case(gen_random_uuid(), 'demo', 'payment_held', '{held}',
  'payment', '{held}', 1, '{}', now())`

export const RESOLVE_CASE = `select resolve_case('{case}', 'demo', '{key}', 'Bob', 'seen',
  gen_random_uuid(), now())`

export const CASE = `insert into cases (id, merchant_id, kind, payment_id, cause_kind, cause_id,
  amount_fen, detail, opened_at)
  values (gen_random_uuid(), 'demo', 'payment_held', '{held}', 'payment', 'x', 1, '{}', now())`

export const CASE_EVENT = `insert into case_events (case_id, n, type, actor_kind, actor_id, at)
  values ('{case}', 2, 'resolved', 'engine', 'yuanlu', now())`

export const RESOLUTION = `insert into refund_resolutions
  (id, refund_id, verb, principal_id, acting_user, evidence, stored_at)
  values (gen_random_uuid(), '{refunding}', 'retry', '{key}', 'Bob', 'x', now())`

export const DAY_TOTAL = `insert into person_day_totals values ('demo', '', '2026-03-01', 100)`

export const POLICY = `insert into approval_policies (merchant_id, version, spacing_s, deadline_s,
  at_deadline, created_by, created_at) values ('demo', 1, 0, 3600, 'close', '{key}', now())`

/** A second payment like {full}, but for what is changed in it. */
export const likeFull = (changes: string): string => `insert into payments
  select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'out_trade_no',
    'ORDER-0002', 'reserved_fen', 0, 'refunded_fen', 0, ${changes}))).*
  from payments p where id = '{full}'`

export const FACT = `insert into inbox
  (id, account_id, kind, business_key, subject_id, source, verified_by, fact, stored_at)
  values (gen_random_uuid(), '{account}', 'payment', 'k', '{full}', 'query', 'query', '{}', now())`

export const NOTIFICATION = `select * from store_notification(gen_random_uuid(), '{account}',
  'payment', 'told', '{full}', 'signature', '{}', now(), '{}', 'sealed')`

export const PAYMENT_NOTIFICATION = `select * from store_payment_notification(gen_random_uuid(),
  '{account}', 'ORDER-0001', 'wx1', 'told', '{}', now(), '{}', 'sealed')`

export const BODY = `insert into inbox_bodies values (gen_random_uuid(), now(), '{}', 'sealed')`

export const TRANSFER = `insert into journal_transfers
  (entry_id, n, rule, debit, credit, amount_fen, merchant_id, cause_kind, cause_id, occurred_at)
  values (gen_random_uuid(), 1, 'P1', 'wechat:{account}', 'sales:demo', 1, 'demo', 'payment',
  '{other}', now())`

export const REVERSAL = `insert into journal_transfers
  (entry_id, n, rule, debit, credit, amount_fen, merchant_id, cause_kind, cause_id, reverses,
  occurred_at)
  values (gen_random_uuid(), 1, 'X', 'sales:demo', 'wechat:{account}', 1000, 'demo', 'case',
  '{other}', '{entry}', now())`

export const ask = (amountFen: number): string => `select request_refund(gen_random_uuid(), 'demo',
  '{other}', 'R-3', ${amountFen}, 'x', '{key}', 'Alice', now(), gen_random_uuid(),
  gen_random_uuid(), now())`

export const OPERATOR_APPROVES =
  "select record_operator_approval(gen_random_uuid(), '{pending}', 'x', 'run', now())"

/** Everything a paid payment has, all of it `amountFen`. */
export const paidColumns = (amountFen: number): string => `state = 'paid',
  disposition = 'accepted', paid_fen = ${amountFen}, cash_fen = ${amountFen},
  settlement_fen = ${amountFen}, transaction_id = 't', paid_at = now()`

export const changePayment = (name: string, set: string): string =>
  `update payments set ${set} where id = '{${name}}'`

export const changeRefund = (name: string, set: string): string =>
  `update refunds set ${set} where id = '{${name}}'`
