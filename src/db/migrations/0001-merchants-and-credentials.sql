-- Who takes part: merchants, their channel accounts and appids, the secrets of those accounts in
-- versions, and the keys of the programs that call the API.

create table merchants (
  id text primary key check (id ~ '^[a-z0-9][a-z0-9_-]{1,31}$'),
  name text not null check (length(name) between 1 and 64),
  -- What an approval typed into Temporal may release at most; 0 means none.
  engine_operator_limit_fen bigint not null default 0 check (engine_operator_limit_fen >= 0),
  created_at timestamptz not null
);

create table channel_accounts (
  id uuid primary key,
  merchant_id text not null references merchants,
  mode text not null check (mode in ('live', 'sandbox')),
  api_version text not null check (api_version in ('v2')),
  mch_id text not null check (mch_id ~ '^[0-9A-Za-z]{1,32}$'),
  sign_type text not null check (sign_type in ('MD5', 'HMAC-SHA256')),
  op_user_id text not null,
  short_name text not null check (length(short_name) between 1 and 32),
  -- 128 random bits: the path of this account's notify URLs.
  notify_token text not null unique check (length(notify_token) >= 22),
  -- What waits are multiplied by; other than 1 only where a sandbox runs its clock faster.
  time_scale double precision not null default 1 check (time_scale > 0),
  created_at timestamptz not null,
  unique (mch_id),
  -- What payments and refunds copy from their account is held to it by foreign keys.
  unique (id, merchant_id, mch_id),
  constraint channel_accounts_live_time_is_real check (mode = 'sandbox' or time_scale = 1)
);

create table channel_apps (
  account_id uuid not null references channel_accounts,
  app_id text not null check (app_id ~ '^[0-9A-Za-z_-]{1,32}$'),
  primary key (account_id, app_id)
);

create table credential_versions (
  account_id uuid not null references channel_accounts,
  kind text not null check (kind in ('v2_key', 'merchant_certificate', 'merchant_private_key')),
  version int not null check (version > 0),
  state text not null check (state in ('active', 'retired')),
  not_after timestamptz,
  kek_id text not null,
  ciphertext bytea not null,
  created_at timestamptz not null,
  primary key (account_id, kind, version)
);

create table api_keys (
  id uuid primary key,
  merchant_id text not null references merchants,
  name text not null check (length(name) between 1 and 64),
  -- SHA-256 of the whole key, which is 256 random bits and is shown once.
  key_hash bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null,
  revoked_at timestamptz
);

grant select on merchants, channel_accounts, channel_apps to yuanlu_api, yuanlu_worker;
grant select on api_keys to yuanlu_api;
grant select on credential_versions to yuanlu_api, yuanlu_worker;

-- V2's key is symmetric, so the API verifies and signs with it; what signs TLS is the worker's only.
alter table credential_versions enable row level security;
create policy api_reads_verifying_keys on credential_versions
  for select to yuanlu_api using (kind = 'v2_key');
create policy worker_reads_every_kind on credential_versions
  for select to yuanlu_worker using (true);
