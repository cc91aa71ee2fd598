-- Payments, whole: money that came late or twice goes back by itself, held money is decided about,
-- and payments that were taken before this engine are adopted.

-- What becomes of money that comes after its order was closed: it goes back, or revives the order.
alter table merchants add column late_payments text not null default 'refund'
  check (late_payments in ('refund', 'revive'));

alter table payments
  add column origin text not null default 'engine' check (origin in ('engine', 'adopted')),
  drop constraint payments_disposition_check,
  add constraint payments_disposition_check
    check (disposition in ('accepted', 'held', 'surplus'));

-- A person's decision about held money takes the door of the facts: a row first, applied once.
alter table inbox
  drop constraint inbox_source_check,
  add constraint inbox_source_check check (source in ('notify', 'query', 'manual')),
  drop constraint inbox_verified_by_check,
  add constraint inbox_verified_by_check
    check (verified_by in ('signature', 'decryption', 'query', 'api_key')),
  add constraint inbox_manual_is_a_persons check ((source = 'manual') = (verified_by = 'api_key'));

-- A refund that the engine opens by itself, once for each payment, is started by a loop.
alter table refunds add column workflow_started_at timestamptz;

create unique index refunds_surplus_once on refunds (payment_id) where origin = 'system';
create index refunds_unstarted on refunds (created_at)
  where origin = 'system' and workflow_started_at is null;
grant update (workflow_started_at) on refunds to yuanlu_worker;

-- Replaces the one of 0002: what was paid is set once, except that a person's decision, which waits
-- in the inbox, says what becomes of held money; and where a payment comes from never changes.
create or replace function payments_guard() returns trigger
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
      old.created_at, old.origin)
     is distinct from
     (new.id, new.merchant_id, new.account_id, new.api_version, new.mch_id, new.app_id,
      new.out_trade_no, new.order_ref, new.description, new.total_fen, new.expires_at,
      new.created_at, new.origin) then
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
     (old.paid_fen, old.cash_fen, old.settlement_fen, old.transaction_id, old.paid_at)
     is distinct from
     (new.paid_fen, new.cash_fen, new.settlement_fen, new.transaction_id, new.paid_at) then
    raise exception 'what was paid is set once'
      using errcode = 'YL002', constraint = 'payments_paid_once';
  end if;
  if old.disposition is not null and new.disposition is distinct from old.disposition
     and (old.disposition <> 'held' or new.disposition is null or not exists (
       select from inbox
       where subject_id = new.id and source = 'manual' and applied_at is null)) then
    raise exception 'what became of money changes only where it was held, by a decision'
      using errcode = 'YL002', constraint = 'payments_paid_once';
  end if;
  return new;
end $$;

-- The refund of surplus money, in the transaction that settles it: all that came, never more, once.
-- The channel wants the total of its own order with it, which is what was paid.
create function open_surplus_refund(
  p_id uuid, p_payment_id uuid, p_out_refund_no text, p_reason text, p_now timestamptz
) returns void language sql security definer set search_path = public, pg_temp as $$
  insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id, out_refund_no,
    origin, state, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
    created_at, updated_at)
  select p_id, p.merchant_id, p.id, p.account_id, p.api_version, p.mch_id, p_out_refund_no,
    'system', 'approved', p.paid_fen, p.paid_fen, p_reason, null, 'yuanlu', p_now, p_now, p_now
  from payments p where p.id = p_payment_id and p.disposition = 'surplus'
$$;

-- Held money was decided about, so nobody has to look at its case any more.
create function resolve_held_case(
  p_payment_id uuid, p_key_id text, p_acting_user text, p_note text, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform resolve_cases(array(select id from cases
      where payment_id = p_payment_id and kind = 'payment_held' and state = 'open'),
    'api_key', p_key_id, p_acting_user, p_note, p_now);
end $$;

-- A payment that was taken before this engine, as the channel says it was paid. Who paid was never
-- told here, so it begins as one whose payer is erased; it can never be placed.
create function adopt_payment(
  p_id uuid, p_account_id uuid, p_app_id text, p_out_trade_no text, p_description text,
  p_transaction_id text, p_paid_fen bigint, p_cash_fen bigint, p_settlement_fen bigint,
  p_paid_at timestamptz, p_now timestamptz
) returns boolean language sql security definer set search_path = public, pg_temp as $$
  with adopted as (
    insert into payments (id, merchant_id, account_id, api_version, mch_id, app_id, out_trade_no,
      description, origin, state, disposition, total_fen, paid_fen, cash_fen, settlement_fen,
      transaction_id, channel_request, payer_erased_at, expires_at, paid_at, created_at, updated_at)
    select p_id, a.merchant_id, a.id, a.api_version, a.mch_id, p_app_id, p_out_trade_no,
      p_description, 'adopted', 'paid', 'accepted', p_paid_fen, p_paid_fen, p_cash_fen,
      p_settlement_fen, p_transaction_id, '', p_now, p_paid_at, p_paid_at, p_now, p_now
    from channel_accounts a where a.id = p_account_id
    on conflict do nothing returning id
  )
  select exists (select from adopted)
$$;

revoke all on function open_surplus_refund, resolve_held_case, adopt_payment from public;
grant execute on function open_surplus_refund, resolve_held_case, adopt_payment to yuanlu_worker;

-- Replaces the one of 0006, which did not tell what a decision about held money has to know.
drop function lock_for_settling(uuid);
create function lock_for_settling(p_payment_id uuid) returns table (
  merchant_id text, account_id uuid, mch_id text, app_id text, out_trade_no text, state text,
  disposition text, attention text, total_fen bigint, paid_fen bigint, settlement_fen bigint,
  transaction_id text, order_paid boolean, revives_late boolean, facts jsonb
) language plpgsql set search_path = public, pg_temp as $$
declare
  payment payments%rowtype;
begin
  select * into payment from payments p where p.id = p_payment_id for no key update;
  if not found then
    return;
  end if;
  return query select payment.merchant_id, payment.account_id, payment.mch_id, payment.app_id,
    payment.out_trade_no, payment.state, payment.disposition, payment.attention,
    payment.total_fen, payment.paid_fen, payment.settlement_fen, payment.transaction_id,
    payment.order_ref is not null and exists (select from payments o
      where o.merchant_id = payment.merchant_id and o.order_ref = payment.order_ref
        and o.disposition = 'accepted' and o.id <> payment.id),
    (select m.late_payments = 'revive' from merchants m where m.id = payment.merchant_id),
    (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'fact', i.fact)
        order by i.stored_at, i.id), '[]')
      from inbox i where i.subject_id = payment.id and i.applied_at is null);
end $$;

revoke all on function lock_for_settling from public;
grant execute on function lock_for_settling to yuanlu_worker;
