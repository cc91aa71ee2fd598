-- What the API writes: idempotency keys, and refund requests through one function.

create table idempotency_keys (
  merchant_id text not null references merchants,
  client_id uuid not null references api_keys,
  route text not null,
  key text not null check (length(key) between 1 and 128),
  request_hash bytea not null,
  object_id uuid not null,
  created_at timestamptz not null,
  primary key (merchant_id, client_id, route, key)
);

grant select, insert on idempotency_keys to yuanlu_api;

-- The API has no right on states, counters or amounts: asking for a refund is this function, which
-- locks the payment and answers why not. The reservation itself is the trigger's and the CHECKs'.
create function request_refund(
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
  left_fen := coalesce(payment.paid_fen, 0)
    - payment.reserved_fen - payment.refunded_fen - payment.settled_fen;
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

revoke all on function request_refund from public;
grant execute on function request_refund to yuanlu_api;

-- Settling a payment begins with this, in one round trip: the payment is locked, and only then is
-- read what others may have written while the lock was waited for. Two payments of one order are
-- never both open, so of the other one everything is decided before this one can be settled.
create function lock_for_settling(p_payment_id uuid) returns table (
  merchant_id text, account_id uuid, mch_id text, app_id text, out_trade_no text, state text,
  attention text, total_fen bigint, transaction_id text, order_paid boolean, facts jsonb
) language plpgsql set search_path = public, pg_temp as $$
declare
  payment payments%rowtype;
begin
  select * into payment from payments p where p.id = p_payment_id for no key update;
  if not found then
    return;
  end if;
  return query select payment.merchant_id, payment.account_id, payment.mch_id, payment.app_id,
    payment.out_trade_no, payment.state, payment.attention, payment.total_fen,
    payment.transaction_id,
    payment.order_ref is not null and exists (select from payments o
      where o.merchant_id = payment.merchant_id and o.order_ref = payment.order_ref
        and o.disposition = 'accepted' and o.id <> payment.id),
    (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'fact', i.fact)
        order by i.stored_at, i.id), '[]')
      from inbox i where i.subject_id = payment.id and i.applied_at is null);
end $$;

revoke all on function lock_for_settling from public;
grant execute on function lock_for_settling to yuanlu_worker;
