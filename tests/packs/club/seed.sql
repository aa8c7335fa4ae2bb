insert into members (id, customer, monthly_cents, standing, joined_at)
select value, 'cus_' || value, case value when 5 then 1800 else 900 end, 'paying', datetime(:now, '-' || (value * 40) || ' days')
from json_each('[1, 2, 3, 4, 5, 6]');

insert into orders (id, author_cents, returned_cents, ordered_at)
select 'o' || value, 600, 0, datetime(:now, '-' || value || ' days') from json_each('[1, 2, 3, 4]');

-- The payment of o2 was charged twice, o3 is recorded too low, o4 is recorded twice, o5 is not recorded.
insert into at_stripe (n, "order", cents) values (1, 1, 2000), (2, 2, 2000), (3, 3, 2000), (4, 4, 2000), (5, 5, 2500), (6, 2, 2000);

insert into payments (order_id, cents, refunded_cents, paid_at)
select 'o' || value, case value when 3 then 200 else 2000 end, 0, datetime(:now, '-' || value || ' days') from json_each('[1, 2, 3, 4, 4]');

insert into takings (till, cents, taken_at)
select 't' || value, 10000 + value * 100, datetime(:now, '-' || value || ' days') from json_each('[1, 2, 3]');

insert into takings (till, cents, taken_at) values ('t4', 5000, datetime(:now, '-9 days')), ('t5', 5000, datetime(:now, '-9 days', '+30 minutes'));
