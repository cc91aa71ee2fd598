-- Refunds. A trigger keeps their sums on the payment, whoever writes, and the payment's CHECK
-- constraints then make it impossible to give back more than was paid.

create table refund_transitions (
  from_state text not null,
  to_state text not null,
  primary key (from_state, to_state)
);

-- Which counter of the payment a refund's amount stands in, by state.
create table refund_effects (
  state text primary key,
  bucket text not null check (bucket in ('reserved', 'refunded', 'settled', 'none'))
);

create table refunds (
  id uuid primary key,
  merchant_id text not null references merchants,
  payment_id uuid not null references payments,
  account_id uuid not null references channel_accounts,
  api_version text not null check (api_version in ('v2')),
  mch_id text not null,
  out_refund_no text not null check (out_refund_no ~ '^[0-9A-Za-z_|*@-]{1,64}$'),
  origin text not null default 'api' check (origin in ('api')),
  state text not null default 'pending' check (state in ('pending', 'approved', 'refunding',
    'needs_attention', 'done', 'settled', 'failed', 'rejected', 'cancelled', 'expired')),
  cause text check (cause in ('submitting', 'accepted', 'unknown', 'rate_limited',
    'insufficient_balance', 'abnormal', 'refused')),
  hold_reason text check (hold_reason in ('spacing')),
  hold_until timestamptz,
  -- The channel's own code and text of its last answer, for people.
  last_code text,
  last_message text,
  amount_fen bigint not null check (amount_fen > 0),
  -- The payment's total, as the channel wants it with every refund.
  total_fen bigint not null check (total_fen > 0),
  settlement_fen bigint check (settlement_fen >= 0),
  -- How often this refund was put in transit (J1), and whether it is there now.
  transit_round int not null default 0,
  in_transit boolean not null default false,
  refund_id text check (length(refund_id) between 1 and 32),
  reason text not null check (length(reason) between 1 and 80),
  requested_by uuid not null references api_keys,
  requested_for text not null,
  expires_at timestamptz not null,
  first_submitted_at timestamptz,
  last_submitted_at timestamptz,
  submit_count int not null default 0,
  accepted_at timestamptz,
  query_count int not null default 0,
  done_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (mch_id, out_refund_no),
  constraint refunds_sent_has_time check (
    (first_submitted_at is null)
    = (state in ('pending', 'approved', 'rejected', 'cancelled', 'expired'))),
  constraint refunds_done_has_time check ((state = 'done') = (done_at is not null)),
  constraint refunds_within_total check (amount_fen <= total_fen)
-- No index holds a refund's state, so its seven or so writes stay on its page, if that has room.
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_analyze_scale_factor = 0.02);

create unique index refunds_refund_id_once on refunds (mch_id, refund_id)
  where refund_id is not null;
create index refunds_by_payment on refunds (payment_id);
create index refunds_by_time on refunds (merchant_id, created_at desc, id desc);

create function refunds_guard() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    if new.state <> 'pending' or new.first_submitted_at is not null then
      raise exception 'a refund begins as pending, not as %', new.state
        using errcode = 'YL001', constraint = 'refunds_begin_pending';
    end if;
    return new;
  end if;
  if new.state <> old.state and not exists (
    select from refund_transitions where from_state = old.state and to_state = new.state
  ) then
    raise exception 'a refund cannot go from % to %', old.state, new.state
      using errcode = 'YL001', constraint = 'refunds_transition';
  end if;
  if (old.id, old.merchant_id, old.payment_id, old.account_id, old.api_version, old.mch_id,
      old.out_refund_no, old.origin, old.amount_fen, old.total_fen, old.reason, old.requested_by,
      old.requested_for, old.expires_at, old.created_at)
     is distinct from
     (new.id, new.merchant_id, new.payment_id, new.account_id, new.api_version, new.mch_id,
      new.out_refund_no, new.origin, new.amount_fen, new.total_fen, new.reason, new.requested_by,
      new.requested_for, new.expires_at, new.created_at) then
    raise exception 'what was asked for never changes'
      using errcode = 'YL002', constraint = 'refunds_immutable';
  end if;
  if (old.first_submitted_at is not null
      and new.first_submitted_at is distinct from old.first_submitted_at)
     or (old.refund_id is not null and new.refund_id is distinct from old.refund_id) then
    raise exception 'when a refund was first sent and its number at the channel are set once'
      using errcode = 'YL002', constraint = 'refunds_set_once';
  end if;
  return new;
end $$;

create trigger refunds_guard before insert or update on refunds
  for each row execute function refunds_guard();

-- Runs as the owner, because neither the API nor the worker may write a counter.
create function refunds_count() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  was text := 'none';
  becomes text;
begin
  if tg_op = 'UPDATE' then
    select bucket into strict was from refund_effects where state = old.state;
  end if;
  select bucket into strict becomes from refund_effects where state = new.state;
  if was <> becomes then
    update payments set
      reserved_fen = reserved_fen + new.amount_fen
        * ((becomes = 'reserved')::int - (was = 'reserved')::int),
      refunded_fen = refunded_fen + new.amount_fen
        * ((becomes = 'refunded')::int - (was = 'refunded')::int),
      settled_fen = settled_fen + new.amount_fen
        * ((becomes = 'settled')::int - (was = 'settled')::int)
    where id = new.payment_id;
  end if;
  return null;
end $$;

create trigger refunds_count after insert or update of state on refunds
  for each row execute function refunds_count();

create trigger refunds_never_removed before delete or truncate on refunds
  for each statement execute function refuse_removal();

grant select on refunds, refund_transitions, refund_effects to yuanlu_api, yuanlu_worker;
grant update (state, cause, hold_reason, hold_until, last_code, last_message, settlement_fen,
  transit_round, in_transit, refund_id, first_submitted_at, last_submitted_at, submit_count,
  accepted_at, query_count, done_at, updated_at) on refunds to yuanlu_worker;
