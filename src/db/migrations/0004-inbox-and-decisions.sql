-- Facts of the channel and decisions of people are rows first; the workflow only gets their ids.

create table inbox (
  id uuid primary key,
  account_id uuid not null references channel_accounts,
  kind text not null check (kind in ('payment', 'refund')),
  business_key text not null,
  -- The payment or the refund that this is about.
  subject_id uuid not null,
  source text not null check (source in ('notify', 'query')),
  verified_by text not null check (verified_by in ('signature', 'decryption', 'query')),
  fact jsonb not null,
  times_seen int not null default 1,
  stored_at timestamptz not null,
  signalled_at timestamptz,
  resent_at timestamptz,
  resent_count int not null default 0,
  applied_at timestamptz,
  outcome text,
  unique (account_id, kind, business_key)
-- Told again and signalled are marks no index holds. What is applied leaves the index of what is
-- not, which every loop reads, so its dead entries are cleaned up early.
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_analyze_scale_factor = 0.02);

create index inbox_unapplied on inbox (stored_at) where applied_at is null;
create index inbox_by_subject on inbox (subject_id);

create table refund_decisions (
  id uuid primary key,
  refund_id uuid not null references refunds,
  verb text not null check (verb in ('approve', 'reject', 'cancel')),
  principal_kind text not null check (principal_kind in ('api_key', 'temporal-operator')),
  principal_id text not null,
  acting_user text not null,
  reason text not null check (length(reason) between 1 and 256),
  stored_at timestamptz not null,
  signalled_at timestamptz,
  resent_at timestamptz,
  resent_count int not null default 0,
  applied_at timestamptz,
  outcome text
);

-- A principal is a key and its acting user: saying the same again is the same decision.
create unique index refund_decisions_once
  on refund_decisions (refund_id, verb, principal_id, acting_user);
create index refund_decisions_unapplied on refund_decisions (stored_at) where applied_at is null;

-- What is written in a row stays. Its marks (stored, signalled, applied) are set once each; that a
-- row was sent again stands beside them, one more each time.
create function marks_move_on(
  old_signalled timestamptz, old_resent timestamptz, old_count int,
  new_signalled timestamptz, new_resent timestamptz, new_count int
) returns boolean language sql immutable as $$
  select (old_signalled is null or new_signalled is not distinct from old_signalled)
    and ((new_resent, new_count) is not distinct from (old_resent, old_count)
      or (new_resent is not null and new_count = old_count + 1))
$$;

create function inbox_guard() returns trigger language plpgsql as $$
begin
  if (old.id, old.account_id, old.kind, old.business_key, old.subject_id, old.source,
      old.verified_by, old.fact, old.stored_at)
     is distinct from
     (new.id, new.account_id, new.kind, new.business_key, new.subject_id, new.source,
      new.verified_by, new.fact, new.stored_at)
     or new.times_seen < old.times_seen
     or not public.marks_move_on(old.signalled_at, old.resent_at, old.resent_count,
       new.signalled_at, new.resent_at, new.resent_count)
     or (old.applied_at is not null and
         (old.applied_at, old.outcome) is distinct from (new.applied_at, new.outcome)) then
    raise exception 'a stored fact never changes'
      using errcode = 'YL002', constraint = 'inbox_immutable';
  end if;
  return new;
end $$;

create trigger inbox_guard before update on inbox
  for each row execute function inbox_guard();
create trigger inbox_never_removed before delete or truncate on inbox
  for each statement execute function refuse_removal();

create function refund_decisions_guard() returns trigger language plpgsql as $$
begin
  if (old.id, old.refund_id, old.verb, old.principal_kind, old.principal_id, old.acting_user,
      old.reason, old.stored_at)
     is distinct from
     (new.id, new.refund_id, new.verb, new.principal_kind, new.principal_id, new.acting_user,
      new.reason, new.stored_at)
     or not public.marks_move_on(old.signalled_at, old.resent_at, old.resent_count,
       new.signalled_at, new.resent_at, new.resent_count)
     or (old.applied_at is not null and
         (old.applied_at, old.outcome) is distinct from (new.applied_at, new.outcome)) then
    raise exception 'a decision never changes'
      using errcode = 'YL002', constraint = 'refund_decisions_immutable';
  end if;
  return new;
end $$;

create trigger refund_decisions_guard before update on refund_decisions
  for each row execute function refund_decisions_guard();
create trigger refund_decisions_never_removed before delete or truncate on refund_decisions
  for each statement execute function refuse_removal();

grant select on inbox, refund_decisions to yuanlu_api, yuanlu_worker;
-- A fact begins unapplied, so nobody can store one that the engine would never look at.
grant insert (id, account_id, kind, business_key, subject_id, source, verified_by, fact, stored_at)
  on inbox to yuanlu_api, yuanlu_worker;
grant update (times_seen, signalled_at) on inbox to yuanlu_api;
grant update (times_seen, signalled_at, resent_at, resent_count, applied_at, outcome)
  on inbox to yuanlu_worker;
grant update (signalled_at) on refund_decisions to yuanlu_api;
grant update (signalled_at, resent_at, resent_count, applied_at, outcome)
  on refund_decisions to yuanlu_worker;

-- Only the API authenticates people, so only it inserts decisions, and never another's kind.
grant insert (id, refund_id, verb, principal_kind, principal_id, acting_user, reason, stored_at)
  on refund_decisions to yuanlu_api;
alter table refund_decisions enable row level security;
create policy everybody_reads on refund_decisions for select using (true);
create policy marks_are_updated on refund_decisions for update using (true);
create policy api_decides_for_its_keys on refund_decisions
  for insert to yuanlu_api with check (principal_kind = 'api_key');

-- The one exception: an approval typed into Temporal, of which nobody can prove who typed it.
create function record_operator_approval(
  p_id uuid, p_refund_id uuid, p_reason text, p_run_id text, p_now timestamptz
) returns uuid language sql security definer set search_path = public, pg_temp as $$
  insert into refund_decisions (id, refund_id, verb, principal_kind, principal_id, acting_user,
    reason, stored_at, signalled_at)
  values (p_id, p_refund_id, 'approve', 'temporal-operator', 'temporal:' || p_run_id || ':' || p_id,
    'temporal-operator', left(p_reason, 256), p_now, p_now)
  returning id
$$;
revoke all on function record_operator_approval from public;
grant execute on function record_operator_approval to yuanlu_worker;
