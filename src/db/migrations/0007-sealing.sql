-- The book is sealed in blocks: every posting queues its entry, and a sealer gives the queued ones
-- dense numbers and signs a hash over them that holds the hash of the block before. Writing never
-- waits for the chain. docs/reference/sealing.md says what this proves and what it does not.

-- Text with its length in bytes before it, so that no two lists of values read the same.
create function sized(value text) returns text
language sql immutable parallel safe as $$
  select coalesce(octet_length(value)::text || ':' || value, '-')
$$;

-- Microseconds since 1970 as digits: the same text whatever zone or date style is set.
create function epoch_us(at timestamptz) returns text
language sql stable parallel safe as $$
  select (extract(epoch from at) * 1000000)::bigint::text
$$;

alter table journal_transfers add column row_hash bytea;

-- Every column but the generated one and the hash itself, in this order; src/ledger/row-hash.ts
-- computes the same. A column that is added later goes to the end.
create function journal_row_hash(t journal_transfers) returns bytea
language sql stable parallel safe as $$
  select sha256(convert_to(
    public.sized(t.entry_id::text) || public.sized(t.n::text) || public.sized(t.rule)
    || public.sized(t.debit) || public.sized(t.credit) || public.sized(t.amount_fen::text)
    || public.sized(t.merchant_id) || public.sized(t.cause_kind) || public.sized(t.cause_id::text)
    || public.sized(t.reverses::text) || public.sized(public.epoch_us(t.occurred_at))
    || public.sized(public.epoch_us(t.recorded_at)), 'UTF8'))
$$;

-- Whoever posts cannot choose the hash.
create function journal_hash() returns trigger language plpgsql as $$
begin
  new.row_hash := public.journal_row_hash(new);
  return new;
end $$;

alter table journal_transfers disable trigger journal_immutable;
update journal_transfers t set row_hash = journal_row_hash(t);
alter table journal_transfers enable trigger journal_immutable;
alter table journal_transfers alter column row_hash set not null;

create trigger journal_hash before insert on journal_transfers
  for each row execute function journal_hash();

-- Entries that no seal holds yet: filled in the posting transaction, so an entry is sealed whenever
-- it commits, however late, without a lock or a counter that postings would share. The rows come
-- and go by thousands a second, so they are cleaned up early.
create table journal_unsealed (
  entry_id uuid primary key
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

insert into journal_unsealed select distinct entry_id from journal_transfers;

create table seal_keys (
  -- The first 16 hexadecimal digits of the SHA-256 of the public key.
  key_id text primary key,
  -- Ed25519: 32 bytes. The private half is in the worker's environment, never in here.
  public_key bytea not null check (length(public_key) = 32),
  first_used_at timestamptz not null,
  constraint seal_keys_named_by_key
    check (key_id = left(encode(sha256(public_key), 'hex'), 16))
);

create table seals (
  seal_no bigint primary key check (seal_no > 0),
  first_seq bigint not null,
  last_seq bigint not null,
  entries int not null check (entries > 0),
  -- What the transfers of these entries moved.
  sum_fen numeric not null check (sum_fen > 0),
  merkle_root bytea not null check (length(merkle_root) = 32),
  prev_hash bytea not null check (length(prev_hash) = 32),
  hash bytea not null unique,
  key_id text not null references seal_keys,
  signature bytea not null check (length(signature) = 64),
  sealed_at timestamptz not null,
  constraint seals_count_their_entries check (last_seq - first_seq + 1 = entries)
);

create index seals_by_time on seals (sealed_at, seal_no);

-- The number of an entry in the book, and what its transfers' hashes come to. An entry is numbered
-- and sealed in one transaction: its seal is looked for at the end of it.
create table journal_order (
  seq bigint primary key check (seq > 0),
  entry_id uuid unique not null,
  entry_hash bytea not null check (length(entry_hash) = 32),
  seal_no bigint not null references seals deferrable initially deferred
) with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- An entry is posted by one statement. A second one is refused while the entry waits by the key of
-- the queue, and afterwards here, because a sealed entry never grows.
create function journal_queue() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
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
end $$;

create trigger journal_queue after insert on journal_transfers
  referencing new table as added
  for each statement execute function journal_queue();

-- Numbers the entries that wait, at most p_limit, and says what there is to seal; nothing waits: no
-- row. One sealer works at a time, and one that comes meanwhile gets nothing. In-flight postings
-- are invisible here and go into the next seal. Joined by index whatever the statistics say: they
-- are always behind a table that grows this fast.
create function number_entries(p_limit int) returns table (
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
end $$;

-- Holds every seal to the one before. The signature is checked by those who have the public key.
create function seals_guard() returns trigger
language plpgsql set search_path = public, pg_temp as $$
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
end $$;

create trigger seals_guard before insert on seals
  for each row execute function seals_guard();

-- Balances as the book stood with the last seal of a Beijing day, so that a past moment is a day's
-- balances and what was recorded after them.
create table balance_days (
  day date primary key,
  seal_no bigint not null unique references seals,
  -- The entries since the day before in this table.
  first_seq bigint not null,
  last_seq bigint not null,
  -- When the earliest of these was recorded, and the latest of all up to last_seq.
  recorded_from timestamptz not null,
  recorded_to timestamptz not null,
  constraint balance_days_not_empty check (first_seq <= last_seq)
);

create table balance_checkpoints (
  day date not null references balance_days,
  account text not null,
  -- Debits less credits since the first entry.
  balance_fen bigint not null,
  primary key (day, account)
);

-- Writes the balances of the last Beijing day that is over, once, and answers whether it did.
create function checkpoint_balances(p_now timestamptz) returns boolean
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
end $$;

-- The one order of all events, without a gap, in which streams and exports read them: given after
-- the commit, because numbers that are taken before it come late to readers that have passed them.
alter table outbox add column position bigint unique check (position > 0);

create index outbox_without_position on outbox (created_at, id) where position is null;

create function outbox_position_guard() returns trigger language plpgsql as $$
begin
  raise exception 'the position of an event is given once'
    using errcode = 'YL002', constraint = 'outbox_position_once';
end $$;

create trigger outbox_position_once before update of position on outbox
  for each row when (old.position is not null and new.position is distinct from old.position)
  execute function outbox_position_guard();

-- Gives positions to about p_limit events that have none and answers to how many. The events of one
-- payment keep their order even where the clocks of two workers disagree.
create function position_events(p_limit int) returns int
language plpgsql security definer set search_path = public, pg_temp
  set enable_hashjoin = off set enable_mergejoin = off as $$
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
end $$;

create trigger journal_order_immutable before update on journal_order
  for each statement execute function refuse_change();
create trigger journal_order_never_removed before delete or truncate on journal_order
  for each statement execute function refuse_removal();
create trigger seals_immutable before update on seals
  for each statement execute function refuse_change();
create trigger seals_never_removed before delete or truncate on seals
  for each statement execute function refuse_removal();
create trigger seal_keys_immutable before update on seal_keys
  for each statement execute function refuse_change();
create trigger seal_keys_never_removed before delete or truncate on seal_keys
  for each statement execute function refuse_removal();
create trigger balance_days_immutable before update on balance_days
  for each statement execute function refuse_change();
create trigger balance_days_never_removed before delete or truncate on balance_days
  for each statement execute function refuse_removal();
create trigger balance_checkpoints_immutable before update on balance_checkpoints
  for each statement execute function refuse_change();
create trigger balance_checkpoints_never_removed before delete or truncate on balance_checkpoints
  for each statement execute function refuse_removal();

-- The worker seals through the functions above and writes the seal itself, which only it can sign.
-- Nobody numbers an entry, a position or a balance by hand.
grant select on journal_unsealed, journal_order, seals, seal_keys, balance_days, balance_checkpoints
  to yuanlu_api, yuanlu_worker;
grant insert on seals, seal_keys to yuanlu_worker;
revoke all on function number_entries, checkpoint_balances, position_events, journal_queue
  from public;
grant execute on function number_entries, checkpoint_balances, position_events to yuanlu_worker;
revoke insert on outbox from yuanlu_worker;
grant insert (id, subject, sequence, type, payload, created_at) on outbox to yuanlu_worker;
