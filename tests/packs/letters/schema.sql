create table letters (id text primary key, cents integer not null, paid_at timestamp not null);

-- What the site has made of Stripe's events: once each.
create table processed (id text primary key, type text not null, at timestamp not null);

-- Every single time that the site was told of one.
create table told (n integer primary key, id text not null);

-- One row for each letter that is on its way: told twice, it would be sent twice.
create table sent (n integer primary key, letter text not null);
