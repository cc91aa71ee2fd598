-- What notifications said byte for byte, how long anything is kept, and how a buyer is erased.

-- Seeded from src/domain/retention.ts. Only the owner writes it, so nobody else can shorten a time.
create table retention (
  what text primary key,
  keep_days int not null check (keep_days >= 30)
);

-- The raw bytes hold the openid, so they are encrypted, and they go by whole months. There is no
-- foreign key to the inbox: making and dropping a month would then lock the table that every
-- notification writes to. Rows come through store_notification only, with their inbox row.
create table inbox_bodies (
  inbox_id uuid not null,
  received_at timestamptz not null,
  headers jsonb not null check (jsonb_typeof(headers) = 'object'),
  ciphertext bytea not null check (length(ciphertext) > 0),
  primary key (inbox_id, received_at)
) partition by range (received_at);

-- What is encrypted cannot be compressed.
alter table inbox_bodies alter column ciphertext set storage external;

-- A month that nobody prepared must not cost a notification: its bodies wait here, and
-- ensure_inbox_body_partitions moves them when it makes the month.
create table inbox_bodies_default partition of inbox_bodies default;

create function inbox_bodies_guard() returns trigger language plpgsql as $$
begin
  raise exception 'a stored body never changes'
    using errcode = 'YL002', constraint = 'inbox_bodies_immutable';
end $$;

create trigger inbox_bodies_immutable before update on inbox_bodies
  for each row execute function inbox_bodies_guard();

grant select on inbox_bodies to yuanlu_worker;

-- One notification in one round trip: its fact, and the first time it is told also its bytes. The
-- shared lock keeps erase_payments waiting, so that no body is kept of a payer who is gone.
create function store_notification(
  p_id uuid, p_account_id uuid, p_kind text, p_business_key text, p_subject_id uuid,
  p_verified_by text, p_fact jsonb, p_now timestamptz, p_headers jsonb, p_ciphertext bytea
) returns table (inbox_id uuid, was_applied boolean, seen int)
language plpgsql security definer set search_path = public, pg_temp as $$
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
end $$;

-- Makes this month and the next two, in Beijing months. Attaching a finished table blocks no insert
-- but those into the default partition.
create function ensure_inbox_body_partitions(p_now timestamptz) returns int
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
end $$;

-- The latest instant of which rows may go, by the database's own clock where the caller's is ahead.
-- Without a row in the table it is null, and nothing goes.
create function kept_since(p_what text, p_now timestamptz) returns timestamptz
language sql stable set search_path = public, pg_temp as $$
  select least(p_now, now()) - make_interval(days => keep_days) from retention where what = p_what
$$;

-- Drops the months that are wholly past their time. While one goes no notification is stored, so
-- a busy table is left alone and tried again later.
create function drop_inbox_bodies(p_now timestamptz) returns int
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '200ms' as $$
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
end $$;

create index idempotency_keys_by_age on idempotency_keys (route, created_at);

create function forget_idempotency_keys(p_now timestamptz, p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
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
end $$;

-- Takes the payer out of payments that are over: the sealed request, the keyed hash, the raw bodies
-- of the payment and of its refunds. States, amounts and the journal are not touched.
create function erase_payments(p_ids uuid[], p_now timestamptz)
returns table (erased uuid[], bodies int)
language plpgsql set search_path = public, pg_temp as $$
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
end $$;

-- Erases a person because somebody asked for it, and says so in the audit log. The owner's alone.
create function erase_payer(
  p_merchant_id text, p_payer_ref bytea, p_limit int, p_now timestamptz
) returns table (payments int, bodies int)
language plpgsql set search_path = public, pg_temp as $$
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
end $$;

-- Erases payers whose time is over. Each row says itself when that was, so the audit log need not.
-- Each payment takes a lock until the end, of which a server has some thousands.
create function erase_old_payers(p_now timestamptz, p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if not pg_try_advisory_xact_lock(7202613) then
    return 0;
  end if;
  return (select cardinality(erased) from erase_payments(array(
    select id from payments where payer_erased_at is null and state in ('paid', 'closed', 'failed')
      and created_at < kept_since('payer', p_now)
    order by created_at limit least(p_limit, 1000)), least(p_now, now())));
end $$;

revoke all on function store_notification, ensure_inbox_body_partitions, kept_since,
  drop_inbox_bodies, forget_idempotency_keys, erase_payments, erase_payer, erase_old_payers
  from public;
grant execute on function store_notification to yuanlu_api;
grant execute on function ensure_inbox_body_partitions, drop_inbox_bodies,
  forget_idempotency_keys, erase_old_payers to yuanlu_worker;

-- An event is as final as a line of the journal; only its place in the stream comes later.
create trigger outbox_immutable
  before update of id, subject, sequence, type, payload, created_at on outbox
  for each statement execute function refuse_change();
create trigger outbox_never_removed before delete or truncate on outbox
  for each statement execute function refuse_removal();

-- The API speaks for its keys and for nobody else; nobody but the owner for the command line.
alter table audit enable row level security;
create policy everybody_reads on audit for select using (true);
create policy api_writes_for_its_keys on audit
  for insert to yuanlu_api with check (actor_kind = 'api_key');
create policy worker_writes_for_the_engine on audit
  for insert to yuanlu_worker with check (actor_kind <> 'command-line');
