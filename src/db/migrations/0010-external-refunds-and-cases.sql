-- Refunds that the engine did not make. Somebody gives money back in WeChat Pay's own portal: that is
-- a fact, so it goes into the book, also where less is left than it takes. What does not fit is
-- counted in over_reserved_fen, which is above 0 only with a case that a person looks at.

alter table refunds drop constraint refunds_origin_check;
alter table refunds add constraint refunds_origin_check
  check (origin in ('api', 'system', 'external'));
alter table refunds alter column requested_by drop not null;
alter table refunds add constraint refunds_asked_by_somebody
  check ((origin = 'api') = (requested_by is not null));
alter table refunds drop constraint refunds_hold_reason_check;
alter table refunds add constraint refunds_hold_reason_check
  check (hold_reason in ('spacing', 'over_reserved'));

-- In which states a refund of each origin begins, seeded from src/domain/states.ts.
create table refund_beginnings (
  origin text not null,
  state text not null,
  primary key (origin, state)
);
grant select on refund_beginnings to yuanlu_api, yuanlu_worker;

-- Kept by the trigger that keeps the other counters. It is what is too much and nothing more.
alter table payments add column over_reserved_fen bigint not null default 0
  check (over_reserved_fen >= 0);
alter table payments drop constraint payments_refunds_within_paid;
alter table payments add constraint payments_refunds_within_paid
  check (reserved_fen + refunded_fen + settled_fen <= coalesce(paid_fen, 0) + over_reserved_fen);
alter table payments add constraint payments_over_reserved_exact check (over_reserved_fen
  <= greatest(0, reserved_fen + refunded_fen + settled_fen - coalesce(paid_fen, 0)));

-- What a person has to look at. Seeded from src/domain/cases.ts.
create table case_kinds (
  kind text primary key,
  meaning text not null
);

create table cases (
  id uuid primary key,
  merchant_id text not null references merchants,
  kind text not null references case_kinds,
  payment_id uuid not null references payments,
  -- What it is about: opened once for each cause, however often the cause is seen.
  cause_kind text not null check (cause_kind in ('payment', 'refund', 'channel_refund')),
  cause_id text not null check (length(cause_id) between 1 and 64),
  amount_fen bigint not null check (amount_fen > 0),
  detail jsonb not null check (jsonb_typeof(detail) = 'object'),
  state text not null default 'open' check (state in ('open', 'resolved')),
  opened_at timestamptz not null,
  resolved_at timestamptz,
  constraint cases_once unique (kind, cause_kind, cause_id),
  constraint cases_resolved_has_time check ((state = 'resolved') = (resolved_at is not null))
);

create index cases_by_payment on cases (payment_id);
create index cases_open on cases (merchant_id, opened_at, id) where state = 'open';

create table case_events (
  case_id uuid not null references cases,
  n int not null check (n > 0),
  type text not null check (type in ('opened', 'resolved')),
  actor_kind text not null check (actor_kind in ('api_key', 'engine')),
  actor_id text not null,
  acting_user text,
  note text check (length(note) between 1 and 256),
  at timestamptz not null,
  primary key (case_id, n)
);

create function cases_guard() returns trigger language plpgsql as $$
begin
  if (old.id, old.merchant_id, old.kind, old.payment_id, old.cause_kind, old.cause_id,
      old.amount_fen, old.detail, old.opened_at)
     is distinct from
     (new.id, new.merchant_id, new.kind, new.payment_id, new.cause_kind, new.cause_id,
      new.amount_fen, new.detail, new.opened_at)
     or old.state = 'resolved' then
    raise exception 'a case is resolved once, and nothing else of it changes'
      using errcode = 'YL002', constraint = 'cases_immutable';
  end if;
  return new;
end $$;

create trigger cases_guard before update on cases
  for each row execute function cases_guard();
create trigger cases_never_removed before delete or truncate on cases
  for each statement execute function refuse_removal();
create trigger case_events_immutable before update on case_events
  for each statement execute function refuse_change();
create trigger case_events_never_removed before delete or truncate on case_events
  for each statement execute function refuse_removal();

-- Opens a case with its first event and answers its id, or nothing where there is one for the cause.
create function open_case(
  p_id uuid, p_merchant_id text, p_kind text, p_payment_id uuid, p_cause_kind text, p_cause_id text,
  p_amount_fen bigint, p_detail jsonb, p_now timestamptz
) returns uuid language sql security definer set search_path = public, pg_temp as $$
  with opened as (
    insert into cases (id, merchant_id, kind, payment_id, cause_kind, cause_id, amount_fen, detail,
      opened_at)
    values (p_id, p_merchant_id, p_kind, p_payment_id, p_cause_kind, p_cause_id, p_amount_fen,
      p_detail, p_now)
    on conflict on constraint cases_once do nothing
    returning id
  )
  insert into case_events (case_id, n, type, actor_kind, actor_id, at)
  select id, 1, 'opened', 'engine', 'yuanlu', p_now from opened
  returning case_id
$$;

-- Resolves what is open of some cases. The payment is locked, so nobody else counts their events.
create function resolve_cases(
  p_ids uuid[], p_actor_kind text, p_actor_id text, p_acting_user text, p_note text,
  p_now timestamptz
) returns setof uuid language sql set search_path = public, pg_temp as $$
  with resolved as (
    update cases set state = 'resolved', resolved_at = p_now
    where id = any(p_ids) and state = 'open' returning id
  )
  insert into case_events (case_id, n, type, actor_kind, actor_id, acting_user, note, at)
  select id, 1 + coalesce((select max(n) from case_events where case_id = id), 0), 'resolved',
    p_actor_kind, p_actor_id, p_acting_user, p_note, p_now
  from resolved returning case_id
$$;

-- A person has looked at a case of theirs. Answers whether it was open.
create function resolve_case(
  p_id uuid, p_merchant_id text, p_key_id uuid, p_acting_user text, p_note text, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform from payments where id = (
    select payment_id from cases where id = p_id and merchant_id = p_merchant_id) for no key update;
  return found and exists (select from resolve_cases(array[p_id], 'api_key', p_key_id::text,
    p_acting_user, p_note, p_now));
end $$;

-- Replaces the one of 0003: a refund begins where its origin lets it, and what was not sent is not
-- sent as long as more is spoken for than was paid.
create or replace function refunds_guard() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    if not exists (
      select from refund_beginnings where origin = new.origin and state = new.state
    ) then
      raise exception 'a refund of origin % does not begin as %', new.origin, new.state
        using errcode = 'YL001', constraint = 'refunds_beginning';
    end if;
    return new;
  end if;
  if new.state <> old.state and not exists (
    select from refund_transitions where from_state = old.state and to_state = new.state
  ) then
    raise exception 'a refund cannot go from % to %', old.state, new.state
      using errcode = 'YL001', constraint = 'refunds_transition';
  end if;
  if old.state = 'approved' and new.state = 'refunding' and exists (
    select from payments where id = new.payment_id and over_reserved_fen > 0
  ) then
    raise exception 'nothing is sent while more is spoken for than was paid'
      using errcode = 'YL001', constraint = 'refunds_stopped';
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

-- Replaces the one of 0003. Only an external refund may raise over_reserved_fen, when it comes in;
-- whatever is released lowers it, and with the last of it its cases are resolved.
create or replace function refunds_count() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  was text := 'none';
  becomes text;
  change bigint;
  released boolean;
begin
  if tg_op = 'UPDATE' then
    select bucket into strict was from refund_effects where state = old.state;
  end if;
  select bucket into strict becomes from refund_effects where state = new.state;
  if was = becomes then
    return null;
  end if;
  change := new.amount_fen * ((becomes <> 'none')::int - (was <> 'none')::int);
  update payments set
    reserved_fen = reserved_fen + new.amount_fen
      * ((becomes = 'reserved')::int - (was = 'reserved')::int),
    refunded_fen = refunded_fen + new.amount_fen
      * ((becomes = 'refunded')::int - (was = 'refunded')::int),
    settled_fen = settled_fen + new.amount_fen
      * ((becomes = 'settled')::int - (was = 'settled')::int),
    over_reserved_fen = least(
      case when tg_op = 'UPDATE' or new.origin <> 'external' then over_reserved_fen end,
      greatest(0, reserved_fen + refunded_fen + settled_fen + change - coalesce(paid_fen, 0)))
  where id = new.payment_id
  returning with (old as before, new as after)
    before.over_reserved_fen > 0 and after.over_reserved_fen = 0 into released;
  if released then
    perform resolve_cases(array(select id from cases
        where payment_id = new.payment_id and kind = 'refunds_exceed_payment' and state = 'open'),
      'engine', 'yuanlu', null, 'it fits again', new.updated_at);
  end if;
  return null;
end $$;

-- Looked at when all is written: what is too much stands in cases, fen by fen.
create function payments_over_reserved_has_case() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.over_reserved_fen > (select coalesce(sum(amount_fen), 0) from cases
      where payment_id = new.id and kind = 'refunds_exceed_payment') then
    raise exception 'more is spoken for than was paid, and there is no case'
      using errcode = 'YL004', constraint = 'payments_over_reserved_has_case';
  end if;
  return null;
end $$;

create constraint trigger payments_over_reserved_has_case
  after update of over_reserved_fen on payments deferrable initially deferred
  for each row when (new.over_reserved_fen > old.over_reserved_fen)
  execute function payments_over_reserved_has_case();

-- Money that was not accepted was never a sale, so a refund of it leaves from suspense.
alter table journal_transfers drop constraint journal_rule_accounts;
alter table journal_transfers add constraint journal_rule_accounts check (rule = 'X' or rule || ' '
  || split_part(debit, ':', 1) || ' ' || split_part(credit, ':', 1) in (
    'P1 wechat sales', 'P1 coupon_cost sales',
    'P2 wechat suspense',
    'P3 suspense sales', 'P3 coupon_cost sales',
    'J1 refunds_in_transit wechat',
    'J2 returns refunds_in_transit', 'J2 returns coupon_cost', 'J2 suspense refunds_in_transit',
    'J3 wechat refunds_in_transit',
    'J4 wechat refunds_in_transit',
    'J5 returns paid_otherwise', 'J5 suspense paid_otherwise',
    'J6 returns wechat', 'J6 returns coupon_cost', 'J6 suspense wechat',
    'F1 fees wechat',
    'F2 wechat fees',
    'S1 bank wechat'));

-- Replaces the one of 0006: what is left is never less than nothing.
create or replace function request_refund(
  p_id uuid, p_merchant_id text, p_payment_id uuid, p_out_refund_no text, p_amount_fen bigint,
  p_reason text, p_requested_by uuid, p_requested_for text, p_expires_at timestamptz,
  p_event_id uuid, p_audit_id uuid, p_now timestamptz
) returns table (outcome text, left_fen bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  payment payments%rowtype;
begin
  select * into payment from payments
    where id = p_payment_id and merchant_id = p_merchant_id for no key update;
  if not found then
    return query select 'not_found', 0::bigint;
    return;
  end if;
  left_fen := greatest(0, coalesce(payment.paid_fen, 0)
    - payment.reserved_fen - payment.refunded_fen - payment.settled_fen);
  if payment.state <> 'paid' then
    return query select 'payment_not_paid', 0::bigint;
  elsif payment.disposition <> 'accepted' then
    return query select 'payment_held', 0::bigint;
  elsif p_amount_fen > left_fen then
    return query select 'refund_exceeds_payment', left_fen;
  else
    insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id,
      out_refund_no, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
      created_at, updated_at)
    values (p_id, p_merchant_id, p_payment_id, payment.account_id, payment.api_version,
      payment.mch_id, p_out_refund_no, p_amount_fen, payment.total_fen, p_reason, p_requested_by,
      p_requested_for, p_expires_at, p_now, p_now);
    insert into outbox (id, subject, sequence, type, payload, created_at)
    values (p_event_id, p_payment_id,
      1 + coalesce((select max(sequence) from outbox where subject = p_payment_id), 0),
      'refund.requested',
      jsonb_build_object('refundId', p_id, 'paymentId', p_payment_id, 'outRefundNo',
        p_out_refund_no, 'amountFen', p_amount_fen, 'state', 'pending'), p_now);
    insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
      subject_kind, subject_id, detail)
    values (p_audit_id, p_merchant_id, p_now, 'api_key', p_requested_by::text, p_requested_for,
      'refund.request', 'refund', p_id, jsonb_build_object('amountFen', p_amount_fen));
    return query select 'requested', left_fen - p_amount_fen;
  end if;
end $$;

-- Books a refund that the channel shows and nobody here asked for: row, reservation, case, entry,
-- event and audit line in one call, under the payment's lock. Seen as done it is posted by J6; seen
-- on its way it begins as accepted (J1), and from then on it is settled like any other.
create function book_external_refund(
  p_id uuid, p_payment_id uuid, p_refund_id text, p_out_refund_no text, p_amount_fen bigint,
  p_settlement_fen bigint, p_status text, p_success_at timestamptz, p_entry_id uuid,
  p_event_id uuid, p_audit_id uuid, p_case_id uuid, p_now timestamptz
) returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  payment payments%rowtype;
  known refunds%rowtype;
  is_done boolean := p_status = 'success';
  done_at timestamptz := case when p_status = 'success' then coalesce(p_success_at, p_now) end;
  settlement bigint := least(p_settlement_fen, p_amount_fen);
  over bigint;
  told jsonb;
begin
  if p_status is null or p_status not in ('processing', 'success', 'closed', 'abnormal') then
    raise exception 'a refund at the channel is never %', coalesce(p_status, 'without a status')
      using errcode = 'YL001', constraint = 'external_refunds_status';
  end if;
  select * into payment from payments where id = p_payment_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  select * into known from refunds r
    where r.mch_id = payment.mch_id and (r.refund_id = p_refund_id
      or r.out_refund_no = p_out_refund_no)
    order by r.refund_id = p_refund_id desc nulls last limit 1;
  if found then
    return jsonb_build_object('outcome', 'known', 'refundId', known.id, 'state', known.state);
  elsif p_status = 'closed' then
    return jsonb_build_object('outcome', 'nothing_moved');
  elsif payment.state <> 'paid' then
    return jsonb_build_object('outcome', 'payment_not_paid');
  elsif payment.refunded_fen + p_amount_fen > payment.paid_fen then
    perform open_case(p_case_id, payment.merchant_id, 'refund_beyond_paid', payment.id,
      'channel_refund', p_refund_id, p_amount_fen,
      jsonb_build_object('outRefundNo', p_out_refund_no), p_now);
    return jsonb_build_object('outcome', 'exceeds_paid', 'caseId', (select id from cases
      where kind = 'refund_beyond_paid' and cause_kind = 'channel_refund'
        and cause_id = p_refund_id));
  end if;
  insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id, out_refund_no,
    origin, state, cause, amount_fen, total_fen, settlement_fen, transit_round, in_transit,
    refund_id, reason, requested_for, expires_at, first_submitted_at, accepted_at, done_at,
    created_at, updated_at)
  values (p_id, payment.merchant_id, payment.id, payment.account_id, payment.api_version,
    payment.mch_id, p_out_refund_no, 'external', case when is_done then 'done' else 'refunding' end,
    case when not is_done then 'accepted' end, p_amount_fen, payment.paid_fen, settlement,
    (not is_done)::int, not is_done, p_refund_id, '平台退款', 'wechat-pay', p_now, p_now, p_now,
    done_at, p_now, p_now);
  insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
    cause_kind, cause_id, occurred_at)
  select p_entry_id, t.n, t.rule, t.debit, t.credit, t.fen, payment.merchant_id, 'refund', p_id,
    coalesce(done_at, p_now)
  from (values
    (not is_done, 'J1', 1, 'refunds_in_transit:' || payment.account_id,
      'wechat:' || payment.account_id, settlement),
    (is_done, 'J6', 1, case payment.disposition when 'accepted'
      then 'returns:' || payment.merchant_id else 'suspense:' || payment.account_id end,
      'wechat:' || payment.account_id, settlement),
    (is_done and payment.disposition = 'accepted', 'J6', 2, 'returns:' || payment.merchant_id,
      'coupon_cost:' || payment.merchant_id, p_amount_fen - settlement)
  ) as t (applies, rule, n, debit, credit, fen)
  where t.applies and t.fen > 0;
  select over_reserved_fen into over from payments where id = payment.id;
  if over > payment.over_reserved_fen then
    perform open_case(p_case_id, payment.merchant_id, 'refunds_exceed_payment', payment.id,
      'refund', p_id::text, over - payment.over_reserved_fen,
      jsonb_build_object('refundId', p_id, 'refundAtChannel', p_refund_id), p_now);
  end if;
  told := jsonb_build_object('state', case when is_done then 'done' else 'refunding' end,
    'origin', 'external', 'refundAtChannel', p_refund_id, 'overReservedFen', over,
    'caseId', case when over > payment.over_reserved_fen then p_case_id end);
  insert into outbox (id, subject, sequence, type, payload, created_at)
  values (p_event_id, payment.id,
    1 + coalesce((select max(sequence) from outbox where subject = payment.id), 0),
    'refund.external', jsonb_build_object('refundId', p_id, 'paymentId', payment.id,
      'outRefundNo', p_out_refund_no, 'amountFen', p_amount_fen) || told, p_now);
  insert into audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind, subject_id,
    detail)
  values (p_audit_id, payment.merchant_id, p_now, 'channel', payment.mch_id, 'refund.external',
    'refund', p_id, told || jsonb_build_object('amountFen', p_amount_fen));
  return told || jsonb_build_object('outcome', 'booked', 'refundId', p_id);
end $$;

grant select on case_kinds, cases, case_events to yuanlu_api, yuanlu_worker;
revoke all on function open_case, resolve_cases, resolve_case, book_external_refund,
  payments_over_reserved_has_case from public;
grant execute on function open_case, book_external_refund to yuanlu_worker;
grant execute on function resolve_case to yuanlu_api;
