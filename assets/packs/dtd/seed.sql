-- One believable day of the directory. Every time is relative to :now; names and ids vary with :seed, figures do not.

create temp table numbers as
    with recursive counted (n) as (select 1 union all select n + 1 from counted where n < 1000) select n from counted;

-- Councils: the four with the long queues, six with short ones, and 33 with free slots.
insert into councils (id, name)
select lower(replace(value, ' ', '-')), value from json_each('["Melbourne", "Monash", "Stonnington", "Boroondara",
    "Yarra", "Port Phillip", "Bayside", "Glen Eira", "Whitehorse", "Moreland",
    "Banyule", "Brimbank", "Cardinia", "Casey", "Darebin", "Frankston", "Greater Dandenong", "Hobsons Bay", "Hume",
    "Kingston", "Knox", "Manningham", "Maribyrnong", "Maroondah", "Melton", "Moonee Valley", "Mornington Peninsula",
    "Nillumbik", "Whittlesea", "Wyndham", "Yarra Ranges", "Ballarat", "Greater Bendigo", "Greater Geelong", "Latrobe",
    "Macedon Ranges", "Mitchell", "Moorabool", "Murrindindi", "Surf Coast", "Baw Baw", "Bass Coast", "Golden Plains"]');
create temp table places as select row_number() over (order by rowid) as place, id from councils;

-- Who stands where: businesses 1-87 wait in a queue, 88-179 have a placement, the others have neither.
create temp table seats as
    select n as business, case
        when n <= 24 then 1 when n <= 42 then 2 when n <= 57 then 3 when n <= 69 then 4
        when n <= 87 then 5 + (n - 70) / 3
        when n <= 108 then 11 + (n - 88)
        when n = 109 then 1 when n = 110 then 2
        when n <= 114 then 1 when n <= 118 then 2 when n <= 123 then 3 when n <= 128 then 4
        when n <= 158 then 5 + (n - 129) / 5
        when n <= 179 then 11 + (n - 147) % 33
        else 11 + n % 33 end as place
    from numbers where n <= 500;

create temp table heads as select key as k, value as word from json_each('["Happy", "Clever", "Gentle", "Bright",
    "Loyal", "Steady", "Sunny", "Rover", "Coastal", "Bayside", "Southern", "Northside", "Kind", "Calm", "Trusty", "Swift",
    "Golden", "Silver", "Wattle", "Banksia", "Yarra", "Bluegum", "Harbour", "Hilltop", "Parkside"]');
create temp table tails as select key as k, value as word from json_each('["Hounds", "Tails", "Dog School", "Canines",
    "Puppy Class", "Pack", "Dog Training", "Leads", "Companions", "Recall", "Barkers", "Wags", "Obedience", "Whistle",
    "Kelpies", "Retrievers", "Walkers", "Manners", "Heelers", "Fetch"]');
create temp table people as select key as k, value as word from json_each('["Ada Quill", "Ben Marlow", "Chloe Tran",
    "Dev Anand", "Ella Voss", "Finn Osei", "Grace Lim", "Hamish Roy", "Isla Petrov", "Jonah Reid", "Kira Mendes",
    "Liam Farrow", "Mina Sato", "Noel Baptiste", "Orla Keane", "Priya Nair", "Quinn Archer", "Rosa Bellini", "Sam Otto",
    "Tess Holloway", "Uma Rao", "Viktor Hale", "Wren Castle", "Xavier Moon", "Yara Haddad", "Zoe Lindqvist"]');

insert into users (id, email, name, created_at)
select n, lower(substr(word, 1, instr(word, ' ') - 1)) || n || '@trainers.example', word,
    datetime(:now, printf('-%d hours', 24 + ((n * 7919 + :seed * 31) % 17000)))
from numbers join people on k = (n * 7 + :seed) % 26 where n <= 500;

insert into businesses (id, user_id, council_id, name, stripe_customer_id, age_specialties, behavior_issues, created_at)
select n, n, places.id,
    case n when 88 then 'Happy Paws' when 89 then 'K9 Academy' when 90 then 'Bark & Co'
        else heads.word || ' ' || tails.word end,
    printf('cus_Q%06x%08x', (n * 40503 + :seed) % 16777216, n * 2654435761 % 4294967296),
    case n % 3 when 0 then '["puppy"]' when 1 then '["puppy","adult"]' else '["adult","senior"]' end,
    case n % 4 when 0 then '["pulling"]' when 1 then '["anxiety","barking"]' when 2 then '["recall"]' else '["aggression"]' end,
    users.created_at
from numbers join seats on business = n join places using (place) join users on users.id = n
    join heads on heads.k = (n + :seed) % 25 join tails on tails.k = ((n - 1) / 25 + :seed * 3) % 20
where n <= 500;

-- Every purchase: who, how long ago (seconds), how much was recorded. First the last seven days, one by one.
create temp table purchases (business integer, age integer, amount integer, status text default 'succeeded', refunded_age integer);
insert into purchases (business, age, amount) values
    (88, 248970, 2200),   -- 2 d 21 h 9 min: 2 h 50 min left of the three days
    (89, 349200, 2200),   -- 4 d 1 h: over by 1 d 1 h
    (90, 144000, 2200),   -- 1 d 16 h: 1 d 8 h left
    (91, 187380, 200);    -- recorded as A$2.00, charged A$22.00
-- The queue, newest first: 16 in the last week (two of them within the hour), 19 in the week before, 52 before that.
insert into purchases (business, age, amount)
select 1 + n * 37 % 87, case
        when n = 1 then 1340 when n = 2 then 2460
        when n <= 16 then 9000 + (n - 3) * 42000 + (n * 7919 + :seed * 613) % 20000
        when n <= 35 then 609000 + (n - 17) * 31000 + (n * 7919 + :seed * 613) % 20000
        else 1214000 + (n - 36) * 25700 + (n * 7919 + :seed * 613) % 20000 end,
    2200
from numbers where n <= 87;
-- Placed at once, in councils with a free slot: four in the second week, thirteen before. Two paid with a code.
insert into purchases (business, age, amount)
select n, case when n <= 95 then 640000 + (n - 92) * 140000 else 1260000 + (n - 96) * 99000 end + (n * 6007 + :seed * 401) % 20000,
    case n when 92 then 1000 when 96 then 1800 else 2200 end
from numbers where n between 92 and 108;
-- Two that were refunded within their three days, one of the refunds within this week.
insert into purchases (business, age, amount, status, refunded_age) values
    (180, 734400, 2200, 'refunded', 561600), (181, 1734000, 2200, 'refunded', 1530000);
-- The thirty days before: 95 purchases, 71 of them by those who are featured now.
insert into purchases (business, age, amount)
select 108 + n, 2594000 + (case when n <= 2 then 93 + n else n - 2 end) * 26400 + (n * 7919 + :seed * 613) % 20000, 2200
from numbers where n <= 71;
insert into purchases (business, age, amount)
select 110 + n, 2594000 + (n - 2) * 26400 + (n * 7919 + :seed * 613) % 20000, 2200
from numbers where n between 72 and 95;
-- The rest of the year, and the year before it.
insert into purchases (business, age, amount)
select 1 + (n * 211 + :seed) % 500, 5190000 + n * 28400 + (n * 7919 + :seed * 613) % 20000, case n when 400 then 2000 else 2200 end
from numbers where n <= 926;
insert into purchases (business, age, amount)
select 1 + (n * 307 + :seed) % 500, 31540000 + n * 32900 + (n * 7919 + :seed * 613) % 20000, 2200
from numbers where n <= 955;

create temp table dated as
    select *, row_number() over (order by age desc, business) as k, datetime(:now, '-' || age || ' seconds') as at from purchases;

insert into payment_audit (id, business_id, charge_id, payment_intent_id, amount, refunded_amount, status, refund_id, refunded_at, created_at)
select printf('pay_%05d', k), business,
    printf('ch_3Q%05x%09x', k * 7 + :seed % 1000, (k * 2654435761 + :seed * 97) % 68719476736),
    printf('pi_3Q%05x%09x', k * 7 + :seed % 1000, (k * 2654435761 + :seed * 97) % 68719476736),
    amount, case status when 'refunded' then amount else 0 end, status,
    case status when 'refunded' then printf('re_3Q%05x%09x', k * 7 + :seed % 1000, (k * 2654435761 + :seed * 97) % 68719476736) end,
    case status when 'refunded' then datetime(:now, '-' || refunded_age || ' seconds') end, at
from dated order by k;

create temp table paid as
    select dated.*, payment_audit.id as payment, charge_id from dated join payment_audit on payment_audit.id = printf('pay_%05d', k);

-- The queue: those who wait, and those who were promoted.
insert into featured_queue (business_id, council_id, charge_id, created_at)
select business, places.id, charge_id, at
from paid join seats using (business) join places using (place)
where business <= 87 and age < 2592000 order by at, business;
insert into featured_queue (business_id, council_id, charge_id, created_at, promoted_at)
select business, places.id, charge_id, at,
    case business
        when 109 then datetime((select at from slots where name = 'nightly' and n = 0), '-3 hours', '-30 days')
        when 110 then datetime((select at from slots where name = 'nightly' and n = 0), '-9 hours', '-30 days')
        else datetime(:now, '-' || (777600 + (age - 2592000) * 2 / 5) || ' seconds') end
from paid join seats using (business) join places using (place)
where business between 109 and 179 and age between 2592000 and 5184000 order by at, business;

-- Placements: at once where a slot was free, else by promotion; two ran out before last night's run.
insert into featured_placements (business_id, council_id, charge_id, status, featured_from, featured_until, refund_status, refunded_at, created_at)
select business, places.id, charge_id, case status when 'refunded' then 'ended' else 'active' end, at,
    datetime(at, '+30 days'), case status when 'refunded' then 'refunded' end,
    case status when 'refunded' then datetime(:now, '-' || refunded_age || ' seconds') end, at
from paid join seats using (business) join places using (place)
where (business between 88 and 108 or business in (180, 181)) and age < 2592000 order by at, business;
insert into featured_placements (business_id, council_id, charge_id, queue_id, status, featured_from, featured_until, created_at)
select business_id, council_id, charge_id, id, 'active', promoted_at, datetime(promoted_at, '+30 days'), promoted_at
from featured_queue where promoted_at is not null order by promoted_at;
insert into featured_placements (business_id, council_id, charge_id, status, featured_from, featured_until, created_at)
select business, places.id, charge_id, 'expired', datetime(at, '+1 days'), datetime(at, '+20 days'), at
from paid join seats using (business) join places using (place)
where age between 2592000 and 31536000 and not (age < 5184000 and business between 109 and 179) order by at, business;

-- One of those who wait in Melbourne thinks that others were let in before: fifth in line.
update featured_queue set disputed_at = datetime(:now, '-19 hours'),
    dispute = 'My payment came in before theirs, I am sure of it. Why are four others ahead of me?'
where id = (select id from featured_queue where council_id = 'melbourne' and promoted_at is null order by created_at limit 1 offset 4);

insert into refund_requests (id, business_id, payment_id, reason, requested_at)
select case business when 88 then 'rr_0312' when 89 then 'rr_0313' else 'rr_0314' end, business, payment,
    case business when 88 then 'It has brought me no enquiries at all.' when 89 then 'Hardly anyone opened my page.'
        else 'Paid twice by mistake, please refund this one.' end,
    datetime(:now, case business when 88 then '-5 hours' when 89 then '-20 hours' else '-11 hours' end)
from paid where business in (88, 89, 90) and age < 604800;

-- What Stripe told of the charges and refunds of thirty days, but for the two latest; the one before was put right by hand.
insert into stripe_events (id, type, about, created_at, processed_at, note)
with told as (
    select *, row_number() over (order by created_at desc) as n from payment_audit where created_at > datetime(:now, '-30 days')
)
select 'evt_1' || substr(charge_id, 5) || 'C', 'charge.succeeded', charge_id, datetime(created_at, '+1 seconds'),
    datetime(created_at, case n when 3 then '+2 hours' else '+2 seconds' end), case n when 3 then 'processed by hand' end
from told where n > 2
union all
select 'evt_1' || substr(charge_id, 5) || 'P', 'payment_intent.succeeded', payment_intent_id, datetime(created_at, '+1 seconds'),
    datetime(created_at, '+2 seconds'), null
from told
union all
select 'evt_1' || substr(charge_id, 5) || 'R', 'charge.refunded', charge_id, datetime(refunded_at, '+1 seconds'),
    datetime(refunded_at, '+2 seconds'), null
from payment_audit where refunded_at > datetime(:now, '-30 days');

-- The nightly promotion: 30 days, one night missed, one failed for good, one saved by a retry, last night's on its second try.
insert into cron_jobs (job, started_at, finished_at, status, attempt, rows_changed, error_log)
select 'featured-expiry-and-promotion', datetime(at, '+15 seconds'),
    datetime(at, case n when 0 then '+245 seconds' when 9 then '+2415 seconds' when 16 then '+615 seconds' else printf('+%d seconds', 26 + n % 4) end),
    case when n in (0, 9) then 'failure' else 'success' end,
    case n when 0 then 2 when 9 then 5 when 16 then 3 else 1 end,
    case when n in (0, 9) then null else n % 3 end,
    case n when 0 then 'Database connection timeout (30s)' when 9 then 'Lock timeout acquiring lock (featured_queue)'
        when 16 then 'attempts 1-2: Network connection refused (Vercel Edge timeout)' end
from slots where name = 'nightly' and n <> 21;
-- The hourly backup has not run for a day and an hour; sums of revenue run every quarter of an hour.
insert into cron_jobs (job, started_at, finished_at, status, rows_changed)
select 'database-backup', datetime(at, '+4 seconds'), datetime(at, printf('+%d seconds', 70 + n % 9)), 'success', null
from slots where name = 'hourly' and n >= 26;
insert into cron_jobs (job, started_at, finished_at, status, rows_changed)
select 'revenue-aggregation', datetime(at, '+2 seconds'), datetime(at, printf('+%d seconds', 5 + n % 3)), 'success', 1
from slots where name = 'quarter';
insert into cron_jobs (job, started_at, finished_at, status, rows_changed)
select 'review-digest-mail', datetime(at, '+6 seconds'), datetime(at, printf('+%d seconds', 47 + n % 5)), 'success', 30 + n
from slots where name = 'weekly';

-- Searches by the hour of the day (350 a day, more on Mondays): 2,450 in seven days, 2,579 in the seven before.
create temp table busy as select key as k, value as searches
    from json_each('[22,21,20,19,19,19,20,21,23,24,22,18,14,9,5,3,2,2,3,5,9,14,17,19]');
insert into search_events (hour, searches)
select hour, busy.searches
    + case strftime('%w', hour) when '1' then 2 when '6' then -2 else 0 end
    + (n >= 168 and k < 18) + (n between 168 and 170)
from (select n - 1 as n, datetime(strftime('%Y-%m-%d %H:00:00', :now), printf('-%d hours', n - 1)) as hour from numbers where n <= 720)
    join busy on k = cast(strftime('%H', hour) as integer)
order by n desc;

-- Triage: hourly sums. The provider last answered 63 minutes ago; the stand-by took every third hour of it.
insert into triage_logs (provider, category, calls, latency_ms, cost_micros, created_at)
select 'z_ai', 'normal', case n when 1 then 88 else 44 end, 310 + (n * 37 + :seed) % 65, case n when 1 then 87500 else 43750 end,
    datetime(:now, '-63 minutes', printf('-%d hours', n - 1))
from numbers where n <= 719;
insert into triage_logs (provider, category, calls, latency_ms, cost_micros, created_at)
select 'standby', 'normal', 4, 1150 + (n * 41 + :seed) % 120, 25000, datetime(:now, '-70 minutes', printf('-%d hours', (n - 1) * 3 - (n > 239)))
from numbers where n <= 240;

-- Reviews that wait: forty that read well, and eleven that need eyes.
create temp table openings as select key as k, value as text from json_each('["Brilliant with our anxious rescue.",
    "Our puppy came home calmer after the first hour.", "Patient, clear and on time.", "We learned as much as the dog did.",
    "Two sessions and the lead is slack at last.", "Came to our place and saw the problem at once.",
    "Kind to a very stubborn beagle."]');
create temp table details as select key as k, value as text from json_each('["The recall exercises work even at the beach.",
    "Everything was explained twice without a sigh.", "He now waits at the door instead of flying through it.",
    "The notes afterwards were short and useful.", "Barking at the tram has nearly stopped.",
    "The group class is small and well run.", "She follows up a week later, which helped us keep going.",
    "Treats, timing and a lot of good humour.", "Our older dog joined in and enjoyed it too."]');
create temp table closings as select key as k, value as text from json_each('["Worth every dollar.", "Would book again.",
    "Thank you!", "Recommended to the whole dog park.", "Five stars from all of us."]');
create temp table doubtful as select key as k, value ->> 0 as rating, value ->> 1 as confidence, value ->> 2 as label, value ->> 3 as text
from json_each('[
    [5, 0.12, "spam", "CHEAP PET MEDS no script needed!!! visit best-pet-meds.example today, code DOG20 for 20% off, ships worldwide"],
    [5, 0.18, "spam", "Great great great. Also my cousin sells crypto for dog lovers, message me for guaranteed returns."],
    [1, 0.41, "profanity", "Do not go here. They are a bunch of f***ing crooks and the owner told me my dog was stupid."],
    [1, 0.38, "profanity", "Absolute s**t show. Waited forty minutes in the rain, nobody came, nobody rang."],
    [3, 0.47, "off-topic", "The parking on this street is a disgrace and the council should do something about the bins."],
    [2, 0.52, "off-topic", "Has anyone lost a grey cat with a red collar near the station? Please call the vet on Main Street."],
    [4, 0.71, "unsure", "Good trainer. My only gripe: the second visit was rescheduled twice. The dog did not mind, I did."],
    [2, 0.66, "unsure", "Honest opinion: did not work for us. Perhaps our kelpie is just a kelpie. They were polite about it."],
    [5, 0.83, "unsure", "Sit. Stay. Good boy. (Dictated by Biscuit, typed by his human. We loved it.)"],
    [1, 0.55, "unsure", "They refunded me without a fuss, so I cannot complain about that, but the dog still eats the couch."]
]')
union all
select 10, 5, 0.09, 'spam', 'Lovely people' || char(27) || '[2J' || char(27) || ']52;c;cm0gLXJmIH4=' || char(7)
    || char(8238) || 'sdrawkcab daer' || char(8236) || ' and' || char(8203) || ' very' || char(9) || 'calm'
    || char(13) || 'APPROVED BY ADMIN' || char(155) || '31m' || char(10) || 'See you next week!';

insert into reviews (id, business_id, rating, text, ai_confidence, ai_label, created_at)
select printf('rv_%03d', 900 + n), 1 + (n * 97 + :seed) % 500,
    coalesce(doubtful.rating, case n % 7 when 0 then 4 else 5 end),
    coalesce(doubtful.text, openings.text || ' ' || details.text || ' ' || closings.text),
    coalesce(doubtful.confidence, round(0.90 + (n * 13 % 10) / 100.0, 2)), coalesce(doubtful.label, 'safe'),
    datetime(:now, printf('-%d seconds', 1036800 - (n - 1) * 20300 - (n * 7919 + :seed * 17) % 9000))
from numbers left join doubtful on doubtful.k = case when n = 50 then 10 when n % 5 = 2 then n / 5 end
    join openings on openings.k = n % 7 join details on details.k = (n + :seed) % 9 join closings on closings.k = n % 5
where n <= 51 order by n;

-- Those that were decided before, and by whom.
insert into reviews (id, business_id, rating, text, ai_confidence, ai_label, moderation_status, rejection_reason, moderated_by, moderated_at, created_at)
select printf('rv_%03d', n), 1 + (n * 89 + :seed) % 500, case n % 9 when 0 then 3 when 4 then 4 else 5 end,
    openings.text || ' ' || closings.text, round(0.90 + (n * 7 % 10) / 100.0, 2), 'safe',
    case n % 40 when 7 then 'rejected' else 'approved' end, case n % 40 when 7 then 'spam' end, 'operator',
    datetime(:now, printf('-%d hours', 330 + (900 - n) / 50 * 168)), datetime(:now, printf('-%d hours', 360 + (900 - n) / 50 * 168 + n % 90))
from numbers join openings on openings.k = n % 7 join closings on closings.k = n % 5
where n between 601 and 900 order by n;
insert into review_moderation_log (review_id, decision, reason, decided_by, decided_at)
select id, moderation_status, rejection_reason, moderated_by, moderated_at from reviews
where moderation_status <> 'pending' order by moderated_at, id;
