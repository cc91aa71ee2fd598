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
  seal_no bigint not null
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
  created_at timestamp with time zone not null
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
  updated_at timestamp with time zone not null
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02);

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
  CHECK ((actor_kind = ANY (ARRAY['api_key'::text, 'temporal-operator'::text, 'channel'::text, 'engine'::text, 'command-line'::text])));

alter table audit add constraint audit_merchant_id_fkey
  FOREIGN KEY (merchant_id) REFERENCES merchants(id);

alter table audit add constraint audit_pkey
  PRIMARY KEY (id);

alter table audit add constraint audit_subject_kind_check
  CHECK ((subject_kind = ANY (ARRAY['payment'::text, 'refund'::text])));

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

alter table journal_order add constraint journal_order_entry_id_key
  UNIQUE (entry_id);

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
  CHECK (((rule = 'X'::text) OR (((((rule || ' '::text) || split_part((debit)::text, ':'::text, 1)) || ' '::text) || split_part((credit)::text, ':'::text, 1)) = ANY (ARRAY['P1 wechat sales'::text, 'P1 coupon_cost sales'::text, 'P2 wechat suspense'::text, 'P3 suspense sales'::text, 'P3 coupon_cost sales'::text, 'J1 refunds_in_transit wechat'::text, 'J2 returns refunds_in_transit'::text, 'J2 returns coupon_cost'::text, 'J2 suspense refunds_in_transit'::text, 'J3 wechat refunds_in_transit'::text, 'J4 wechat refunds_in_transit'::text, 'J5 returns paid_otherwise'::text, 'J5 suspense paid_otherwise'::text, 'J6 returns wechat'::text, 'J6 returns coupon_cost'::text, 'F1 fees wechat'::text, 'F2 wechat fees'::text, 'S1 bank wechat'::text]))));

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
  CHECK ((disposition = ANY (ARRAY['accepted'::text, 'held'::text])));

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

alter table payments add constraint payments_payer_ref_check
  CHECK ((length(payer_ref) = 32));

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
  CHECK ((sum_fen > (0)::numeric));

-- indexes

CREATE INDEX audit_by_subject ON public.audit USING btree (subject_id, at);
CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (route, created_at);
CREATE INDEX inbox_by_subject ON public.inbox USING btree (subject_id);
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
CREATE INDEX payments_with_payer ON public.payments USING btree (created_at) WHERE (payer_erased_at IS NULL);
CREATE UNIQUE INDEX refund_decisions_once ON public.refund_decisions USING btree (refund_id, verb, principal_id, acting_user);
CREATE INDEX refund_decisions_unapplied ON public.refund_decisions USING btree (stored_at) WHERE (applied_at IS NULL);
CREATE INDEX refunds_by_payment ON public.refunds USING btree (payment_id);
CREATE INDEX refunds_by_state ON public.refunds USING btree (merchant_id, state, created_at DESC, id DESC) WHERE (state <> 'done'::text);
CREATE INDEX refunds_by_time ON public.refunds USING btree (merchant_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX refunds_refund_id_once ON public.refunds USING btree (mch_id, refund_id) WHERE (refund_id IS NOT NULL);
CREATE INDEX seals_by_time ON public.seals USING btree (sealed_at, seal_no);

-- functions

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
  select today - 1, head.seal_no, min(seq), max(seq), min(recorded_at),
    greatest(max(recorded_at), before.recorded_to)
  from journal_order join journal_transfers using (entry_id)
  where seq > coalesce(before.last_seq, 0) and seq <= head.last_seq;
  insert into balance_checkpoints
  select today - 1, account, sum(amount) from (
    select account, balance_fen as amount from balance_checkpoints where day = before.day
    union all
    select leg.account, leg.amount from journal_order join journal_transfers using (entry_id)
      cross join lateral (values (debit, amount_fen), (credit, -amount_fen)) as leg (account, amount)
    where seq > coalesce(before.last_seq, 0) and seq <= head.last_seq
  ) as legs group by account;
  return true;
end $function$;

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
  if not pg_try_advisory_xact_lock(7202613) then
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
 RETURNS TABLE(merchant_id text, account_id uuid, mch_id text, app_id text, out_trade_no text, state text, attention text, total_fen bigint, transaction_id text, order_paid boolean, facts jsonb)
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
    payment.out_trade_no, payment.state, payment.attention, payment.total_fen,
    payment.transaction_id,
    payment.order_ref is not null and exists (select from payments o
      where o.merchant_id = payment.merchant_id and o.order_ref = payment.order_ref
        and o.disposition = 'accepted' and o.id <> payment.id),
    (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'fact', i.fact)
        order by i.stored_at, i.id), '[]')
      from inbox i where i.subject_id = payment.id and i.applied_at is null);
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
    where not exists (select from journal_order o where o.entry_id = u.entry_id)
    order by u.entry_id limit p_limit
  ), hashed as (
    select entry_id, min(t.recorded_at) as recorded_at, sum(t.amount_fen) as sum_fen,
      sha256(string_agg(t.row_hash, ''::bytea order by t.rule collate "C", t.n)) as entry_hash
    from waiting join journal_transfers t using (entry_id) group by entry_id
  ), numbered as (
    select h.*, coalesce(head.last_seq, 0)
      + row_number() over (order by h.recorded_at, h.entry_id) as seq
    from hashed h
  ), ordered as (
    insert into journal_order (seq, entry_id, entry_hash, seal_no)
    select n.seq, n.entry_id, n.entry_hash, coalesce(head.seal_no, 0) + 1 from numbered n
  ), taken as (
    delete from journal_unsealed where entry_id = any(array(select n.entry_id from numbered n))
  )
  select coalesce(head.seal_no, 0) + 1, min(n.seq), max(n.seq), count(*)::int, sum(n.sum_fen),
    string_agg(n.entry_hash, ''::bytea order by n.seq),
    coalesce(head.hash, decode(repeat('00', 32), 'hex')), head.sealed_at
  from numbered n having count(*) > 0;
end $function$;

CREATE OR REPLACE FUNCTION public.outbox_position_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'the position of an event is given once'
    using errcode = 'YL002', constraint = 'outbox_position_once';
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
      old.out_trade_no, old.order_ref, old.description, old.total_fen, old.expires_at,
      old.created_at)
     is distinct from
     (new.id, new.merchant_id, new.account_id, new.api_version, new.mch_id, new.app_id,
      new.out_trade_no, new.order_ref, new.description, new.total_fen, new.expires_at,
      new.created_at) then
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
     or not public.marks_move_on(old.signalled_at, old.resent_at, old.resent_count,
       new.signalled_at, new.resent_at, new.resent_count)
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

-- triggers

CREATE TRIGGER audit_immutable BEFORE UPDATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_never_removed BEFORE DELETE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER balance_checkpoints_immutable BEFORE UPDATE ON public.balance_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER balance_checkpoints_never_removed BEFORE DELETE OR TRUNCATE ON public.balance_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER balance_days_immutable BEFORE UPDATE ON public.balance_days FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER balance_days_never_removed BEFORE DELETE OR TRUNCATE ON public.balance_days FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
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
CREATE TRIGGER refund_decisions_guard BEFORE UPDATE ON public.refund_decisions FOR EACH ROW EXECUTE FUNCTION refund_decisions_guard();
CREATE TRIGGER refund_decisions_never_removed BEFORE DELETE OR TRUNCATE ON public.refund_decisions FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER refunds_count AFTER INSERT OR UPDATE OF state ON public.refunds FOR EACH ROW EXECUTE FUNCTION refunds_count();
CREATE TRIGGER refunds_guard BEFORE INSERT OR UPDATE ON public.refunds FOR EACH ROW EXECUTE FUNCTION refunds_guard();
CREATE TRIGGER refunds_never_removed BEFORE DELETE OR TRUNCATE ON public.refunds FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER seal_keys_immutable BEFORE UPDATE ON public.seal_keys FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seal_keys_never_removed BEFORE DELETE OR TRUNCATE ON public.seal_keys FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();
CREATE TRIGGER seals_guard BEFORE INSERT ON public.seals FOR EACH ROW EXECUTE FUNCTION seals_guard();
CREATE TRIGGER seals_immutable BEFORE UPDATE ON public.seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seals_never_removed BEFORE DELETE OR TRUNCATE ON public.seals FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

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
grant insert on audit to yuanlu_api;
grant insert on audit to yuanlu_worker;
grant select on audit to yuanlu_api;
grant select on audit to yuanlu_worker;
grant select on balance_checkpoints to yuanlu_api;
grant select on balance_checkpoints to yuanlu_worker;
grant select on balance_days to yuanlu_api;
grant select on balance_days to yuanlu_worker;
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
grant select on refund_decisions to yuanlu_api;
grant select on refund_decisions to yuanlu_worker;
grant select on refund_effects to yuanlu_api;
grant select on refund_effects to yuanlu_worker;
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

-- rights on columns

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

grant update (attention, cash_fen, disposition, due_at, due_count, failure_code, paid_at, paid_fen, prepay_at, prepay_id, refund_sent_at, refund_slot_at, settlement_fen, state, transaction_id, updated_at)
  on payments to yuanlu_worker;

grant insert (acting_user, id, principal_id, principal_kind, reason, refund_id, stored_at, verb)
  on refund_decisions to yuanlu_api;

grant update (applied_at, outcome, resent_at, resent_count, signalled_at)
  on refund_decisions to yuanlu_worker;

grant update (signalled_at)
  on refund_decisions to yuanlu_api;

grant update (accepted_at, cause, done_at, first_submitted_at, hold_reason, hold_until, in_transit, last_code, last_message, last_submitted_at, query_count, refund_id, settlement_fen, state, submit_count, transit_round, updated_at)
  on refunds to yuanlu_worker;

-- rights on functions

grant execute on function checkpoint_balances to yuanlu_worker;
grant execute on function drop_inbox_bodies to yuanlu_worker;
grant execute on function ensure_inbox_body_partitions to yuanlu_worker;
grant execute on function epoch_us to public;
grant execute on function erase_old_payers to yuanlu_worker;
grant execute on function forget_idempotency_keys to yuanlu_worker;
grant execute on function inbox_bodies_guard to public;
grant execute on function inbox_guard to public;
grant execute on function journal_hash to public;
grant execute on function journal_reversal_exact to public;
grant execute on function journal_row_hash to public;
grant execute on function lock_for_settling to yuanlu_worker;
grant execute on function marks_move_on to public;
grant execute on function number_entries to yuanlu_worker;
grant execute on function outbox_position_guard to public;
grant execute on function payments_guard to public;
grant execute on function position_events to yuanlu_worker;
grant execute on function record_operator_approval to yuanlu_worker;
grant execute on function refund_decisions_guard to public;
grant execute on function refunds_count to public;
grant execute on function refunds_guard to public;
grant execute on function refuse_change to public;
grant execute on function refuse_removal to public;
grant execute on function request_refund to yuanlu_api;
grant execute on function seals_guard to public;
grant execute on function sized to public;
grant execute on function store_notification to yuanlu_api;
