create table members (id integer primary key, customer text, monthly_cents integer not null, standing text not null, joined_at timestamp not null);

create table orders (id text primary key, author_cents integer not null, returned_cents integer not null, ordered_at timestamp not null);

create table payments (order_id text not null, cents integer not null, refunded_cents integer not null, paid_at timestamp not null);

create table takings (till text primary key, cents integer not null, taken_at timestamp not null);

create table at_stripe (n integer primary key, "order" integer not null, cents integer not null);

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
