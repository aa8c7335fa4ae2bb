create table stripe.town (name text primary key, value text not null);

create table stripe.charges (
    seq integer primary key, id text not null unique, created integer not null, amount integer not null,
    currency text not null, status text not null, payment_intent text, customer text, email text, name text,
    description text, metadata text not null, fee integer not null
);
create index stripe.charges_created on charges (created, seq);
create index stripe.charges_intent on charges (payment_intent);
create index stripe.charges_customer on charges (customer);

create table stripe.refunds (
    seq integer primary key autoincrement, id text not null unique, created integer not null, charge text not null,
    payment_intent text, amount integer not null, currency text not null, reason text, status text not null,
    metadata text not null
);
create index stripe.refunds_charge on refunds (charge);

create table stripe.events (
    seq integer primary key autoincrement, id text not null unique, created integer not null, type text not null,
    object text not null, delivered integer not null
);

create table stripe.disputes (
    seq integer primary key, id text not null unique, created integer not null, charge text not null,
    payment_intent text, amount integer not null, currency text not null, reason text not null, status text not null,
    due_by integer, evidence text not null default '{}', submissions integer not null default 0,
    metadata text not null default '{}'
);

create table stripe.payouts (
    seq integer primary key, id text not null unique, created integer not null, amount integer not null,
    currency text not null, status text not null, arrival_date integer not null
);

create table stripe.subscriptions (
    seq integer primary key, id text not null unique, created integer not null, customer text not null, price text not null,
    unit_amount integer, quantity integer not null, currency text not null, interval text not null, status text not null,
    metadata text not null, pause text, ends integer not null default 0, canceled_at integer, ended_at integer,
    comment text, feedback text
);

create table stripe.customers (
    seq integer primary key, id text not null unique, created integer not null, email text, name text, currency text,
    metadata text not null
);

create table stripe.invoices (
    seq integer primary key, id text not null unique, created integer not null, customer text not null, subscription text,
    number text, amount integer not null, paid integer not null, currency text not null, status text not null,
    due_date integer, metadata text not null
);
create index stripe.invoices_customer on invoices (customer);

create table stripe.transfers (
    seq integer primary key, id text not null unique, created integer not null, amount integer not null,
    amount_reversed integer not null, currency text not null, destination text not null, transfer_group text,
    source_transaction text, metadata text not null
);

create view stripe.payment_intents as
    select seq, payment_intent as id, payment_intent, id as charge, created, amount, currency, status, customer, email,
        description, metadata
    from charges where payment_intent is not null;

create view stripe.balance_transactions as
    select seq * 2 as seq, 'txn_' || substr(id, 4) as id, created, amount, fee, currency, id as source,
        'charge' as type, description
    from charges where status = 'succeeded'
    union all
    select seq * 2 + 1, 'txn_' || substr(id, 4), created, -amount, 0, currency, id, 'refund', 'REFUND FOR CHARGE'
    from refunds where status in ('succeeded', 'pending');

create table stripe.idempotency (
    key text primary key, endpoint text not null, params text not null, status integer not null, body text not null,
    request text not null, created integer not null
);

create table stripe.variables (
    id text primary key, name text not null, value text not null, live text not null, created integer not null,
    updated integer not null
);

create table stripe.deployments (
    seq integer primary key autoincrement, id text not null unique, created integer not null, ready integer not null,
    variables text not null
);

create table stripe.switches (name text primary key, value text not null);
