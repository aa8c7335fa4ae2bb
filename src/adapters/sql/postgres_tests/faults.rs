//! A server that is gone, locked, slow, cut off, or none at all: each look says so in plain words and in time, and no
//! act is lost or made twice.

use std::time::{Duration, Instant};

use sqlx::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{Cluster, address, order, run};
use crate::{
    adapters::{
        environment::Found as Secret,
        sql::{Database, SqlSystem, marks_table, statement_of_the_pack},
        testing::{CANARY, LIMIT, mark, sql, words},
    },
    domain::rows::{Params, Rows},
    ports::{Doer as _, Found, Outcome, Source as _, SourceError, Taker},
};

const SHORT: Duration = Duration::from_millis(600);

async fn session(cluster: &Cluster) -> PgConnection {
    cluster.address(CANARY).parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
}

async fn say(session: &mut PgConnection, text: &str) {
    sqlx::raw_sql(statement_of_the_pack(text)).execute(session).await.unwrap();
}

async fn look(db: &SqlSystem, text: &str) -> Result<String, SourceError> {
    let rows = db.read(&sql(text), &Params::new()).await?;
    Ok(rows.first().and_then(|row| row.cells().next().map(|(_, cell)| cell.original())).unwrap_or_default())
}

/// The words of a failure.
async fn said(db: &SqlSystem, text: &str) -> String {
    look(db, text).await.unwrap_err().to_string()
}

async fn business(cluster: &Cluster) {
    let table = marks_table(Database::Postgres, "operator_actions");
    run(
        cluster,
        &format!("create table orders (id integer, touched integer not null default 0); insert into orders values (1); {table}"),
    )
    .await;
}

fn touch() -> crate::domain::plan::Order {
    order("update orders set touched = touched + 1 where id = 1", Vec::new())
}

#[tokio::test]
async fn a_server_that_goes_and_comes_back_is_found_again() {
    let Some(cluster) = Cluster::start() else { return };
    business(&cluster).await;
    let db = cluster.open(Some("operator_actions"), LIMIT);
    assert_eq!(look(&db, "select 1").await.unwrap(), "1");
    cluster.stop();
    let gone = said(&db, "select 1").await;
    assert!(
        gone.starts_with("db: nobody answers: ") && gone.ends_with("is the database running, and the address right?"),
        "{gone}"
    );
    let held = db.act(&touch(), &mark("a1")).await;
    assert!(matches!(held, Outcome::Again { .. }), "{held:?}");
    cluster.begin();
    assert_eq!(look(&db, "select 1").await.unwrap(), "1");
    assert!(matches!(db.look_up(&touch(), &mark("a1")).await, Found::Absent));
    assert!(matches!(db.act(&touch(), &mark("a1")).await, Outcome::Confirmed(_)));

    // Restarted between two acts: the kept line is stale, and nobody notices.
    cluster.restart();
    assert!(matches!(db.act(&touch(), &mark("a2")).await, Outcome::Confirmed(_)));
    assert_eq!(look(&db, "select touched from orders").await.unwrap(), "2");
}

#[tokio::test]
async fn a_connection_that_is_ended_costs_one_look_and_doubles_no_act() {
    let Some(cluster) = Cluster::start() else { return };
    business(&cluster).await;
    let db = cluster.open(Some("operator_actions"), LIMIT);
    // Answers only when it is gone: a signal that is still on its way would end whatever comes next.
    let end = "select pg_terminate_backend(pid, 30000) from pg_stat_activity where application_name = 'wheelhouse' and state ~ ";
    let mut other = session(&cluster).await;

    // While nothing is asked on it.
    look(&db, "select 1").await.unwrap();
    say(&mut other, &format!("{end} 'idle'")).await;
    assert_eq!(look(&db, "select 1").await.unwrap(), "1");
    say(&mut other, &format!("{end} 'idle'")).await;
    assert!(matches!(db.act(&touch(), &mark("b1")).await, Outcome::Confirmed(_)));

    // In the middle of a look, and of an act.
    let meanwhile = async {
        under_way(&mut other, "select pg_sleep").await;
        say(&mut other, &format!("{end} 'active'")).await;
    };
    let (ended, ()) = tokio::join!(said(&db, "select pg_sleep(30)"), meanwhile);
    assert!(ended.contains("someone there has ended this connection"), "{ended}");
    let slow = order("update orders set touched = touched + 1 where pg_sleep(30) is not null", Vec::new());
    let act_mark = mark("b2");
    let meanwhile = async {
        under_way(&mut other, "update orders").await;
        say(&mut other, &format!("{end} 'active'")).await;
    };
    let (held, ()) = tokio::join!(db.act(&slow, &act_mark), meanwhile);
    assert!(matches!(held, Outcome::Again { .. }), "{held:?}");
    // Stopped, not ended.
    let meanwhile = async {
        under_way(&mut other, "select pg_sleep").await;
        say(
            &mut other,
            "select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'wheelhouse' and state = 'active'",
        )
        .await;
    };
    let (stopped, ()) = tokio::join!(said(&db, "select pg_sleep(30)"), meanwhile);
    assert!(stopped.contains("someone at the server has stopped it"), "{stopped}");
    assert!(matches!(db.look_up(&slow, &mark("b2")).await, Found::Absent));
    assert_eq!(look(&db, "select touched from orders").await.unwrap(), "1");
}

/// Waits until the server is at a statement of ours that begins so.
async fn under_way(session: &mut PgConnection, beginning: &str) {
    let is_there = format!(
        "select count(*) from pg_stat_activity where application_name = 'wheelhouse' and state = 'active' and query like '{beginning}%'"
    );
    loop {
        let count: i64 = sqlx::query_scalar(statement_of_the_pack(&is_there)).fetch_one(&mut *session).await.unwrap();
        if count > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_locked_table_is_told_in_time_and_an_act_on_it_is_made_once() {
    let Some(cluster) = Cluster::start() else { return };
    business(&cluster).await;
    run(&cluster, "create table others (id integer)").await;
    let db = cluster.open(Some("operator_actions"), Duration::from_secs(2));
    let mut other = session(&cluster).await;
    say(&mut other, "begin; lock table orders").await;

    let locked = look(&db, "select id from orders").await.unwrap_err();
    assert!(matches!(&locked, SourceError::Busy(why) if why.shown().contains("holds the row or the table locked")), "{locked:?}");
    // As many as may be under way at once stand before it, and the others pass by.
    let three = async {
        tokio::join!(said(&db, "select 1 from orders"), said(&db, "select 2 from orders"), said(&db, "select 3 from orders"))
    };
    let (locked, free) = tokio::join!(three, look(&db, "select count(*) from others"));
    assert_eq!(free.unwrap(), "0");
    assert!(locked.2.contains("locked"), "{locked:?}");
    let held = db.act(&touch(), &mark("c1")).await;
    assert!(matches!(&held, Outcome::Again { why, .. } if why.shown().contains("locked")), "{held:?}");
    assert!(matches!(db.look_up(&touch(), &mark("c1")).await, Found::Absent));

    say(&mut other, "rollback").await;
    assert!(matches!(db.act(&touch(), &mark("c1")).await, Outcome::Confirmed(_)));
    assert_eq!(words(&db.act(&touch(), &mark("c1")).await), "db: already applied");
    assert_eq!(look(&db, "select touched from orders").await.unwrap(), "1");
}

#[tokio::test]
async fn a_slow_statement_is_ended_by_the_server_itself_and_what_reads_cannot_write() {
    let Some(cluster) = Cluster::start() else { return };
    business(&cluster).await;
    run(&cluster, "create sequence numbers; create function writes() returns integer language sql as 'insert into orders values (7) returning id'").await;
    let db = cluster.open(None, SHORT);
    let begun = Instant::now();
    let slow = look(&db, "select pg_sleep(30)").await.unwrap_err();
    assert_eq!(slow, SourceError::TimedOut(SHORT));
    assert!(begun.elapsed() < SHORT * 10, "{:?}", begun.elapsed());
    let patient = cluster.open(None, LIMIT);
    let settings = "select current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || ' ' || \
                    current_setting('idle_in_transaction_session_timeout') || ' ' || current_setting('transaction_read_only')";
    assert_eq!(look(&patient, settings).await.unwrap(), "4500ms 2s 10s on");
    let left =
        "select count(*) from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()";
    let mut other = session(&cluster).await;
    loop {
        let count: i64 = sqlx::query_scalar(left).fetch_one(&mut other).await.unwrap();
        if count == 0 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the server goes on");
    }
    for writes in [
        "with gone as (delete from orders returning 1) select * from gone",
        "select writes()",
        "select nextval('numbers')",
        "select id from orders for update",
        "select set_config('transaction_read_only', 'off', true), writes()",
    ] {
        let refused = look(&patient, writes).await.unwrap_err();
        assert!(matches!(&refused, SourceError::Refused(_)), "{writes}: {refused:?}");
    }
    assert_eq!(look(&patient, "select count(*) from orders").await.unwrap(), "1");
}

#[tokio::test]
async fn a_huge_answer_is_refused_before_it_fills_the_memory() {
    let Some(cluster) = Cluster::start() else { return };
    let db = cluster.open(None, Duration::from_mins(1));
    for (huge, expected) in [
        ("select n, md5(n::text) from generate_series(1, 400000) n", "add a `limit`, or sum up in the statement"),
        ("select repeat('x', 1000000) from generate_series(1, 1000)", "more than 16 MiB after 16 rows"),
        ("select array_agg(n) from generate_series(1, 3000000) n", "more than 16 MiB after 0 rows"),
    ] {
        let refused = said(&db, huge).await;
        assert!(refused.contains(expected), "{refused}");
        assert_eq!(look(&db, "select 1").await.unwrap(), "1", "the next look is well");
    }
    let long =
        sql("select n as id, repeat('x', case n when 3 then 40000000 else 10 end) as payload from generate_series(1, 5) n");
    let refused = db.stream(&long, &Params::new(), &mut Nowhere).await.unwrap_err().to_string();
    assert!(refused.contains("row 3 is bigger than 8 MiB, its `payload` alone 39 MiB"), "{refused}");
    assert_eq!(look(&db, "select 1").await.unwrap(), "1", "the next look is well");
}

struct Nowhere;

impl Taker for Nowhere {
    fn take(&mut self, _: Rows) -> Result<(), String> {
        Ok(())
    }
}

#[tokio::test]
async fn a_line_that_breaks_or_drips_is_told_and_the_next_look_takes_a_new_one() {
    let Some(cluster) = Cluster::start() else { return };
    business(&cluster).await;
    let cut = SqlSystem::at(&Secret::secret(&address(CANARY, cuts_after(cluster.port, 4_000).await)), None, LIMIT).unwrap();
    let broken = said(&cut, "select repeat('x', 100000)").await;
    assert!(broken.starts_with("db: the line broke: "), "{broken}");
    assert_eq!(look(&cut, "select 1").await.unwrap(), "1");

    let drip =
        SqlSystem::at(&Secret::secret(&address(CANARY, drips(cluster.port).await)), Some("operator_actions"), SHORT).unwrap();
    let begun = Instant::now();
    assert_eq!(look(&drip, "select repeat('x', 100000)").await.unwrap_err(), SourceError::TimedOut(SHORT));
    let held = drip.act(&touch(), &mark("d1")).await;
    assert!(matches!(held, Outcome::Again { .. }), "{held:?}");
    assert!(begun.elapsed() < SHORT * 20, "{:?}", begun.elapsed());
    let patient = cluster.open(Some("operator_actions"), LIMIT);
    assert!(matches!(patient.look_up(&touch(), &mark("d1")).await, Found::Absent));
}

/// The line of an act broke, its commit is on the way: until that has come or gone, nobody says that it never was.
#[tokio::test]
async fn an_act_that_is_still_under_way_is_not_taken_for_one_that_never_came() {
    let Some(cluster) = Cluster::start() else { return };
    business(&cluster).await;
    let db = cluster.open(Some("operator_actions"), SHORT);
    let insert = "begin; insert into operator_actions (action_id, step, target, operator) values ('g1', 0, 'orders/1', 'ana')";
    for (end, came) in [("rollback", false), ("commit", true)] {
        let mut other = session(&cluster).await;
        say(&mut other, insert).await;
        let found = db.look_up(&touch(), &mark("g1")).await;
        assert!(matches!(found, Found::CannotTell(_)), "{end}: {found:?}");
        say(&mut other, end).await;
        let patient = cluster.open(Some("operator_actions"), LIMIT);
        let found = patient.look_up(&touch(), &mark("g1")).await;
        assert_eq!((matches!(found, Found::Ours(_)), matches!(found, Found::Absent)), (came, !came), "{end}: {found:?}");
    }
}

/// A way to the server that ends once the first line has brought so many bytes, and bears every line after it.
async fn cuts_after(server: u16, bytes: u64) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut limit = bytes;
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut upstream = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            let most = std::mem::replace(&mut limit, u64::MAX);
            tokio::spawn(async move {
                let (mut answers, mut asks) = upstream.split();
                let (mut asked, mut answered) = client.split();
                let mut answers = (&mut answers).take(most);
                tokio::select! {
                    _ = tokio::io::copy(&mut asked, &mut asks) => {}
                    _ = tokio::io::copy(&mut answers, &mut answered) => {}
                }
            });
        }
    });
    port
}

/// A way to the server on which its answers come byte by byte.
async fn drips(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut upstream = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            tokio::spawn(async move {
                let (mut answers, mut asks) = upstream.split();
                let (mut asked, mut answered) = client.split();
                let mut beat = tokio::time::interval(Duration::from_millis(15));
                let drip = async {
                    while let Ok(byte) = answers.read_u8().await {
                        beat.tick().await;
                        if answered.write_all(&[byte]).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::select! {
                    _ = tokio::io::copy(&mut asked, &mut asks) => {}
                    () = drip => {}
                }
            });
        }
    });
    port
}

/// Somebody at the address who says this to whoever comes, whatever he is told.
async fn says(words: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut heard = [0; 512];
                // What cannot be said or heard any more is over.
                let _ = client.read(&mut heard).await;
                let _ = client.write_all(words).await;
                while client.read(&mut heard).await.is_ok_and(|count| count > 0) {}
            });
        }
    });
    port
}

#[tokio::test]
async fn whoever_is_no_postgresql_is_told_in_plain_words_and_nothing_is_done() {
    const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    const SSH: &[u8] = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n";
    const REDIS: &[u8] = b"-ERR unknown command\r\n";
    const NOISE: &[u8] = &[0xff, 0x00, 0x13, 0x37, 0x80, 0x00, 0x00, 0x00, 0x00];
    const NOTHING: &[u8] = b"";
    crate::adapters::install_tls();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let not_postgres = "what answers there is not PostgreSQL";
    let slow = "no answer within 600 ms";
    for (what, port, query, expected) in [
        ("nobody", nobody, "", "nobody answers: "),
        ("http", says(HTTP).await, "", not_postgres),
        ("http", says(HTTP).await, "?sslmode=disable", slow),
        ("ssh", says(SSH).await, "", "no safe line: "),
        ("redis", says(REDIS).await, "", not_postgres),
        ("redis", says(REDIS).await, "?sslmode=disable", not_postgres),
        ("noise", says(NOISE).await, "", not_postgres),
        ("noise", says(NOISE).await, "?sslmode=disable", not_postgres),
        ("silence", says(NOTHING).await, "", slow),
        ("silence", says(NOTHING).await, "?sslmode=disable", slow),
        ("a huge word", says(b"R\x7f\xff\xff\xff").await, "?sslmode=disable", slow),
    ] {
        let url = format!("postgres://app:{CANARY}@127.0.0.1:{port}/postgres{query}");
        let db = SqlSystem::at(&Secret::secret(&url), Some("operator_actions"), SHORT).unwrap();
        let told = said(&db, "select 1").await;
        assert!(told.contains(expected), "{what} {query}: {told}");
        let outcome = db.act(&touch(), &mark("e1")).await;
        assert!(matches!(outcome, Outcome::Again { .. } | Outcome::Rejected(_)), "{what} {query}: {outcome:?}");
        assert!(matches!(db.look_up(&touch(), &mark("e1")).await, Found::CannotTell(_)), "{what} {query}");
        assert!(!told.contains(CANARY) && !words(&outcome).contains(CANARY), "{told}");
    }
}

#[tokio::test]
async fn whoever_is_not_let_in_is_told_why() {
    let Some(cluster) = Cluster::start() else { return };
    run(&cluster, "create database closed").await;
    run(&cluster, "revoke connect on database closed from public; create role narrow login password 'canary-7f3a9c'").await;
    let good = cluster.address(CANARY);
    for (url, expected) in [
        (good.replace(CANARY, "canary-wrong"), "password authentication failed"),
        (good.replace("app:", "nobody:"), "password authentication failed"),
        (good.replace("/postgres?", "/nowhere?"), "check the database's name in the address"),
        (good.replace("app:", "narrow:").replace("/postgres?", "/closed?"), "the role needs a grant for it"),
    ] {
        let db = SqlSystem::at(&Secret::secret(&url), None, LIMIT).unwrap();
        let told = said(&db, "select 1").await;
        assert!(told.contains(expected) && !told.contains("canary"), "{told}");
        let outcome = db.act(&touch(), &mark("f1")).await;
        assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    }
    // Every place is taken.
    run(&cluster, "alter role narrow connection limit 0").await;
    let db = SqlSystem::at(&Secret::secret(&good.replace("app:", "narrow:")), None, LIMIT).unwrap();
    let told = said(&db, "select 1").await;
    assert!(told.contains("short of connections"), "{told}");
    assert!(matches!(db.act(&touch(), &mark("f2")).await, Outcome::Again { .. }));
}
