insert into letters (id, cents, paid_at)
with recursive counted (n) as (select 1 union all select n + 1 from counted where n < 120)
select printf('l%03d', n), 500 + n, datetime(:now, printf('-%d minutes', 30 + n)) from counted;
