-- A payment's notification in one round trip. The payment that its number names is found and what
-- is said of it is stored by one call, since each wait of the answer is a wait for a processor.

-- No row answers a number that is not of this account. A row without inbox_id answers a payment of
-- another app, of which nothing is stored either.
create function store_payment_notification(
  p_id uuid, p_account_id uuid, p_out_trade_no text, p_app_id text, p_business_key text,
  p_fact jsonb, p_now timestamptz, p_headers jsonb, p_ciphertext bytea
) returns table (
  payment_id uuid, merchant_id text, order_ref text, total_fen bigint, expires_at timestamptz,
  inbox_id uuid, was_applied boolean
)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  app text;
begin
  select p.id, p.merchant_id, p.order_ref, p.total_fen, p.expires_at, p.app_id
  from payments p where p.account_id = p_account_id and p.out_trade_no = p_out_trade_no
  into payment_id, merchant_id, order_ref, total_fen, expires_at, app;
  if not found then
    return;
  end if;
  if app = p_app_id then
    select s.inbox_id, s.was_applied
    from store_notification(p_id, p_account_id, 'payment', p_business_key, payment_id, 'signature',
      p_fact, p_now, p_headers, p_ciphertext) s
    into inbox_id, was_applied;
  end if;
  return next;
end $$;

revoke all on function store_payment_notification from public;
grant execute on function store_payment_notification to yuanlu_api;
