-- Refunds from their approval on: what holds them before the first byte, what is known of how they
-- were taken, who asks when the workflow no longer does, and what people decide about stuck ones.

-- The stop switch: while it is set nothing new is sent of this merchant's refunds.
alter table merchants add column refunds_stopped_at timestamptz;

alter table refunds
  drop constraint refunds_hold_reason_check,
  add constraint refunds_hold_reason_check
    check (hold_reason in ('spacing', 'over_reserved', 'stopped', 'credentials', 'balance')),
  drop constraint refunds_cause_check,
  add constraint refunds_cause_check check (cause in ('submitting', 'accepted', 'unknown',
    'rate_limited', 'insufficient_balance', 'credentials', 'abnormal', 'refused')),
  -- The closed refund that this one tries again under a number of its own.
  add column retry_of uuid references refunds,
  -- True once an answer to a submit was missed: then a later refusal proves nothing.
  add column maybe_taken boolean not null default false,
  -- Since when the channel takes longer than an hour; shown, never judged.
  add column slow_at timestamptz,
  -- When the loop asks for a slow refund, or looks at one whose hold is over.
  add column due_at timestamptz;

create unique index refunds_retried_once on refunds (retry_of) where retry_of is not null;
-- Both are null on the way of most refunds, whose writes therefore touch neither index.
create index refunds_due on refunds (due_at) where due_at is not null;
create index refunds_held on refunds (created_at) where hold_reason is not null;

grant update (maybe_taken, slow_at, due_at) on refunds to yuanlu_worker;

-- A notification about a refund that nobody asked for here: its subject is the account, until a
-- question to the channel has shown whose refund it is.
alter table inbox
  drop constraint inbox_kind_check,
  add constraint inbox_kind_check check (kind in ('payment', 'refund', 'external'));
create index inbox_external on inbox (stored_at) where kind = 'external' and applied_at is null;

-- What is wrong with an account rather than with one refund. While it stands one refund an interval
-- is the probe, and the others wait.
create table channel_holds (
  account_id uuid not null references channel_accounts,
  reason text not null check (reason in ('credentials', 'balance')),
  -- The channel's own words, for people.
  code text not null,
  message text not null,
  since timestamptz not null,
  next_probe_at timestamptz not null,
  primary key (account_id, reason)
);

-- How many refunds an account may still send, and how many of them may fail, as of `filled_at`.
create table refund_buckets (
  account_id uuid primary key references channel_accounts,
  sends double precision not null,
  failures double precision not null,
  filled_at timestamptz not null
) with (fillfactor = 50);

grant select on channel_holds, refund_buckets to yuanlu_api, yuanlu_worker;
grant insert, delete, update (code, message, next_probe_at) on channel_holds to yuanlu_worker;
grant insert, update (sends, failures, filled_at) on refund_buckets to yuanlu_worker;

-- A bucket's content at an instant: it fills by a rate and holds one second's worth.
create function refilled(content double precision, per_second double precision,
  filled_at timestamptz, p_now timestamptz) returns double precision language sql immutable as $$
  select least(per_second,
    content + greatest(0, extract(epoch from p_now - filled_at)) * per_second)
$$;

-- Whether a refund may be sent now: asked as the last step before it is, because the answer null
-- takes a place (the probe of a hold, and one of the second's sends). Otherwise why not, and until
-- when. Holds are kept only from what was never sent, or is known not to have been taken.
create function pass_refund_gate(
  p_merchant_id text, p_account_id uuid, p_is_first boolean, p_probe_ms double precision,
  p_sends double precision, p_failures double precision, p_now timestamptz
) returns table (reason text, until timestamptz)
language plpgsql set search_path = public, pg_temp as $$
declare
  probe timestamptz := p_now + p_probe_ms * interval '1 ms';
  hold channel_holds%rowtype;
  bucket refund_buckets%rowtype;
begin
  if p_is_first and exists (
    select from merchants m where m.id = p_merchant_id and m.refunds_stopped_at is not null
  ) then
    return query select 'stopped', probe;
    return;
  end if;
  for hold in select * from channel_holds h where h.account_id = p_account_id
    order by h.reason for no key update
  loop
    if hold.next_probe_at > p_now then
      return query select hold.reason, hold.next_probe_at;
      return;
    end if;
  end loop;
  insert into refund_buckets values (p_account_id, p_sends, p_failures, p_now)
    on conflict (account_id) do nothing;
  select * into bucket from refund_buckets b where b.account_id = p_account_id for no key update;
  bucket.sends := refilled(bucket.sends, p_sends, bucket.filled_at, p_now);
  bucket.failures := refilled(bucket.failures, p_failures, bucket.filled_at, p_now);
  if bucket.sends < 1 or bucket.failures < 1 then
    return query select 'rate', p_now + interval '1 s';
    return;
  end if;
  update refund_buckets b set sends = bucket.sends - 1, failures = bucket.failures,
    filled_at = greatest(b.filled_at, p_now) where b.account_id = p_account_id;
  update channel_holds h set next_probe_at = probe where h.account_id = p_account_id;
end $$;

revoke all on function pass_refund_gate from public;
grant execute on function pass_refund_gate to yuanlu_worker;

-- What people do about a refund that is stuck: send the same number again, call it given back by
-- other means or failed, or try it again under a new number. A row first, then a message.
create table refund_resolutions (
  id uuid primary key,
  refund_id uuid not null references refunds,
  verb text not null check (verb in ('retry', 'settle', 'fail', 'renew')),
  principal_id uuid not null references api_keys,
  acting_user text not null,
  -- What the person saw: a transfer's number, a note; the engine adds what the channel said.
  evidence text not null check (length(evidence) between 1 and 1000),
  stored_at timestamptz not null,
  signalled_at timestamptz,
  resent_at timestamptz,
  resent_count int not null default 0,
  applied_at timestamptz,
  outcome text,
  -- The channel's own word when this was applied, and when it was asked.
  proof jsonb
);

create index refund_resolutions_by_refund on refund_resolutions (refund_id, stored_at);
create index refund_resolutions_unapplied on refund_resolutions (stored_at)
  where applied_at is null;

create function refund_resolutions_guard() returns trigger language plpgsql as $$
begin
  if (old.id, old.refund_id, old.verb, old.principal_id, old.acting_user, old.evidence,
      old.stored_at)
     is distinct from
     (new.id, new.refund_id, new.verb, new.principal_id, new.acting_user, new.evidence,
      new.stored_at)
     or not public.marks_move_on(old.signalled_at, old.resent_at, old.resent_count,
       new.signalled_at, new.resent_at, new.resent_count)
     or (old.applied_at is not null and (old.applied_at, old.outcome, old.proof)
       is distinct from (new.applied_at, new.outcome, new.proof)) then
    raise exception 'a resolution never changes'
      using errcode = 'YL002', constraint = 'refund_resolutions_immutable';
  end if;
  return new;
end $$;

create trigger refund_resolutions_guard before update on refund_resolutions
  for each row execute function refund_resolutions_guard();
create trigger refund_resolutions_never_removed before delete or truncate on refund_resolutions
  for each statement execute function refuse_removal();

-- Only the API authenticates people, so only it inserts; what came of it is the worker's to say.
grant select on refund_resolutions to yuanlu_api, yuanlu_worker;
grant insert (id, refund_id, verb, principal_id, acting_user, evidence, stored_at)
  on refund_resolutions to yuanlu_api;
grant update (signalled_at) on refund_resolutions to yuanlu_api;
grant update (signalled_at, resent_at, resent_count, applied_at, outcome, proof)
  on refund_resolutions to yuanlu_worker;

-- A refund asked for again under a new number, which the channel's own word, no older than a
-- minute, must allow; `renew` was applied only with that word. Once for each closed refund.
create function mark_refund_retry(
  p_refund_id uuid, p_retry_of uuid, p_resolution_id uuid, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update refunds r set retry_of = p_retry_of
  from refunds closed, refund_resolutions x
  where r.id = p_refund_id and r.state = 'pending' and r.retry_of is null
    and closed.id = p_retry_of and closed.state = 'failed'
    and (closed.payment_id, closed.amount_fen) = (r.payment_id, r.amount_fen)
    and x.id = p_resolution_id and x.refund_id = closed.id and x.verb = 'renew'
    and x.outcome = 'applied' and x.applied_at > p_now - interval '60 s';
  if not found then
    raise exception 'a new number needs the word of the channel that the old one is closed'
      using errcode = 'YL005', constraint = 'refunds_retry_has_proof';
  end if;
end $$;

revoke all on function mark_refund_retry from public;
grant execute on function mark_refund_retry to yuanlu_api;
