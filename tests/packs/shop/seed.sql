-- Times are relative to now, so that the shop is always as old as it was.
insert into articles (id, title, stock, reorder_at) values
  (1, 'Sencha, 100 g', 42, 10), (2, 'Cast-iron kettle', 2, 3), (3, 'Filter papers', 0, 20), (4, 'Oolong, 250 g', 17, 10);

insert into orders (id, customer, country, articles, total_cents, status, note, placed_at, paid_at, shipped_at) values
  ('o-1001', 'Anna Berger', 'AT', 2, 4890, 'shipped', null, datetime('now', '-6 days'), datetime('now', '-6 days'), datetime('now', '-5 hours')),
  ('o-1002', 'Ben Costa', 'PT', 1, 12900, 'paid', 'Please no plastic.', datetime('now', '-3 days'), datetime('now', '-50 hours'), null),
  ('o-1003', 'Clara Dvořák', 'AT', 3, 5670, 'paid', null, datetime('now', '-2 days'), datetime('now', '-20 hours'), null),
  ('o-1004', 'Dmitri Egorov', 'DE', 1, 1990, 'paid', 'A gift: without the bill.', datetime('now', '-1 days'), datetime('now', '-4 hours'), null),
  ('o-1005', 'Ève Fontaine', 'FR', 1, 8900, 'placed', null, datetime('now', '-9 days'), null, null);

insert into order_lines (order_id, article_id) values
  ('o-1001', 1), ('o-1001', 4), ('o-1002', 2), ('o-1003', 1), ('o-1003', 3), ('o-1003', 4), ('o-1004', 1), ('o-1005', 2);

-- o-1005 was paid and the shop does not know; o-1003 was paid a cent short.
insert into payments (id, order_id, amount_cents, received_at, state) values
  ('p-1', 'o-1001', 4890, datetime('now', '-6 days'), 'received'),
  ('p-2', 'o-1002', 12900, datetime('now', '-50 hours'), 'received'),
  ('p-3', 'o-1003', 5669, datetime('now', '-20 hours'), 'received'),
  ('p-4', 'o-1004', 1990, datetime('now', '-4 hours'), 'received'),
  ('p-5', 'o-1005', 8900, datetime('now', '-8 days'), 'received');

insert into job_runs (job, started_at, finished_at, state, try, message) values
  ('stocktake', datetime('now', 'start of day', '-2 days', '+90 minutes'), datetime('now', 'start of day', '-2 days', '+92 minutes'), 'done', 1, null),
  ('stocktake', datetime('now', 'start of day', '-1 days', '+90 minutes'), datetime('now', 'start of day', '-1 days', '+90 minutes'), 'failed', 1, 'scale 3 does not answer'),
  ('stocktake', datetime('now', 'start of day', '-1 days', '+100 minutes'), datetime('now', 'start of day', '-1 days', '+103 minutes'), 'done', 2, null);
