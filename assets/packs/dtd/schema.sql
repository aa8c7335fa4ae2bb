-- The tables of the directory, as far as operations touch them. Times are UTC text, money is in cents.

create table councils (
    id text primary key,
    name text not null,
    slots integer not null default 5
);

create table users (
    id integer primary key,
    email text not null unique,
    name text not null,
    account_status text not null default 'active',
    created_at timestamp not null
);

create table businesses (
    id integer primary key,
    user_id integer not null references users (id),
    council_id text not null references councils (id),
    name text not null,
    stripe_customer_id text not null unique,
    status text not null default 'active',
    verified boolean not null default 1,
    deleted boolean not null default 0,
    age_specialties text not null,
    behavior_issues text not null,
    created_at timestamp not null
);

create table reviews (
    id text primary key,
    business_id integer not null references businesses (id),
    rating integer not null,
    text text not null,
    ai_confidence real,
    ai_label text,
    moderation_status text not null default 'pending',
    rejection_reason text,
    moderation_note text,
    moderated_by text,
    moderated_at timestamp,
    created_at timestamp not null
);
create index reviews_status on reviews (moderation_status, created_at);

create table review_moderation_log (
    id integer primary key,
    review_id text not null references reviews (id),
    decision text not null,
    reason text,
    note text,
    decided_by text not null,
    decided_at timestamp not null
);

create table payment_audit (
    id text primary key,
    business_id integer not null references businesses (id),
    charge_id text not null unique,
    payment_intent_id text,
    amount integer not null,
    refunded_amount integer not null default 0,
    currency text not null default 'AUD',
    status text not null,
    refund_id text,
    refunded_at timestamp,
    notes text,
    created_at timestamp not null
);
create index payment_audit_created on payment_audit (created_at);

create table featured_placements (
    id integer primary key,
    business_id integer not null references businesses (id),
    council_id text not null references councils (id),
    charge_id text not null,
    queue_id integer,
    status text not null,
    featured_from timestamp not null,
    featured_until timestamp not null,
    refund_status text,
    refunded_at timestamp,
    created_at timestamp not null
);
create index featured_placements_charge on featured_placements (charge_id);
create index featured_placements_active on featured_placements (status, council_id, featured_until);

create table featured_queue (
    id integer primary key,
    business_id integer not null references businesses (id),
    council_id text not null references councils (id),
    charge_id text not null,
    created_at timestamp not null,
    promoted_at timestamp,
    disputed_at timestamp,
    dispute text,
    dispute_answered_at timestamp
);
create index featured_queue_charge on featured_queue (charge_id);
create index featured_queue_waiting on featured_queue (promoted_at, council_id, created_at);

create table refund_requests (
    id text primary key,
    business_id integer not null references businesses (id),
    payment_id text not null references payment_audit (id),
    reason text not null,
    status text not null default 'pending',
    decision_note text,
    decided_by text,
    decided_at timestamp,
    requested_at timestamp not null
);

create table cron_jobs (
    id integer primary key,
    job text not null,
    started_at timestamp not null,
    finished_at timestamp,
    status text not null,
    attempt integer not null default 1,
    trigger text not null default 'schedule',
    rows_changed integer,
    error_log text
);
create index cron_jobs_runs on cron_jobs (job, started_at);

-- What Stripe told the site, once each.
create table stripe_events (
    id text primary key,
    type text not null,
    about text not null,
    created_at timestamp not null,
    processed_at timestamp,
    note text
);

create table search_events (
    id integer primary key,
    hour timestamp not null,
    searches integer not null
);

create table triage_logs (
    id integer primary key,
    provider text not null,
    category text,
    calls integer not null default 1,
    latency_ms integer,
    cost_micros integer not null default 0,
    created_at timestamp not null
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
