-- Payments, the transitions they may make, and the guard that refuses every other change.

create table payment_transitions (
  from_state text not null,
  to_state text not null,
  primary key (from_state, to_state)
);

create table payments (
  id uuid primary key,
  merchant_id text not null,
  account_id uuid not null,
  api_version text not null check (api_version in ('v2')),
  mch_id text not null,
  app_id text not null,
  out_trade_no text not null check (out_trade_no ~ '^[0-9A-Za-z_|*-]{6,32}$'),
  order_ref text check (length(order_ref) between 1 and 64),
  description text not null,
  state text not null default 'created'
    check (state in ('created', 'awaiting_payment', 'paid', 'closed', 'failed')),
  disposition text check (disposition in ('accepted', 'held')),
  attention text,
  failure_code text,
  total_fen bigint not null check (total_fen between 1 and 1000000000),
  paid_fen bigint check (paid_fen >= 0),
  cash_fen bigint check (cash_fen >= 0),
  settlement_fen bigint check (settlement_fen >= 0),
  reserved_fen bigint not null default 0 check (reserved_fen >= 0),
  refunded_fen bigint not null default 0 check (refunded_fen >= 0),
  settled_fen bigint not null default 0 check (settled_fen >= 0),
  transaction_id text check (length(transaction_id) between 1 and 32),
  prepay_id text,
  prepay_at timestamptz,
  -- The canonical request to the channel, encrypted because it names the payer.
  channel_request bytea not null,
  -- A keyed hash of merchant and payer: finds the payments of a person without naming anybody.
  payer_ref bytea check (length(payer_ref) = 32),
  -- When the payer was erased: the request is empty then, and the hash is gone.
  payer_erased_at timestamptz,
  expires_at timestamptz not null,
  due_at timestamptz,
  due_count int not null default 0,
  -- When the next refund of this payment may be sent, and when the last one was.
  refund_slot_at timestamptz,
  refund_sent_at timestamptz,
  paid_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (mch_id, out_trade_no),
  unique (merchant_id, out_trade_no),
  constraint payments_of_their_account foreign key (account_id, merchant_id, mch_id)
    references channel_accounts (id, merchant_id, mch_id),
  constraint payments_paid_has_amount
    check (num_nonnulls(disposition, paid_fen, cash_fen, settlement_fen, transaction_id, paid_at)
      = case state when 'paid' then 6 else 0 end),
  -- Only what is over is erased: an open order may have to be placed again, byte for byte.
  constraint payments_erased_whole check (payer_erased_at is null
    or (channel_request = '' and payer_ref is null and state in ('paid', 'closed', 'failed'))),
  constraint payments_refunded_within_paid check (refunded_fen <= coalesce(paid_fen, 0)),
  constraint payments_refunds_within_paid
    check (reserved_fen + refunded_fen + settled_fen <= coalesce(paid_fen, 0))
-- A payment is written four times and more: the counters of its refunds stay on its page and touch
-- no index (HOT), if the page has room. A fifth of a million rows would be too late to clean up.
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_analyze_scale_factor = 0.02);

create unique index payments_transaction_id_once on payments (mch_id, transaction_id)
  where transaction_id is not null;
create unique index payments_order_ref_open_once on payments (merchant_id, order_ref)
  where state in ('created', 'awaiting_payment');
create unique index payments_order_ref_accepted_once on payments (merchant_id, order_ref)
  where disposition = 'accepted';
create index payments_due on payments (due_at) where due_at is not null;
create index payments_by_time on payments (merchant_id, created_at desc, id desc);
create index payments_by_payer on payments (merchant_id, payer_ref) where payer_ref is not null;
create index payments_with_payer on payments (created_at) where payer_erased_at is null;

-- The path is fixed, because a role could put a temporary table of its own before the real one.
create function payments_guard() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  if new.state <> old.state and not exists (
    select from payment_transitions where from_state = old.state and to_state = new.state
  ) then
    raise exception 'a payment cannot go from % to %', old.state, new.state
      using errcode = 'YL001', constraint = 'payments_transition';
  end if;
  if (old.id, old.merchant_id, old.account_id, old.api_version, old.mch_id, old.app_id,
      old.out_trade_no, old.order_ref, old.description, old.total_fen, old.expires_at,
      old.created_at)
     is distinct from
     (new.id, new.merchant_id, new.account_id, new.api_version, new.mch_id, new.app_id,
      new.out_trade_no, new.order_ref, new.description, new.total_fen, new.expires_at,
      new.created_at) then
    raise exception 'what was ordered never changes'
      using errcode = 'YL002', constraint = 'payments_immutable';
  end if;
  -- Who pays changes once, to nobody; payments_erased_whole says what nobody looks like.
  if (old.channel_request, old.payer_ref, old.payer_erased_at)
     is distinct from (new.channel_request, new.payer_ref, new.payer_erased_at)
     and (old.payer_erased_at is not null or new.payer_erased_at is null) then
    raise exception 'who pays never changes, but may be erased'
      using errcode = 'YL002', constraint = 'payments_payer_immutable';
  end if;
  if old.paid_fen is not null and
     (old.disposition, old.paid_fen, old.cash_fen, old.settlement_fen, old.transaction_id,
      old.paid_at)
     is distinct from
     (new.disposition, new.paid_fen, new.cash_fen, new.settlement_fen, new.transaction_id,
      new.paid_at) then
    raise exception 'what was paid is set once'
      using errcode = 'YL002', constraint = 'payments_paid_once';
  end if;
  return new;
end $$;

create trigger payments_guard before update on payments
  for each row execute function payments_guard();

create function refuse_removal() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never removed', tg_table_name
    using errcode = 'YL003', constraint = tg_table_name || '_never_removed';
end $$;

create trigger payments_never_removed before delete or truncate on payments
  for each statement execute function refuse_removal();

grant select on payments, payment_transitions to yuanlu_api, yuanlu_worker;
grant insert (id, merchant_id, account_id, api_version, mch_id, app_id, out_trade_no, order_ref,
  description, total_fen, channel_request, payer_ref, expires_at, created_at, updated_at)
  on payments to yuanlu_api;
grant update (state, disposition, attention, failure_code, paid_fen, cash_fen, settlement_fen,
  transaction_id, prepay_id, prepay_at, due_at, due_count, refund_slot_at, refund_sent_at, paid_at,
  updated_at) on payments to yuanlu_worker;
