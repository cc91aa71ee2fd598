-- Approval: each merchant's rules in versions that never change, the sums of a day, what a pending
-- refund does while nobody decides, and the settings that a merchant's people change themselves.

alter table merchants
  -- A shop of one may approve what it asked for itself.
  add column self_approval boolean not null default false;

create table approval_policies (
  merchant_id text not null references merchants,
  version int not null check (version > 0),
  -- What a Beijing day's approvals may come to, for the merchant and for each of its people.
  day_limit_fen bigint check (day_limit_fen > 0),
  person_day_limit_fen bigint check (person_day_limit_fen > 0),
  -- Two requests for one payment are at least this far apart; 0 asks for nothing.
  spacing_s int not null check (spacing_s between 0 and 86400),
  deadline_s int not null check (deadline_s between 60 and 2592000),
  at_deadline text not null check (at_deadline in ('escalate', 'approve', 'close')),
  -- What is approved at the deadline is at most this, and was not shipped.
  approve_up_to_fen bigint check (approve_up_to_fen > 0),
  created_by uuid not null references api_keys,
  created_at timestamptz not null,
  primary key (merchant_id, version),
  constraint approval_policies_approve_little
    check ((at_deadline = 'approve') = (approve_up_to_fen is not null))
);

-- The first rule that fits says how many people have to approve; null fits everything.
create table approval_rules (
  merchant_id text not null,
  version int not null,
  n int not null check (n > 0),
  up_to_fen bigint check (up_to_fen > 0),
  within_days int check (within_days > 0),
  shipped boolean,
  reason_categories text[] check (cardinality(reason_categories) > 0),
  approvals int not null check (approvals between 0 and 2),
  primary key (merchant_id, version, n),
  foreign key (merchant_id, version) references approval_policies
);

create trigger approval_policies_immutable before update on approval_policies
  for each statement execute function refuse_change();
create trigger approval_policies_never_removed before delete or truncate on approval_policies
  for each statement execute function refuse_removal();
create trigger approval_rules_immutable before update on approval_rules
  for each statement execute function refuse_change();
create trigger approval_rules_never_removed before delete or truncate on approval_rules
  for each statement execute function refuse_removal();

-- What was approved on a day: by everybody (person '') and by each person.
create table person_day_totals (
  merchant_id text not null references merchants,
  person text not null,
  beijing_day date not null,
  approved_fen bigint not null check (approved_fen >= 0),
  primary key (merchant_id, person, beijing_day)
);

create function person_day_totals_guard() returns trigger language plpgsql as $$
begin
  raise exception 'what was approved on a day only grows'
    using errcode = 'YL002', constraint = 'person_day_totals_grow';
end $$;

create trigger person_day_totals_grow before update on person_day_totals
  for each row when ((old.merchant_id, old.person, old.beijing_day)
    is distinct from (new.merchant_id, new.person, new.beijing_day)
    or new.approved_fen < old.approved_fen)
  execute function person_day_totals_guard();
create trigger person_day_totals_never_removed before delete or truncate on person_day_totals
  for each statement execute function refuse_removal();

alter table refunds
  add column reason_category text not null default 'other' check (reason_category in
    ('unwanted', 'defective', 'not_received', 'mistake', 'out_of_stock', 'other')),
  -- Null until somebody says so.
  add column shipped boolean,
  -- The policy it was asked for under, or null for the one of merchants that have none.
  add column policy_version int,
  add column approvals_needed int not null default 1 check (approvals_needed between 0 and 2),
  add column remind_at timestamptz,
  add column reminded_at timestamptz,
  add column escalated_at timestamptz,
  add constraint refunds_of_their_policy foreign key (merchant_id, policy_version)
    references approval_policies (merchant_id, version);

create function refunds_terms_guard() returns trigger language plpgsql as $$
begin
  raise exception 'what a refund was asked for under never changes'
    using errcode = 'YL002', constraint = 'refunds_terms_immutable';
end $$;

create trigger refunds_terms_guard before update on refunds
  for each row when ((old.reason_category, old.shipped, old.policy_version, old.approvals_needed,
      old.remind_at)
    is distinct from
    (new.reason_category, new.shipped, new.policy_version, new.approvals_needed, new.remind_at)
    or (old.reminded_at is not null and new.reminded_at is distinct from old.reminded_at)
    or (old.escalated_at is not null and new.escalated_at is distinct from old.escalated_at))
  execute function refunds_terms_guard();

grant update (reminded_at, escalated_at) on refunds to yuanlu_worker;
grant select on approval_policies, approval_rules, person_day_totals to yuanlu_api, yuanlu_worker;
grant insert, update (approved_fen) on person_day_totals to yuanlu_worker;

-- Decisions come in four ways. One that a day's limit refused may be made again on another day.
alter table refund_decisions
  drop constraint refund_decisions_principal_kind_check,
  add constraint refund_decisions_principal_kind_check
    check (principal_kind in ('api_key', 'temporal-operator', 'policy', 'deadline')),
  add column self_approval boolean not null default false;

drop index refund_decisions_once;
create unique index refund_decisions_once
  on refund_decisions (refund_id, verb, principal_id, acting_user)
  where outcome is null or outcome not in ('over_day_limit', 'over_person_limit');
create index refund_decisions_of_refund on refund_decisions (refund_id);
grant insert (self_approval) on refund_decisions to yuanlu_api;

-- The audit tells of settings, too. A merchant has no number of its own: its name is in the line.
alter table audit
  alter column subject_id drop not null,
  drop constraint audit_actor_kind_check,
  add constraint audit_actor_kind_check check (actor_kind in ('api_key', 'temporal-operator',
    'policy', 'deadline', 'channel', 'engine', 'command-line')),
  drop constraint audit_subject_kind_check,
  add constraint audit_subject_kind_check
    check (subject_kind in ('payment', 'refund', 'case', 'merchant', 'account')),
  add constraint audit_subject_named check ((subject_kind = 'merchant') = (subject_id is null));
create index audit_by_time on audit (merchant_id, at desc, id desc);

-- How many people must approve: `approvalsNeeded` of src/domain/approval.ts says the same. Without
-- a policy it is one.
create function approvals_needed(
  p_merchant_id text, p_version int, p_amount_fen bigint, p_age interval, p_shipped boolean,
  p_reason_category text
) returns int language sql stable set search_path = public, pg_temp as $$
  select case when p_version is null then 1 else coalesce((
    select approvals from approval_rules
    where merchant_id = p_merchant_id and version = p_version
      and (up_to_fen is null or p_amount_fen <= up_to_fen)
      and (within_days is null or p_age <= make_interval(hours => 24 * within_days))
      and (shipped is null or shipped is not distinct from p_shipped)
      and (reason_categories is null or p_reason_category = any (reason_categories))
    order by n limit 1), 2) end
$$;

-- Adds to what everybody approved on a day, unless it would come to more than the limit.
create function take_day_amount(
  p_merchant_id text, p_amount_fen bigint, p_limit_fen bigint, p_now timestamptz
) returns boolean language plpgsql set search_path = public, pg_temp as $$
declare
  today date := (p_now at time zone 'Asia/Shanghai')::date;
begin
  if p_limit_fen is null then
    return true;
  end if;
  insert into person_day_totals values (p_merchant_id, '', today, 0) on conflict do nothing;
  update person_day_totals set approved_fen = approved_fen + p_amount_fen
    where merchant_id = p_merchant_id and person = '' and beijing_day = today
      and approved_fen + p_amount_fen <= p_limit_fen;
  return found;
end $$;

-- What became of a refund, for the merchant and for the audit, as the engine writes it elsewhere.
create function tell_of_refund(
  p_refund refunds, p_type text, p_actor_kind text, p_actor_id text, p_acting_user text,
  p_event_id uuid, p_audit_id uuid, p_facts jsonb, p_detail jsonb, p_now timestamptz
) returns void language sql set search_path = public, pg_temp as $$
  insert into outbox (id, subject, sequence, type, payload, created_at)
  select p_event_id, p_refund.payment_id, 1 + coalesce(max(sequence), 0), p_type,
    jsonb_build_object('refundId', p_refund.id, 'paymentId', p_refund.payment_id, 'outRefundNo',
      p_refund.out_refund_no, 'amountFen', p_refund.amount_fen) || p_facts, p_now
  from outbox where subject = p_refund.payment_id;
  insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
    subject_kind, subject_id, detail)
  values (p_audit_id, p_refund.merchant_id, p_now, p_actor_kind, p_actor_id, p_acting_user,
    case p_type when 'refund.requested' then 'refund.request' else p_type end, 'refund',
    p_refund.id, p_detail);
$$;

-- Approves a refund that its policy lets go by itself; over the day's limit it waits for a person.
create function approve_by_policy(p_refund refunds, p_day_limit_fen bigint, p_now timestamptz)
returns void language plpgsql set search_path = public, pg_temp as $$
declare
  decision_id uuid := gen_random_uuid();
  by_policy text := 'policy:' || p_refund.policy_version;
begin
  if not take_day_amount(p_refund.merchant_id, p_refund.amount_fen, p_day_limit_fen, p_now) then
    return;
  end if;
  update refunds set state = 'approved', updated_at = p_now where id = p_refund.id;
  insert into refund_decisions (id, refund_id, verb, principal_kind, principal_id, acting_user,
    reason, stored_at, signalled_at, applied_at, outcome)
  values (decision_id, p_refund.id, 'approve', 'policy', by_policy, 'policy',
    'approved by the merchant''s rules', p_now, p_now, p_now, 'applied');
  perform tell_of_refund(p_refund, 'refund.approved', 'policy', by_policy, null,
    gen_random_uuid(), gen_random_uuid(),
    jsonb_build_object('state', 'approved', 'decisionId', decision_id),
    jsonb_build_object('state', 'approved', 'decisionId', decision_id), p_now);
end $$;

-- Replaces the one of 0010: a request is held to WeChat Pay's limits and to the merchant's policy,
-- which it is pinned to, and may be approved by it at once. `p_expires_at` is the deadline of
-- merchants without a policy.
drop function request_refund;
create function request_refund(
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
  left_fen := case when payment.state = 'paid' and payment.disposition = 'accepted' then
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
    payment.mch_id, p_out_refund_no, p_amount_fen, payment.total_fen, p_reason, p_requested_by,
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

-- Why a payment cannot be refunded so, or null. WeChat Pay V2, refund: at most 50 refunds of an
-- order, within a year. What was never sent does not count.
create function refund_refusal(
  p_payment payments, p_amount_fen bigint, p_left_fen bigint, p_spacing_s int, p_now timestamptz
) returns text language sql stable set search_path = public, pg_temp as $$
  select case
    when p_payment.state <> 'paid' then 'payment_not_paid'
    when p_payment.disposition <> 'accepted' then 'payment_held'
    when p_now > p_payment.paid_at + make_interval(hours => 24 * 365) then 'refund_too_old'
    when p_amount_fen > p_left_fen then 'refund_exceeds_payment'
    when 50 <= (select count(*) from refunds where payment_id = p_payment.id
      and state not in ('rejected', 'cancelled', 'expired')) then 'refund_count_reached'
    when p_spacing_s > 0 and exists (select from refunds where payment_id = p_payment.id
      and created_at > p_now - make_interval(secs => p_spacing_s)) then 'refund_too_soon'
  end
$$;

revoke all on function request_refund, approvals_needed, take_day_amount, tell_of_refund,
  approve_by_policy, refund_refusal from public;
grant execute on function request_refund to yuanlu_api;

-- The deadline approves what the refund's policy says it may, which the worker cannot say itself.
create function record_deadline_approval(p_id uuid, p_refund_id uuid, p_now timestamptz)
returns uuid language sql security definer set search_path = public, pg_temp as $$
  insert into refund_decisions (id, refund_id, verb, principal_kind, principal_id, acting_user,
    reason, stored_at, signalled_at)
  select p_id, r.id, 'approve', 'deadline', 'policy:' || p.version, 'deadline',
    'nobody decided in time: not shipped, and small', p_now, p_now
  from refunds r join approval_policies p
    on p.merchant_id = r.merchant_id and p.version = r.policy_version
  where r.id = p_refund_id and r.state = 'pending' and r.shipped = false
    and r.approvals_needed < 2 and p.at_deadline = 'approve'
    and r.amount_fen <= p.approve_up_to_fen
  on conflict do nothing
  returning id
$$;

-- How many keys may decide: a shop of one has at most one.
create function deciding_keys(p_merchant_id text) returns int
language sql stable security definer set search_path = public, pg_temp as $$
  select count(*)::int from api_keys
  where merchant_id = p_merchant_id and revoked_at is null and 'refunds:decide' = any (scopes)
$$;

revoke all on function record_deadline_approval, deciding_keys from public;
grant execute on function record_deadline_approval, deciding_keys to yuanlu_worker;

-- A new version of a merchant's policy, and a line in the audit. Answers its number.
create function add_approval_policy(
  p_merchant_id text, p_policy jsonb, p_created_by uuid, p_acting_user text, p_audit_id uuid,
  p_now timestamptz
) returns int language plpgsql security definer set search_path = public, pg_temp as $$
declare
  next_version int;
begin
  perform from merchants where id = p_merchant_id for no key update;
  select 1 + coalesce(max(version), 0) into next_version
    from approval_policies where merchant_id = p_merchant_id;
  insert into approval_policies (merchant_id, version, day_limit_fen, person_day_limit_fen,
    spacing_s, deadline_s, at_deadline, approve_up_to_fen, created_by, created_at)
  select p_merchant_id, next_version, p."dayLimitFen", p."personDayLimitFen", p."spacingSeconds",
    p."deadlineSeconds", p."atDeadline", p."approveUpToFen", p_created_by, p_now
  from jsonb_to_record(p_policy) as p("dayLimitFen" bigint, "personDayLimitFen" bigint,
    "spacingSeconds" int, "deadlineSeconds" int, "atDeadline" text, "approveUpToFen" bigint);
  insert into approval_rules (merchant_id, version, n, up_to_fen, within_days, shipped,
    reason_categories, approvals)
  select p_merchant_id, next_version, rule.n, r."upToFen", r."withinDays", r.shipped,
    r."reasonCategories", r.approvals
  from jsonb_array_elements(p_policy -> 'rules') with ordinality as rule(value, n),
    jsonb_to_record(rule.value) as r("upToFen" bigint, "withinDays" int, shipped boolean,
      "reasonCategories" text[], approvals int);
  insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
    subject_kind, detail)
  values (p_audit_id, p_merchant_id, p_now, 'api_key', p_created_by::text, p_acting_user,
    'merchant.policy', 'merchant', jsonb_build_object('version', next_version));
  return next_version;
end $$;

-- Changes a merchant's settings. Whoever stops refunds stops those that are approved already.
create function change_merchant(
  p_merchant_id text, p_settings jsonb, p_changed_by uuid, p_acting_user text, p_audit_id uuid,
  p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update merchants set
    name = p_settings ->> 'name',
    engine_operator_limit_fen = (p_settings ->> 'operatorLimitFen')::bigint,
    self_approval = (p_settings ->> 'selfApproval')::boolean,
    late_payments = p_settings ->> 'latePayments',
    refunds_stopped_at = case when (p_settings ->> 'refundsStopped')::boolean
      then coalesce(refunds_stopped_at, p_now) end
  where id = p_merchant_id;
  insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
    subject_kind, detail)
  values (p_audit_id, p_merchant_id, p_now, 'api_key', p_changed_by::text, p_acting_user,
    'merchant.change', 'merchant', p_settings);
end $$;

-- Of certificates, so that people can tell them apart.
alter table credential_versions add column if not exists serial_number text;

-- The versions of a merchant's secrets, without them: the API sees no more of most kinds.
create function credential_list(p_merchant_id text) returns table (
  account_id uuid, mch_id text, kind text, version int, state text, not_after timestamptz,
  serial_number text, created_at timestamptz
) language sql stable security definer set search_path = public, pg_temp as $$
  select c.account_id, a.mch_id, c.kind, c.version, c.state, c.not_after, c.serial_number,
    c.created_at
  from credential_versions c join channel_accounts a on a.id = c.account_id
  where a.merchant_id = p_merchant_id
  order by a.created_at, a.id, c.kind, c.version desc
$$;

-- A next version of a secret. It and the one before stay active, so that what is under way ends as
-- it began; those before them retire. Answers whether the version was the next one.
create function add_credential(
  p_merchant_id text, p_account_id uuid, p_kind text, p_version int, p_not_after timestamptz,
  p_serial_number text, p_kek_id text, p_ciphertext bytea, p_added_by uuid, p_acting_user text,
  p_audit_id uuid, p_now timestamptz
) returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform from channel_accounts where id = p_account_id and merchant_id = p_merchant_id
    for no key update;
  if not found or p_version <> (select 1 + coalesce(max(version), 0) from credential_versions
      where account_id = p_account_id and kind = p_kind) then
    return false;
  end if;
  insert into credential_versions (account_id, kind, version, state, not_after, serial_number,
    kek_id, ciphertext, created_at)
  values (p_account_id, p_kind, p_version, 'active', p_not_after, p_serial_number, p_kek_id,
    p_ciphertext, p_now);
  update credential_versions set state = 'retired'
    where account_id = p_account_id and kind = p_kind and version < p_version - 1;
  insert into audit (id, merchant_id, at, actor_kind, actor_id, acting_user, action,
    subject_kind, subject_id, detail)
  values (p_audit_id, p_merchant_id, p_now, 'api_key', p_added_by::text, p_acting_user,
    'credential.add', 'account', p_account_id,
    jsonb_build_object('kind', p_kind, 'version', p_version));
  return true;
end $$;

revoke all on function add_approval_policy, change_merchant, credential_list, add_credential
  from public;
grant execute on function add_approval_policy, change_merchant, credential_list, add_credential
  to yuanlu_api;

-- Replaces the one of 0012, which did not know of refunds that go by themselves.
create or replace function mark_refund_retry(
  p_refund_id uuid, p_retry_of uuid, p_resolution_id uuid, p_now timestamptz
) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update refunds r set retry_of = p_retry_of
  from refunds closed, refund_resolutions x
  where r.id = p_refund_id and r.state in ('pending', 'approved') and r.retry_of is null
    and closed.id = p_retry_of and closed.state = 'failed'
    and (closed.payment_id, closed.amount_fen) = (r.payment_id, r.amount_fen)
    and x.id = p_resolution_id and x.refund_id = closed.id and x.verb = 'renew'
    and x.outcome = 'applied' and x.applied_at > p_now - interval '60 s';
  if not found then
    raise exception 'a new number needs the word of the channel that the old one is closed'
      using errcode = 'YL005', constraint = 'refunds_retry_has_proof';
  end if;
end $$;
