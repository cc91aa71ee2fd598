-- What the channel says of a refund is told as it is, also where it cannot be: another amount than
-- was asked for, or more than was paid. Neither is booked as given back; a person looks at it.
alter table refunds
  drop constraint refunds_cause_check,
  add constraint refunds_cause_check check (cause in ('submitting', 'accepted', 'unknown',
    'rate_limited', 'insufficient_balance', 'credentials', 'abnormal', 'refused', 'amount_differs',
    'beyond_paid'));

-- Replaces the one of 0014. Surplus money goes back by itself, all of it, so nothing is left to ask
-- for; but where the channel closed that refund the buyer is still owed, and it is asked for again.
-- The channel's total is what was paid, which a person may have accepted although it differs.
create or replace function request_refund(
  p_id uuid, p_merchant_id text, p_payment_id uuid, p_out_refund_no text, p_amount_fen bigint,
  p_reason text, p_requested_by uuid, p_requested_for text, p_expires_at timestamptz,
  p_event_id uuid, p_audit_id uuid, p_now timestamptz, p_reason_category text default 'other',
  p_shipped boolean default null
) returns table (outcome text, left_fen bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  payment payments%rowtype;
  policy approval_policies%rowtype;
  refund refunds%rowtype;
  expires_at timestamptz := p_expires_at;
  needed int;
begin
  select * into payment from payments
    where id = p_payment_id and merchant_id = p_merchant_id for no key update;
  if not found then
    return query select 'not_found', 0::bigint;
    return;
  end if;
  select * into policy from approval_policies
    where merchant_id = p_merchant_id order by version desc limit 1;
  left_fen := case when payment.state = 'paid' and payment.disposition <> 'held' then
    greatest(0, payment.paid_fen
      - payment.reserved_fen - payment.refunded_fen - payment.settled_fen) else 0 end;
  outcome := refund_refusal(payment, p_amount_fen, left_fen, policy.spacing_s, p_now);
  if outcome is not null then
    return next;
    return;
  end if;
  if policy.version is not null then
    expires_at := p_now + greatest(interval '1 second', (
      select make_interval(secs => policy.deadline_s * time_scale) from channel_accounts
      where id = payment.account_id));
  end if;
  needed := approvals_needed(p_merchant_id, policy.version, p_amount_fen, p_now - payment.paid_at,
    p_shipped, p_reason_category);
  insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id,
    out_refund_no, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
    created_at, updated_at, reason_category, shipped, policy_version, approvals_needed, remind_at)
  values (p_id, p_merchant_id, p_payment_id, payment.account_id, payment.api_version,
    payment.mch_id, p_out_refund_no, p_amount_fen, payment.paid_fen, p_reason, p_requested_by,
    p_requested_for, expires_at, p_now, p_now, p_reason_category, p_shipped, policy.version, needed,
    p_now + (expires_at - p_now) / 2)
  returning * into refund;
  perform tell_of_refund(refund, 'refund.requested', 'api_key', p_requested_by::text,
    p_requested_for, p_event_id, p_audit_id, '{"state": "pending"}',
    jsonb_build_object('amountFen', p_amount_fen), p_now);
  if needed = 0 then
    perform approve_by_policy(refund, policy.day_limit_fen, p_now);
  end if;
  outcome := 'requested';
  left_fen := left_fen - p_amount_fen;
  return next;
end $$;

-- Replaces the one of 0014: held money has no refunds, and surplus money one of its own at a time.
create or replace function refund_refusal(
  p_payment payments, p_amount_fen bigint, p_left_fen bigint, p_spacing_s int, p_now timestamptz
) returns text language sql stable set search_path = public, pg_temp as $$
  select case
    when p_payment.state <> 'paid' then 'payment_not_paid'
    when p_payment.disposition = 'held'
      or p_payment.disposition = 'surplus' and p_left_fen = 0 then 'payment_held'
    when p_now > p_payment.paid_at + make_interval(hours => 24 * 365) then 'refund_too_old'
    when p_amount_fen > p_left_fen then 'refund_exceeds_payment'
    when 50 <= (select count(*) from refunds where payment_id = p_payment.id
      and state not in ('rejected', 'cancelled', 'expired')) then 'refund_count_reached'
    when p_spacing_s > 0 and exists (select from refunds where payment_id = p_payment.id
      and created_at > p_now - make_interval(secs => p_spacing_s)) then 'refund_too_soon'
  end
$$;
