-- The book: one row per transfer, so that it sums to zero by its shape. Rows are only ever added.

create table journal_transfers (
  entry_id uuid not null,
  n int not null check (n > 0),
  rule text not null check (rule in ('P1', 'P2', 'J1', 'J2', 'J3', 'J4')),
  debit text not null,
  credit text not null,
  amount_fen bigint not null check (amount_fen > 0),
  merchant_id text not null references merchants,
  cause_kind text not null check (cause_kind in ('payment', 'refund')),
  cause_id uuid not null,
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  -- Days are Beijing days.
  business_day date not null
    generated always as ((occurred_at at time zone 'Asia/Shanghai')::date) stored,
  -- One entry may hold transfers of two rules: J1 and J2 of a refund whose acceptance was not seen.
  primary key (entry_id, rule, n),
  constraint journal_two_accounts check (debit <> credit),
  constraint journal_posted_once unique (cause_kind, cause_id, rule, n)
);

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
    check (actor_kind in ('api_key', 'temporal-operator', 'channel', 'engine')),
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
  occurred_at) on journal_transfers to yuanlu_worker;
grant insert on outbox, audit to yuanlu_worker;
grant insert on audit to yuanlu_api;
