use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::*;
use crate::{
    adapters::testing::{CANARY, LIMIT, mark, params, sql, words},
    domain::{id::Id, pack::Query},
};

struct Shop {
    system: SqlSystem,
    file: std::path::PathBuf,
    _directory: tempfile::TempDir,
}

impl Shop {
    async fn open(marks: Option<&str>, limit: Duration) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("shop.db");
        let shop = Self {
            system: SqlSystem::at(&Secret::secret(&format!("sqlite:{}", file.display())), marks, limit).unwrap(),
            file,
            _directory: directory,
        };
        let schema = format!(
            "create table orders (id text primary key, amount integer not null, paid boolean, rate real, placed_at datetime,
                 note text, raw blob, status text not null check (status <> ''), due date);
             insert into orders values ('o1', 2200, 1, 0.25, '2026-11-19 08:00:00', '2026-11-19T09:30:00Z', x'c0de', 'open', '2026-12-01'),
                 ('o2', 50, 0, null, '2026-11-18', 'a note', null, 'open', null);
             {}",
            marks_table(Database::Sqlite, "operator_actions")
        );
        shop.run(&schema).await;
        shop
    }

    async fn line(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(&self.file).create_if_missing(true).connect().await.unwrap()
    }

    async fn run(&self, text: &str) {
        sqlx::raw_sql(statement_of_the_pack(text)).execute(&mut self.line().await).await.unwrap();
    }

    async fn read(&self, query: &Query) -> Result<Rows, SourceError> {
        self.system.read(query, &Params::new()).await
    }

    async fn status(&self, id: &str) -> String {
        let rows = self.system.read(&sql("select status from orders where id = :id"), &params(&[("id", Value::text(id))])).await;
        rows.unwrap().first().unwrap().find("status").unwrap().original()
    }

    async fn marks(&self) -> usize {
        self.read(&sql("select 1 from operator_actions")).await.unwrap().len()
    }
}

fn ship(id: &str) -> Order {
    Order::Sql {
        on: Id::new("db"),
        statement: "update orders set status = 'shipped' where id = $1 and status = 'open'".into(),
        parameters: vec![Value::text(id)],
        rows: 1,
    }
}

fn order(statement: &str) -> Order {
    Order::Sql { on: Id::new("db"), statement: statement.into(), parameters: Vec::new(), rows: 1 }
}

#[tokio::test]
async fn every_stored_kind_becomes_its_cell() {
    let shop = Shop::open(None, LIMIT).await;
    let rows = shop.read(&sql("select * from orders order by id")).await.unwrap();
    let first = rows.first().unwrap();
    let time = |text: &str| Value::Time(text.parse().unwrap());
    assert_eq!(first.find("amount"), Some(&Value::Integer(2200)));
    assert_eq!(first.find("paid"), Some(&Value::Bool(true)));
    assert_eq!(first.find("rate"), Some(&Value::Decimal("0.25".parse().unwrap())));
    assert_eq!(first.find("placed_at"), Some(&time("2026-11-19T08:00:00Z")));
    assert_eq!(first.find("note"), Some(&time("2026-11-19T09:30:00Z")));
    assert_eq!(first.find("raw"), Some(&Value::text("c0de")));
    assert_eq!(first.find("due"), Some(&Value::text("2026-12-01")));
    let second = rows.iter().nth(1).unwrap();
    assert_eq!(second.find("rate"), Some(&Value::Null));
    assert_eq!(second.find("placed_at"), Some(&time("2026-11-18T00:00:00Z")));
    assert_eq!(second.find("note"), Some(&Value::text("a note")));
}

#[tokio::test]
async fn text_that_is_no_unicode_does_not_lose_the_list() {
    let shop = Shop::open(None, LIMIT).await;
    let rows = shop.read(&sql("select cast(x'41ff' as text) as odd, id from orders")).await.unwrap();
    assert_eq!(rows.first().unwrap().find("odd"), Some(&Value::text("A\u{fffd}")));
    assert_eq!(rows.len(), 2);
}

#[tokio::test]
async fn times_bind_as_the_database_writes_them() {
    let shop = Shop::open(None, LIMIT).await;
    let now = params(&[("now", Value::Time("2026-11-19T08:00:00.900Z".parse().unwrap()))]);
    let query = sql(
        "select id, datetime( :now) as moment, :now as bound from orders where placed_at >= :now and :now = '2026-11-19 08:00:00'",
    );
    let rows = shop.system.read(&query, &now).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows.first().unwrap().find("moment"), rows.first().unwrap().find("bound"));
}

#[tokio::test]
async fn no_rows_still_have_columns() {
    let shop = Shop::open(None, LIMIT).await;
    let rows = shop.read(&sql("select id, amount as total from orders where 1 = 0")).await.unwrap();
    assert!(rows.is_empty());
    assert_eq!(rows.columns(), ["id", "total"]);
}

#[tokio::test]
async fn a_table_that_grows_shows_its_new_column() {
    let shop = Shop::open(None, LIMIT).await;
    let before = shop.read(&sql("select * from orders")).await.unwrap();
    shop.run("alter table orders add column weight integer default 7").await;
    let after = shop.read(&sql("select * from orders")).await.unwrap();
    assert_eq!(after.columns().len(), before.columns().len() + 1);
    assert_eq!(after.first().unwrap().find("weight"), Some(&Value::Integer(7)));
}

#[tokio::test]
async fn a_missing_parameter_is_named_and_nothing_is_sent() {
    // No database at all: it would be unreachable if anything were sent.
    let system = SqlSystem::at(&Secret::plain("sqlite:/nowhere/at/all.db"), None, LIMIT).unwrap();
    let error = system.read(&sql("select 1 where :absent = 1"), &Params::new()).await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains(":absent")), "{error}");
}

#[tokio::test]
async fn a_read_never_writes() {
    let shop = Shop::open(None, LIMIT).await;
    for text in [
        "delete from orders",
        "select 1; delete from orders",
        "with x as (select 1) insert into orders (id, amount, status) values ('x', 1, 'x')",
    ] {
        let answer = shop.read(&sql(text)).await;
        assert!(matches!(&answer, Err(SourceError::Refused(why)) if why.shown().contains("may not write")), "{text}: {answer:?}");
    }
    assert_eq!(shop.read(&sql("select id from orders")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn mistakes_are_found_without_running() {
    let shop = Shop::open(None, LIMIT).await;
    let columns = shop.system.prepare(&sql("select id, amount as total from orders where id = :id")).await.unwrap();
    assert_eq!(columns, Some(vec!["id".to_owned(), "total".to_owned()]));
    for (text, said) in [
        ("select * from odrers", "no such table: odrers"),
        ("selec 1", "syntax error"),
        ("select prise from orders", "no such column: prise"),
    ] {
        let error = shop.system.prepare(&sql(text)).await.unwrap_err();
        assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains(said)), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_unreachable() {
    let system = SqlSystem::at(&Secret::plain("sqlite:/nowhere/at/all.db"), None, LIMIT).unwrap();
    let error = system.read(&sql("select 1"), &Params::new()).await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_statement_that_runs_on_is_ended() {
    let limit = Duration::from_millis(400);
    let shop = Shop::open(None, limit).await;
    let endless = sql("with recursive n(i) as (select amount from orders union all select i + 1 from n) select count(*) from n");
    assert_eq!(shop.read(&endless).await.unwrap_err(), SourceError::TimedOut(limit));
    // Were the driver's thread still counting, its lock would keep this commit out.
    let outcome = shop.system.act(&ship("o1"), &mark("a1")).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
}

#[tokio::test]
async fn an_act_changes_exactly_its_rows() {
    let shop = Shop::open(None, LIMIT).await;
    let done = shop.system.act(&ship("o1"), &mark("a1")).await;
    assert!(matches!(&done, Outcome::Confirmed(answer) if answer.said.shown() == "db: applied"), "{done:?}");
    assert_eq!(shop.status("o1").await, "shipped");
    assert!(matches!(shop.system.look_up(&ship("o1"), &mark("a1")).await, Found::CannotTell(_)));
}

#[tokio::test]
async fn what_someone_else_decided_is_not_overwritten() {
    let shop = Shop::open(Some("operator_actions"), LIMIT).await;
    shop.run("update orders set status = 'returned' where id = 'o1'").await;
    let outcome = shop.system.act(&ship("o1"), &mark("a1")).await;
    assert!(matches!(outcome, Outcome::Changed(_)), "{outcome:?}");
    assert_eq!(words(&outcome), "db: 0 rows instead of 1: someone decided it meanwhile; nothing was changed");
    assert_eq!(shop.marks().await, 0, "the mark must go with the rest");

    let outcome = shop.system.act(&order("update orders set note = 'x'"), &mark("a2")).await;
    assert!(words(&outcome).starts_with("db: 2 rows instead of 1"), "{outcome:?}");
    assert_eq!(shop.read(&sql("select id from orders where note = 'x'")).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_table_of_marks_that_is_not_as_it_must_be_is_told_before_an_act() {
    let shop = Shop::open(Some("operator_actions"), LIMIT).await;
    assert_eq!(shop.system.inspect().await.unwrap(), []);
    assert_eq!(shop.marks().await, 0, "only rehearsed");
    let whole = marks_table(Database::Sqlite, "operator_actions");
    let table = whole.split_inclusive(";\n").next().unwrap();
    for (made, said) in [
        (String::new(), "cannot be used (no such table: operator_actions)"),
        (table.replace("target text not null,", "").replace("operator text not null,", ""), "lacks target, operator;"),
        (table.replace(",\n    primary key (action_id, step)", ""), "ON CONFLICT clause does not match"),
    ] {
        shop.run(&format!("drop table if exists operator_actions; {made}")).await;
        // As at a start: a kept connection knows the columns that it has asked for.
        let address = Secret::secret(&format!("sqlite:{}", shop.file.display()));
        let system = SqlSystem::at(&address, Some("operator_actions"), LIMIT).unwrap();
        let found = system.inspect().await.unwrap();
        assert!(found.len() == 1 && found[0].shown().contains(said), "{said}: {found:?}");
        assert!(found[0].shown().starts_with("db: every act on this database will be refused"), "{found:?}");
        assert!(matches!(shop.system.act(&ship("o1"), &mark("a1")).await, Outcome::Rejected(_)));
    }
    // Without marks declared nothing is missing; a database that is not there is told of by its looks.
    assert_eq!(Shop::open(None, LIMIT).await.system.inspect().await.unwrap(), []);
}

#[tokio::test]
async fn an_act_whose_answer_was_lost_is_found_and_not_repeated() {
    let shop = Shop::open(Some("operator_actions"), LIMIT).await;
    let add = order("update orders set amount = amount + 1 where id = 'o1'");
    assert!(matches!(shop.system.look_up(&add, &mark("a1")).await, Found::Absent));
    assert!(matches!(shop.system.act(&add, &mark("a1")).await, Outcome::Confirmed(_)));
    assert!(matches!(shop.system.look_up(&add, &mark("a1")).await, Found::Ours(_)));
    let again = shop.system.act(&add, &mark("a1")).await;
    assert!(matches!(&again, Outcome::Confirmed(answer) if answer.said.shown() == "db: already applied"), "{again:?}");
    let amount = shop.read(&sql("select amount from orders where id = 'o1'")).await.unwrap();
    assert_eq!(amount.first().unwrap().find("amount"), Some(&Value::Integer(2201)));

    // Another step of the same act is another mark.
    let second = Mark { step: 1, ..mark("a1") };
    assert!(matches!(shop.system.look_up(&add, &second).await, Found::Absent));
    let kept = shop.read(&sql("select target, operator from operator_actions")).await.unwrap();
    assert_eq!(kept.first().unwrap().find("operator"), Some(&Value::text("ana")));
}

#[tokio::test]
async fn a_locked_database_is_asked_again_and_a_broken_rule_is_not() {
    let shop = Shop::open(None, Duration::from_millis(800)).await;
    let mut other = shop.line().await;
    sqlx::raw_sql("begin immediate").execute(&mut other).await.unwrap();
    let outcome = shop.system.act(&ship("o1"), &mark("a1")).await;
    assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
    assert!(words(&outcome).contains("someone else is writing"), "{outcome:?}");
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();

    for text in [
        "update orders set status = '' where id = 'o1'",
        "update odrers set x = 1",
        "insert into orders (id, amount, status) values ('o1', 1, 'x')",
    ] {
        let outcome = shop.system.act(&order(text), &mark("a2")).await;
        assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    }
    // Nothing of it is left standing in the way.
    assert!(matches!(shop.system.act(&ship("o1"), &mark("a3")).await, Outcome::Confirmed(_)));
}

#[tokio::test]
async fn an_order_for_another_system_is_rejected() {
    let shop = Shop::open(None, LIMIT).await;
    let outcome = shop.system.act(&Order::Webhook { on: Id::new("db"), text: "hi".into() }, &mark("a")).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
}

#[test]
fn the_address_is_judged_when_it_is_opened_and_its_password_stays_unsaid() {
    for bad in [
        format!("mysql://a:{CANARY}@h/d"),
        format!("postgres://a:{CANARY}@h:port/d"),
        format!("postgres://a:{CANARY}@h/d?sslmode=odd"),
    ] {
        let problem = SqlSystem::at(&Secret::secret(&bad), None, LIMIT).unwrap_err();
        assert!(!problem.contains(CANARY), "{problem}");
    }
    let good = SqlSystem::at(&Secret::secret(&format!("postgres://a:{CANARY}@h/d")), None, LIMIT).unwrap();
    assert!(!format!("{good:?}").contains(CANARY));
    assert!(SqlSystem::at(&Secret::plain("sqlite:x.db"), Some("a; drop table b"), LIMIT).is_err());
}

#[tokio::test]
async fn nobody_at_the_address_is_unreachable_at_once() {
    let address = crate::adapters::testing::nobody().await.replace("http://", &format!("postgres://a:{CANARY}@"));
    let system = SqlSystem::at(&Secret::secret(&address), None, LIMIT).unwrap();
    let error = system.read(&sql("select 1"), &Params::new()).await.unwrap_err();
    assert!(matches!(&error, SourceError::Unreachable(why) if why.shown().contains("nobody answers")), "{error:?}");
    assert!(!format!("{error:?}").contains(CANARY));
    assert!(matches!(system.act(&ship("o1"), &mark("a")).await, Outcome::Again { .. }));
}

/// Takes so many parts, and no more.
struct Basket {
    parts: Vec<usize>,
    at_most: usize,
}

impl Taker for Basket {
    fn take(&mut self, rows: Rows) -> Result<(), String> {
        if self.parts.len() == self.at_most {
            return Err("books: row 4001 has no `n`".to_owned());
        }
        assert_eq!(rows.columns(), ["n"]);
        self.parts.push(rows.len());
        Ok(())
    }
}

#[tokio::test]
async fn a_long_list_comes_in_parts_and_whoever_takes_them_may_stop() {
    let shop = Shop::open(None, Duration::from_secs(20)).await;
    let numbers =
        sql("with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 4500) select n from numbers");
    let mut all = Basket { parts: vec![], at_most: usize::MAX };
    assert_eq!(shop.system.stream(&numbers, &Params::new(), &mut all).await.unwrap(), Vec::<String>::new());
    assert_eq!(all.parts, [2000, 2000, 500]);
    let mut some = Basket { parts: vec![], at_most: 2 };
    let stopped = shop.system.stream(&numbers, &Params::new(), &mut some).await.unwrap_err();
    assert_eq!(stopped, SourceError::Refused("books: row 4001 has no `n`".into()));
    let mut none = Basket { parts: vec![], at_most: usize::MAX };
    shop.system.stream(&sql("select 1 as n where 1 = 0"), &Params::new(), &mut none).await.unwrap();
    assert_eq!(none.parts, [0]);
    let lacking = shop.system.stream(&sql("select :x as n"), &Params::new(), &mut none).await.unwrap_err();
    assert!(lacking.to_string().contains("needs :x"), "{lacking}");
}

/// How many rows each part has.
struct Counts(Vec<usize>);

impl Taker for Counts {
    fn take(&mut self, rows: Rows) -> Result<(), String> {
        self.0.push(rows.len());
        Ok(())
    }
}

#[tokio::test]
async fn what_is_held_at_a_time_is_bounded_in_bytes_as_well() {
    let shop = Shop::open(None, Duration::from_secs(20)).await;
    let rows = |count: u32, bytes: u32| {
        sql(&format!(
            "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {count}) \
             select n, hex(zeroblob(case n when 9 then {bytes} else 500000 end)) as payload from numbers"
        ))
    };
    let mut counts = Counts(vec![]);
    shop.system.stream(&rows(12, 500_000), &Params::new(), &mut counts).await.unwrap();
    assert_eq!(counts.0, [5, 5, 2]);
    let mut counts = Counts(vec![]);
    let refused = shop.system.stream(&rows(12, 4_500_000), &Params::new(), &mut counts).await.unwrap_err();
    assert!(
        matches!(&refused, SourceError::Refused(said) if said.shown().ends_with("row 9 is bigger than 8 MiB, its `payload` alone 9 MiB; leave that column out of the statement, or shorten it there")),
        "{refused}"
    );
    assert_eq!(counts.0, [5]);
    let refused = shop.system.read(&rows(40, 500_000), &Params::new()).await.unwrap_err();
    assert!(refused.to_string().contains("more than 16 MiB after 16 rows"), "{refused}");
    assert_eq!(shop.system.read(&sql("select 1 as n"), &Params::new()).await.unwrap().len(), 1, "the next look is well");
}

#[tokio::test]
async fn a_list_whose_next_part_does_not_come_is_not_waited_for() {
    let shop = Shop::open(None, Duration::from_millis(300)).await;
    let endless =
        sql("with recursive numbers(n) as (select 1 union all select n + 1 from numbers) select n from numbers where n < 0");
    let mut basket = Basket { parts: vec![], at_most: usize::MAX };
    let late = shop.system.stream(&endless, &Params::new(), &mut basket).await.unwrap_err();
    assert!(matches!(late, SourceError::TimedOut(_)), "{late}");
}
