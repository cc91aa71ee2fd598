-- Made by scripts/dump-schema.ts from a migrated database; do not edit.

-- domains

create domain account_name as text
  constraint account_name_check CHECK ((VALUE ~ (('^((wechat|refunds_in_transit|suspense|fees)'::text || ':[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'::text) || '|(sales|returns|coupon_cost|paid_otherwise|bank):[a-z0-9][a-z0-9_-]{1,31})$'::text)));

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

create table approval_policies (
  merchant_id text not null,
  version integer not null,
  day_limit_fen bigint,
  person_day_limit_fen bigint,
  spacing_s integer not null,
  deadline_s integer not null,
  at_deadline text not null,
  approve_up_to_fen bigint,
  created_by uuid not null,
  created_at timestamp with time zone not null
);

create table approval_rules (
  merchant_id text not null,
  version integer not null,
  n integer not null,
  up_to_fen bigint,
  within_days integer,
  shipped boolean,
  reason_categories text[],
  approvals integer not null
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
  subject_id uuid,
  detail jsonb not null,
  recorded_at timestamp with time zone default now() not null
);

create table audit_unsealed (
  id uuid not null
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000, autovacuum_vacuum_insert_threshold=-1, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=20000, autovacuum_vacuum_cost_delay=0);

create table balance_checkpoints (
  day date not null,
  account text not null,
  balance_fen bigint not null
);

create table balance_days (
  day date not null,
  seal_no bigint not null,
  first_seq bigint not null,
  last_seq bigint not null,
  recorded_from timestamp with time zone not null,
  recorded_to timestamp with time zone not null
);

create table case_events (
  case_id uuid not null,
  n integer not null,
  type text not null,
  actor_kind text not null,
  actor_id text not null,
  acting_user text,
  note text,
  at timestamp with time zone not null
);

create table case_kinds (
  kind text not null,
  meaning text not null
);

create table cases (
  id uuid not null,
  merchant_id text not null,
  kind text not null,
  payment_id uuid not null,
  cause_kind text not null,
  cause_id text not null,
  amount_fen bigint not null,
  detail jsonb not null,
  state text default 'open'::text not null,
  opened_at timestamp with time zone not null,
  resolved_at timestamp with time zone
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

create table channel_holds (
  account_id uuid not null,
  reason text not null,
  code text not null,
  message text not null,
  since timestamp with time zone not null,
  next_probe_at timestamp with time zone not null
);

create table credential_versions (
  account_id uuid not null,
  kind text not null,
  version integer not null,
  state text not null,
  not_after timestamp with time zone,
  kek_id text not null,
  ciphertext bytea not null,
  created_at timestamp with time zone not null,
  serial_number text
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
  resent_at timestamp with time zone,
  resent_count integer default 0 not null,
  applied_at timestamp with time zone,
  outcome text
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.01, autovacuum_analyze_scale_factor=0.02);

create table inbox_bodies (
  inbox_id uuid not null,
  received_at timestamp with time zone not null,
  headers jsonb not null,
  ciphertext bytea not null
) partition by RANGE (received_at);

create table inbox_bodies_default (
  inbox_id uuid not null,
  received_at timestamp with time zone not null,
  headers jsonb not null,
  ciphertext bytea not null
) partition of inbox_bodies DEFAULT;

create table journal_order (
  seq bigint not null,
  entry_id uuid not null,
  entry_hash bytea not null,
  seal_no bigint not null,
  kind text default 'entry'::text not null
) with (autovacuum_vacuum_insert_scale_factor=0.05, autovacuum_analyze_scale_factor=0.02);

create table journal_transfers (
  entry_id uuid not null,
  n integer not null,
  rule text not null,
  debit account_name not null,
  credit account_name not null,
  amount_fen bigint not null,
  merchant_id text not null,
  cause_kind text not null,
  cause_id uuid not null,
  reverses uuid,
  occurred_at timestamp with time zone not null,
  recorded_at timestamp with time zone default now() not null,
  business_day date generated always as (((occurred_at AT TIME ZONE 'Asia/Shanghai'::text))::date) stored not null,
  row_hash bytea not null
) with (autovacuum_vacuum_insert_scale_factor=0.05, autovacuum_analyze_scale_factor=0.02);

create table journal_unsealed (
  entry_id uuid not null
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=5000, autovacuum_vacuum_insert_threshold=-1, autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=20000, autovacuum_vacuum_cost_delay=0);

create table merchants (
  id text not null,
  name text not null,
  engine_operator_limit_fen bigint default 0 not null,
  created_at timestamp with time zone not null,
  refunds_stopped_at timestamp with time zone,
  late_payments text default 'refund'::text not null,
  self_approval boolean default false not null
);

create table outbox (
  id uuid not null,
  subject uuid not null,
  sequence integer not null,
  type text not null,
  payload jsonb not null,
  created_at timestamp with time zone not null,
  position bigint
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
  payer_ref bytea,
  payer_erased_at timestamp with time zone,
  expires_at timestamp with time zone not null,
  due_at timestamp with time zone,
  due_count integer default 0 not null,
  refund_slot_at timestamp with time zone,
  refund_sent_at timestamp with time zone,
  paid_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  over_reserved_fen bigint default 0 not null,
  origin text default 'engine'::text not null,
  watched_from timestamp with time zone
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02);

create table person_day_totals (
  merchant_id text not null,
  person text not null,
  beijing_day date not null,
  approved_fen bigint not null
);

create table refund_beginnings (
  origin text not null,
  state text not null
);

create table refund_buckets (
  account_id uuid not null,
  sends double precision not null,
  failures double precision not null,
  filled_at timestamp with time zone not null
) with (fillfactor=50);

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
  resent_at timestamp with time zone,
  resent_count integer default 0 not null,
  applied_at timestamp with time zone,
  outcome text,
  self_approval boolean default false not null
);

create table refund_effects (
  state text not null,
  bucket text not null
);

create table refund_resolutions (
  id uuid not null,
  refund_id uuid not null,
  verb text not null,
  principal_id uuid not null,
  acting_user text not null,
  evidence text not null,
  stored_at timestamp with time zone not null,
  signalled_at timestamp with time zone,
  resent_at timestamp with time zone,
  resent_count integer default 0 not null,
  applied_at timestamp with time zone,
  outcome text,
  proof jsonb
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
  requested_by uuid,
  requested_for text not null,
  expires_at timestamp with time zone not null,
  first_submitted_at timestamp with time zone,
  last_submitted_at timestamp with time zone,
  submit_count integer default 0 not null,
  accepted_at timestamp with time zone,
  query_count integer default 0 not null,
  done_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  retry_of uuid,
  maybe_taken boolean default false not null,
  slow_at timestamp with time zone,
  due_at timestamp with time zone,
  workflow_started_at timestamp with time zone,
  reason_category text default 'other'::text not null,
  shipped boolean,
  policy_version integer,
  approvals_needed integer default 1 not null,
  remind_at timestamp with time zone,
  reminded_at timestamp with time zone,
  escalated_at timestamp with time zone,
  watched_from timestamp with time zone
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02);

create table retention (
  what text not null,
  keep_days integer not null
);

create table schema_migrations (
  name text not null,
  applied_at timestamp with time zone default now() not null
);

create table seal_keys (
  key_id text not null,
  public_key bytea not null,
  first_used_at timestamp with time zone not null
);

create table seals (
  seal_no bigint not null,
  first_seq bigint not null,
  last_seq bigint not null,
  entries integer not null,
  sum_fen numeric not null,
  merkle_root bytea not null,
  prev_hash bytea not null,
  hash bytea not null,
  key_id text not null,
  signature bytea not null,
  sealed_at timestamp with time zone not null
);

create table stream_cursors (
  reader text not null,
  position bigint default 0 not null
);

create table webhook_attempts (
  delivery_id uuid not null,
  n integer not null,
  started_at timestamp with time zone not null,
  duration_ms integer not null,
  status integer,
  error text,
  answer bytea
) partition by RANGE (started_at);

create table webhook_attempts_default (
  delivery_id uuid not null,
  n integer not null,
  started_at timestamp with time zone not null,
  duration_ms integer not null,
  status integer,
  error text,
  answer bytea
) partition of webhook_attempts DEFAULT;

create table webhook_deliveries (
  id uuid not null,
  endpoint_id uuid not null,
  merchant_id text not null,
  event_id uuid not null,
  type text not null,
  payment_id uuid,
  sequence integer,
  body text not null,
  state text not null,
  next_at timestamp with time zone not null,
  leased_until timestamp with time zone,
  attempt_count integer default 0 not null,
  tries integer default 0 not null,
  first_tried_at timestamp with time zone,
  finished_at timestamp with time zone,
  created_at timestamp with time zone not null
);

create table webhook_endpoints (
  id uuid not null,
  merchant_id text not null,
  url text not null,
  enabled boolean default true not null,
  disabled_reason text,
  event_types text[],
  livemode boolean not null,
  api_version text not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  deleted_at timestamp with time zone
);

create table webhook_secrets (
  endpoint_id uuid not null,
  version integer not null,
  kek_id text not null,
  ciphertext bytea not null,
  expires_at timestamp with time zone,
  created_at timestamp with time zone not null
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

alter table approval_policies add constraint approval_policies_approve_little
  CHECK (((at_deadline = 'approve'::text) = (approve_up_to_fen IS NOT NULL)));

alter table approval_policies add constraint approval_policies_approve_up_to_fen_check
  CHECK ((approve_up_to_fen > 0));

alter table approval_policies add constraint approval_policies_at_deadline_check
  CHECK ((at_deadline = ANY (ARRAY['escalate'::text, 'approve'::text, 'close'::text])));

alter table approval_policies add constraint approval_policies_created_by_fkey
  FOREIGN KEY (created_by) REFERENCES api_keys(id);

alter table approval_policies add constraint approval_policies_day_limit_fen_check
  CHECK ((day_limit_fen > 0));

alter table approval_policies add constraint approval_policies_deadline_s_check
  CHECK (((deadline_s >= 60) AND (deadline_s <= 2592000)));

alter table approval_policies add constraint approval_policies_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table approval_policies add constraint approval_policies_person_day_limit_fen_check
  CHECK ((person_day_limit_fen > 0));

alter table approval_policies add constraint approval_policies_pkey
  PRIMARY KEY (merchant_id, version);

alter table approval_policies add constraint approval_policies_spacing_s_check
  CHECK (((spacing_s >= 0) AND (spacing_s <= 86400)));

alter table approval_policies add constraint approval_policies_version_check
  CHECK ((version > 0));

alter table approval_rules add constraint approval_rules_approvals_check
  CHECK (((approvals >= 0) AND (approvals <= 2)));

alter table approval_rules add constraint approval_rules_merchant_id_version_fkey
  FOREIGN KEY (merchant_id, version) REFERENCES approval_policies(merchant_id, version);

alter table approval_rules add constraint approval_rules_n_check
  CHECK ((n > 0));

alter table approval_rules add constraint approval_rules_pkey
  PRIMARY KEY (merchant_id, version, n);

alter table approval_rules add constraint approval_rules_reason_categories_check
  CHECK ((cardinality(reason_categories) > 0));

alter table approval_rules add constraint approval_rules_up_to_fen_check
  CHECK ((up_to_fen > 0));

alter table approval_rules add constraint approval_rules_within_days_check
  CHECK ((within_days > 0));

alter table audit add constraint audit_actor_kind_check
  CHECK ((actor_kind = ANY (ARRAY['api_key'::text, 'temporal-operator'::text, 'policy'::text, 'deadline'::text, 'channel'::text, 'engine'::text, 'command-line'::text])));

alter table audit add constraint audit_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table audit add constraint audit_pkey
  PRIMARY KEY (id);

alter table audit add constraint audit_subject_kind_check
  CHECK ((subject_kind = ANY (ARRAY['payment'::text, 'refund'::text, 'case'::text, 'merchant'::text, 'account'::text])));

alter table audit add constraint audit_subject_named
  CHECK (((subject_kind = 'merchant'::text) = (subject_id IS NULL)));

alter table audit_unsealed add constraint audit_unsealed_pkey
  PRIMARY KEY (id);

alter table balance_checkpoints add constraint balance_checkpoints_day_fkey
  FOREIGN KEY (day) REFERENCES balance_days(day);

alter table balance_checkpoints add constraint balance_checkpoints_pkey
  PRIMARY KEY (day, account);

alter table balance_days add constraint balance_days_not_empty
  CHECK ((first_seq <= last_seq));

alter table balance_days add constraint balance_days_pkey
  PRIMARY KEY (day);

alter table balance_days add constraint balance_days_seal_no_fkey
  FOREIGN KEY (seal_no) REFERENCES seals(seal_no);

alter table balance_days add constraint balance_days_seal_no_key
  UNIQUE (seal_no);

alter table case_events add constraint case_events_actor_kind_check
  CHECK ((actor_kind = ANY (ARRAY['api_key'::text, 'engine'::text])));

alter table case_events add constraint case_events_case_id_fkey
  FOREIGN KEY (case_id) REFERENCES cases(id);

alter table case_events add constraint case_events_n_check
  CHECK ((n > 0));

alter table case_events add constraint case_events_note_check
  CHECK (((length(note) >= 1) AND (length(note) <= 256)));

alter table case_events add constraint case_events_pkey
  PRIMARY KEY (case_id, n);

alter table case_events add constraint case_events_type_check
  CHECK ((type = ANY (ARRAY['opened'::text, 'resolved'::text])));

alter table case_kinds add constraint case_kinds_pkey
  PRIMARY KEY (kind);

alter table cases add constraint cases_amount_fen_check
  CHECK ((amount_fen > 0));

alter table cases add constraint cases_cause_id_check
  CHECK (((length(cause_id) >= 1) AND (length(cause_id) <= 64)));

alter table cases add constraint cases_cause_kind_check
  CHECK ((cause_kind = ANY (ARRAY['payment'::text, 'refund'::text, 'channel_refund'::text])));

alter table cases add constraint cases_detail_check
  CHECK ((jsonb_typeof(detail) = 'object'::text));

alter table cases add constraint cases_kind_fkey
  FOREIGN KEY (kind) REFERENCES case_kinds(kind);

alter table cases add constraint cases_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table cases add constraint cases_once
  UNIQUE (kind, cause_kind, cause_id);

alter table cases add constraint cases_payment_id_fkey
  FOREIGN KEY (payment_id) REFERENCES payments(id);

alter table cases add constraint cases_pkey
  PRIMARY KEY (id);

alter table cases add constraint cases_resolved_has_time
  CHECK (((state = 'resolved'::text) = (resolved_at IS NOT NULL)));

alter table cases add constraint cases_state_check
  CHECK ((state = ANY (ARRAY['open'::text, 'resolved'::text])));

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

alter table channel_holds add constraint channel_holds_account_id_fkey
  FOREIGN KEY (account_id) REFERENCES channel_accounts(id);

alter table channel_holds add constraint channel_holds_pkey
  PRIMARY KEY (account_id, reason);

alter table channel_holds add constraint channel_holds_reason_check
  CHECK ((reason = ANY (ARRAY['credentials'::text, 'balance'::text])));

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
  CHECK ((kind = ANY (ARRAY['payment'::text, 'refund'::text, 'external'::text])));

alter table inbox add constraint inbox_manual_is_a_persons
  CHECK (((source = 'manual'::text) = (verified_by = 'api_key'::text)));

alter table inbox add constraint inbox_pkey
  PRIMARY KEY (id);

alter table inbox add constraint inbox_source_check
  CHECK ((source = ANY (ARRAY['notify'::text, 'query'::text, 'manual'::text])));

alter table inbox add constraint inbox_verified_by_check
  CHECK ((verified_by = ANY (ARRAY['signature'::text, 'decryption'::text, 'query'::text, 'api_key'::text])));

alter table inbox_bodies add constraint inbox_bodies_ciphertext_check
  CHECK ((length(ciphertext) > 0));

alter table inbox_bodies add constraint inbox_bodies_headers_check
  CHECK ((jsonb_typeof(headers) = 'object'::text));

alter table inbox_bodies add constraint inbox_bodies_pkey
  PRIMARY KEY (inbox_id, received_at);

alter table inbox_bodies_default add constraint inbox_bodies_ciphertext_check
  CHECK ((length(ciphertext) > 0));

alter table inbox_bodies_default add constraint inbox_bodies_default_pkey
  PRIMARY KEY (inbox_id, received_at);

alter table inbox_bodies_default add constraint inbox_bodies_headers_check
  CHECK ((jsonb_typeof(headers) = 'object'::text));

alter table journal_order add constraint journal_order_entry_hash_check
  CHECK ((length(entry_hash) = 32));

alter table journal_order add constraint journal_order_entry_id_kind_key
  UNIQUE (entry_id, kind);

alter table journal_order add constraint journal_order_kind_check
  CHECK ((kind = ANY (ARRAY['entry'::text, 'audit'::text])));

alter table journal_order add constraint journal_order_pkey
  PRIMARY KEY (seq);

alter table journal_order add constraint journal_order_seal_no_fkey
  FOREIGN KEY (seal_no) REFERENCES seals(seal_no) DEFERRABLE INITIALLY DEFERRED;

alter table journal_order add constraint journal_order_seq_check
  CHECK ((seq > 0));

alter table journal_transfers add constraint journal_own_accounts
  CHECK ((((length(split_part((debit)::text, ':'::text, 2)) = 36) OR (split_part((debit)::text, ':'::text, 2) = merchant_id)) AND ((length(split_part((credit)::text, ':'::text, 2)) = 36) OR (split_part((credit)::text, ':'::text, 2) = merchant_id))));

alter table journal_transfers add constraint journal_posted_once
  UNIQUE (cause_kind, cause_id, rule, n);

alter table journal_transfers add constraint journal_reversal_names_entry
  CHECK (((rule = 'X'::text) = (reverses IS NOT NULL)));

alter table journal_transfers add constraint journal_rule_accounts
  CHECK (((rule = 'X'::text) OR (((((rule || ' '::text) || split_part((debit)::text, ':'::text, 1)) || ' '::text) || split_part((credit)::text, ':'::text, 1)) = ANY (ARRAY['P1 wechat sales'::text, 'P1 coupon_cost sales'::text, 'P2 wechat suspense'::text, 'P3 suspense sales'::text, 'P3 coupon_cost sales'::text, 'J1 refunds_in_transit wechat'::text, 'J2 returns refunds_in_transit'::text, 'J2 returns coupon_cost'::text, 'J2 suspense refunds_in_transit'::text, 'J3 wechat refunds_in_transit'::text, 'J4 wechat refunds_in_transit'::text, 'J5 returns paid_otherwise'::text, 'J5 suspense paid_otherwise'::text, 'J6 returns wechat'::text, 'J6 returns coupon_cost'::text, 'J6 suspense wechat'::text, 'F1 fees wechat'::text, 'F2 wechat fees'::text, 'S1 bank wechat'::text]))));

alter table journal_transfers add constraint journal_transfers_amount_fen_check
  CHECK ((amount_fen > 0));

alter table journal_transfers add constraint journal_transfers_cause_kind_check
  CHECK ((cause_kind = ANY (ARRAY['payment'::text, 'refund'::text, 'bill_line'::text, 'case'::text])));

alter table journal_transfers add constraint journal_transfers_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table journal_transfers add constraint journal_transfers_n_check
  CHECK ((n > 0));

alter table journal_transfers add constraint journal_transfers_pkey
  PRIMARY KEY (entry_id, rule, n);

alter table journal_transfers add constraint journal_two_accounts
  CHECK (((debit)::text <> (credit)::text));

alter table journal_unsealed add constraint journal_unsealed_pkey
  PRIMARY KEY (entry_id);

alter table merchants add constraint merchants_engine_operator_limit_fen_check
  CHECK ((engine_operator_limit_fen >= 0));

alter table merchants add constraint merchants_id_check
  CHECK ((id ~ '^[a-z0-9][a-z0-9_-]{1,31}$'::text));

alter table merchants add constraint merchants_late_payments_check
  CHECK ((late_payments = ANY (ARRAY['refund'::text, 'revive'::text])));

alter table merchants add constraint merchants_name_check
  CHECK (((length(name) >= 1) AND (length(name) <= 64)));

alter table merchants add constraint merchants_pkey
  PRIMARY KEY (id);

alter table outbox add constraint outbox_pkey
  PRIMARY KEY (id);

alter table outbox add constraint outbox_position_check
  CHECK (("position" > 0));

alter table outbox add constraint outbox_position_key
  UNIQUE ("position");

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
  CHECK ((disposition = ANY (ARRAY['accepted'::text, 'held'::text, 'surplus'::text])));

alter table payments add constraint payments_erased_whole
  CHECK (((payer_erased_at IS NULL) OR ((channel_request = '\x'::bytea) AND (payer_ref IS NULL) AND (state = ANY (ARRAY['paid'::text, 'closed'::text, 'failed'::text])))));

alter table payments add constraint payments_mch_id_out_trade_no_key
  UNIQUE (mch_id, out_trade_no);

alter table payments add constraint payments_merchant_id_out_trade_no_key
  UNIQUE (merchant_id, out_trade_no);

alter table payments add constraint payments_of_their_account
  FOREIGN KEY (account_id, merchant_id, mch_id) REFERENCES channel_accounts(id, merchant_id, mch_id);

alter table payments add constraint payments_order_ref_check
  CHECK (((length(order_ref) >= 1) AND (length(order_ref) <= 64)));

alter table payments add constraint payments_origin_check
  CHECK ((origin = ANY (ARRAY['engine'::text, 'adopted'::text])));

alter table payments add constraint payments_out_trade_no_check
  CHECK ((out_trade_no ~ '^[0-9A-Za-z_|*-]{6,32}$'::text));

alter table payments add constraint payments_over_reserved_exact
  CHECK ((over_reserved_fen <= GREATEST((0)::bigint, (((reserved_fen + refunded_fen) + settled_fen) - COALESCE(paid_fen, (0)::bigint)))));

alter table payments add constraint payments_over_reserved_fen_check
  CHECK ((over_reserved_fen >= 0));

alter table payments add constraint payments_over_reserved_has_case
  TRIGGER DEFERRABLE INITIALLY DEFERRED;

alter table payments add constraint payments_paid_fen_check
  CHECK ((paid_fen >= 0));

alter table payments add constraint payments_paid_has_amount
  CHECK ((num_nonnulls(disposition, paid_fen, cash_fen, settlement_fen, transaction_id, paid_at) =
CASE state
    WHEN 'paid'::text THEN 6
    ELSE 0
END));

alter table payments add constraint payments_payer_ref_check
  CHECK ((length(payer_ref) = 32));

alter table payments add constraint payments_pkey
  PRIMARY KEY (id);

alter table payments add constraint payments_refunded_fen_check
  CHECK ((refunded_fen >= 0));

alter table payments add constraint payments_refunded_within_paid
  CHECK ((refunded_fen <= COALESCE(paid_fen, (0)::bigint)));

alter table payments add constraint payments_refunds_within_paid
  CHECK ((((reserved_fen + refunded_fen) + settled_fen) <= (COALESCE(paid_fen, (0)::bigint) + over_reserved_fen)));

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

alter table person_day_totals add constraint person_day_totals_approved_fen_check
  CHECK ((approved_fen >= 0));

alter table person_day_totals add constraint person_day_totals_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table person_day_totals add constraint person_day_totals_pkey
  PRIMARY KEY (merchant_id, person, beijing_day);

alter table refund_beginnings add constraint refund_beginnings_pkey
  PRIMARY KEY (origin, state);

alter table refund_buckets add constraint refund_buckets_account_id_fkey
  FOREIGN KEY (account_id) REFERENCES channel_accounts(id);

alter table refund_buckets add constraint refund_buckets_pkey
  PRIMARY KEY (account_id);

alter table refund_decisions add constraint refund_decisions_pkey
  PRIMARY KEY (id);

alter table refund_decisions add constraint refund_decisions_principal_kind_check
  CHECK ((principal_kind = ANY (ARRAY['api_key'::text, 'temporal-operator'::text, 'policy'::text, 'deadline'::text])));

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

alter table refund_resolutions add constraint refund_resolutions_evidence_check
  CHECK (((length(evidence) >= 1) AND (length(evidence) <= 1000)));

alter table refund_resolutions add constraint refund_resolutions_pkey
  PRIMARY KEY (id);

alter table refund_resolutions add constraint refund_resolutions_principal_id_fkey
  FOREIGN KEY (principal_id) REFERENCES api_keys(id);

alter table refund_resolutions add constraint refund_resolutions_refund_id_fkey
  FOREIGN KEY (refund_id) REFERENCES refunds(id);

alter table refund_resolutions add constraint refund_resolutions_verb_check
  CHECK ((verb = ANY (ARRAY['retry'::text, 'settle'::text, 'fail'::text, 'renew'::text])));

alter table refund_transitions add constraint refund_transitions_pkey
  PRIMARY KEY (from_state, to_state);

alter table refunds add constraint refunds_account_id_fkey
  FOREIGN KEY (account_id) REFERENCES channel_accounts(id);

alter table refunds add constraint refunds_amount_fen_check
  CHECK ((amount_fen > 0));

alter table refunds add constraint refunds_api_version_check
  CHECK ((api_version = 'v2'::text));

alter table refunds add constraint refunds_approvals_needed_check
  CHECK (((approvals_needed >= 0) AND (approvals_needed <= 2)));

alter table refunds add constraint refunds_asked_by_somebody
  CHECK (((origin = 'api'::text) = (requested_by IS NOT NULL)));

alter table refunds add constraint refunds_cause_check
  CHECK ((cause = ANY (ARRAY['submitting'::text, 'accepted'::text, 'unknown'::text, 'rate_limited'::text, 'insufficient_balance'::text, 'credentials'::text, 'abnormal'::text, 'refused'::text, 'amount_differs'::text, 'beyond_paid'::text])));

alter table refunds add constraint refunds_done_has_time
  CHECK (((state = 'done'::text) = (done_at IS NOT NULL)));

alter table refunds add constraint refunds_hold_reason_check
  CHECK ((hold_reason = ANY (ARRAY['spacing'::text, 'over_reserved'::text, 'stopped'::text, 'credentials'::text, 'balance'::text])));

alter table refunds add constraint refunds_mch_id_out_refund_no_key
  UNIQUE (mch_id, out_refund_no);

alter table refunds add constraint refunds_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table refunds add constraint refunds_of_their_policy
  FOREIGN KEY (merchant_id, policy_version) REFERENCES approval_policies(merchant_id, version);

alter table refunds add constraint refunds_origin_check
  CHECK ((origin = ANY (ARRAY['api'::text, 'system'::text, 'external'::text])));

alter table refunds add constraint refunds_out_refund_no_check
  CHECK ((out_refund_no ~ '^[0-9A-Za-z_|*@-]{1,64}$'::text));

alter table refunds add constraint refunds_payment_id_fkey
  FOREIGN KEY (payment_id) REFERENCES payments(id);

alter table refunds add constraint refunds_pkey
  PRIMARY KEY (id);

alter table refunds add constraint refunds_reason_category_check
  CHECK ((reason_category = ANY (ARRAY['unwanted'::text, 'defective'::text, 'not_received'::text, 'mistake'::text, 'out_of_stock'::text, 'other'::text])));

alter table refunds add constraint refunds_reason_check
  CHECK (((length(reason) >= 1) AND (length(reason) <= 80)));

alter table refunds add constraint refunds_refund_id_check
  CHECK (((length(refund_id) >= 1) AND (length(refund_id) <= 32)));

alter table refunds add constraint refunds_requested_by_fkey
  FOREIGN KEY (requested_by) REFERENCES api_keys(id);

alter table refunds add constraint refunds_retry_of_fkey
  FOREIGN KEY (retry_of) REFERENCES refunds(id);

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

alter table retention add constraint retention_keep_days_check
  CHECK ((keep_days >= 30));

alter table retention add constraint retention_pkey
  PRIMARY KEY (what);

alter table schema_migrations add constraint schema_migrations_pkey
  PRIMARY KEY (name);

alter table seal_keys add constraint seal_keys_named_by_key
  CHECK ((key_id = "left"(encode(sha256(public_key), 'hex'::text), 16)));

alter table seal_keys add constraint seal_keys_pkey
  PRIMARY KEY (key_id);

alter table seal_keys add constraint seal_keys_public_key_check
  CHECK ((length(public_key) = 32));

alter table seals add constraint seals_count_their_entries
  CHECK ((((last_seq - first_seq) + 1) = entries));

alter table seals add constraint seals_entries_check
  CHECK ((entries > 0));

alter table seals add constraint seals_hash_key
  UNIQUE (hash);

alter table seals add constraint seals_key_id_fkey
  FOREIGN KEY (key_id) REFERENCES seal_keys(key_id);

alter table seals add constraint seals_merkle_root_check
  CHECK ((length(merkle_root) = 32));

alter table seals add constraint seals_pkey
  PRIMARY KEY (seal_no);

alter table seals add constraint seals_prev_hash_check
  CHECK ((length(prev_hash) = 32));

alter table seals add constraint seals_seal_no_check
  CHECK ((seal_no > 0));

alter table seals add constraint seals_signature_check
  CHECK ((length(signature) = 64));

alter table seals add constraint seals_sum_fen_check
  CHECK ((sum_fen >= (0)::numeric));

alter table stream_cursors add constraint stream_cursors_pkey
  PRIMARY KEY (reader);

alter table stream_cursors add constraint stream_cursors_position_check
  CHECK (("position" >= 0));

alter table webhook_attempts add constraint webhook_attempts_answer_check
  CHECK ((length(answer) <= 1024));

alter table webhook_attempts add constraint webhook_attempts_duration_ms_check
  CHECK ((duration_ms >= 0));

alter table webhook_attempts add constraint webhook_attempts_ended
  CHECK (((status IS NOT NULL) OR (error IS NOT NULL)));

alter table webhook_attempts add constraint webhook_attempts_n_check
  CHECK ((n > 0));

alter table webhook_attempts add constraint webhook_attempts_pkey
  PRIMARY KEY (delivery_id, n, started_at);

alter table webhook_attempts_default add constraint webhook_attempts_answer_check
  CHECK ((length(answer) <= 1024));

alter table webhook_attempts_default add constraint webhook_attempts_default_pkey
  PRIMARY KEY (delivery_id, n, started_at);

alter table webhook_attempts_default add constraint webhook_attempts_duration_ms_check
  CHECK ((duration_ms >= 0));

alter table webhook_attempts_default add constraint webhook_attempts_ended
  CHECK (((status IS NOT NULL) OR (error IS NOT NULL)));

alter table webhook_attempts_default add constraint webhook_attempts_n_check
  CHECK ((n > 0));

alter table webhook_deliveries add constraint webhook_deliveries_endpoint_id_event_id_key
  UNIQUE (endpoint_id, event_id);

alter table webhook_deliveries add constraint webhook_deliveries_endpoint_id_merchant_id_fkey
  FOREIGN KEY (endpoint_id, merchant_id) REFERENCES webhook_endpoints(id, merchant_id);

alter table webhook_deliveries add constraint webhook_deliveries_finished
  CHECK (((state = 'pending'::text) = (finished_at IS NULL)));

alter table webhook_deliveries add constraint webhook_deliveries_in_line
  CHECK (((payment_id IS NULL) = (sequence IS NULL)));

alter table webhook_deliveries add constraint webhook_deliveries_payment_id_fkey
  FOREIGN KEY (payment_id) REFERENCES payments(id);

alter table webhook_deliveries add constraint webhook_deliveries_pkey
  PRIMARY KEY (id);

alter table webhook_deliveries add constraint webhook_deliveries_state_check
  CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text, 'skipped'::text])));

alter table webhook_endpoints add constraint webhook_endpoints_api_version_check
  CHECK ((api_version = 'v1'::text));

alter table webhook_endpoints add constraint webhook_endpoints_disabled_reason_check
  CHECK ((disabled_reason = ANY (ARRAY['by_merchant'::text, 'gone'::text])));

alter table webhook_endpoints add constraint webhook_endpoints_event_types_check
  CHECK ((cardinality(event_types) > 0));

alter table webhook_endpoints add constraint webhook_endpoints_id_merchant_id_key
  UNIQUE (id, merchant_id);

alter table webhook_endpoints add constraint webhook_endpoints_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table webhook_endpoints add constraint webhook_endpoints_pkey
  PRIMARY KEY (id);

alter table webhook_endpoints add constraint webhook_endpoints_says_why
  CHECK ((enabled = (disabled_reason IS NULL)));

alter table webhook_endpoints add constraint webhook_endpoints_url_check
  CHECK (((length(url) >= 8) AND (length(url) <= 2048)));

alter table webhook_secrets add constraint webhook_secrets_endpoint_id_fkey
  FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints(id);

alter table webhook_secrets add constraint webhook_secrets_pkey
  PRIMARY KEY (endpoint_id, version);

alter table webhook_secrets add constraint webhook_secrets_version_check
  CHECK ((version > 0));

-- indexes

CREATE INDEX audit_by_subject ON public.audit USING btree (subject_id, at);
CREATE INDEX audit_by_time ON public.audit USING btree (merchant_id, at DESC, id DESC);
CREATE INDEX cases_by_payment ON public.cases USING btree (payment_id);
CREATE INDEX cases_by_time ON public.cases USING btree (merchant_id, opened_at DESC, id DESC);
CREATE INDEX cases_open ON public.cases USING btree (merchant_id, opened_at, id) WHERE (state = 'open'::text);
CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (route, created_at);
CREATE INDEX inbox_by_subject ON public.inbox USING btree (subject_id);
CREATE INDEX inbox_external ON public.inbox USING btree (stored_at) WHERE ((kind = 'external'::text) AND (applied_at IS NULL));
CREATE INDEX inbox_unapplied ON public.inbox USING btree (stored_at) WHERE (applied_at IS NULL);
CREATE INDEX journal_by_day ON public.journal_transfers USING btree (merchant_id, business_day);
CREATE UNIQUE INDEX journal_reversed_once ON public.journal_transfers USING btree (reverses, n) WHERE (reverses IS NOT NULL);
CREATE INDEX outbox_without_position ON public.outbox USING btree (created_at, id) WHERE ("position" IS NULL);
CREATE INDEX payments_by_order_ref ON public.payments USING btree (merchant_id, order_ref) WHERE (order_ref IS NOT NULL);
CREATE INDEX payments_by_payer ON public.payments USING btree (merchant_id, payer_ref) WHERE (payer_ref IS NOT NULL);
CREATE INDEX payments_by_state ON public.payments USING btree (merchant_id, state, created_at DESC, id DESC) WHERE (state <> 'paid'::text);
CREATE INDEX payments_by_time ON public.payments USING btree (merchant_id, created_at DESC, id DESC);
CREATE INDEX payments_due ON public.payments USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE UNIQUE INDEX payments_order_ref_accepted_once ON public.payments USING btree (merchant_id, order_ref) WHERE (disposition = 'accepted'::text);
CREATE UNIQUE INDEX payments_order_ref_open_once ON public.payments USING btree (merchant_id, order_ref) WHERE (state = ANY (ARRAY['created'::text, 'awaiting_payment'::text]));
CREATE UNIQUE INDEX payments_transaction_id_once ON public.payments USING btree (mch_id, transaction_id) WHERE (transaction_id IS NOT NULL);
CREATE INDEX payments_watched ON public.payments USING btree (payment_watched_from(state, created_at, expires_at, watched_from)) WHERE (state = ANY (ARRAY['created'::text, 'awaiting_payment'::text]));
CREATE INDEX payments_with_payer ON public.payments USING btree (created_at) WHERE (payer_erased_at IS NULL);
CREATE INDEX refund_decisions_of_refund ON public.refund_decisions USING btree (refund_id);
CREATE UNIQUE INDEX refund_decisions_once ON public.refund_decisions USING btree (refund_id, verb, principal_id, acting_user) WHERE ((outcome IS NULL) OR (outcome <> ALL (ARRAY['over_day_limit'::text, 'over_person_limit'::text])));
CREATE INDEX refund_decisions_unapplied ON public.refund_decisions USING btree (stored_at) WHERE (applied_at IS NULL);
CREATE INDEX refund_resolutions_by_refund ON public.refund_resolutions USING btree (refund_id, stored_at);
CREATE INDEX refund_resolutions_unapplied ON public.refund_resolutions USING btree (stored_at) WHERE (applied_at IS NULL);
CREATE INDEX refunds_by_payment ON public.refunds USING btree (payment_id);
CREATE INDEX refunds_by_state ON public.refunds USING btree (merchant_id, state, created_at DESC, id DESC) WHERE (state <> 'done'::text);
CREATE INDEX refunds_by_time ON public.refunds USING btree (merchant_id, created_at DESC, id DESC);
CREATE INDEX refunds_due ON public.refunds USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX refunds_held ON public.refunds USING btree (created_at) WHERE (hold_reason IS NOT NULL);
CREATE INDEX refunds_in_transit ON public.refunds USING btree (account_id) WHERE (in_transit AND (state <> 'done'::text));
CREATE UNIQUE INDEX refunds_refund_id_once ON public.refunds USING btree (mch_id, refund_id) WHERE (refund_id IS NOT NULL);
CREATE UNIQUE INDEX refunds_retried_once ON public.refunds USING btree (retry_of) WHERE (retry_of IS NOT NULL);
CREATE UNIQUE INDEX refunds_surplus_once ON public.refunds USING btree (payment_id) WHERE (origin = 'system'::text);
CREATE INDEX refunds_unstarted ON public.refunds USING btree (created_at) WHERE ((origin = 'system'::text) AND (workflow_started_at IS NULL));
CREATE INDEX refunds_watched ON public.refunds USING btree (refund_watched_from(state, created_at, remind_at, reminded_at, expires_at, escalated_at, hold_reason, hold_until, last_submitted_at, due_at, watched_from)) WHERE (state = ANY (ARRAY['pending'::text, 'approved'::text, 'refunding'::text, 'needs_attention'::text]));
CREATE INDEX seals_by_time ON public.seals USING btree (sealed_at, seal_no);
CREATE INDEX webhook_deliveries_by_age ON public.webhook_deliveries USING btree (created_at) WHERE (state <> 'pending'::text);
CREATE INDEX webhook_deliveries_by_payment ON public.webhook_deliveries USING btree (payment_id);
CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (endpoint_id, next_at, id) WHERE (state = 'pending'::text);
CREATE INDEX webhook_deliveries_leased ON public.webhook_deliveries USING btree (endpoint_id, leased_until) WHERE ((state = 'pending'::text) AND (leased_until IS NOT NULL));
CREATE INDEX webhook_deliveries_line ON public.webhook_deliveries USING btree (endpoint_id, payment_id, sequence) WHERE (state = 'pending'::text);
CREATE INDEX webhook_deliveries_list ON public.webhook_deliveries USING btree (merchant_id, created_at DESC, id DESC);
CREATE INDEX webhook_endpoints_list ON public.webhook_endpoints USING btree (merchant_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);

-- functions

CREATE OR REPLACE FUNCTION public.add_approval_policy(p_merchant_id text, p_policy jsonb, p_created_by uuid, p_acting_user text, p_audit_id uuid, p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.add_credential(p_merchant_id text, p_account_id uuid, p_kind text, p_version integer, p_not_after timestamp with time zone, p_serial_number text, p_kek_id text, p_ciphertext bytea, p_added_by uuid, p_acting_user text, p_audit_id uuid, p_now timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.add_webhook_ping(p_id uuid, p_event_id uuid, p_endpoint_id uuid, p_body text, p_now timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  with added as (
    insert into webhook_deliveries (id, endpoint_id, merchant_id, event_id, type, body, state,
      next_at, created_at)
    select p_id, id, merchant_id, p_event_id, 'ping', p_body, 'pending', p_now, p_now
    from webhook_endpoints where id = p_endpoint_id and enabled and deleted_at is null for share
    returning id
  ) select exists (select from added)
$function$;

CREATE OR REPLACE FUNCTION public.adopt_payment(p_id uuid, p_account_id uuid, p_app_id text, p_out_trade_no text, p_description text, p_transaction_id text, p_paid_fen bigint, p_cash_fen bigint, p_settlement_fen bigint, p_paid_at timestamp with time zone, p_now timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.approvals_needed(p_merchant_id text, p_version integer, p_amount_fen bigint, p_age interval, p_shipped boolean, p_reason_category text)
 RETURNS integer
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
AS $function$
  select case when p_version is null then 1 else coalesce((
    select approvals from approval_rules
    where merchant_id = p_merchant_id and version = p_version
      and (up_to_fen is null or p_amount_fen <= up_to_fen)
      and (within_days is null or p_age <= make_interval(hours => 24 * within_days))
      and (shipped is null or shipped is not distinct from p_shipped)
      and (reason_categories is null or p_reason_category = any (reason_categories))
    order by n limit 1), 2) end
$function$;

CREATE OR REPLACE FUNCTION public.approve_by_policy(p_refund refunds, p_day_limit_fen bigint, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.audit_hash(a audit)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select sha256(convert_to(
    public.sized('audit') || public.sized(a.id::text) || public.sized(a.merchant_id)
    || public.sized(public.epoch_us(a.at)) || public.sized(a.actor_kind)
    || public.sized(a.actor_id) || public.sized(a.acting_user) || public.sized(a.action)
    || public.sized(a.subject_kind) || public.sized(a.subject_id::text)
    || public.sized(a.detail::text) || public.sized(public.epoch_us(a.recorded_at)), 'UTF8'))
$function$;

CREATE OR REPLACE FUNCTION public.audit_queue()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  insert into audit_unsealed values (new.id);
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.book_external_refund(p_id uuid, p_payment_id uuid, p_refund_id text, p_out_refund_no text, p_amount_fen bigint, p_settlement_fen bigint, p_status text, p_success_at timestamp with time zone, p_entry_id uuid, p_event_id uuid, p_audit_id uuid, p_case_id uuid, p_now timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  payment payments%rowtype;
  known refunds%rowtype;
  is_done boolean := p_status = 'success';
  done_at timestamptz := case when p_status = 'success' then coalesce(p_success_at, p_now) end;
  settlement bigint := least(p_settlement_fen, p_amount_fen);
  over bigint;
  told jsonb;
begin
  if p_status is null or p_status not in ('processing', 'success', 'closed', 'abnormal') then
    raise exception 'a refund at the channel is never %', coalesce(p_status, 'without a status')
      using errcode = 'YL001', constraint = 'external_refunds_status';
  end if;
  select * into payment from payments where id = p_payment_id for no key update;
  if not found then
    return jsonb_build_object('outcome', 'not_found');
  end if;
  select * into known from refunds r
    where r.mch_id = payment.mch_id and (r.refund_id = p_refund_id
      or r.out_refund_no = p_out_refund_no)
    order by r.refund_id = p_refund_id desc nulls last limit 1;
  if found then
    return jsonb_build_object('outcome', 'known', 'refundId', known.id, 'state', known.state);
  elsif p_status = 'closed' then
    return jsonb_build_object('outcome', 'nothing_moved');
  elsif payment.state <> 'paid' then
    return jsonb_build_object('outcome', 'payment_not_paid');
  elsif payment.refunded_fen + p_amount_fen > payment.paid_fen then
    perform open_case(p_case_id, payment.merchant_id, 'refund_beyond_paid', payment.id,
      'channel_refund', p_refund_id, p_amount_fen,
      jsonb_build_object('outRefundNo', p_out_refund_no), p_now);
    return jsonb_build_object('outcome', 'exceeds_paid', 'caseId', (select id from cases
      where kind = 'refund_beyond_paid' and cause_kind = 'channel_refund'
        and cause_id = p_refund_id));
  end if;
  insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id, out_refund_no,
    origin, state, cause, amount_fen, total_fen, settlement_fen, transit_round, in_transit,
    refund_id, reason, requested_for, expires_at, first_submitted_at, accepted_at, done_at,
    created_at, updated_at)
  values (p_id, payment.merchant_id, payment.id, payment.account_id, payment.api_version,
    payment.mch_id, p_out_refund_no, 'external', case when is_done then 'done' else 'refunding' end,
    case when not is_done then 'accepted' end, p_amount_fen, payment.paid_fen, settlement,
    (not is_done)::int, not is_done, p_refund_id, '平台退款', 'wechat-pay', p_now, p_now, p_now,
    done_at, p_now, p_now);
  insert into journal_transfers (entry_id, n, rule, debit, credit, amount_fen, merchant_id,
    cause_kind, cause_id, occurred_at)
  select p_entry_id, t.n, t.rule, t.debit, t.credit, t.fen, payment.merchant_id, 'refund', p_id,
    coalesce(done_at, p_now)
  from (values
    (not is_done, 'J1', 1, 'refunds_in_transit:' || payment.account_id,
      'wechat:' || payment.account_id, settlement),
    (is_done, 'J6', 1, case payment.disposition when 'accepted'
      then 'returns:' || payment.merchant_id else 'suspense:' || payment.account_id end,
      'wechat:' || payment.account_id, settlement),
    (is_done and payment.disposition = 'accepted', 'J6', 2, 'returns:' || payment.merchant_id,
      'coupon_cost:' || payment.merchant_id, p_amount_fen - settlement)
  ) as t (applies, rule, n, debit, credit, fen)
  where t.applies and t.fen > 0;
  select over_reserved_fen into over from payments where id = payment.id;
  if over > payment.over_reserved_fen then
    perform open_case(p_case_id, payment.merchant_id, 'refunds_exceed_payment', payment.id,
      'refund', p_id::text, over - payment.over_reserved_fen,
      jsonb_build_object('refundId', p_id, 'refundAtChannel', p_refund_id), p_now);
  end if;
  told := jsonb_build_object('state', case when is_done then 'done' else 'refunding' end,
    'origin', 'external', 'refundAtChannel', p_refund_id, 'overReservedFen', over,
    'caseId', case when over > payment.over_reserved_fen then p_case_id end);
  insert into outbox (id, subject, sequence, type, payload, created_at)
  values (p_event_id, payment.id,
    1 + coalesce((select max(sequence) from outbox where subject = payment.id), 0),
    'refund.external', jsonb_build_object('refundId', p_id, 'paymentId', payment.id,
      'outRefundNo', p_out_refund_no, 'amountFen', p_amount_fen) || told, p_now);
  insert into audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind, subject_id,
    detail)
  values (p_audit_id, payment.merchant_id, p_now, 'channel', payment.mch_id, 'refund.external',
    'refund', p_id, told || jsonb_build_object('amountFen', p_amount_fen));
  return told || jsonb_build_object('outcome', 'booked', 'refundId', p_id);
end $function$;

CREATE OR REPLACE FUNCTION public.cases_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if (old.id, old.merchant_id, old.kind, old.payment_id, old.cause_kind, old.cause_id,
      old.amount_fen, old.detail, old.opened_at)
     is distinct from
     (new.id, new.merchant_id, new.kind, new.payment_id, new.cause_kind, new.cause_id,
      new.amount_fen, new.detail, new.opened_at)
     or old.state = 'resolved' then
    raise exception 'a case is resolved once, and nothing else of it changes'
      using errcode = 'YL002', constraint = 'cases_immutable';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.change_merchant(p_merchant_id text, p_settings jsonb, p_changed_by uuid, p_acting_user text, p_audit_id uuid, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.checkpoint_balances(p_now timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  today date := (p_now at time zone 'Asia/Shanghai')::date;
  head seals%rowtype;
  before balance_days%rowtype;
begin
  if not pg_try_advisory_xact_lock(7202614) then
    return false;
  end if;
  select * into head from seals where sealed_at < today::timestamp at time zone 'Asia/Shanghai'
    order by sealed_at desc, seal_no desc limit 1;
  select * into before from balance_days order by day desc limit 1;
  if head.seal_no is null or head.seal_no <= before.seal_no or today - 1 <= before.day then
    return false;
  end if;
  insert into balance_days
  select today - 1, head.seal_no, coalesce(before.last_seq, 0) + 1, head.last_seq,
    min(recorded_at), greatest(max(recorded_at), before.recorded_to)
  from journal_order join journal_transfers using (entry_id)
  where seq > coalesce(before.last_seq, 0) and seq <= head.last_seq and kind = 'entry'
  having count(*) > 0;
  if not found then
    return false;
  end if;
  insert into balance_checkpoints
  select today - 1, account, sum(amount) from (
    select account, balance_fen as amount from balance_checkpoints where day = before.day
    union all
    select leg.account, leg.amount from journal_order join journal_transfers using (entry_id)
      cross join lateral (values (debit, amount_fen), (credit, -amount_fen)) leg (account, amount)
    where seq > coalesce(before.last_seq, 0) and seq <= head.last_seq and kind = 'entry'
  ) as legs group by account;
  return true;
end $function$;

CREATE OR REPLACE FUNCTION public.credential_list(p_merchant_id text)
 RETURNS TABLE(account_id uuid, mch_id text, kind text, version integer, state text, not_after timestamp with time zone, serial_number text, created_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  select c.account_id, a.mch_id, c.kind, c.version, c.state, c.not_after, c.serial_number,
    c.created_at
  from credential_versions c join channel_accounts a on a.id = c.account_id
  where a.merchant_id = p_merchant_id
  order by a.created_at, a.id, c.kind, c.version desc
$function$;

CREATE OR REPLACE FUNCTION public.deciding_keys(p_merchant_id text)
 RETURNS integer
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  select count(*)::int from api_keys
  where merchant_id = p_merchant_id and revoked_at is null and 'refunds:decide' = any (scopes)
$function$;

CREATE OR REPLACE FUNCTION public.drop_inbox_bodies(p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET lock_timeout TO '200ms'
AS $function$
declare
  since timestamptz := kept_since('notification_body', p_now);
  name text;
  dropped int := 0;
begin
  if not pg_try_advisory_xact_lock(7202613) then
    return 0;
  end if;
  for name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'inbox_bodies'::regclass and c.relname ~ '^inbox_bodies_\d{4}_\d{2}$'
      and (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month')
        at time zone 'Asia/Shanghai' <= since
  loop
    execute format('drop table %I', name);
    dropped := dropped + 1;
  end loop;
  delete from inbox_bodies_default where received_at < since;
  return dropped;
end $function$;

CREATE OR REPLACE FUNCTION public.drop_webhook_attempts(p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET lock_timeout TO '200ms'
AS $function$
declare
  since timestamptz := kept_since('webhook_attempt', p_now);
  name text;
  dropped int := 0;
begin
  if not pg_try_advisory_xact_lock(7202616) then
    return 0;
  end if;
  for name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'webhook_attempts'::regclass
      and c.relname ~ '^webhook_attempts_\d{4}_\d{2}$'
      and (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month')
        at time zone 'Asia/Shanghai' <= since
  loop
    execute format('drop table %I', name);
    dropped := dropped + 1;
  end loop;
  delete from webhook_attempts_default where started_at < since;
  return dropped;
end $function$;

CREATE OR REPLACE FUNCTION public.ensure_inbox_body_partitions(p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET lock_timeout TO '1s'
AS $function$
declare
  -- A clock that is wrong must not fill the catalogue.
  reference timestamptz := least(greatest(p_now, now() - interval '31 days'),
    now() + interval '31 days');
  month timestamp;
  name text;
  from_at timestamptz;
  until_at timestamptz;
  made int := 0;
begin
  if not pg_try_advisory_xact_lock(7202613) then
    return 0;
  end if;
  for n in 0..2 loop
    month := date_trunc('month', reference at time zone 'Asia/Shanghai')
      + make_interval(months => n);
    name := 'inbox_bodies_' || to_char(month, 'YYYY_MM');
    continue when to_regclass('public.' || name) is not null;
    from_at := month at time zone 'Asia/Shanghai';
    until_at := (month + interval '1 month') at time zone 'Asia/Shanghai';
    lock table only inbox_bodies_default in access exclusive mode;
    execute format('create table %I (like inbox_bodies including all)', name);
    execute format('with moved as (delete from inbox_bodies_default where received_at >= %L
      and received_at < %L returning *) insert into %I table moved', from_at, until_at, name);
    execute format('alter table inbox_bodies attach partition %I for values from (%L) to (%L)',
      name, from_at, until_at);
    made := made + 1;
  end loop;
  return made;
end $function$;

CREATE OR REPLACE FUNCTION public.ensure_webhook_attempt_partitions(p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET lock_timeout TO '1s'
AS $function$
declare
  -- A clock that is wrong must not fill the catalogue.
  reference timestamptz := least(greatest(p_now, now() - interval '31 days'),
    now() + interval '31 days');
  month timestamp;
  name text;
  from_at timestamptz;
  until_at timestamptz;
  made int := 0;
begin
  if not pg_try_advisory_xact_lock(7202616) then
    return 0;
  end if;
  for n in 0..2 loop
    month := date_trunc('month', reference at time zone 'Asia/Shanghai')
      + make_interval(months => n);
    name := 'webhook_attempts_' || to_char(month, 'YYYY_MM');
    continue when to_regclass('public.' || name) is not null;
    from_at := month at time zone 'Asia/Shanghai';
    until_at := (month + interval '1 month') at time zone 'Asia/Shanghai';
    lock table only webhook_attempts_default in access exclusive mode;
    execute format('create table %I (like webhook_attempts including all)', name);
    execute format('with moved as (delete from webhook_attempts_default where started_at >= %L
      and started_at < %L returning *) insert into %I table moved', from_at, until_at, name);
    execute format('alter table webhook_attempts attach partition %I for values from (%L) to (%L)',
      name, from_at, until_at);
    made := made + 1;
  end loop;
  return made;
end $function$;

CREATE OR REPLACE FUNCTION public.epoch_us(at timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select (extract(epoch from at) * 1000000)::bigint::text
$function$;

CREATE OR REPLACE FUNCTION public.erase_old_payers(p_now timestamp with time zone, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if not pg_try_advisory_xact_lock(7202617) then
    return 0;
  end if;
  return (select cardinality(erased) from erase_payments(array(
    select id from payments where payer_erased_at is null and state in ('paid', 'closed', 'failed')
      and created_at < kept_since('payer', p_now)
    order by created_at limit least(p_limit, 1000)), least(p_now, now())));
end $function$;

CREATE OR REPLACE FUNCTION public.erase_payer(p_merchant_id text, p_payer_ref bytea, p_limit integer, p_now timestamp with time zone)
 RETURNS TABLE(payments integer, bodies integer)
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  done record;
begin
  select * into done from erase_payments(array(
    select id from payments p where p.merchant_id = p_merchant_id and p.payer_ref = p_payer_ref
      and p.state in ('paid', 'closed', 'failed')
    order by id limit p_limit), p_now);
  insert into audit (id, merchant_id, at, actor_kind, actor_id, action, subject_kind, subject_id,
    detail)
  select gen_random_uuid(), p_merchant_id, p_now, 'command-line', session_user, 'payer.erase',
    'payment', id, '{}' from unnest(done.erased) id;
  return query select cardinality(done.erased), done.bodies;
end $function$;

CREATE OR REPLACE FUNCTION public.erase_payments(p_ids uuid[], p_now timestamp with time zone)
 RETURNS TABLE(erased uuid[], bodies integer)
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  perform pg_advisory_xact_lock(7202612, lock) from (
    select distinct hashtext(id::text) as lock from unnest(p_ids) id order by lock) as locks;
  with changed as (
    update payments set channel_request = '', payer_ref = null, payer_erased_at = p_now
    where id = any(p_ids) and payer_erased_at is null and state in ('paid', 'closed', 'failed')
    returning id
  ) select coalesce(array_agg(id order by id), '{}') from changed into erased;
  delete from inbox_bodies where inbox_id = any(array(
    select id from inbox where subject_id = any(
      erased || array(select id from refunds where payment_id = any(erased)))));
  get diagnostics bodies = row_count;
  return next;
end $function$;

CREATE OR REPLACE FUNCTION public.forget_idempotency_keys(p_now timestamp with time zone, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  forgotten int;
begin
  delete from idempotency_keys where ctid = any(array(
    select k.ctid from idempotency_keys k
      join (values ('POST /v1/payments', 'payment_key'), ('POST /v1/refunds', 'refund_key'))
        as kept (route, what) using (route)
      where k.created_at < kept_since(kept.what, p_now)
      limit least(p_limit, 10000) for update of k skip locked));
  get diagnostics forgotten = row_count;
  return forgotten;
end $function$;

CREATE OR REPLACE FUNCTION public.forget_webhook_deliveries(p_now timestamp with time zone, p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  forgotten int;
begin
  delete from webhook_deliveries where id = any(array(
    select id from webhook_deliveries
    where state <> 'pending' and created_at < kept_since('webhook_delivery', p_now)
    order by created_at limit least(p_limit, 10000) for update skip locked));
  get diagnostics forgotten = row_count;
  return forgotten;
end $function$;

CREATE OR REPLACE FUNCTION public.inbox_bodies_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'a stored body never changes'
    using errcode = 'YL002', constraint = 'inbox_bodies_immutable';
end $function$;

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
     or not public.marks_move_on(old.signalled_at, old.resent_at, old.resent_count,
       new.signalled_at, new.resent_at, new.resent_count)
     or (old.applied_at is not null and
         (old.applied_at, old.outcome) is distinct from (new.applied_at, new.outcome)) then
    raise exception 'a stored fact never changes'
      using errcode = 'YL002', constraint = 'inbox_immutable';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.journal_hash()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  new.row_hash := public.journal_row_hash(new);
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.journal_queue()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  entry uuid;
begin
  for entry in select distinct entry_id from added loop
    insert into journal_unsealed values (entry);
    if exists (select from journal_order where entry_id = entry) then
      raise exception 'entry % is sealed', entry
        using errcode = 'YL002', constraint = 'journal_entry_sealed';
    end if;
  end loop;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.journal_reversal_exact()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if exists (select from journal_transfers where entry_id = new.reverses and rule = 'X')
     or not exists (select from journal_transfers where entry_id = new.reverses)
     or exists (
       (select merchant_id, debit, credit, amount_fen from journal_transfers
          where reverses = new.reverses
        except all
        select merchant_id, credit, debit, amount_fen from journal_transfers
          where entry_id = new.reverses)
       union all
       (select merchant_id, credit, debit, amount_fen from journal_transfers
          where entry_id = new.reverses
        except all
        select merchant_id, debit, credit, amount_fen from journal_transfers
          where reverses = new.reverses))
     or exists (select from journal_transfers where reverses = new.reverses
       having count(distinct entry_id) <> 1 or max(n) <> count(*)) then
    raise exception 'a reversal is the exact opposite of one entry'
      using errcode = 'YL004', constraint = 'journal_reversal_exact';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.journal_row_hash(t journal_transfers)
 RETURNS bytea
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  select sha256(convert_to(
    public.sized(t.entry_id::text) || public.sized(t.n::text) || public.sized(t.rule)
    || public.sized(t.debit) || public.sized(t.credit) || public.sized(t.amount_fen::text)
    || public.sized(t.merchant_id) || public.sized(t.cause_kind) || public.sized(t.cause_id::text)
    || public.sized(t.reverses::text) || public.sized(public.epoch_us(t.occurred_at))
    || public.sized(public.epoch_us(t.recorded_at)), 'UTF8'))
$function$;

CREATE OR REPLACE FUNCTION public.kept_since(p_what text, p_now timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
AS $function$
  select least(p_now, now()) - make_interval(days => keep_days) from retention where what = p_what
$function$;

CREATE OR REPLACE FUNCTION public.lock_for_settling(p_payment_id uuid)
 RETURNS TABLE(merchant_id text, account_id uuid, mch_id text, app_id text, out_trade_no text, state text, disposition text, attention text, total_fen bigint, paid_fen bigint, settlement_fen bigint, spoken_fen bigint, transaction_id text, order_paid boolean, revives_late boolean, facts jsonb)
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.mark_refund_retry(p_refund_id uuid, p_retry_of uuid, p_resolution_id uuid, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.marks_move_on(old_signalled timestamp with time zone, old_resent timestamp with time zone, old_count integer, new_signalled timestamp with time zone, new_resent timestamp with time zone, new_count integer)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select (old_signalled is null or new_signalled is not distinct from old_signalled)
    and ((new_resent, new_count) is not distinct from (old_resent, old_count)
      or (new_resent is not null and new_count = old_count + 1))
$function$;

CREATE OR REPLACE FUNCTION public.number_entries(p_limit integer)
 RETURNS TABLE(seal_no bigint, first_seq bigint, last_seq bigint, entries integer, sum_fen numeric, entry_hashes bytea, prev_hash bytea, prev_sealed_at timestamp with time zone)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  head seals%rowtype;
begin
  if not pg_try_advisory_xact_lock(7202614) then
    return;
  end if;
  select * into head from seals s order by s.seal_no desc limit 1;
  return query
  with waiting as (
    select u.entry_id from journal_unsealed u
    where not exists (
      select from journal_order o where o.entry_id = u.entry_id and o.kind = 'entry')
    order by u.entry_id limit p_limit
  ), lines_waiting as (
    select u.id from audit_unsealed u
    where not exists (select from journal_order o where o.entry_id = u.id and o.kind = 'audit')
    order by u.id limit p_limit
  ), hashed as (
    select 'entry' as kind, entry_id, min(t.recorded_at) as recorded_at,
      sum(t.amount_fen) as sum_fen,
      sha256(string_agg(t.row_hash, ''::bytea order by t.rule collate "C", t.n)) as entry_hash
    from waiting join journal_transfers t using (entry_id) group by entry_id
    union all
    select 'audit', a.id, a.recorded_at, 0, audit_hash(a) from lines_waiting join audit a using (id)
  ), numbered as (
    select h.*, coalesce(head.last_seq, 0)
      + row_number() over (order by h.recorded_at, h.entry_id, h.kind) as seq
    from hashed h
  ), ordered as (
    insert into journal_order (seq, entry_id, entry_hash, seal_no, kind)
    select n.seq, n.entry_id, n.entry_hash, coalesce(head.seal_no, 0) + 1, n.kind from numbered n
  ), taken as (
    delete from journal_unsealed
    where entry_id = any(array(select n.entry_id from numbered n where n.kind = 'entry'))
  ), lines_taken as (
    delete from audit_unsealed
    where id = any(array(select n.entry_id from numbered n where n.kind = 'audit'))
  )
  select coalesce(head.seal_no, 0) + 1, min(n.seq), max(n.seq), count(*)::int, sum(n.sum_fen),
    string_agg(n.entry_hash, ''::bytea order by n.seq),
    coalesce(head.hash, decode(repeat('00', 32), 'hex')), head.sealed_at
  from numbered n having count(*) > 0;
end $function$;

CREATE OR REPLACE FUNCTION public.open_case(p_id uuid, p_merchant_id text, p_kind text, p_payment_id uuid, p_cause_kind text, p_cause_id text, p_amount_fen bigint, p_detail jsonb, p_now timestamp with time zone)
 RETURNS uuid
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  with opened as (
    insert into cases (id, merchant_id, kind, payment_id, cause_kind, cause_id, amount_fen, detail,
      opened_at)
    values (p_id, p_merchant_id, p_kind, p_payment_id, p_cause_kind, p_cause_id, p_amount_fen,
      p_detail, p_now)
    on conflict on constraint cases_once do nothing
    returning id
  )
  insert into case_events (case_id, n, type, actor_kind, actor_id, at)
  select id, 1, 'opened', 'engine', 'yuanlu', p_now from opened
  returning case_id
$function$;

CREATE OR REPLACE FUNCTION public.open_surplus_refund(p_id uuid, p_payment_id uuid, p_out_refund_no text, p_reason text, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
  insert into refunds (id, merchant_id, payment_id, account_id, api_version, mch_id, out_refund_no,
    origin, state, amount_fen, total_fen, reason, requested_by, requested_for, expires_at,
    created_at, updated_at)
  select p_id, p.merchant_id, p.id, p.account_id, p.api_version, p.mch_id, p_out_refund_no,
    'system', 'approved', p.paid_fen - p.reserved_fen - p.refunded_fen - p.settled_fen, p.paid_fen,
    p_reason, null, 'yuanlu', p_now, p_now, p_now
  from payments p where p.id = p_payment_id and p.disposition = 'surplus'
$function$;

CREATE OR REPLACE FUNCTION public.outbox_position_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'the position of an event is given once'
    using errcode = 'YL002', constraint = 'outbox_position_once';
end $function$;

CREATE OR REPLACE FUNCTION public.pass_refund_gate(p_merchant_id text, p_account_id uuid, p_is_first boolean, p_probe_ms double precision, p_sends double precision, p_failures double precision, p_now timestamp with time zone)
 RETURNS TABLE(reason text, until timestamp with time zone)
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.payment_watched_from(p_state text, p_created_at timestamp with time zone, p_expires_at timestamp with time zone, p_watched_from timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select greatest(p_watched_from, case p_state when 'created' then p_created_at
    else p_expires_at end)
$function$;

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
end $function$;

CREATE OR REPLACE FUNCTION public.payments_over_reserved_has_case()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  if new.over_reserved_fen > (select coalesce(sum(amount_fen), 0) from cases
      where payment_id = new.id and kind = 'refunds_exceed_payment') then
    raise exception 'more is spoken for than was paid, and there is no case'
      using errcode = 'YL004', constraint = 'payments_over_reserved_has_case';
  end if;
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.person_day_totals_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'what was approved on a day only grows'
    using errcode = 'YL002', constraint = 'person_day_totals_grow';
end $function$;

CREATE OR REPLACE FUNCTION public.position_events(p_limit integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare
  positioned int;
begin
  if not pg_try_advisory_xact_lock(7202615) then
    return 0;
  end if;
  with waiting as (
    select subject, max(sequence) as sequence from (
      select subject, sequence from outbox where position is null
      order by created_at, id limit p_limit) as oldest
    group by subject
  ), moved as (
    select o.id, o.subject, o.sequence,
      max(o.created_at) over (partition by o.subject order by o.sequence) as at
    from waiting w cross join lateral (
      -- By its own index: that of events without position would be gone through for each subject.
      select * from outbox where subject = w.subject and sequence <= w.sequence offset 0
    ) as o
    where o.position is null
  ), numbered as (
    select id, (select coalesce(max(position), 0) from outbox)
      + row_number() over (order by at, subject, sequence) as position
    from moved
  )
  update outbox o set position = n.position from numbered n where o.id = n.id;
  get diagnostics positioned = row_count;
  return positioned;
end $function$;

CREATE OR REPLACE FUNCTION public.record_deadline_approval(p_id uuid, p_refund_id uuid, p_now timestamp with time zone)
 RETURNS uuid
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
$function$;

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

CREATE OR REPLACE FUNCTION public.refilled(content double precision, per_second double precision, filled_at timestamp with time zone, p_now timestamp with time zone)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select least(per_second,
    content + greatest(0, extract(epoch from p_now - filled_at)) * per_second)
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
     or not public.marks_move_on(old.signalled_at, old.resent_at, old.resent_count,
       new.signalled_at, new.resent_at, new.resent_count)
     or (old.applied_at is not null and
         (old.applied_at, old.outcome) is distinct from (new.applied_at, new.outcome)) then
    raise exception 'a decision never changes'
      using errcode = 'YL002', constraint = 'refund_decisions_immutable';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.refund_refusal(p_payment payments, p_amount_fen bigint, p_left_fen bigint, p_spacing_s integer, p_now timestamp with time zone)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION public.refund_resolutions_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.refund_watched_from(p_state text, p_created_at timestamp with time zone, p_remind_at timestamp with time zone, p_reminded_at timestamp with time zone, p_expires_at timestamp with time zone, p_escalated_at timestamp with time zone, p_hold_reason text, p_hold_until timestamp with time zone, p_last_submitted_at timestamp with time zone, p_due_at timestamp with time zone, p_watched_from timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select greatest(p_watched_from, case
    when p_due_at is not null then 'infinity'
    when p_state = 'pending' and p_remind_at is not null and p_reminded_at is null
      then p_remind_at
    when p_state = 'pending' and p_escalated_at is null then p_expires_at
    -- In a zone without summer time, because only such a sum is the same for every reader.
    when p_state = 'pending' then (p_escalated_at at time zone 'UTC'
      + (p_expires_at - p_created_at)) at time zone 'UTC'
    when p_state = 'approved' and p_hold_reason in ('stopped', 'credentials', 'balance')
      then 'infinity'
    when p_state = 'approved' then coalesce(p_hold_until, p_created_at)
    else coalesce(p_last_submitted_at, p_created_at) end)
$function$;

CREATE OR REPLACE FUNCTION public.refunds_count()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  was text := 'none';
  becomes text;
  change bigint;
  released boolean;
begin
  if tg_op = 'UPDATE' then
    select bucket into strict was from refund_effects where state = old.state;
  end if;
  select bucket into strict becomes from refund_effects where state = new.state;
  if was = becomes then
    return null;
  end if;
  change := new.amount_fen * ((becomes <> 'none')::int - (was <> 'none')::int);
  update payments set
    reserved_fen = reserved_fen + new.amount_fen
      * ((becomes = 'reserved')::int - (was = 'reserved')::int),
    refunded_fen = refunded_fen + new.amount_fen
      * ((becomes = 'refunded')::int - (was = 'refunded')::int),
    settled_fen = settled_fen + new.amount_fen
      * ((becomes = 'settled')::int - (was = 'settled')::int),
    over_reserved_fen = least(
      case when tg_op = 'UPDATE' or new.origin <> 'external' then over_reserved_fen end,
      greatest(0, reserved_fen + refunded_fen + settled_fen + change - coalesce(paid_fen, 0)))
  where id = new.payment_id
  returning with (old as before, new as after)
    before.over_reserved_fen > 0 and after.over_reserved_fen = 0 into released;
  if released then
    perform resolve_cases(array(select id from cases
        where payment_id = new.payment_id and kind = 'refunds_exceed_payment' and state = 'open'),
      'engine', 'yuanlu', null, 'it fits again', new.updated_at);
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
    if not exists (
      select from refund_beginnings where origin = new.origin and state = new.state
    ) then
      raise exception 'a refund of origin % does not begin as %', new.origin, new.state
        using errcode = 'YL001', constraint = 'refunds_beginning';
    end if;
    return new;
  end if;
  if new.state <> old.state and not exists (
    select from refund_transitions where from_state = old.state and to_state = new.state
  ) then
    raise exception 'a refund cannot go from % to %', old.state, new.state
      using errcode = 'YL001', constraint = 'refunds_transition';
  end if;
  if old.state = 'approved' and new.state = 'refunding' and exists (
    select from payments where id = new.payment_id and over_reserved_fen > 0
  ) then
    raise exception 'nothing is sent while more is spoken for than was paid'
      using errcode = 'YL001', constraint = 'refunds_stopped';
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

CREATE OR REPLACE FUNCTION public.refunds_terms_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'what a refund was asked for under never changes'
    using errcode = 'YL002', constraint = 'refunds_terms_immutable';
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

CREATE OR REPLACE FUNCTION public.replay_webhook_delivery(p_id uuid, p_now timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  perform from webhook_endpoints e join webhook_deliveries d on d.endpoint_id = e.id
    where d.id = p_id and e.enabled and e.deleted_at is null for share of e;
  if not found then
    return false;
  end if;
  update webhook_deliveries set state = 'pending', finished_at = null, next_at = p_now, tries = 0,
    first_tried_at = null, leased_until = null
  where id = p_id and (state <> 'pending' or leased_until is null or leased_until <= p_now);
  return true;
end $function$;

CREATE OR REPLACE FUNCTION public.request_refund(p_id uuid, p_merchant_id text, p_payment_id uuid, p_out_refund_no text, p_amount_fen bigint, p_reason text, p_requested_by uuid, p_requested_for text, p_expires_at timestamp with time zone, p_event_id uuid, p_audit_id uuid, p_now timestamp with time zone, p_reason_category text DEFAULT 'other'::text, p_shipped boolean DEFAULT NULL::boolean)
 RETURNS TABLE(outcome text, left_fen bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.resolve_case(p_id uuid, p_merchant_id text, p_key_id uuid, p_acting_user text, p_note text, p_audit_id uuid, p_now timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.resolve_cases(p_ids uuid[], p_actor_kind text, p_actor_id text, p_acting_user text, p_note text, p_now timestamp with time zone)
 RETURNS SETOF uuid
 LANGUAGE sql
 SET search_path TO 'public', 'pg_temp'
AS $function$
  with resolved as (
    update cases set state = 'resolved', resolved_at = p_now
    where id = any(p_ids) and state = 'open' returning id
  )
  insert into case_events (case_id, n, type, actor_kind, actor_id, acting_user, note, at)
  select id, 1 + coalesce((select max(n) from case_events where case_id = id), 0), 'resolved',
    p_actor_kind, p_actor_id, p_acting_user, p_note, p_now
  from resolved returning case_id
$function$;

CREATE OR REPLACE FUNCTION public.resolve_held_case(p_payment_id uuid, p_key_id text, p_acting_user text, p_note text, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  perform resolve_cases(array(select id from cases
      where payment_id = p_payment_id and kind = 'payment_held' and state = 'open'),
    'api_key', p_key_id, p_acting_user, p_note, p_now);
end $function$;

CREATE OR REPLACE FUNCTION public.seals_guard()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  head seals%rowtype;
begin
  select * into head from seals order by seal_no desc limit 1;
  if new.seal_no <> coalesce(head.seal_no, 0) + 1
     or new.first_seq <> coalesce(head.last_seq, 0) + 1
     or new.prev_hash <> coalesce(head.hash, decode(repeat('00', 32), 'hex'))
     or new.sealed_at < head.sealed_at then
    raise exception 'seal % does not follow the seal before it', new.seal_no
      using errcode = 'YL002', constraint = 'seals_follow';
  end if;
  if new.hash <> sha256(convert_to(
    sized(new.seal_no::text) || sized(new.first_seq::text) || sized(new.last_seq::text)
    || sized(new.entries::text) || sized(new.sum_fen::text)
    || sized(encode(new.merkle_root, 'hex')) || sized(encode(new.prev_hash, 'hex'))
    || sized(new.key_id) || sized(epoch_us(new.sealed_at)), 'UTF8')) then
    raise exception 'the hash of seal % is not that of its columns', new.seal_no
      using errcode = 'YL002', constraint = 'seals_hash';
  end if;
  -- Numbers are given without a gap, so the last one stands for all of them.
  if not exists (select from journal_order where seq = new.last_seq and seal_no = new.seal_no)
     or exists (select from journal_order where seq > new.last_seq) then
    raise exception 'seal % does not hold the entries that were numbered for it', new.seal_no
      using errcode = 'YL002', constraint = 'seals_hold_numbered';
  end if;
  return new;
end $function$;

CREATE OR REPLACE FUNCTION public.sized(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select coalesce(octet_length(value)::text || ':' || value, '-')
$function$;

CREATE OR REPLACE FUNCTION public.skip_webhook_deliveries()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  update webhook_deliveries set state = 'skipped', finished_at = new.updated_at
  where endpoint_id = new.id and state = 'pending';
  return null;
end $function$;

CREATE OR REPLACE FUNCTION public.store_notification(p_id uuid, p_account_id uuid, p_kind text, p_business_key text, p_subject_id uuid, p_verified_by text, p_fact jsonb, p_now timestamp with time zone, p_headers jsonb, p_ciphertext bytea)
 RETURNS TABLE(inbox_id uuid, was_applied boolean, seen integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  payment uuid := case p_kind when 'payment' then p_subject_id
    else (select payment_id from refunds where id = p_subject_id) end;
begin
  perform pg_advisory_xact_lock_shared(7202612, hashtext(payment::text));
  insert into inbox as i (id, account_id, kind, business_key, subject_id, source, verified_by, fact,
    stored_at)
  values (p_id, p_account_id, p_kind, p_business_key, p_subject_id, 'notify', p_verified_by, p_fact,
    p_now)
  on conflict (account_id, kind, business_key) do update set times_seen = i.times_seen + 1
  returning i.id, i.applied_at is not null, i.times_seen into inbox_id, was_applied, seen;
  if seen = 1 and exists (select from payments where id = payment and payer_erased_at is null) then
    insert into inbox_bodies values (inbox_id, p_now, p_headers, p_ciphertext);
  end if;
  return next;
end $function$;

CREATE OR REPLACE FUNCTION public.store_payment_notification(p_id uuid, p_account_id uuid, p_out_trade_no text, p_app_id text, p_business_key text, p_fact jsonb, p_now timestamp with time zone, p_headers jsonb, p_ciphertext bytea)
 RETURNS TABLE(payment_id uuid, merchant_id text, order_ref text, total_fen bigint, expires_at timestamp with time zone, inbox_id uuid, was_applied boolean)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.take_day_amount(p_merchant_id text, p_amount_fen bigint, p_limit_fen bigint, p_now timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.tell_of_refund(p_refund refunds, p_type text, p_actor_kind text, p_actor_id text, p_acting_user text, p_event_id uuid, p_audit_id uuid, p_facts jsonb, p_detail jsonb, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
$function$;

-- triggers

CREATE TRIGGER approval_policies_immutable BEFORE UPDATE ON public.approval_policies FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approval_policies_never_removed BEFORE DELETE OR TRUNCATE ON public.approval_policies FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER approval_rules_immutable BEFORE UPDATE ON public.approval_rules FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approval_rules_never_removed BEFORE DELETE OR TRUNCATE ON public.approval_rules FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER audit_immutable BEFORE UPDATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_never_removed BEFORE DELETE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER audit_queue AFTER INSERT ON public.audit FOR EACH ROW EXECUTE FUNCTION audit_queue();
CREATE TRIGGER balance_checkpoints_immutable BEFORE UPDATE ON public.balance_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER balance_checkpoints_never_removed BEFORE DELETE OR TRUNCATE ON public.balance_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER balance_days_immutable BEFORE UPDATE ON public.balance_days FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER balance_days_never_removed BEFORE DELETE OR TRUNCATE ON public.balance_days FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER case_events_immutable BEFORE UPDATE ON public.case_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER case_events_never_removed BEFORE DELETE OR TRUNCATE ON public.case_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER cases_guard BEFORE UPDATE ON public.cases FOR EACH ROW EXECUTE FUNCTION cases_guard();
CREATE TRIGGER cases_never_removed BEFORE DELETE OR TRUNCATE ON public.cases FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER inbox_guard BEFORE UPDATE ON public.inbox FOR EACH ROW EXECUTE FUNCTION inbox_guard();
CREATE TRIGGER inbox_never_removed BEFORE DELETE OR TRUNCATE ON public.inbox FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER inbox_bodies_immutable BEFORE UPDATE ON public.inbox_bodies FOR EACH ROW EXECUTE FUNCTION inbox_bodies_guard();
CREATE TRIGGER inbox_bodies_immutable BEFORE UPDATE ON public.inbox_bodies_default FOR EACH ROW EXECUTE FUNCTION inbox_bodies_guard();
CREATE TRIGGER journal_order_immutable BEFORE UPDATE ON public.journal_order FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_order_never_removed BEFORE DELETE OR TRUNCATE ON public.journal_order FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER journal_hash BEFORE INSERT ON public.journal_transfers FOR EACH ROW EXECUTE FUNCTION journal_hash();
CREATE TRIGGER journal_immutable BEFORE UPDATE ON public.journal_transfers FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_never_removed BEFORE DELETE OR TRUNCATE ON public.journal_transfers FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER journal_queue AFTER INSERT ON public.journal_transfers REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION journal_queue();
CREATE TRIGGER journal_reversal_exact AFTER INSERT ON public.journal_transfers FOR EACH ROW WHEN ((new.reverses IS NOT NULL)) EXECUTE FUNCTION journal_reversal_exact();
CREATE TRIGGER outbox_immutable BEFORE UPDATE OF id, subject, sequence, type, payload, created_at ON public.outbox FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER outbox_never_removed BEFORE DELETE OR TRUNCATE ON public.outbox FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER outbox_position_once BEFORE UPDATE OF "position" ON public.outbox FOR EACH ROW WHEN (((old."position" IS NOT NULL) AND (new."position" IS DISTINCT FROM old."position"))) EXECUTE FUNCTION outbox_position_guard();
CREATE TRIGGER payments_guard BEFORE UPDATE ON public.payments FOR EACH ROW EXECUTE FUNCTION payments_guard();
CREATE TRIGGER payments_never_removed BEFORE DELETE OR TRUNCATE ON public.payments FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE CONSTRAINT TRIGGER payments_over_reserved_has_case AFTER UPDATE OF over_reserved_fen ON public.payments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.over_reserved_fen > old.over_reserved_fen)) EXECUTE FUNCTION payments_over_reserved_has_case();
CREATE TRIGGER person_day_totals_grow BEFORE UPDATE ON public.person_day_totals FOR EACH ROW WHEN (((((old.merchant_id IS DISTINCT FROM new.merchant_id) OR (old.person IS DISTINCT FROM new.person)) OR (old.beijing_day IS DISTINCT FROM new.beijing_day)) OR (new.approved_fen < old.approved_fen))) EXECUTE FUNCTION person_day_totals_guard();
CREATE TRIGGER person_day_totals_never_removed BEFORE DELETE OR TRUNCATE ON public.person_day_totals FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER refund_decisions_guard BEFORE UPDATE ON public.refund_decisions FOR EACH ROW EXECUTE FUNCTION refund_decisions_guard();
CREATE TRIGGER refund_decisions_never_removed BEFORE DELETE OR TRUNCATE ON public.refund_decisions FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER refund_resolutions_guard BEFORE UPDATE ON public.refund_resolutions FOR EACH ROW EXECUTE FUNCTION refund_resolutions_guard();
CREATE TRIGGER refund_resolutions_never_removed BEFORE DELETE OR TRUNCATE ON public.refund_resolutions FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER refunds_count AFTER INSERT OR UPDATE OF state ON public.refunds FOR EACH ROW EXECUTE FUNCTION refunds_count();
CREATE TRIGGER refunds_guard BEFORE INSERT OR UPDATE ON public.refunds FOR EACH ROW EXECUTE FUNCTION refunds_guard();
CREATE TRIGGER refunds_never_removed BEFORE DELETE OR TRUNCATE ON public.refunds FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER refunds_terms_guard BEFORE UPDATE ON public.refunds FOR EACH ROW WHEN (((((((old.reason_category IS DISTINCT FROM new.reason_category) OR (old.shipped IS DISTINCT FROM new.shipped)) OR (old.policy_version IS DISTINCT FROM new.policy_version)) OR (old.approvals_needed IS DISTINCT FROM new.approvals_needed)) OR (old.remind_at IS DISTINCT FROM new.remind_at)) OR ((old.reminded_at IS NOT NULL) AND (new.reminded_at IS DISTINCT FROM old.reminded_at)) OR ((old.escalated_at IS NOT NULL) AND (new.escalated_at IS DISTINCT FROM old.escalated_at)))) EXECUTE FUNCTION refunds_terms_guard();
CREATE TRIGGER seal_keys_immutable BEFORE UPDATE ON public.seal_keys FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seal_keys_never_removed BEFORE DELETE OR TRUNCATE ON public.seal_keys FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER seals_guard BEFORE INSERT ON public.seals FOR EACH ROW EXECUTE FUNCTION seals_guard();
CREATE TRIGGER seals_immutable BEFORE UPDATE ON public.seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seals_never_removed BEFORE DELETE OR TRUNCATE ON public.seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER webhook_attempts_immutable BEFORE UPDATE ON public.webhook_attempts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER webhook_attempts_immutable BEFORE UPDATE ON public.webhook_attempts_default FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER webhook_endpoints_off AFTER UPDATE OF enabled, deleted_at ON public.webhook_endpoints FOR EACH ROW WHEN (((NOT new.enabled) OR (new.deleted_at IS NOT NULL))) EXECUTE FUNCTION skip_webhook_deliveries();

-- policies

alter table audit enable row level security;
alter table credential_versions enable row level security;
alter table refund_decisions enable row level security;
create policy api_decides_for_its_keys on refund_decisions as permissive for insert to yuanlu_api with check ((principal_kind = 'api_key'::text));
create policy api_reads_verifying_keys on credential_versions as permissive for select to yuanlu_api using ((kind = 'v2_key'::text));
create policy api_writes_for_its_keys on audit as permissive for insert to yuanlu_api with check ((actor_kind = 'api_key'::text));
create policy everybody_reads on audit as permissive for select to public using (true);
create policy everybody_reads on refund_decisions as permissive for select to public using (true);
create policy marks_are_updated on refund_decisions as permissive for update to public using (true);
create policy worker_reads_every_kind on credential_versions as permissive for select to yuanlu_worker using (true);
create policy worker_writes_for_the_engine on audit as permissive for insert to yuanlu_worker with check ((actor_kind <> 'command-line'::text));

-- rights on tables

grant select on api_keys to yuanlu_api;
grant select on approval_policies to yuanlu_api;
grant select on approval_policies to yuanlu_worker;
grant select on approval_rules to yuanlu_api;
grant select on approval_rules to yuanlu_worker;
grant select on audit to yuanlu_api;
grant select on audit to yuanlu_worker;
grant select on audit_unsealed to yuanlu_api;
grant select on audit_unsealed to yuanlu_worker;
grant select on balance_checkpoints to yuanlu_api;
grant select on balance_checkpoints to yuanlu_worker;
grant select on balance_days to yuanlu_api;
grant select on balance_days to yuanlu_worker;
grant select on case_events to yuanlu_api;
grant select on case_events to yuanlu_worker;
grant select on case_kinds to yuanlu_api;
grant select on case_kinds to yuanlu_worker;
grant select on cases to yuanlu_api;
grant select on cases to yuanlu_worker;
grant select on channel_accounts to yuanlu_api;
grant select on channel_accounts to yuanlu_worker;
grant select on channel_apps to yuanlu_api;
grant select on channel_apps to yuanlu_worker;
grant delete on channel_holds to yuanlu_worker;
grant insert on channel_holds to yuanlu_worker;
grant select on channel_holds to yuanlu_api;
grant select on channel_holds to yuanlu_worker;
grant select on credential_versions to yuanlu_api;
grant select on credential_versions to yuanlu_worker;
grant insert on idempotency_keys to yuanlu_api;
grant select on idempotency_keys to yuanlu_api;
grant select on inbox to yuanlu_api;
grant select on inbox to yuanlu_worker;
grant select on inbox_bodies to yuanlu_worker;
grant select on journal_order to yuanlu_api;
grant select on journal_order to yuanlu_worker;
grant select on journal_transfers to yuanlu_api;
grant select on journal_transfers to yuanlu_worker;
grant select on journal_unsealed to yuanlu_api;
grant select on journal_unsealed to yuanlu_worker;
grant select on merchants to yuanlu_api;
grant select on merchants to yuanlu_worker;
grant select on outbox to yuanlu_api;
grant select on outbox to yuanlu_worker;
grant select on payment_transitions to yuanlu_api;
grant select on payment_transitions to yuanlu_worker;
grant select on payments to yuanlu_api;
grant select on payments to yuanlu_worker;
grant insert on person_day_totals to yuanlu_worker;
grant select on person_day_totals to yuanlu_api;
grant select on person_day_totals to yuanlu_worker;
grant select on refund_beginnings to yuanlu_api;
grant select on refund_beginnings to yuanlu_worker;
grant insert on refund_buckets to yuanlu_worker;
grant select on refund_buckets to yuanlu_api;
grant select on refund_buckets to yuanlu_worker;
grant select on refund_decisions to yuanlu_api;
grant select on refund_decisions to yuanlu_worker;
grant select on refund_effects to yuanlu_api;
grant select on refund_effects to yuanlu_worker;
grant select on refund_resolutions to yuanlu_api;
grant select on refund_resolutions to yuanlu_worker;
grant select on refund_transitions to yuanlu_api;
grant select on refund_transitions to yuanlu_worker;
grant select on refunds to yuanlu_api;
grant select on refunds to yuanlu_worker;
grant insert on seal_keys to yuanlu_worker;
grant select on seal_keys to yuanlu_api;
grant select on seal_keys to yuanlu_worker;
grant insert on seals to yuanlu_worker;
grant select on seals to yuanlu_api;
grant select on seals to yuanlu_worker;
grant select on stream_cursors to yuanlu_worker;
grant insert on webhook_attempts to yuanlu_worker;
grant select on webhook_attempts to yuanlu_api;
grant select on webhook_attempts to yuanlu_worker;
grant insert on webhook_deliveries to yuanlu_worker;
grant select on webhook_deliveries to yuanlu_api;
grant select on webhook_deliveries to yuanlu_worker;
grant insert on webhook_endpoints to yuanlu_api;
grant select on webhook_endpoints to yuanlu_api;
grant select on webhook_endpoints to yuanlu_worker;
grant delete on webhook_secrets to yuanlu_api;
grant insert on webhook_secrets to yuanlu_api;
grant select on webhook_secrets to yuanlu_worker;

-- rights on columns

grant insert (acting_user, action, actor_id, actor_kind, at, detail, id, merchant_id, subject_id, subject_kind)
  on audit to yuanlu_api;

grant insert (acting_user, action, actor_id, actor_kind, at, detail, id, merchant_id, subject_id, subject_kind)
  on audit to yuanlu_worker;

grant update (code, message, next_probe_at)
  on channel_holds to yuanlu_worker;

grant insert (account_id, business_key, fact, id, kind, source, stored_at, subject_id, verified_by)
  on inbox to yuanlu_api;

grant insert (account_id, business_key, fact, id, kind, source, stored_at, subject_id, verified_by)
  on inbox to yuanlu_worker;

grant update (applied_at, outcome, resent_at, resent_count, signalled_at, times_seen)
  on inbox to yuanlu_worker;

grant update (signalled_at, times_seen)
  on inbox to yuanlu_api;

grant insert (amount_fen, cause_id, cause_kind, credit, debit, entry_id, merchant_id, n, occurred_at, reverses, rule)
  on journal_transfers to yuanlu_worker;

grant insert (created_at, id, payload, sequence, subject, type)
  on outbox to yuanlu_worker;

grant insert (account_id, api_version, app_id, channel_request, created_at, description, expires_at, id, mch_id, merchant_id, order_ref, out_trade_no, payer_ref, total_fen, updated_at)
  on payments to yuanlu_api;

grant update (attention, cash_fen, disposition, due_at, due_count, failure_code, paid_at, paid_fen, prepay_at, prepay_id, refund_sent_at, refund_slot_at, settlement_fen, state, transaction_id, updated_at, watched_from)
  on payments to yuanlu_worker;

grant update (approved_fen)
  on person_day_totals to yuanlu_worker;

grant update (failures, filled_at, sends)
  on refund_buckets to yuanlu_worker;

grant insert (acting_user, id, principal_id, principal_kind, reason, refund_id, self_approval, stored_at, verb)
  on refund_decisions to yuanlu_api;

grant update (applied_at, outcome, resent_at, resent_count, signalled_at)
  on refund_decisions to yuanlu_worker;

grant update (signalled_at)
  on refund_decisions to yuanlu_api;

grant insert (acting_user, evidence, id, principal_id, refund_id, stored_at, verb)
  on refund_resolutions to yuanlu_api;

grant update (applied_at, outcome, proof, resent_at, resent_count, signalled_at)
  on refund_resolutions to yuanlu_worker;

grant update (signalled_at)
  on refund_resolutions to yuanlu_api;

grant update (accepted_at, cause, done_at, due_at, escalated_at, first_submitted_at, hold_reason, hold_until, in_transit, last_code, last_message, last_submitted_at, maybe_taken, query_count, refund_id, reminded_at, settlement_fen, slow_at, state, submit_count, transit_round, updated_at, watched_from, workflow_started_at)
  on refunds to yuanlu_worker;

grant update (position)
  on stream_cursors to yuanlu_worker;

grant update (attempt_count, finished_at, first_tried_at, leased_until, next_at, state, tries)
  on webhook_deliveries to yuanlu_worker;

grant update (deleted_at, disabled_reason, enabled, event_types, updated_at, url)
  on webhook_endpoints to yuanlu_api;

grant update (disabled_reason, enabled, updated_at)
  on webhook_endpoints to yuanlu_worker;

grant select (created_at, endpoint_id, expires_at, version)
  on webhook_secrets to yuanlu_api;

grant update (expires_at)
  on webhook_secrets to yuanlu_api;

-- rights on functions

grant execute on function add_approval_policy to yuanlu_api;
grant execute on function add_credential to yuanlu_api;
grant execute on function add_webhook_ping to yuanlu_api;
grant execute on function adopt_payment to yuanlu_worker;
grant execute on function audit_hash to public;
grant execute on function book_external_refund to yuanlu_worker;
grant execute on function cases_guard to public;
grant execute on function change_merchant to yuanlu_api;
grant execute on function checkpoint_balances to yuanlu_worker;
grant execute on function credential_list to yuanlu_api;
grant execute on function deciding_keys to yuanlu_worker;
grant execute on function drop_inbox_bodies to yuanlu_worker;
grant execute on function drop_webhook_attempts to yuanlu_worker;
grant execute on function ensure_inbox_body_partitions to yuanlu_worker;
grant execute on function ensure_webhook_attempt_partitions to yuanlu_worker;
grant execute on function epoch_us to public;
grant execute on function erase_old_payers to yuanlu_worker;
grant execute on function forget_idempotency_keys to yuanlu_worker;
grant execute on function forget_webhook_deliveries to yuanlu_worker;
grant execute on function inbox_bodies_guard to public;
grant execute on function inbox_guard to public;
grant execute on function journal_hash to public;
grant execute on function journal_reversal_exact to public;
grant execute on function journal_row_hash to public;
grant execute on function lock_for_settling to yuanlu_worker;
grant execute on function mark_refund_retry to yuanlu_api;
grant execute on function marks_move_on to public;
grant execute on function number_entries to yuanlu_worker;
grant execute on function open_case to yuanlu_worker;
grant execute on function open_surplus_refund to yuanlu_worker;
grant execute on function outbox_position_guard to public;
grant execute on function pass_refund_gate to yuanlu_worker;
grant execute on function payment_watched_from to public;
grant execute on function payments_guard to public;
grant execute on function person_day_totals_guard to public;
grant execute on function position_events to yuanlu_worker;
grant execute on function record_deadline_approval to yuanlu_worker;
grant execute on function record_operator_approval to yuanlu_worker;
grant execute on function refilled to public;
grant execute on function refund_decisions_guard to public;
grant execute on function refund_resolutions_guard to public;
grant execute on function refund_watched_from to public;
grant execute on function refunds_count to public;
grant execute on function refunds_guard to public;
grant execute on function refunds_terms_guard to public;
grant execute on function refuse_change to public;
grant execute on function refuse_removal to public;
grant execute on function replay_webhook_delivery to yuanlu_api;
grant execute on function request_refund to yuanlu_api;
grant execute on function resolve_case to yuanlu_api;
grant execute on function resolve_held_case to yuanlu_worker;
grant execute on function seals_guard to public;
grant execute on function sized to public;
grant execute on function store_notification to yuanlu_api;
grant execute on function store_payment_notification to yuanlu_api;
