/** Bugs that are planted in a database, each of which the model has to find: a name, and how. */
export const SABOTAGES: readonly (readonly [name: string, sql: string])[] = [
  ['a trigger that is gone', 'drop trigger refunds_count on refunds'],
  [
    'an effect that was changed',
    "update refund_effects set bucket = 'none' where state = 'approved'",
  ],
  [
    'a check that is gone, and a request that asks for more than is left',
    `alter table payments drop constraint payments_refunds_within_paid;
     do $$ begin execute replace(pg_get_functiondef('refund_refusal'::regproc),
       'p_amount_fen > p_left_fen', 'p_amount_fen > p_left_fen + 400'); end $$`,
  ],
  [
    'what is too much without a case',
    `drop trigger payments_over_reserved_has_case on payments;
     do $$ begin execute replace(pg_get_functiondef('book_external_refund'::regproc),
       'if over > payment.over_reserved_fen then', 'if false then'); end $$`,
  ],
  [
    'what is too much and stays so when it is released',
    `alter table payments drop constraint payments_over_reserved_exact;
     do $$ begin execute replace(pg_get_functiondef('refunds_count'::regproc),
       'over_reserved_fen = least(', 'over_reserved_fen = greatest('); end $$`,
  ],
  [
    'what the portal gave back of held money, which goes back once more',
    `do $$ begin execute replace(pg_get_functiondef('open_surplus_refund'::regproc),
       'p.paid_fen - p.reserved_fen - p.refunded_fen - p.settled_fen', 'p.paid_fen'); end $$`,
  ],
  [
    'a lock of the payment that is gone',
    `do $$ begin execute replace(pg_get_functiondef('request_refund'::regproc),
       'for no key update', ''); end $$`,
  ],
  [
    'a second approval by the same person, which counts',
    `create function sabotage() returns trigger language plpgsql security definer as $$ begin
       if new.outcome = 'same_principal' and exists (select from refund_decisions
           where refund_id = new.refund_id and outcome = 'first_of_two') then
         new.outcome := 'applied';
         update refunds set state = 'approved' where id = new.refund_id;
       end if;
       return new;
     end $$;
     create trigger sabotage before update on refund_decisions
       for each row execute function sabotage()`,
  ],
  [
    'a new number for a closed refund, which is reserved twice',
    `do $$ begin execute replace(pg_get_functiondef('mark_refund_retry'::regproc), 'end if;',
       'end if; update payments p set reserved_fen = p.reserved_fen + r.amount_fen
         from refunds r where r.id = p_refund_id and p.id = r.payment_id;'); end $$`,
  ],
  [
    'a refund that is sent again under another number',
    `create function sabotage() returns trigger language plpgsql as $$ begin
       new.out_refund_no := left('R' || md5(new.id::text), 32);
       return new;
     end $$;
     create trigger sabotage before update on refunds for each row
       when (old.state = 'needs_attention' and new.state = 'refunding')
       execute function sabotage()`,
  ],
  [
    'one person who says alone that it was settled',
    `create function sabotage() returns trigger language plpgsql security definer as $$ begin
       update refunds set state = 'settled', cause = null where id = new.refund_id;
       return new;
     end $$;
     create trigger sabotage after update on refund_resolutions for each row
       when (new.outcome = 'awaiting_second') execute function sabotage()`,
  ],
  [
    'what was approved on a day, which nobody adds up',
    `create function sabotage() returns trigger language plpgsql as $$ begin
       return old;
     end $$;
     create trigger sabotage before update on person_day_totals
       for each row execute function sabotage()`,
  ],
  [
    'a list of rules of which the last one decides',
    `do $$ begin execute replace(pg_get_functiondef('approvals_needed'::regproc),
       'order by n limit 1', 'order by n desc limit 1'); end $$`,
  ],
]
