-- What lists are asked for besides time. Most payments end as paid and most refunds as done, and
-- among those a page is found by time at once; the other states are rare, and so are their indexes.

create index payments_by_order_ref on payments (merchant_id, order_ref)
  where order_ref is not null;
create index payments_by_state on payments (merchant_id, state, created_at desc, id desc)
  where state <> 'paid';
create index refunds_by_state on refunds (merchant_id, state, created_at desc, id desc)
  where state <> 'done';
