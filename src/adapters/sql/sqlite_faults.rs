//! A file that is not there, may not be used, is damaged or is something else: told in plain words, by looks and acts
//! alike, and nothing of it is lost. Beside them what is not a fault of the file and still not to be believed.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};

use super::*;
use crate::{
    adapters::testing::{LIMIT, mark, params, sql, words},
    domain::id::Id,
};

fn open(file: &Path) -> SqlSystem {
    SqlSystem::at(&Secret::secret(&format!("sqlite:{}", file.display())), Some("operator_actions"), LIMIT).unwrap()
}

async fn run(file: &Path, text: &str) {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let mut line = options.connect().await.unwrap();
    sqlx::raw_sql(statement_of_the_pack(text)).execute(&mut line).await.unwrap();
}

async fn shop(file: &Path) {
    let marks = marks_table(Database::Sqlite, "operator_actions");
    let table = "create table orders (id text primary key, status text, note text)";
    run(file, &format!("{table}; insert into orders values ('o1', 'open', ''); {marks}")).await;
}

fn ship() -> Order {
    let statement = "update orders set status = 'shipped' where id = 'o1' and status = 'open'".into();
    Order::Sql { on: Id::new("db"), statement, parameters: Vec::new(), rows: 1 }
}

async fn look(system: &SqlSystem) -> Result<Rows, SourceError> {
    system.read(&sql("select status from orders"), &Params::new()).await
}

async fn status(file: &Path) -> String {
    look(&open(file)).await.unwrap().first().unwrap().find("status").unwrap().original()
}

#[tokio::test]
async fn an_act_on_a_file_that_is_not_there_waits_for_it_and_makes_none() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let system = open(&file);
    let outcome = system.act(&ship(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    assert!(words(&outcome).contains("is the file there, and may you open it?"), "{outcome:?}");
    assert!(!file.exists(), "an empty one in its place would look like a lost business");
    assert!(matches!(system.look_up(&ship(), &mark("a")).await, Found::CannotTell(_)));
    // It comes back, and the same act goes through, once.
    shop(&file).await;
    for _ in 0..2 {
        assert!(matches!(system.act(&ship(), &mark("a")).await, Outcome::Confirmed(_)));
    }
    assert_eq!(status(&file).await, "shipped");
}

#[tokio::test]
async fn a_directory_in_the_place_of_the_file_is_told_by_looks_and_acts() {
    let directory = tempfile::tempdir().unwrap();
    let system = open(directory.path());
    let failed = look(&system).await.unwrap_err();
    assert!(matches!(&failed, SourceError::Unreachable(why) if why.shown().contains("may you open it?")), "{failed:?}");
    let outcome = system.act(&ship(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_file_that_may_only_be_read_takes_no_act_and_is_read_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    shop(&file).await;
    // Whoever may do everything is kept out by nothing but the address.
    let system = open(Path::new(&format!("{}?mode=ro", file.display())));
    let outcome = system.act(&ship(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert!(words(&outcome).contains("nobody into a file that is read-only"), "{outcome:?}");
    assert!(matches!(system.look_up(&ship(), &mark("a")).await, Found::Absent));
    assert_eq!(status(&file).await, "open");

    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_ok() {
        println!("this user may read every file (root): one without the permission was not tried");
        return;
    }
    let system = open(&file);
    assert!(matches!(look(&system).await, Err(SourceError::Unreachable(_))));
    assert!(matches!(system.act(&ship(), &mark("a")).await, Outcome::Again { .. }));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    let letter = "Dear customers, this is a letter and no database. ".repeat(100);
    fs::write(&file, &letter).unwrap();
    let system = open(&file);
    let failed = look(&system).await.unwrap_err();
    assert!(matches!(&failed, SourceError::Malformed(why) if why.shown().contains("damaged or no database")), "{failed:?}");
    let outcome = system.act(&ship(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert!(words(&outcome).contains("put a backup in its place"), "{outcome:?}");
    assert!(matches!(system.look_up(&ship(), &mark("a")).await, Found::CannotTell(_)));
    assert_eq!(fs::read_to_string(&file).unwrap(), letter);
}

#[tokio::test]
async fn a_damaged_file_is_told_and_what_is_whole_of_it_is_lost_by_no_act() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    shop(&file).await;
    let many = "with n(n) as (select 1 union all select n + 1 from n where n < 2000) ";
    run(&file, &format!("{many}insert into orders select 'x' || n, 'open', 'a note' from n")).await;
    let mut bytes = fs::read(&file).unwrap();
    // The first page, with the schema, is whole: the damage is met on the way.
    bytes[8192..].fill(0xff);
    fs::write(&file, &bytes).unwrap();
    let system = open(&file);
    let failed = look(&system).await.unwrap_err();
    assert!(matches!(&failed, SourceError::Malformed(why) if why.shown().contains("put a backup in its place")), "{failed:?}");
    let outcome = system.act(&ship(), &mark("a")).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert!(words(&outcome).contains("damaged"), "{outcome:?}");
    assert_eq!(fs::read(&file).unwrap(), bytes, "what can still be rescued of it is as it was");
}

#[tokio::test]
async fn moments_in_another_form_are_never_compared_in_silence() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    shop(&file).await;
    let table = "create table repairs (id text, promised_at text, brought_at timestamp, made integer, done_at text, \
                 millis integer, julian real)";
    let row = "insert into repairs values ('r1', '2026-01-01T08:00:00Z', '2026-01-01 07:00:00', 1767225600, null, \
               1767225600000, julianday('2026-01-01 00:00:00')), ('r2', null, null, null, null, 0, null)";
    run(&file, &format!("{table}; {row}; create table bills (id text, promised_at text)")).await;
    let system = open(&file);
    let now = params(&[("now", Value::Time("2026-01-01T09:00:00Z".parse().unwrap()))]);
    for (condition, said) in [
        ("promised_at < :now", Some("`repairs.promised_at` holds moments like `2026-01-01T08:00:00Z`")),
        ("r.promised_at between '2026' and :now or :now >= r.promised_at", Some("write `datetime(promised_at)`")),
        ("made < :now", Some("`repairs.made` holds numbers like 1767225600")),
        (
            "millis < :now",
            Some(
                "like 1767225600000, and a number counts as earlier than every moment; write `datetime(millis / 1000, 'unixepoch')`",
            ),
        ),
        ("julian < :now", Some("write `datetime(julian)`")),
        ("datetime(millis / 1000, 'unixepoch') between '2026-01-01 00:00:00' and :now", None),
        ("datetime(julian) between '2026-01-01 00:00:00' and :now", None),
        (
            "id in (select id from (select id, datetime(promised_at) promised_at from repairs where promised_at < :now))",
            Some("`repairs.promised_at` holds moments like"),
        ),
        ("datetime(promised_at) < :now", None),
        ("datetime(made, 'unixepoch') < :now", None),
        ("brought_at < :now", None),
        ("brought_at is not null and (done_at is null or done_at < :now)", None),
        ("strftime('%Y-%m-%dT%H:%M:%SZ', :now) > promised_at", None),
        ("id in (select id from (select id, datetime(promised_at) as promised_at from repairs) where promised_at < :now)", None),
        (
            "id in (with due as (select id, datetime(promised_at) promised_at from repairs) select id from due where promised_at < :now)",
            None,
        ),
        (
            "id in (with due(id, promised_at) as (select id, datetime(promised_at) from repairs) select id from due where promised_at < :now)",
            None,
        ),
    ] {
        let rows = system.read(&sql(&format!("select r.id from repairs r where {condition}")), &now).await;
        match (rows, said) {
            (Ok(rows), None) => assert_eq!(rows.len(), 1, "{condition}"),
            (Err(SourceError::Refused(why)), Some(said)) => assert!(why.shown().contains(said), "{condition}: {why}"),
            (other, _) => panic!("{condition}: {other:?}"),
        }
    }
    let late = Order::Sql {
        on: Id::new("db"),
        statement: "update repairs set done_at = $1 where promised_at > $1".into(),
        parameters: vec![Value::Time("2026-01-01T09:00:00Z".parse().unwrap())],
        rows: 1,
    };
    let outcome = system.act(&late, &mark("a")).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "an hour too late, and by text it is not: {outcome:?}");
    assert!(words(&outcome).contains("`repairs.promised_at` holds moments like"), "{outcome:?}");
    // Whose column it is, is not known: the bills have none in that form.
    run(&file, "insert into bills values ('b1', '2026-01-01 08:00:00')").await;
    let either = sql("select 1 as one from repairs where id = 'r1' and exists (select 1 from bills where promised_at < :now)");
    assert_eq!(system.read(&either, &now).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_done_stays_done_whatever_form_its_column_holds_by_now() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("shop.db");
    shop(&file).await;
    run(&file, "create table repairs (id text, due text); insert into repairs values ('r1', '2026-01-01 08:00:00')").await;
    let system = open(&file);
    let collect = Order::Sql {
        on: Id::new("db"),
        statement: "update repairs set due = null where due < $1".into(),
        parameters: vec![Value::Time("2026-01-01T09:00:00Z".parse().unwrap())],
        rows: 1,
    };
    assert!(matches!(system.act(&collect, &mark("a")).await, Outcome::Confirmed(_)));
    run(&file, "insert into repairs values ('r2', '2026-01-01T08:00:00Z')").await;
    let again = system.act(&collect, &mark("a")).await;
    assert!(matches!(again, Outcome::Confirmed(_)), "{again:?}");
    // A new act is refused all the same.
    let other = system.act(&collect, &mark("b")).await;
    assert!(matches!(other, Outcome::Rejected(_)) && words(&other).contains("holds moments like"), "{other:?}");
}
