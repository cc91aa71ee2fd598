-- What the sweep looks at: rows that are not over although the step their workflow had to take is
-- past. Nothing is written for it while payments take their usual way, and rows that are over stand
-- in neither index.

alter table payments add column watched_from timestamptz;
alter table refunds add column watched_from timestamptz;

-- Since when a workflow should have moved the row on; the sweep puts that off, once it has looked,
-- by `watched_from`. A payment is placed as soon as it is created, and closed when it expires.
create function payment_watched_from(
  p_state text, p_created_at timestamptz, p_expires_at timestamptz, p_watched_from timestamptz
) returns timestamptz language sql immutable as $$
  select greatest(p_watched_from, case p_state when 'created' then p_created_at
    else p_expires_at end)
$$;

-- A refund that waits for a decision is moved on by its reminder and its deadlines (`nextStepAt` of
-- src/domain/approval.ts says the same). For one that a loop asks for, and one behind a hold that a
-- loop watches, nothing is to be looked for: the loop's message starts its workflow where it ended.
create function refund_watched_from(
  p_state text, p_created_at timestamptz, p_remind_at timestamptz, p_reminded_at timestamptz,
  p_expires_at timestamptz, p_escalated_at timestamptz, p_hold_reason text,
  p_hold_until timestamptz, p_last_submitted_at timestamptz, p_due_at timestamptz,
  p_watched_from timestamptz
) returns timestamptz language sql immutable as $$
  select greatest(p_watched_from, case
    when p_due_at is not null then 'infinity'
    when p_state = 'pending' and p_remind_at is not null and p_reminded_at is null
      then p_remind_at
    when p_state = 'pending' and p_escalated_at is null then p_expires_at
    -- In a zone without summer time, because only such a sum is the same for every reader.
    when p_state = 'pending' then (p_escalated_at at time zone 'UTC'
      + (p_expires_at - p_created_at)) at time zone 'UTC'
    when p_state = 'approved' and p_hold_reason in ('stopped', 'credentials', 'balance')
      then 'infinity'
    when p_state = 'approved' then coalesce(p_hold_until, p_created_at)
    else coalesce(p_last_submitted_at, p_created_at) end)
$$;

create index payments_watched
  on payments (payment_watched_from(state, created_at, expires_at, watched_from))
  where state in ('created', 'awaiting_payment');
create index refunds_watched
  on refunds (refund_watched_from(state, created_at, remind_at, reminded_at, expires_at,
    escalated_at, hold_reason, hold_until, last_submitted_at, due_at, watched_from))
  where state in ('pending', 'approved', 'refunding', 'needs_attention');

grant update (watched_from) on payments, refunds to yuanlu_worker;
