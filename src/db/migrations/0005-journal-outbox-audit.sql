-- The book: one row per transfer, so that it sums to zero by its shape. Rows are only ever added.

-- What an account holds and whose it is: a channel account's by its id, or a merchant's.
create domain account_name as text check (value ~ ('^((wechat|refunds_in_transit|suspense|fees)'
  || ':[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
  || '|(sales|returns|coupon_cost|paid_otherwise|bank):[a-z0-9][a-z0-9_-]{1,31})$'));

create table journal_transfers (
  entry_id uuid not null,
  n int not null check (n > 0),
  rule text not null,
  debit account_name not null,
  credit account_name not null,
  amount_fen bigint not null check (amount_fen > 0),
  merchant_id text not null references merchants,
  cause_kind text not null check (cause_kind in ('payment', 'refund', 'bill_line', 'case')),
  cause_id uuid not null,
  -- The entry that this one takes back, transfer by transfer.
  reverses uuid,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  -- Days are Beijing days.
  business_day date not null
    generated always as ((occurred_at at time zone 'Asia/Shanghai')::date) stored,
  -- One entry may hold transfers of two rules: J1 and J2 of a refund whose acceptance was not seen.
  primary key (entry_id, rule, n),
  constraint journal_two_accounts check (debit <> credit),
  constraint journal_posted_once unique (cause_kind, cause_id, rule, n),
  -- The rules there are, and the accounts that each may debit and credit (src/ledger/rules.ts).
  constraint journal_rule_accounts check (rule = 'X' or rule || ' '
    || split_part(debit, ':', 1) || ' ' || split_part(credit, ':', 1) in (
      'P1 wechat sales', 'P1 coupon_cost sales',
      'P2 wechat suspense',
      'P3 suspense sales', 'P3 coupon_cost sales',
      'J1 refunds_in_transit wechat',
      'J2 returns refunds_in_transit', 'J2 returns coupon_cost', 'J2 suspense refunds_in_transit',
      'J3 wechat refunds_in_transit',
      'J4 wechat refunds_in_transit',
      'J5 returns paid_otherwise', 'J5 suspense paid_otherwise',
      'J6 returns wechat', 'J6 returns coupon_cost',
      'F1 fees wechat',
      'F2 wechat fees',
      'S1 bank wechat')),
  -- A merchant's id is shorter than a UUID, so what is as long as one is a channel account's.
  constraint journal_own_accounts check (
    (length(split_part(debit, ':', 2)) = 36 or split_part(debit, ':', 2) = merchant_id)
    and (length(split_part(credit, ':', 2)) = 36 or split_part(credit, ':', 2) = merchant_id)),
  constraint journal_reversal_names_entry check ((rule = 'X') = (reverses is not null))
-- Only inserts: vacuuming is for the visibility map and for freezing, little and often.
) with (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);

-- The check below wants the transfers of a reversal numbered from 1, so two never both stand.
create unique index journal_reversed_once on journal_transfers (reverses, n)
  where reverses is not null;

-- A reversal is the whole of one entry turned round: same amounts, same merchant, nothing left out.
create function journal_reversal_exact() returns trigger
language plpgsql set search_path = public, pg_temp as $$
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
end $$;

-- Fires when the statement is over, so an entry's transfers come in one; the rest costs nothing.
create trigger journal_reversal_exact after insert on journal_transfers
  for each row when (new.reverses is not null) execute function journal_reversal_exact();

create index journal_by_day on journal_transfers (merchant_id, business_day);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % never change', tg_table_name
    using errcode = 'YL002', constraint = tg_table_name || '_immutable';
end $$;

create trigger journal_immutable before update on journal_transfers
  for each statement execute function refuse_change();
create trigger journal_never_removed before delete or truncate on journal_transfers
  for each statement execute function refuse_removal();

-- Events for the merchant, written with the state they tell of, in order per payment.
create table outbox (
  id uuid primary key,
  subject uuid not null references payments,
  sequence int not null check (sequence > 0),
  type text not null,
  payload jsonb not null,
  created_at timestamptz not null,
  unique (subject, sequence)
);

create table audit (
  id uuid primary key,
  merchant_id text not null references merchants,
  at timestamptz not null,
  actor_kind text not null
    check (actor_kind in ('api_key', 'temporal-operator', 'channel', 'engine', 'command-line')),
  actor_id text not null,
  acting_user text,
  action text not null,
  subject_kind text not null check (subject_kind in ('payment', 'refund')),
  subject_id uuid not null,
  detail jsonb not null
);

create index audit_by_subject on audit (subject_id, at);
create trigger audit_immutable before update on audit
  for each statement execute function refuse_change();
create trigger audit_never_removed before delete or truncate on audit
  for each statement execute function refuse_removal();

grant select on journal_transfers, outbox, audit to yuanlu_api, yuanlu_worker;
grant insert (entry_id, n, rule, debit, credit, amount_fen, merchant_id, cause_kind, cause_id,
  reverses, occurred_at) on journal_transfers to yuanlu_worker;
grant insert on outbox, audit to yuanlu_worker;
grant insert on audit to yuanlu_api;
