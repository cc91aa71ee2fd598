-- Made by scripts/dump-schema.ts from a migrated database; do not edit.

-- tables

create table api_keys (
  id uuid not null,
  merchant_id text not null,
  name text not null,
  key_hash bytea not null,
  scopes text[] not null,
  created_at timestamp with time zone not null,
  revoked_at timestamp with time zone
);

create table audit (
  id uuid not null,
  merchant_id text not null,
  at timestamp with time zone not null,
  actor_kind text not null,
  actor_id text not null,
  acting_user text,
  action text not null,
  subject_kind text not null,
  subject_id uuid not null,
  detail jsonb not null
);

create table channel_accounts (
  id uuid not null,
  merchant_id text not null,
  mode text not null,
  api_version text not null,
  mch_id text not null,
  sign_type text not null,
  op_user_id text not null,
  short_name text not null,
  notify_token text not null,
  time_scale double precision default 1 not null,
  created_at timestamp with time zone not null
);

create table channel_apps (
  account_id uuid not null,
  app_id text not null
);

create table credential_versions (
  account_id uuid not null,
  kind text not null,
  version integer not null,
  state text not null,
  not_after timestamp with time zone,
  kek_id text not null,
  ciphertext bytea not null,
  created_at timestamp with time zone not null
);

create table idempotency_keys (
  merchant_id text not null,
  client_id uuid not null,
  route text not null,
  key text not null,
  request_hash bytea not null,
  object_id uuid not null,
  created_at timestamp with time zone not null
);

create table inbox (
  id uuid not null,
  account_id uuid not null,
  kind text not null,
  business_key text not null,
  subject_id uuid not null,
  source text not null,
  verified_by text not null,
  fact jsonb not null,
  times_seen integer default 1 not null,
  stored_at timestamp with time zone not null,
  signalled_at timestamp with time zone,
  applied_at timestamp with time zone,
  outcome text
);

create table journal_transfers (
  entry_id uuid not null,
  n integer not null,
  rule text not null,
  debit text not null,
  credit text not null,
  amount_fen bigint not null,
  merchant_id text not null,
  cause_kind text not null,
  cause_id uuid not null,
  occurred_at timestamp with time zone not null,
  recorded_at timestamp with time zone default now() not null,
  business_day date generated always as (((occurred_at AT TIME ZONE 'Asia/Shanghai'::text))::date) stored not null
);

create table merchants (
  id text not null,
  name text not null,
  engine_operator_limit_fen bigint default 0 not null,
  created_at timestamp with time zone not null
);

create table outbox (
  id uuid not null,
  subject uuid not null,
  sequence integer not null,
  type text not null,
  payload jsonb not null,
  created_at timestamp with time zone not null
);

create table payment_transitions (
  from_state text not null,
  to_state text not null
);

create table payments (
  id uuid not null,
  merchant_id text not null,
  account_id uuid not null,
  api_version text not null,
  mch_id text not null,
  app_id text not null,
  out_trade_no text not null,
  order_ref text,
  description text not null,
  state text default 'created'::text not null,
  disposition text,
  attention text,
  failure_code text,
  total_fen bigint not null,
  paid_fen bigint,
  cash_fen bigint,
  settlement_fen bigint,
  reserved_fen bigint default 0 not null,
  refunded_fen bigint default 0 not null,
  settled_fen bigint default 0 not null,
  transaction_id text,
  prepay_id text,
  prepay_at timestamp with time zone,
  channel_request bytea not null,
  expires_at timestamp with time zone not null,
  due_at timestamp with time zone,
  due_count integer default 0 not null,
  refund_slot_at timestamp with time zone,
  refund_sent_at timestamp with time zone,
  paid_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null
) with (fillfactor=80);

create table refund_decisions (
  id uuid not null,
  refund_id uuid not null,
  verb text not null,
  principal_kind text not null,
  principal_id text not null,
  acting_user text not null,
  reason text not null,
  stored_at timestamp with time zone not null,
  signalled_at timestamp with time zone,
  applied_at timestamp with time zone,
  outcome text
);

create table refund_effects (
  state text not null,
  bucket text not null
);

create table refund_transitions (
  from_state text not null,
  to_state text not null
);

create table refunds (
  id uuid not null,
  merchant_id text not null,
  payment_id uuid not null,
  account_id uuid not null,
  api_version text not null,
  mch_id text not null,
  out_refund_no text not null,
  origin text default 'api'::text not null,
  state text default 'pending'::text not null,
  cause text,
  hold_reason text,
  hold_until timestamp with time zone,
  last_code text,
  last_message text,
  amount_fen bigint not null,
  total_fen bigint not null,
  settlement_fen bigint,
  transit_round integer default 0 not null,
  in_transit boolean default false not null,
  refund_id text,
  reason text not null,
  requested_by uuid not null,
  requested_for text not null,
  expires_at timestamp with time zone not null,
  first_submitted_at timestamp with time zone,
  last_submitted_at timestamp with time zone,
  submit_count integer default 0 not null,
  accepted_at timestamp with time zone,
  query_count integer default 0 not null,
  done_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null
) with (fillfactor=80);

create table schema_migrations (
  name text not null,
  applied_at timestamp with time zone default now() not null
);

-- constraints

alter table api_keys add constraint api_keys_key_hash_key
  UNIQUE (key_hash);

alter table api_keys add constraint api_keys_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table api_keys add constraint api_keys_name_check
  CHECK (((length(name) >= 1) AND (length(name) <= 64)));

alter table api_keys add constraint api_keys_pkey
  PRIMARY KEY (id);

alter table audit add constraint audit_actor_kind_check
  CHECK ((actor_kind = ANY (ARRAY['api_key'::text, 'temporal-operator'::text, 'channel'::text, 'engine'::text])));

alter table audit add constraint audit_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table audit add constraint audit_pkey
  PRIMARY KEY (id);

alter table audit add constraint audit_subject_kind_check
  CHECK ((subject_kind = ANY (ARRAY['payment'::text, 'refund'::text])));

alter table channel_accounts add constraint channel_accounts_api_version_check
  CHECK ((api_version = 'v2'::text));

alter table channel_accounts add constraint channel_accounts_id_merchant_id_mch_id_key
  UNIQUE (id, merchant_id, mch_id);

alter table channel_accounts add constraint channel_accounts_live_time_is_real
  CHECK (((mode = 'sandbox'::text) OR (time_scale = (1)::double precision)));

alter table channel_accounts add constraint channel_accounts_mch_id_check
  CHECK ((mch_id ~ '^[0-9A-Za-z]{1,32}$'::text));

alter table channel_accounts add constraint channel_accounts_mch_id_key
  UNIQUE (mch_id);

alter table channel_accounts add constraint channel_accounts_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table channel_accounts add constraint channel_accounts_mode_check
  CHECK ((mode = ANY (ARRAY['live'::text, 'sandbox'::text])));

alter table channel_accounts add constraint channel_accounts_notify_token_check
  CHECK ((length(notify_token) >= 22));

alter table channel_accounts add constraint channel_accounts_notify_token_key
  UNIQUE (notify_token);

alter table channel_accounts add constraint channel_accounts_pkey
  PRIMARY KEY (id);

alter table channel_accounts add constraint channel_accounts_short_name_check
  CHECK (((length(short_name) >= 1) AND (length(short_name) <= 32)));

alter table channel_accounts add constraint channel_accounts_sign_type_check
  CHECK ((sign_type = ANY (ARRAY['MD5'::text, 'HMAC-SHA256'::text])));

alter table channel_accounts add constraint channel_accounts_time_scale_check
  CHECK ((time_scale > (0)::double precision));

alter table channel_apps add constraint channel_apps_account_id_fkey
  FOREIGN KEY (account_id) REFERENCES channel_accounts(id);

alter table channel_apps add constraint channel_apps_app_id_check
  CHECK ((app_id ~ '^[0-9A-Za-z_-]{1,32}$'::text));

alter table channel_apps add constraint channel_apps_pkey
  PRIMARY KEY (account_id, app_id);

alter table credential_versions add constraint credential_versions_account_id_fkey
  FOREIGN KEY (account_id) REFERENCES channel_accounts(id);

alter table credential_versions add constraint credential_versions_kind_check
  CHECK ((kind = ANY (ARRAY['v2_key'::text, 'merchant_certificate'::text, 'merchant_private_key'::text])));

alter table credential_versions add constraint credential_versions_pkey
  PRIMARY KEY (account_id, kind, version);

alter table credential_versions add constraint credential_versions_state_check
  CHECK ((state = ANY (ARRAY['active'::text, 'retired'::text])));

alter table credential_versions add constraint credential_versions_version_check
  CHECK ((version > 0));

alter table idempotency_keys add constraint idempotency_keys_client_id_fkey
  FOREIGN KEY (client_id) REFERENCES api_keys(id);

alter table idempotency_keys add constraint idempotency_keys_key_check
  CHECK (((length(key) >= 1) AND (length(key) <= 128)));

alter table idempotency_keys add constraint idempotency_keys_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table idempotency_keys add constraint idempotency_keys_pkey
  PRIMARY KEY (merchant_id, client_id, route, key);

alter table inbox add constraint inbox_account_id_fkey
  FOREIGN KEY (account_id) REFERENCES channel_accounts(id);

alter table inbox add constraint inbox_account_id_kind_business_key_key
  UNIQUE (account_id, kind, business_key);

alter table inbox add constraint inbox_kind_check
  CHECK ((kind = ANY (ARRAY['payment'::text, 'refund'::text])));

alter table inbox add constraint inbox_pkey
  PRIMARY KEY (id);

alter table inbox add constraint inbox_source_check
  CHECK ((source = ANY (ARRAY['notify'::text, 'query'::text])));

alter table inbox add constraint inbox_verified_by_check
  CHECK ((verified_by = ANY (ARRAY['signature'::text, 'decryption'::text, 'query'::text])));

alter table journal_transfers add constraint journal_posted_once
  UNIQUE (cause_kind, cause_id, rule, n);

alter table journal_transfers add constraint journal_transfers_amount_fen_check
  CHECK ((amount_fen > 0));

alter table journal_transfers add constraint journal_transfers_cause_kind_check
  CHECK ((cause_kind = ANY (ARRAY['payment'::text, 'refund'::text])));

alter table journal_transfers add constraint journal_transfers_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table journal_transfers add constraint journal_transfers_n_check
  CHECK ((n > 0));

alter table journal_transfers add constraint journal_transfers_pkey
  PRIMARY KEY (entry_id, rule, n);

alter table journal_transfers add constraint journal_transfers_rule_check
  CHECK ((rule = ANY (ARRAY['P1'::text, 'P2'::text, 'J1'::text, 'J2'::text, 'J3'::text, 'J4'::text])));

alter table journal_transfers add constraint journal_two_accounts
  CHECK ((debit <> credit));

alter table merchants add constraint merchants_engine_operator_limit_fen_check
  CHECK ((engine_operator_limit_fen >= 0));

alter table merchants add constraint merchants_id_check
  CHECK ((id ~ '^[a-z0-9][a-z0-9_-]{1,31}$'::text));

alter table merchants add constraint merchants_name_check
  CHECK (((length(name) >= 1) AND (length(name) <= 64)));

alter table merchants add constraint merchants_pkey
  PRIMARY KEY (id);

alter table outbox add constraint outbox_pkey
  PRIMARY KEY (id);

alter table outbox add constraint outbox_sequence_check
  CHECK ((sequence > 0));

alter table outbox add constraint outbox_subject_fkey
  FOREIGN KEY (subject) REFERENCES payments(id);

alter table outbox add constraint outbox_subject_sequence_key
  UNIQUE (subject, sequence);

alter table payment_transitions add constraint payment_transitions_pkey
  PRIMARY KEY (from_state, to_state);

alter table payments add constraint payments_api_version_check
  CHECK ((api_version = 'v2'::text));

alter table payments add constraint payments_cash_fen_check
  CHECK ((cash_fen >= 0));

alter table payments add constraint payments_disposition_check
  CHECK ((disposition = ANY (ARRAY['accepted'::text, 'held'::text])));

alter table payments add constraint payments_mch_id_out_trade_no_key
  UNIQUE (mch_id, out_trade_no);

alter table payments add constraint payments_merchant_id_out_trade_no_key
  UNIQUE (merchant_id, out_trade_no);

alter table payments add constraint payments_of_their_account
  FOREIGN KEY (account_id, merchant_id, mch_id) REFERENCES channel_accounts(id, merchant_id, mch_id);

alter table payments add constraint payments_order_ref_check
  CHECK (((length(order_ref) >= 1) AND (length(order_ref) <= 64)));

alter table payments add constraint payments_out_trade_no_check
  CHECK ((out_trade_no ~ '^[0-9A-Za-z_|*-]{6,32}$'::text));

alter table payments add constraint payments_paid_fen_check
  CHECK ((paid_fen >= 0));

alter table payments add constraint payments_paid_has_amount
  CHECK ((num_nonnulls(disposition, paid_fen, cash_fen, settlement_fen, transaction_id, paid_at) =
CASE state
    WHEN 'paid'::text THEN 6
    ELSE 0
END));

alter table payments add constraint payments_pkey
  PRIMARY KEY (id);

alter table payments add constraint payments_refunded_fen_check
  CHECK ((refunded_fen >= 0));

alter table payments add constraint payments_refunded_within_paid
  CHECK ((refunded_fen <= COALESCE(paid_fen, (0)::bigint)));

alter table payments add constraint payments_refunds_within_paid
  CHECK ((((reserved_fen + refunded_fen) + settled_fen) <= COALESCE(paid_fen, (0)::bigint)));

alter table payments add constraint payments_reserved_fen_check
  CHECK ((reserved_fen >= 0));

alter table payments add constraint payments_settled_fen_check
  CHECK ((settled_fen >= 0));

alter table payments add constraint payments_settlement_fen_check
  CHECK ((settlement_fen >= 0));

alter table payments add constraint payments_state_check
  CHECK ((state = ANY (ARRAY['created'::text, 'awaiting_payment'::text, 'paid'::text, 'closed'::text, 'failed'::text])));

alter table payments add constraint payments_total_fen_check
  CHECK (((total_fen >= 1) AND (total_fen <= 1000000000)));

alter table payments add constraint payments_transaction_id_check
  CHECK (((length(transaction_id) >= 1) AND (length(transaction_id) <= 32)));

alter table refund_decisions add constraint refund_decisions_pkey
  PRIMARY KEY (id);

alter table refund_decisions add constraint refund_decisions_principal_kind_check
  CHECK ((principal_kind = ANY (ARRAY['api_key'::text, 'temporal-operator'::text])));

alter table refund_decisions add constraint refund_decisions_reason_check
  CHECK (((length(reason) >= 1) AND (length(reason) <= 256)));

alter table refund_decisions add constraint refund_decisions_refund_id_fkey
  FOREIGN KEY (refund_id) REFERENCES refunds(id);

alter table refund_decisions add constraint refund_decisions_verb_check
  CHECK ((verb = ANY (ARRAY['approve'::text, 'reject'::text, 'cancel'::text])));

alter table refund_effects add constraint refund_effects_bucket_check
  CHECK ((bucket = ANY (ARRAY['reserved'::text, 'refunded'::text, 'settled'::text, 'none'::text])));

alter table refund_effects add constraint refund_effects_pkey
  PRIMARY KEY (state);

alter table refund_transitions add constraint refund_transitions_pkey
  PRIMARY KEY (from_state, to_state);

alter table refunds add constraint refunds_account_id_fkey
  FOREIGN KEY (account_id) REFERENCES channel_accounts(id);

alter table refunds add constraint refunds_amount_fen_check
  CHECK ((amount_fen > 0));

alter table refunds add constraint refunds_api_version_check
  CHECK ((api_version = 'v2'::text));

alter table refunds add constraint refunds_cause_check
  CHECK ((cause = ANY (ARRAY['submitting'::text, 'accepted'::text, 'unknown'::text, 'rate_limited'::text, 'insufficient_balance'::text, 'abnormal'::text, 'refused'::text])));

alter table refunds add constraint refunds_done_has_time
  CHECK (((state = 'done'::text) = (done_at IS NOT NULL)));

alter table refunds add constraint refunds_hold_reason_check
  CHECK ((hold_reason = 'spacing'::text));

alter table refunds add constraint refunds_mch_id_out_refund_no_key
  UNIQUE (mch_id, out_refund_no);

alter table refunds add constraint refunds_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table refunds add constraint refunds_origin_check
  CHECK ((origin = 'api'::text));

alter table refunds add constraint refunds_out_refund_no_check
  CHECK ((out_refund_no ~ '^[0-9A-Za-z_|*@-]{1,64}$'::text));

alter table refunds add constraint refunds_payment_id_fkey
  FOREIGN KEY (payment_id) REFERENCES payments(id);

alter table refunds add constraint refunds_pkey
  PRIMARY KEY (id);

alter table refunds add constraint refunds_reason_check
  CHECK (((length(reason) >= 1) AND (length(reason) <= 80)));

alter table refunds add constraint refunds_refund_id_check
  CHECK (((length(refund_id) >= 1) AND (length(refund_id) <= 32)));

alter table refunds add constraint refunds_requested_by_fkey
  FOREIGN KEY (requested_by) REFERENCES api_keys(id);

alter table refunds add constraint refunds_sent_has_time
  CHECK (((first_submitted_at IS NULL) = (state = ANY (ARRAY['pending'::text, 'approved'::text, 'rejected'::text, 'cancelled'::text, 'expired'::text]))));

alter table refunds add constraint refunds_settlement_fen_check
  CHECK ((settlement_fen >= 0));

alter table refunds add constraint refunds_state_check
  CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'refunding'::text, 'needs_attention'::text, 'done'::text, 'settled'::text, 'failed'::text, 'rejected'::text, 'cancelled'::text, 'expired'::text])));

alter table refunds add constraint refunds_total_fen_check
  CHECK ((total_fen > 0));

alter table refunds add constraint refunds_within_total
  CHECK ((amount_fen <= total_fen));

alter table schema_migrations add constraint schema_migrations_pkey
  PRIMARY KEY (name);

-- indexes

CREATE INDEX audit_by_subject ON public.audit USING btree (subject_id, at);
CREATE INDEX inbox_by_subject ON public.inbox USING btree (subject_id);
CREATE INDEX inbox_unapplied ON public.inbox USING btree (stored_at) WHERE (applied_at IS NULL);
CREATE INDEX journal_by_day ON public.journal_transfers USING btree (merchant_id, business_day);
CREATE INDEX payments_by_time ON public.payments USING btree (merchant_id, created_at DESC, id DESC);
CREATE INDEX payments_due ON public.payments USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX payments_order_ref_accepted_once ON public.payments USING btree (merchant_id, order_ref) WHERE (disposition = 'accepted'::text);
CREATE UNIQUE INDEX payments_order_ref_open_once ON public.payments USING btree (merchant_id, order_ref) WHERE (state = ANY (ARRAY['created'::text, 'awaiting_payment'::text]));
CREATE UNIQUE INDEX payments_transaction_id_once ON public.payments USING btree (mch_id, transaction_id) WHERE (transaction_id IS NOT NULL);
CREATE UNIQUE INDEX refund_decisions_once ON public.refund_decisions USING btree (refund_id, verb, principal_id, acting_user);
CREATE INDEX refund_decisions_unapplied ON public.refund_decisions USING btree (stored_at) WHERE (applied_at IS NULL);
CREATE INDEX refunds_by_payment ON public.refunds USING btree (payment_id);
CREATE INDEX refunds_by_time ON public.refunds USING btree (merchant_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX refunds_refund_id_once ON public.refunds USING btree (mch_id, refund_id) WHERE (refund_id IS NOT NULL);

-- functions

CREATE OR REPLACE FUNCTION public.inbox_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if (old.id, old.account_id, old.kind, old.business_key, old.subject_id, old.source,
      old.verified_by, old.fact, old.stored_at)
     is distinct from
     (new.id, new.account_id, new.kind, new.business_key, new.subject_id, new.source,
      new.verified_by, new.fact, new.stored_at)
     or new.times_seen < old.times_seen
     or (old.applied_at is not null and
         (old.applied_at, old.outcome) is distinct from (new.applied_at, new.outcome)) then
    raise exception 'a stored fact never changes'
      using errcode = 'YL002', constraint = 'inbox_immutable';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.payments_guard()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if new.state <> old.state and not exists (
    select from payment_transitions where from_state = old.state and to_state = new.state
  ) then
    raise exception 'a payment cannot go from % to %', old.state, new.state
      using errcode = 'YL001', constraint = 'payments_transition';
  end if;
  if (old.id, old.merchant_id, old.account_id, old.api_version, old.mch_id, old.app_id,
      old.out_trade_no, old.order_ref, old.description, old.total_fen, old.channel_request,
      old.expires_at, old.created_at)
     is distinct from
     (new.id, new.merchant_id, new.account_id, new.api_version, new.mch_id, new.app_id,
      new.out_trade_no, new.order_ref, new.description, new.total_fen, new.channel_request,
      new.expires_at, new.created_at) then
    raise exception 'what was ordered never changes'
      using errcode = 'YL002', constraint = 'payments_immutable';
  end if;
  if old.paid_fen is not null and
     (old.disposition, old.paid_fen, old.cash_fen, old.settlement_fen, old.transaction_id,
      old.paid_at)
     is distinct from
     (new.disposition, new.paid_fen, new.cash_fen, new.settlement_fen, new.transaction_id,
      new.paid_at) then
    raise exception 'what was paid is set once'
      using errcode = 'YL002', constraint = 'payments_paid_once';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.record_operator_approval(p_id uuid, p_refund_id uuid, p_reason text, p_run_id text, p_now timestamp with time zone)
 RETURNS uuid
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  insert into refund_decisions (id, refund_id, verb, principal_kind, principal_id, acting_user,
    reason, stored_at, signalled_at)
  values (p_id, p_refund_id, 'approve', 'temporal-operator', 'temporal:' || p_run_id || ':' || p_id,
    'temporal-operator', left(p_reason, 256), p_now, p_now)
  returning id
$function$;

CREATE OR REPLACE FUNCTION public.refund_decisions_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if (old.id, old.refund_id, old.verb, old.principal_kind, old.principal_id, old.acting_user,
      old.reason, old.stored_at)
     is distinct from
     (new.id, new.refund_id, new.verb, new.principal_kind, new.principal_id, new.acting_user,
      new.reason, new.stored_at)
     or (old.applied_at is not null and
         (old.applied_at, old.outcome) is distinct from (new.applied_at, new.outcome)) then
    raise exception 'a decision never changes'
      using errcode = 'YL002', constraint = 'refund_decisions_immutable';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.refunds_count()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  was text := 'none';
  becomes text;
begin
  if tg_op = 'UPDATE' then
    select bucket into strict was from refund_effects where state = old.state;
  end if;
  select bucket into strict becomes from refund_effects where state = new.state;
  if was <> becomes then
    update payments set
      reserved_fen = reserved_fen + new.amount_fen
        * ((becomes = 'reserved')::int - (was = 'reserved')::int),
      refunded_fen = refunded_fen + new.amount_fen
        * ((becomes = 'refunded')::int - (was = 'refunded')::int),
      settled_fen = settled_fen + new.amount_fen
        * ((becomes = 'settled')::int - (was = 'settled')::int)
    where id = new.payment_id;
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.refunds_guard()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if tg_op = 'INSERT' then
    if new.state <> 'pending' or new.first_submitted_at is not null then
      raise exception 'a refund begins as pending, not as %', new.state
        using errcode = 'YL001', constraint = 'refunds_begin_pending';
    end if;
    return new;
  end if;
  if new.state <> old.state and not exists (
    select from refund_transitions where from_state = old.state and to_state = new.state
  ) then
    raise exception 'a refund cannot go from % to %', old.state, new.state
      using errcode = 'YL001', constraint = 'refunds_transition';
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
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'rows of % never change', tg_table_name
    using errcode = 'YL002', constraint = tg_table_name || '_immutable';
end $function$;

CREATE OR REPLACE FUNCTION public.refuse_removal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'rows of % are never removed', tg_table_name
    using errcode = 'YL003', constraint = tg_table_name || '_never_removed';
end $function$;

CREATE OR REPLACE FUNCTION public.request_refund(p_id uuid, p_merchant_id text, p_payment_id uuid, p_out_refund_no text, p_amount_fen bigint, p_reason text, p_requested_by uuid, p_requested_for text, p_expires_at timestamp with time zone, p_event_id uuid, p_audit_id uuid, p_now timestamp with time zone)
 RETURNS TABLE(outcome text, left_fen bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

-- triggers

CREATE TRIGGER audit_immutable BEFORE UPDATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_never_removed BEFORE DELETE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER inbox_guard BEFORE UPDATE ON public.inbox FOR EACH ROW EXECUTE FUNCTION inbox_guard();
CREATE TRIGGER inbox_never_removed BEFORE DELETE OR TRUNCATE ON public.inbox FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER journal_immutable BEFORE UPDATE ON public.journal_transfers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_never_removed BEFORE DELETE OR TRUNCATE ON public.journal_transfers FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER payments_guard BEFORE UPDATE ON public.payments FOR EACH ROW EXECUTE FUNCTION payments_guard();
CREATE TRIGGER payments_never_removed BEFORE DELETE OR TRUNCATE ON public.payments FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER refund_decisions_guard BEFORE UPDATE ON public.refund_decisions FOR EACH ROW EXECUTE FUNCTION refund_decisions_guard();
CREATE TRIGGER refund_decisions_never_removed BEFORE DELETE OR TRUNCATE ON public.refund_decisions FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER refunds_count AFTER INSERT OR UPDATE OF state ON public.refunds FOR EACH ROW EXECUTE FUNCTION refunds_count();
CREATE TRIGGER refunds_guard BEFORE INSERT OR UPDATE ON public.refunds FOR EACH ROW EXECUTE FUNCTION refunds_guard();
CREATE TRIGGER refunds_never_removed BEFORE DELETE OR TRUNCATE ON public.refunds FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

-- policies

alter table credential_versions enable row level security;
alter table refund_decisions enable row level security;
create policy api_decides_for_its_keys on refund_decisions as permissive for insert to yuanlu_api with check ((principal_kind = 'api_key'::text));
create policy api_reads_verifying_keys on credential_versions as permissive for select to yuanlu_api using ((kind = 'v2_key'::text));
create policy everybody_reads on refund_decisions as permissive for select to public using (true);
create policy marks_are_updated on refund_decisions as permissive for update to public using (true);
create policy worker_reads_every_kind on credential_versions as permissive for select to yuanlu_worker using (true);

-- rights on tables

grant select on api_keys to yuanlu_api;
grant insert on audit to yuanlu_api;
grant insert on audit to yuanlu_worker;
grant select on audit to yuanlu_api;
grant select on audit to yuanlu_worker;
grant select on channel_accounts to yuanlu_api;
grant select on channel_accounts to yuanlu_worker;
grant select on channel_apps to yuanlu_api;
grant select on channel_apps to yuanlu_worker;
grant select on credential_versions to yuanlu_api;
grant select on credential_versions to yuanlu_worker;
grant insert on idempotency_keys to yuanlu_api;
grant select on idempotency_keys to yuanlu_api;
grant select on inbox to yuanlu_api;
grant select on inbox to yuanlu_worker;
grant select on journal_transfers to yuanlu_api;
grant select on journal_transfers to yuanlu_worker;
grant select on merchants to yuanlu_api;
grant select on merchants to yuanlu_worker;
grant insert on outbox to yuanlu_worker;
grant select on outbox to yuanlu_api;
grant select on outbox to yuanlu_worker;
grant select on payment_transitions to yuanlu_api;
grant select on payment_transitions to yuanlu_worker;
grant select on payments to yuanlu_api;
grant select on payments to yuanlu_worker;
grant select on refund_decisions to yuanlu_api;
grant select on refund_decisions to yuanlu_worker;
grant select on refund_effects to yuanlu_api;
grant select on refund_effects to yuanlu_worker;
grant select on refund_transitions to yuanlu_api;
grant select on refund_transitions to yuanlu_worker;
grant select on refunds to yuanlu_api;
grant select on refunds to yuanlu_worker;

-- rights on columns

grant insert (account_id, business_key, fact, id, kind, source, stored_at, subject_id, verified_by)
  on inbox to yuanlu_api;

grant insert (account_id, business_key, fact, id, kind, source, stored_at, subject_id, verified_by)
  on inbox to yuanlu_worker;

grant update (applied_at, outcome, signalled_at, times_seen)
  on inbox to yuanlu_worker;

grant update (signalled_at, times_seen)
  on inbox to yuanlu_api;

grant insert (amount_fen, cause_id, cause_kind, credit, debit, entry_id, merchant_id, n, occurred_at, rule)
  on journal_transfers to yuanlu_worker;

grant insert (account_id, api_version, app_id, channel_request, created_at, description, expires_at, id, mch_id, merchant_id, order_ref, out_trade_no, total_fen, updated_at)
  on payments to yuanlu_api;

grant update (attention, cash_fen, disposition, due_at, due_count, failure_code, paid_at, paid_fen, prepay_at, prepay_id, refund_sent_at, refund_slot_at, settlement_fen, state, transaction_id, updated_at)
  on payments to yuanlu_worker;

grant insert (acting_user, id, principal_id, principal_kind, reason, refund_id, stored_at, verb)
  on refund_decisions to yuanlu_api;

grant update (applied_at, outcome, signalled_at)
  on refund_decisions to yuanlu_worker;

grant update (signalled_at)
  on refund_decisions to yuanlu_api;

grant update (accepted_at, cause, done_at, first_submitted_at, hold_reason, hold_until, in_transit, last_code, last_message, last_submitted_at, query_count, refund_id, settlement_fen, state, submit_count, transit_round, updated_at)
  on refunds to yuanlu_worker;

-- rights on functions

grant execute on function inbox_guard to public;
grant execute on function payments_guard to public;
grant execute on function record_operator_approval to yuanlu_worker;
grant execute on function refund_decisions_guard to public;
grant execute on function refunds_count to public;
grant execute on function refunds_guard to public;
grant execute on function refuse_change to public;
grant execute on function refuse_removal to public;
grant execute on function request_refund to yuanlu_api;
