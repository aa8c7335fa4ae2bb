//! What the business looks like when it opens.

use super::*;

/// (what it says, the query, what it answers)
const FIGURES: &[(&str, &str, &[&str])] = &[
    (
        "51 reviews wait, 40 of them safe, the oldest for 11 to 12 days",
        "select count(*), sum(ai_confidence >= 0.90), min(created_at) between datetime(:now, '-12 days') and datetime(:now, '-11 days')
         from reviews where moderation_status = 'pending'",
        &["51", "40", "1"],
    ),
    (
        "the edge cases: spam, profanity, off-topic, unsure",
        "select sum(ai_label = 'spam'), sum(ai_label = 'profanity'), sum(ai_label = 'off-topic'), sum(ai_label = 'unsure')
         from reviews where moderation_status = 'pending' and ai_confidence < 0.90",
        &["3", "2", "2", "4"],
    ),
    (
        "one review would take the terminal over if it were let",
        "select count(*) from reviews where moderation_status = 'pending' and instr(text, char(27) || '[2J') and instr(text, char(8238))",
        &["1"],
    ),
    (
        "every pending review reads differently",
        "select count(distinct text) >= 45 from reviews where moderation_status = 'pending'",
        &["1"],
    ),
    (
        "rr_0312: 2 h 50 min are left of its three days",
        "select unixepoch(p.created_at, '+72 hours') - unixepoch(:now) between 10200 and 10259 from refund_requests r join payment_audit p on p.id = payment_id
         where r.id = 'rr_0312' and r.status = 'pending'",
        &["1"],
    ),
    (
        "rr_0314: 1 d 8 h are left",
        "select (unixepoch(p.created_at, '+72 hours') - unixepoch(:now)) / 60.0 from refund_requests r join payment_audit p on p.id = payment_id where r.id = 'rr_0314'",
        &["1920.0"],
    ),
    (
        "rr_0313: over by 1 d 1 h",
        "select (unixepoch(p.created_at, '+72 hours') - unixepoch(:now)) / 60.0 from refund_requests r join payment_audit p on p.id = payment_id where r.id = 'rr_0313'",
        &["-1500.0"],
    ),
    ("three requests, A$66.00", "select count(*), sum(p.amount) from refund_requests r join payment_audit p on p.id = payment_id where r.status = 'pending'", &["3", "6600"]),
    (
        "each of them has a placement to end",
        "select count(*) from refund_requests r join payment_audit p on p.id = payment_id join featured_placements f on f.charge_id = p.charge_id where f.status = 'active'",
        &["3"],
    ),
    (
        "87 wait for a slot",
        "select count(*), sum(council_id = 'melbourne'), sum(council_id = 'monash'), sum(council_id = 'stonnington'), sum(council_id = 'boroondara'),
            sum(council_id not in ('melbourne', 'monash', 'stonnington', 'boroondara'))
         from featured_queue where promoted_at is null",
        &["87", "24", "18", "15", "12", "18"],
    ),
    ("two a council on average", "select round(87.0 / count(*)) from councils", &["2.0"]),
    (
        "90 of 500 are featured, two ran out and wait",
        "select sum(featured_until > :now), sum(featured_until <= :now), (select count(*) from businesses) from featured_placements where status = 'active'",
        &["90", "2", "500"],
    ),
    ("no council has more than five", "select max(c) from (select count(*) as c from featured_placements where status = 'active' group by council_id)", &["5"]),
    (
        "the dispute: fifth in line in Melbourne",
        "select count(*) from featured_queue q where q.promoted_at is null and q.council_id = 'melbourne'
            and q.created_at <= (select created_at from featured_queue where disputed_at is not null and dispute_answered_at is null)",
        &["5"],
    ),
    (
        "revenue of the month A$2,340, up 12 %",
        "select this, round(100.0 * (this - before) / before) from (
            select sum(case when created_at > datetime(:now, '-30 days') then amount end) as this,
                sum(case when created_at <= datetime(:now, '-30 days') then amount end) as before
            from payment_audit where status = 'succeeded' and created_at > datetime(:now, '-60 days'))",
        &["234000", "12.0"],
    ),
    (
        "revenue of the year A$24,800, up 18 %",
        "select this, round(100.0 * (this - before) / before) from (
            select sum(case when created_at > datetime(:now, '-365 days') then amount end) as this,
                sum(case when created_at <= datetime(:now, '-365 days') then amount end) as before
            from payment_audit where status = 'succeeded' and created_at > datetime(:now, '-730 days'))",
        &["2480000", "18.0"],
    ),
    (
        "revenue of the week A$420, down 15 %",
        "select this, round(100.0 * (this - before) / before) from (
            select sum(case when created_at > datetime(:now, '-7 days') then amount end) as this,
                sum(case when created_at <= datetime(:now, '-7 days') then amount end) as before
            from payment_audit where status = 'succeeded' and created_at > datetime(:now, '-14 days'))",
        &["42000", "-15.0"],
    ),
    (
        "refund rate 2 %: two of the month's purchases",
        "select sum(status = 'refunded'), round(100.0 * sum(status = 'refunded') / count(*)) from payment_audit where created_at > datetime(:now, '-30 days')",
        &["2", "2.0"],
    ),
    (
        "every purchase of two months has a place or waits for one",
        "select count(*) from payment_audit p where created_at > datetime(:now, '-60 days')
            and not exists (select 1 from featured_queue q where q.charge_id = p.charge_id)
            and not exists (select 1 from featured_placements f where f.charge_id = p.charge_id)",
        &["0"],
    ),
    (
        "2,450 searches in seven days, down 5 %",
        "select this, round(100.0 * (this - before) / before) from (
            select sum(case when hour > datetime(:now, '-7 days') then searches end) as this,
                sum(case when hour <= datetime(:now, '-7 days') then searches end) as before
            from search_events where hour > datetime(:now, '-14 days'))",
        &["2450", "-5.0"],
    ),
    ("A$37.50 for triage in thirty days", "select sum(cost_micros) from triage_logs where created_at > datetime(:now, '-30 days')", &["37500000"]),
    (
        "the provider last answered 63 minutes ago",
        "select (unixepoch(:now) - unixepoch(max(created_at))) / 60 from triage_logs where provider = 'z_ai'",
        &["63"],
    ),
    (
        "30 nights: 29 runs (one missed), two failed, last night's on its second try of five",
        "select count(*), sum(status = 'failure'), max(started_at) = '2026-11-18 15:00:15' from cron_jobs where job = 'featured-expiry-and-promotion'",
        &["29", "2", "1"],
    ),
    (
        "last night's error",
        "select status, attempt, error_log from cron_jobs where job = 'featured-expiry-and-promotion' order by started_at desc limit 1",
        &["failure", "2", "Database connection timeout (30s)"],
    ),
    (
        "one night failed for good",
        "select count(*) from cron_jobs where job = 'featured-expiry-and-promotion' and status = 'failure' and attempt = 5",
        &["1"],
    ),
    (
        "the hourly backup has been due for 25 hours",
        "select max(started_at) from cron_jobs where job = 'database-backup'",
        &["2026-11-18 01:00:04"],
    ),
    (
        "sums of revenue run every quarter of an hour",
        "select count(*), max(started_at), sum(status <> 'success') from cron_jobs where job = 'revenue-aggregation'",
        &["192", "2026-11-19 02:45:02", "0"],
    ),
];

#[tokio::test]
async fn the_business_opens_with_its_figures() {
    let town = town().await;
    for (said, query, expected) in FIGURES {
        assert_eq!(row(&town, query).await, *expected, "{said}");
    }
}

#[tokio::test]
async fn other_seeds_and_moments_have_the_same_figures() {
    // Across the clocks going forward, and at the turn of a year.
    for (at, seed) in [("2026-10-04T22:40:00Z", 1), ("2027-01-01T00:10:00Z", 999_983)] {
        let at: DateTime<Utc> = at.parse().unwrap();
        let town = Town::open(Options { seed, at: Some(at), ..options() }).await.unwrap();
        for (said, query, expected) in FIGURES {
            // What names a moment belongs to the one moment.
            if expected.iter().any(|cell| cell.starts_with("2026-")) || query.contains("'2026-") {
                continue;
            }
            let query = query.replace(":now", &format!("'{}'", at.format("%Y-%m-%d %H:%M:%S")));
            assert_eq!(row(&town, &query).await, *expected, "{said} (seed {seed})");
        }
    }
}

async fn dump(town: &Town, file: &std::path::Path) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let tables = sqlx::query(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name <> 'town' order by name",
    );
    let mut lines = Vec::new();
    for table in tables.fetch_all(&mut connection).await.unwrap() {
        let name: String = table.get(0);
        for row in sqlx::query(sqlx::AssertSqlSafe(format!("select * from {name} order by rowid")))
            .fetch_all(&mut connection)
            .await
            .unwrap()
        {
            let cells: Vec<String> =
                (0..row.len()).map(|at| row.get_unchecked::<Option<String>, _>(at).unwrap_or_default()).collect();
            lines.push(format!("{name}: {}", cells.join("|")));
        }
    }
    assert!(lines.len() > 1_000, "{} holds little: {}", file.display(), town.dir.display());
    lines
}

#[tokio::test]
async fn the_same_seed_and_moment_give_the_same_rows() {
    let (one, two) = (town().await, town().await);
    let other = Town::open(Options { seed: 8, ..options() }).await.unwrap();
    for name in ["business.db", "stand-ins.db"] {
        let first = dump(&one, &one.dir.join(name)).await;
        assert!(first == dump(&two, &two.dir.join(name)).await, "{name} differs");
        assert!(first != dump(&other, &other.dir.join(name)).await, "{name} does not depend on the seed");
    }
}

#[tokio::test]
async fn a_town_in_a_directory_is_found_again_as_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    // A name that would mean something in an address.
    let options = Options { dir: Some(dir.path().join("my 100% town?")), ..options() };
    let first = Town::open(options.clone()).await.unwrap();
    let url = &first.environment["DTD_DATABASE_URL"];
    assert!(url.ends_with("/my%20100%25%20town%3F/business.db"), "{url}");
    let by_url: SqliteConnectOptions = url.parse().unwrap();
    SqliteConnection::connect_with(&by_url.create_if_missing(false)).await.unwrap();
    change(&first, "update reviews set moderation_status = 'approved' where id = 'rv_901'").await;
    let refund = Caller::of(&first).refund("k1", &format!("charge={}", charge(&first).await)).await;
    assert_eq!(refund.status, 200, "{}", refund.text);
    drop(first);

    // Without a moment, its clock goes on from where the first one stood.
    let again = Town::open(Options { at: None, seed: 99, ..options }).await.unwrap();
    let passed = again.clock.now() - moment();
    assert!(passed >= TimeDelta::zero() && passed < TimeDelta::minutes(10), "{passed}");
    assert_eq!(row(&again, "select count(*) from reviews where moderation_status = 'pending'").await, ["50"]);
    let refunds = Caller::of(&again).data("refunds?limit=1").await;
    assert_eq!(refunds.first().and_then(|refund| refund.get("id")), refund.body.get("id"));
}

/// A person waits for it; the limit is generous for a loaded machine and would still show a fill that lost its transaction.
#[tokio::test]
async fn a_town_opens_in_the_blink_of_an_eye() {
    let began = std::time::Instant::now();
    let town = town().await;
    let took = began.elapsed();
    println!("{} opened in {} ms", town.dir.display(), took.as_millis());
    assert!(took < std::time::Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_town_whose_filling_was_cut_off_is_filled_anew() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { dir: Some(dir.path().to_owned()), ..options() };
    std::fs::write(dir.path().join("business.db"), b"").unwrap();
    std::fs::write(dir.path().join("stand-ins.db"), b"").unwrap();
    let town = Town::open(options).await.unwrap();
    assert_eq!(row(&town, "select count(*) from reviews where moderation_status = 'pending'").await, ["51"]);
}

#[tokio::test]
async fn a_pack_that_does_not_exist_is_answered_with_those_that_do() {
    let error = Town::open(Options { pack: "nothing".to_owned(), ..options() }).await.unwrap_err().to_string();
    assert!(error.contains("`nothing`") && error.contains("dtd"), "{error}");
}

/// A charge of A$22.00 that was never refunded.
pub(super) async fn charge(town: &Town) -> String {
    let query = "select p.charge_id from refund_requests r join payment_audit p on p.id = r.payment_id where r.id = 'rr_0312'";
    row(town, query).await.remove(0)
}
