-- The audit log is sealed with the book: its lines get numbers in the one order of the book, stand
-- under the same roots, and so the same signatures and the same head hold them. Whoever writes a
-- line waits for nothing: it is queued like an entry and hashed when it is numbered.

-- When a line was written by the clock of the database, which its writer cannot choose.
alter table audit add column recorded_at timestamptz;
alter table audit disable trigger audit_immutable;
update audit set recorded_at = at;
alter table audit enable trigger audit_immutable;
alter table audit alter column recorded_at set not null, alter column recorded_at set default now();

revoke insert on audit from yuanlu_api, yuanlu_worker;
grant insert (id, merchant_id, at, actor_kind, actor_id, acting_user, action, subject_kind,
  subject_id, detail) on audit to yuanlu_api, yuanlu_worker;

-- Every column, in this order, behind a word that no transfer begins with; src/ledger/row-hash.ts
-- computes the same. A column that is added later goes to the end.
create function audit_hash(a audit) returns bytea
language sql stable parallel safe as $$
  select sha256(convert_to(
    public.sized('audit') || public.sized(a.id::text) || public.sized(a.merchant_id)
    || public.sized(public.epoch_us(a.at)) || public.sized(a.actor_kind)
    || public.sized(a.actor_id) || public.sized(a.acting_user) || public.sized(a.action)
    || public.sized(a.subject_kind) || public.sized(a.subject_id::text)
    || public.sized(a.detail::text) || public.sized(public.epoch_us(a.recorded_at)), 'UTF8'))
$$;

-- Lines that no seal holds yet, as `journal_unsealed` is for entries.
create table audit_unsealed (
  id uuid primary key
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

insert into audit_unsealed select id from audit;

create function audit_queue() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into audit_unsealed values (new.id);
  return null;
end $$;

create trigger audit_queue after insert on audit
  for each row execute function audit_queue();

-- What a number was given to: an entry of the journal, or a line of the audit log.
alter table journal_order
  add column kind text not null default 'entry' check (kind in ('entry', 'audit')),
  drop constraint journal_order_entry_id_key,
  add unique (entry_id, kind);

-- A seal of nothing but lines of the audit log moves no money.
alter table seals
  drop constraint seals_sum_fen_check,
  add constraint seals_sum_fen_check check (sum_fen >= 0);

-- Replaces that of 0007: lines of the audit log are numbered among the entries, at most p_limit of
-- each.
create or replace function number_entries(p_limit int) returns table (
  seal_no bigint, first_seq bigint, last_seq bigint, entries int, sum_fen numeric,
  entry_hashes bytea, prev_hash bytea, prev_sealed_at timestamptz
) language plpgsql security definer set search_path = public, pg_temp
  set enable_hashjoin = off set enable_mergejoin = off as $$
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
end $$;

-- Replaces that of 0007: a day ends with its last seal, whatever the last number was given to, and
-- a day on which nothing was posted is not kept.
create or replace function checkpoint_balances(p_now timestamptz) returns boolean
language plpgsql security definer set search_path = public, pg_temp
  set enable_hashjoin = off set enable_mergejoin = off as $$
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
end $$;

-- Nobody takes a line out of the queue or puts one in by hand.
grant select on audit_unsealed to yuanlu_api, yuanlu_worker;
revoke all on function audit_queue from public;

-- What is on its way to buyers, which the worker holds to the book every minute: a few of all.
create index refunds_in_transit on refunds (account_id) where in_transit and state <> 'done';
