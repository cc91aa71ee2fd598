-- A person resolves a case, and the audit log says so. A case that the engine resolves when its cause
-- has ended is left to it while the cause lasts: closed by hand, nobody would see what still stands.

-- Replaces the one of 0010, which nothing called.
drop function resolve_case(uuid, text, uuid, text, text, timestamptz);

-- Answers `resolved`, `resolved_before`, `cause_lasts`, or `not_found` for a case of somebody else.
-- Whoever opens a case or ends its cause holds the payment, so what is read behind its lock stands.
create function resolve_case(
  p_id uuid, p_merchant_id text, p_key_id uuid, p_acting_user text, p_note text, p_audit_id uuid,
  p_now timestamptz
) returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  payment payments%rowtype;
  seen cases%rowtype;
begin
  select * into payment from payments where id = (
    select payment_id from cases where id = p_id and merchant_id = p_merchant_id) for no key update;
  if not found then
    return 'not_found';
  end if;
  select * into strict seen from cases where id = p_id;
  if seen.state = 'resolved' then
    return 'resolved_before';
  end if;
  -- Money is held until it is decided about. What is too much may fit again as long as a refund of
  -- the payment can be cancelled or refused; after that only a person can say what becomes of it.
  if seen.kind = 'payment_held' and payment.disposition = 'held'
    or seen.kind = 'refunds_exceed_payment' and payment.over_reserved_fen > 0 and exists (
      select from refunds where payment_id = payment.id
        and state in ('pending', 'approved', 'refunding')) then
    return 'cause_lasts';
  end if;
  perform resolve_cases(array[p_id], 'api_key', p_key_id::text, p_acting_user, p_note, p_now);
  insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action, subject_kind,
    subject_id, detail)
  values (p_audit_id, p_merchant_id, p_now, 'api_key', p_key_id::text, p_acting_user,
    'case.resolve', 'case', p_id, jsonb_build_object('kind', seen.kind, 'paymentId', seen.payment_id));
  return 'resolved';
end $$;

revoke all on function resolve_case from public;
grant execute on function resolve_case to yuanlu_api;
