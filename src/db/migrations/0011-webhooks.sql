-- What merchants are told: their endpoints, what is due to each, and how each try went.

create table webhook_endpoints (
  id uuid primary key,
  merchant_id text not null references merchants,
  url text not null check (length(url) between 8 and 2048),
  enabled boolean not null default true,
  disabled_reason text check (disabled_reason in ('by_merchant', 'gone')),
  -- Null means every type, also those that come later.
  event_types text[] check (cardinality(event_types) > 0),
  -- Events of live accounts, or of sandbox ones; never both at one address.
  livemode boolean not null,
  -- The shape of what is sent: an endpoint keeps the one it was made with.
  api_version text not null check (api_version = 'v1'),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  unique (id, merchant_id),
  constraint webhook_endpoints_says_why check (enabled = (disabled_reason is null))
);

create index webhook_endpoints_list on webhook_endpoints (merchant_id, created_at desc, id desc)
  where deleted_at is null;

-- While a secret is replaced the one before it signs too, until it expires.
create table webhook_secrets (
  endpoint_id uuid not null references webhook_endpoints,
  version int not null check (version > 0),
  kek_id text not null,
  ciphertext bytea not null,
  expires_at timestamptz,
  created_at timestamptz not null,
  primary key (endpoint_id, version)
);

-- One event for one endpoint. The body is made once, so that every try sends the same bytes.
create table webhook_deliveries (
  id uuid primary key,
  endpoint_id uuid not null,
  merchant_id text not null,
  -- The outbox's id of the event, or an id of its own for a test.
  event_id uuid not null,
  type text not null,
  payment_id uuid references payments,
  sequence int,
  body text not null,
  state text not null check (state in ('pending', 'delivered', 'dead', 'skipped')),
  next_at timestamptz not null,
  -- Until when a worker has it; one that dies loses nothing, because next_at is the same instant.
  leased_until timestamptz,
  attempt_count int not null default 0,
  -- Tries since it became pending, and the first of them: a replay begins both anew.
  tries int not null default 0,
  first_tried_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null,
  unique (endpoint_id, event_id),
  foreign key (endpoint_id, merchant_id) references webhook_endpoints (id, merchant_id),
  constraint webhook_deliveries_in_line check ((payment_id is null) = (sequence is null)),
  constraint webhook_deliveries_finished check ((state = 'pending') = (finished_at is null))
);

create index webhook_deliveries_due on webhook_deliveries (endpoint_id, next_at, id)
  where state = 'pending';
create index webhook_deliveries_line on webhook_deliveries (endpoint_id, payment_id, sequence)
  where state = 'pending';
create index webhook_deliveries_leased on webhook_deliveries (endpoint_id, leased_until)
  where state = 'pending' and leased_until is not null;
create index webhook_deliveries_list on webhook_deliveries (merchant_id, created_at desc, id desc);
create index webhook_deliveries_by_payment on webhook_deliveries (payment_id);
create index webhook_deliveries_by_age on webhook_deliveries (created_at)
  where state <> 'pending';

-- How each try went. There is no foreign key, because rows go by whole months.
create table webhook_attempts (
  delivery_id uuid not null,
  n int not null check (n > 0),
  started_at timestamptz not null,
  duration_ms int not null check (duration_ms >= 0),
  status int,
  error text,
  -- The beginning of what was answered.
  answer bytea check (length(answer) <= 1024),
  primary key (delivery_id, n, started_at),
  constraint webhook_attempts_ended check (status is not null or error is not null)
) partition by range (started_at);

-- A month that nobody prepared must not cost an attempt: they wait here until it is made.
create table webhook_attempts_default partition of webhook_attempts default;

create trigger webhook_attempts_immutable before update on webhook_attempts
  for each row execute function refuse_change();

-- How far each reader of the stream of events has come.
create table stream_cursors (
  reader text primary key,
  position bigint not null default 0 check (position >= 0)
);
insert into stream_cursors (reader) values ('webhooks');

-- What is due to an endpoint that is switched off is not sent later by itself.
create function skip_webhook_deliveries() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update webhook_deliveries set state = 'skipped', finished_at = new.updated_at
  where endpoint_id = new.id and state = 'pending';
  return null;
end $$;

create trigger webhook_endpoints_off after update of enabled, deleted_at on webhook_endpoints
  for each row when (not new.enabled or new.deleted_at is not null)
  execute function skip_webhook_deliveries();

-- The API makes no deliveries but tests, so nobody can put words into the engine's mouth.
create function add_webhook_ping(
  p_id uuid, p_event_id uuid, p_endpoint_id uuid, p_body text, p_now timestamptz
) returns boolean
language sql security definer set search_path = public, pg_temp as $$
  with added as (
    insert into webhook_deliveries (id, endpoint_id, merchant_id, event_id, type, body, state,
      next_at, created_at)
    select p_id, id, merchant_id, p_event_id, 'ping', p_body, 'pending', p_now, p_now
    from webhook_endpoints where id = p_endpoint_id and enabled and deleted_at is null for share
    returning id
  ) select exists (select from added)
$$;

-- Sends again what ended, and at once what waits; what is being sent is left alone. The endpoint's
-- row is locked, so that nothing becomes due to one that is switched off meanwhile.
create function replay_webhook_delivery(p_id uuid, p_now timestamptz) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
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
end $$;

-- Makes this month and the next two, as ensure_inbox_body_partitions does.
create function ensure_webhook_attempt_partitions(p_now timestamptz) returns int
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '1s' as $$
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
end $$;

create function drop_webhook_attempts(p_now timestamptz) returns int
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '200ms' as $$
declare
  since timestamptz := kept_since('webhook_attempt', p_now);
  name text;
  dropped int := 0;
begin
  if not pg_try_advisory_xact_lock(7202613) then
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
end $$;

create function forget_webhook_deliveries(p_now timestamptz, p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  forgotten int;
begin
  delete from webhook_deliveries where id = any(array(
    select id from webhook_deliveries
    where state <> 'pending' and created_at < kept_since('webhook_delivery', p_now)
    order by created_at limit least(p_limit, 10000) for update skip locked));
  get diagnostics forgotten = row_count;
  return forgotten;
end $$;

-- The API keeps endpoints and never reads a secret back; the worker delivers.
grant select on webhook_endpoints, webhook_deliveries, webhook_attempts
  to yuanlu_api, yuanlu_worker;
grant insert on webhook_endpoints to yuanlu_api;
grant update (url, enabled, disabled_reason, event_types, updated_at, deleted_at)
  on webhook_endpoints to yuanlu_api;
grant update (enabled, disabled_reason, updated_at) on webhook_endpoints to yuanlu_worker;
grant select (endpoint_id, version, expires_at, created_at) on webhook_secrets to yuanlu_api;
grant insert, delete on webhook_secrets to yuanlu_api;
grant update (expires_at) on webhook_secrets to yuanlu_api;
grant select on webhook_secrets to yuanlu_worker;
grant insert on webhook_deliveries, webhook_attempts to yuanlu_worker;
grant update (state, next_at, leased_until, attempt_count, tries, first_tried_at, finished_at)
  on webhook_deliveries to yuanlu_worker;
grant select, update (position) on stream_cursors to yuanlu_worker;

revoke all on function skip_webhook_deliveries, add_webhook_ping, replay_webhook_delivery,
  ensure_webhook_attempt_partitions, drop_webhook_attempts, forget_webhook_deliveries from public;
grant execute on function add_webhook_ping, replay_webhook_delivery to yuanlu_api;
grant execute on function ensure_webhook_attempt_partitions, drop_webhook_attempts,
  forget_webhook_deliveries to yuanlu_worker;
