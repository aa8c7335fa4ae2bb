create table articles (
  id integer primary key,
  title text not null,
  stock integer not null,
  reorder_at integer not null,
  reordered integer not null default 0
);

create table orders (
  id text primary key,
  customer text not null,
  country text not null,
  articles integer not null,
  total_cents integer not null,
  status text not null check (status in ('placed', 'paid', 'shipped', 'cancelled')),
  note text,
  placed_at timestamp not null,
  paid_at timestamp,
  shipped_at timestamp,
  cancelled_because text
);

create table order_lines (
  order_id text not null references orders (id),
  article_id integer not null references articles (id)
);

create table cancellations (
  order_id text not null references orders (id),
  at timestamp not null,
  by text not null,
  note text
);

create table payments (
  id text primary key,
  order_id text,
  amount_cents integer not null,
  received_at timestamp not null,
  state text not null check (state in ('announced', 'received'))
);

create table job_runs (
  job text not null,
  started_at timestamp not null,
  finished_at timestamp,
  state text not null check (state in ('started', 'done', 'failed')),
  try integer not null,
  message text
);

create table job_requests (
  job text not null,
  requested_at timestamp not null,
  requested_by text not null
);

create table operator_actions (
  action_id text not null,
  step integer not null,
  target text not null,
  operator text not null,
  marked_at timestamp not null default current_timestamp,
  epoch integer,
  action text,
  journal text,
  ended_at timestamp,
  outcome text,
  primary key (action_id, step)
);

create unique index operator_actions_numbers on operator_actions (target, epoch);
create unique index operator_actions_in_hand on operator_actions (target) where epoch is not null and ended_at is null;
