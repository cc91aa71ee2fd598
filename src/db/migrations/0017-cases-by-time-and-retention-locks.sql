-- A list of cases is read by time, as the other lists are; those that are open have an index.
create index cases_by_time on cases (merchant_id, opened_at desc, id desc);

-- Replace those of 0011 and 0008. With one lock for all steps of retention a worker that met another
-- one at another step went on without doing its own, and nobody made the month until an hour later.
-- Now each kind of thing has a lock of its own, so whoever is kept out knows that it is being done.
create or replace function ensure_webhook_attempt_partitions(p_now timestamptz) returns int
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
end $$;

create or replace function drop_webhook_attempts(p_now timestamptz) returns int
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '200ms' as $$
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
end $$;

create or replace function erase_old_payers(p_now timestamptz, p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if not pg_try_advisory_xact_lock(7202617) then
    return 0;
  end if;
  return (select cardinality(erased) from erase_payments(array(
    select id from payments where payer_erased_at is null and state in ('paid', 'closed', 'failed')
      and created_at < kept_since('payer', p_now)
    order by created_at limit least(p_limit, 1000)), least(p_now, now())));
end $$;
