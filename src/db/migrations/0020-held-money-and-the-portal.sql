-- Held money of which the channel's own portal gave back a part before anybody decided about it.

-- Replaces the one of 0013: what is spoken for decides whether held money can still be accepted.
drop function lock_for_settling(uuid);
create function lock_for_settling(p_payment_id uuid) returns table (
  merchant_id text, account_id uuid, mch_id text, app_id text, out_trade_no text, state text,
  disposition text, attention text, total_fen bigint, paid_fen bigint, settlement_fen bigint,
  spoken_fen bigint, transaction_id text, order_paid boolean, revives_late boolean, facts jsonb
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
    payment.total_fen, payment.paid_fen, payment.settlement_fen,
    payment.reserved_fen + payment.refunded_fen + payment.settled_fen, payment.transaction_id,
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

-- Replaces the one of 0013: what the portal gave back does not go back again, so it is the rest.
create or replace function open_surplus_refund(
  p_id uuid, p_payment_id uuid, p_out_refund_no text, p_reason text, p_now timestamptz
) returns void language sql security definer set search_path = public, pg_temp as $$
  insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id, out_refund_no,
    origin, state, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
    created_at, updated_at)
  select p_id, p.merchant_id, p.id, p.account_id, p.api_version, p.mch_id, p_out_refund_no,
    'system', 'approved', p.paid_fen - p.reserved_fen - p.refunded_fen - p.settled_fen, p.paid_fen,
    p_reason, null, 'yuanlu', p_now, p_now, p_now
  from payments p where p.id = p_payment_id and p.disposition = 'surplus'
$$;
