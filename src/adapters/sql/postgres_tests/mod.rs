//! PostgreSQL itself, started for the test: what only the real one shows.

mod cluster;
mod faults;
mod tls;
mod types;

use self::cluster::{Cluster, Pooler, address};
use super::{Database, Reached, SqlSystem, marks_table};
use crate::{
    adapters::{
        environment::Found as Secret,
        testing::{CANARY, LIMIT, mark, params, sql, words},
    },
    domain::{
        id::Id,
        plan::Order,
        rights::{Needs, Runner, Wanted},
        rows::Params,
        value::Value,
    },
    ports::{Doer as _, Found, Outcome, Source as _, SourceError},
};

async fn run(cluster: &Cluster, text: &str) {
    use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
    let options: PgConnectOptions = cluster.address(CANARY).parse().unwrap();
    let mut line = options.connect().await.unwrap();
    sqlx::raw_sql(super::statement_of_the_pack(text)).execute(&mut line).await.unwrap();
}

fn order(statement: &str, parameters: Vec<Value>) -> Order {
    Order::Sql { on: Id::new("db"), statement: statement.into(), parameters, rows: 1 }
}

const SCHEMA: &str = "
    create type state as enum ('open', 'shipped');
    create domain cents as integer check (value >= 0);
    create table orders (id uuid primary key, state state not null default 'open', amount cents not null, rate double precision,
        share numeric(6, 3), paid boolean, placed_at timestamptz, at_wall timestamp, due date, note text, tags text[], facts jsonb, raw bytea);
    insert into orders values ('7f9c2ba4-e88f-4a27-8f3c-111111111111', 'open', 2200, 0.25, 12.500, true, '2026-11-19 19:00:00+11',
        '2026-11-19 08:00:00', '2026-12-01', 'a note', array['x', null], '{\"a\": 1}', '\\xc0de');";

#[tokio::test]
async fn postgres_reads_and_acts_as_it_should() {
    let Some(cluster) = Cluster::start() else { return };
    run(&cluster, SCHEMA).await;
    tables_of_marks(&cluster).await;
    roles(&cluster).await;
    let db = cluster.open(Some("operator_actions"), LIMIT);
    cells(&db).await;
    binds(&db).await;
    refusals(&db, &cluster).await;
    acts(&db).await;
    two_roles(&cluster).await;
    contention(&cluster).await;
    nothing_is_left_behind(&cluster).await;
    a_lost_commit(&cluster, true).await;
    a_lost_commit(&cluster, false).await;
    behind_a_pooler(&cluster).await;
    a_table_that_changes(&cluster).await;
}

/// Leaves the table there, as it must be.
async fn tables_of_marks(cluster: &Cluster) {
    let whole = marks_table(Database::Postgres, "operator_actions");
    let table = whole.split_inclusive(";\n").next().unwrap();
    let select = "grant select on operator_actions to narrow";
    let without_key = table.replace(",\n    primary key (action_id, step)", "");
    run(cluster, &format!("create role narrow login password '{CANARY}'")).await;
    let narrow = cluster.address(CANARY).replace("app:", "narrow:");
    for (made, said) in [
        ("select 1".to_owned(), "does not exist"),
        (format!("{}; {select}", table.replace("target text not null,", "")), "`operator_actions` lacks target;"),
        (format!("{without_key} grant select, insert on operator_actions to narrow"), "no unique or exclusion constraint"),
        (format!("{table} {select}"), "permission denied for table operator_actions; the role needs a grant for it"),
    ] {
        run(cluster, &format!("drop table if exists operator_actions; {made}")).await;
        let db = SqlSystem::at(&Secret::secret(&narrow), Some("operator_actions"), LIMIT).unwrap();
        let found = db.inspect().await.unwrap();
        assert!(found.len() == 1 && found[0].shown().contains(said), "{said}: {found:?}");
        assert!(found[0].shown().contains("wheelhouse pack ddl"), "{found:?}");
    }
    run(cluster, &format!("drop table operator_actions; {whole}")).await;
    let db = cluster.open(Some("operator_actions"), LIMIT);
    let told = db.inspect().await.unwrap();
    assert!(told.len() == 1 && told[0].shown().starts_with("db: the role `app` is a superuser"), "{told:?}");
    assert_eq!(db.read(&sql("select 1 from operator_actions"), &Params::new()).await.unwrap().len(), 0, "only rehearsed");
}

/// A role that could do more than any action needs is told of, and one that could not is not.
async fn roles(cluster: &Cluster) {
    let greedy = "create role greedy login password 'PASSWORD' createdb; create table hers (n integer); alter table hers owner to greedy; \
                  grant select, delete on orders to greedy; create role modest login password 'PASSWORD'; \
                  grant select, update (note) on orders to modest";
    run(cluster, &greedy.replace("PASSWORD", CANARY)).await;
    let told = async |role: &str| {
        let address = cluster.address(CANARY).replace("app:", &format!("{role}:"));
        let told = SqlSystem::at(&Secret::secret(&address), None, LIMIT).unwrap().inspect().await.unwrap();
        told.iter().map(|said| said.shown().to_owned()).collect::<Vec<_>>()
    };
    let greedy = told("greedy").await;
    assert_eq!(greedy.len(), 3, "{greedy:#?}");
    assert!(greedy[0].contains("`greedy` can make roles or databases"), "{greedy:#?}");
    assert!(greedy[1].contains("`greedy` owns public.hers"), "{greedy:#?}");
    assert!(greedy[2].ends_with("`revoke delete, truncate on public.orders from greedy`"), "{greedy:#?}");
    assert_eq!(told("modest").await, [] as [&str; 0]);
}

async fn cells(db: &SqlSystem) {
    let rows = db.read(&sql("select *, now() - now() as spent from orders"), &Params::new()).await.unwrap();
    let row = rows.first().unwrap();
    let moment = Value::Time("2026-11-19T08:00:00Z".parse().unwrap());
    for (column, value) in [
        ("id", Value::text("7f9c2ba4-e88f-4a27-8f3c-111111111111")),
        ("state", Value::text("open")),
        ("amount", Value::Integer(2200)),
        ("rate", Value::Decimal("0.25".parse().unwrap())),
        ("share", Value::Decimal("12.5".parse().unwrap())),
        ("paid", Value::Bool(true)),
        ("placed_at", moment.clone()),
        ("at_wall", moment),
        ("due", Value::text("2026-12-01")),
        ("note", Value::text("a note")),
        ("tags", Value::Json(serde_json::json!(["x", null]))),
        ("facts", Value::Json(serde_json::json!({ "a": 1 }))),
        ("raw", Value::text("c0de")),
        ("spent", Value::text("00:00:00")),
    ] {
        assert_eq!(row.find(column), Some(&value), "{column}");
    }
    let empty = db.read(&sql("select id, amount as total from orders where false"), &Params::new()).await.unwrap();
    assert_eq!(empty.columns(), ["id", "total"]);
}

/// A value arrives as the type that the server wants, whatever it was when it was read.
async fn binds(db: &SqlSystem) {
    let moment = Value::Time("2026-11-19T08:00:00Z".parse().unwrap());
    for (clause, value) in [
        ("id = :v", Value::text("7f9c2ba4-e88f-4a27-8f3c-111111111111")),
        ("state = :v", Value::text("open")),
        ("amount = :v", Value::Integer(2200)),
        ("amount = :v", Value::text("2200")),
        ("rate = :v", Value::Decimal("0.25".parse().unwrap())),
        ("share = :v", Value::Decimal("12.5".parse().unwrap())),
        ("paid = :v", Value::Bool(true)),
        ("placed_at = :v", moment.clone()),
        ("at_wall = :v", moment.clone()),
        ("placed_at > :v", Value::text("2026-11-18 08:00:00")),
        ("due = :v", Value::text("2026-12-01")),
        ("note = :v", Value::text("a note")),
        ("facts = :v", Value::Json(serde_json::json!({ "a": 1 }))),
        ("raw = :v", Value::text("c0de")),
        (":v is null", Value::Null),
    ] {
        let clause = if value.is_null() { "cast( :v as text) is null" } else { clause };
        let rows = db.read(&sql(&format!("select 1 from orders where {clause}")), &params(&[("v", value.clone())])).await;
        assert_eq!(rows.unwrap_or_else(|error| panic!("{clause}: {error}")).len(), 1, "{clause} {value:?}");
    }
    let unfit = db.read(&sql("select 1 from orders where id = :v"), &params(&[("v", Value::text("7"))])).await.unwrap_err();
    assert!(
        matches!(&unfit, SourceError::Refused(why) if why.shown().contains("parameter 1") && why.shown().contains("uuid")),
        "{unfit:?}"
    );
}

async fn refusals(db: &SqlSystem, cluster: &Cluster) {
    let columns = db.prepare(&sql("select id, amount as total from orders where id = :id")).await.unwrap();
    assert_eq!(columns, Some(vec!["id".to_owned(), "total".to_owned()]));
    for (text, said) in [("select * from odrers", "odrers"), ("selec 1", "syntax error"), ("select prise from orders", "prise")] {
        let error = db.prepare(&sql(text)).await.unwrap_err();
        assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains(said)), "{error:?}");
    }
    let error = db.read(&sql("delete from orders"), &Params::new()).await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains("may not write")), "{error:?}");

    let wrong = SqlSystem::at(&Secret::secret(&cluster.address("wrong-canary-7f3a9c")), None, LIMIT).unwrap();
    let error = wrong.read(&sql("select 1"), &Params::new()).await.unwrap_err();
    assert!(matches!(error, SourceError::Denied(_)), "{error:?}");
    assert!(!format!("{error:?}").contains(CANARY), "{error:?}");

    let quick = cluster.open(None, std::time::Duration::from_millis(300));
    let error = quick.read(&sql("select pg_sleep(30)"), &Params::new()).await.unwrap_err();
    assert!(matches!(error, SourceError::TimedOut(_)), "{error:?}");
}

async fn acts(db: &SqlSystem) {
    let id = Value::text("7f9c2ba4-e88f-4a27-8f3c-111111111111");
    let ship = order("update orders set state = $2 where id = $1 and state = 'open'", vec![id.clone(), Value::text("shipped")]);
    assert!(matches!(db.look_up(&ship, &mark("a1")).await, Found::Absent));
    let done = db.act(&ship, &mark("a1")).await;
    assert!(matches!(done, Outcome::Confirmed(_)), "{done:?}");
    assert!(matches!(db.look_up(&ship, &mark("a1")).await, Found::Ours(_)));
    let again = db.act(&ship, &mark("a1")).await;
    assert_eq!(words(&again), "db: already applied");
    let other = db.act(&ship, &mark("a2")).await;
    assert_eq!(words(&other), "db: 0 rows instead of 1: someone decided it meanwhile; nothing was changed");
    assert!(matches!(db.look_up(&ship, &mark("a2")).await, Found::Absent));
    let broken = db.act(&order("update orders set amount = -1 where id = $1", vec![id]), &mark("a3")).await;
    assert!(matches!(broken, Outcome::Rejected(_)), "{broken:?}");
    assert!(matches!(db.look_up(&ship, &mark("a3")).await, Found::Absent));
}

/// Looks by a role that may only read, acts by one that may change one column.
async fn two_roles(cluster: &Cluster) {
    let roles = "create role looks login password 'PASSWORD'; grant select on orders to looks; create role acts login password 'PASSWORD'; \
                 grant select, update (note) on orders to acts; grant select, insert on operator_actions to acts; \
                 grant update (ended_at, outcome) on operator_actions to acts";
    run(cluster, &roles.replace("PASSWORD", CANARY)).await;
    let by = |role: &str| Secret::secret(&cluster.address(CANARY).replace("app:", &format!("{role}:")));
    let (looks, acts) = (by("looks"), by("acts"));
    let reached = Reached { url: &looks, act_url: Some(&acts), authority: None, zone: None, timeout: LIMIT };
    let db = SqlSystem::open("db", &reached, Some("operator_actions")).unwrap();
    assert_eq!(db.inspect().await.unwrap(), [], "the marks are rehearsed by whoever acts");
    let who = db.read(&sql("select current_user::text as who from orders"), &Params::new()).await.unwrap();
    assert_eq!(who.first().unwrap().find("who"), Some(&Value::text("looks")));
    let known: Vec<_> = db.identify().await.unwrap().facts.into_iter().map(|(fact, said)| format!("{fact} {said}")).collect();
    assert!(known.contains(&"role looks".to_owned()) && known.contains(&"acts as acts".to_owned()), "{known:?}");
    let note = order("update orders set note = current_user", Vec::new());
    assert!(matches!(db.act(&note, &mark("r1")).await, Outcome::Confirmed(_)));
    assert!(matches!(db.look_up(&note, &mark("r1")).await, Found::Ours(_)));
    let rows = db.read(&sql("select note from orders"), &Params::new()).await.unwrap();
    assert_eq!(rows.first().unwrap().find("note"), Some(&Value::text("acts")));
    let beyond = db.act(&order("update orders set amount = 1", Vec::new()), &mark("r2")).await;
    assert!(words(&beyond).contains("permission denied for table orders"), "{beyond:?}");
    assert_eq!(db.claims(&["orders/1".to_owned()]).await.unwrap().unwrap().held, []);

    let wanted =
        |of: &str, text: &str, parameters: usize, by: Runner| Wanted { of: of.into(), text: text.into(), parameters, by };
    let ours = |statements: Vec<Wanted>| Needs { statements, ..Needs::default() };
    let id = "where id = $1";
    let met = ours(vec![
        wanted("checks.a", &format!("select note from orders {id}"), 1, Runner::Looks),
        wanted("actions.b", &format!("update orders set note = $2 {id}"), 2, Runner::Acts),
        wanted("actions.b", &format!("select note from orders {id}"), 1, Runner::LooksAndClaims),
        wanted("actions.odd", "update odrers set note = 'x'", 0, Runner::Acts),
    ]);
    assert_eq!(db.rights(&met).await.lacks, [], "what does not fit is told where it is prepared");
    let unmet = ours(vec![
        wanted("checks.a", "select target from operator_actions", 0, Runner::Looks),
        wanted("checks.a", "select outcome from operator_actions", 0, Runner::Looks),
        wanted("actions.b", &format!("update orders set note = $2 {id}"), 2, Runner::Acts),
        wanted("actions.c", &format!("update orders set amount = $2, note = 'x' {id}"), 2, Runner::Acts),
        wanted("actions.d", &format!("delete from orders {id}"), 1, Runner::Acts),
        wanted("actions.e", "select outcome from operator_actions", 0, Runner::LooksAndClaims),
    ]);
    let lacks: Vec<String> = db.rights(&unmet).await.lacks.iter().map(|said| said.shown().to_owned()).collect();
    let denied = |of: &str, role: &str, table: &str| {
        format!("db: {of} what the role `{role}` may not: permission denied for table {table}; the role needs a grant for it")
    };
    assert_eq!(
        lacks,
        [
            denied("`actions.c`, `actions.d` need", "acts", "orders"),
            denied("`checks.a`, `actions.e` need", "looks", "operator_actions"),
        ]
    );
    let rows = db.read(&sql("select amount from orders"), &Params::new()).await.unwrap();
    assert_eq!(rows.first().unwrap().find("amount"), Some(&Value::Integer(2200)), "nothing was run");

    let told = SqlSystem::open("db", &Reached { url: &acts, act_url: Some(&Secret::plain("sqlite:x.db")), ..reached }, None);
    assert!(told.unwrap_err().contains("must lead to the same database"));
}

async fn contention(cluster: &Cluster) {
    use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
    let options: PgConnectOptions = cluster.address(CANARY).parse().unwrap();
    let mut other = options.connect().await.unwrap();
    sqlx::raw_sql("begin; select 1 from orders for update").execute(&mut other).await.unwrap();
    let quick = cluster.open(None, std::time::Duration::from_millis(300));
    let held = quick.act(&order("update orders set note = 'held'", Vec::new()), &mark("b1")).await;
    assert!(matches!(held, Outcome::Again { .. }), "{held:?}");
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
    // Under load the reading may take longer than the act was given.
    let patient = cluster.open(None, LIMIT);
    let rows = patient.read(&sql("select 1 from orders where note = 'held'"), &Params::new()).await.unwrap();
    assert!(rows.is_empty(), "an act that is to be asked again must not have happened");

    // A deferred rule speaks only at the commit, and then nothing happened.
    run(cluster, "create table once (n integer unique deferrable initially deferred); insert into once values (1)").await;
    let late = patient.act(&order("insert into once values (1)", Vec::new()), &mark("b2")).await;
    assert!(matches!(late, Outcome::Rejected(_)), "{late:?}");
}

/// Behind a transaction pooler, another program meets what this one forgets to clear.
async fn nothing_is_left_behind(cluster: &Cluster) {
    let db = cluster.open(None, LIMIT);
    let look = sql("select state, (select count(*) from pg_prepared_statements) as left_behind from orders");
    for _ in 0..3 {
        let rows = db.read(&look, &Params::new()).await.unwrap();
        assert_eq!(rows.first().unwrap().find("left_behind"), Some(&Value::Integer(0)));
    }
}

/// The line breaks when the commit is sent: whether it arrived, only the mark can tell.
async fn a_lost_commit(cluster: &Cluster, arrives: bool) {
    let port = cuts_at_commit(cluster.port, arrives).await;
    let db = SqlSystem::at(&Secret::secret(&address(CANARY, port)), Some("operator_actions"), LIMIT).unwrap();
    let name = if arrives { "c1" } else { "c2" };
    let note = order("update orders set note = $1", vec![Value::text(name)]);
    let outcome = db.act(&note, &mark(name)).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert!(words(&outcome).starts_with("db: no answer to the commit: "), "{outcome:?}");
    let found = cluster.open(Some("operator_actions"), LIMIT).look_up(&note, &mark(name)).await;
    assert_eq!(matches!(found, Found::Ours(_)), arrives, "{found:?}");
    assert_eq!(matches!(found, Found::Absent), !arrives, "{found:?}");
}

/// A line to the server that ends at the first commit, before or after the server has carried it out.
async fn cuts_at_commit(server: u16, arrives: bool) -> u16 {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut upstream = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
        let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
        loop {
            tokio::select! {
                read = client.read(&mut asked) => {
                    let sent = &asked[..read.unwrap()];
                    let is_commit = sent.windows(6).any(|word| word == b"commit");
                    if !is_commit || arrives {
                        upstream.write_all(sent).await.unwrap();
                    }
                    if is_commit {
                        // The answer is waited for, so that the commit is carried out, and kept back.
                        if arrives {
                            let answer = upstream.read(&mut answered).await.unwrap();
                            assert!(answer > 0);
                        }
                        return;
                    }
                }
                read = upstream.read(&mut answered) => {
                    client.write_all(&answered[..read.unwrap()]).await.unwrap();
                }
            }
        }
    });
    port
}

/// A kept connection has described the table as it was.
async fn a_table_that_changes(cluster: &Cluster) {
    let db = cluster.open(None, LIMIT);
    run(cluster, "create table moving (a integer, b integer, c integer); insert into moving values (1, 2, 3)").await;
    let look = sql("select * from moving");
    assert_eq!(db.read(&look, &Params::new()).await.unwrap().columns(), ["a", "b", "c"]);
    run(
        cluster,
        "alter table moving drop column b; create type mood as enum ('ok'); alter table moving add column d mood default 'ok'",
    )
    .await;
    let rows = db.read(&look, &Params::new()).await.unwrap();
    assert_eq!(rows.columns(), ["a", "c", "d"]);
    assert_eq!(rows.first().unwrap().find("c"), Some(&Value::Integer(3)));
    assert_eq!(rows.first().unwrap().find("d"), Some(&Value::text("ok")));
}

async fn behind_a_pooler(cluster: &Cluster) {
    use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
    let Some(pooler) = Pooler::start(cluster) else { return };
    let address = address(CANARY, pooler.port);
    let look = sql("select state, amount, note from orders where note is not null and id::text <> :id");
    let given = params(&[("id", Value::text("x"))]);
    // Each is another program: their statements would all bear the same names.
    for run in 0..4 {
        let db = SqlSystem::at(&Secret::secret(&address), Some("operator_actions"), LIMIT).unwrap();
        let (one, two) = tokio::join!(db.read(&look, &given), db.read(&look, &given));
        assert_eq!((one.unwrap().len(), two.unwrap().len()), (1, 1));
        let note = order("update orders set note = $1", vec![Value::text(format!("run {run}"))]);
        let outcome = db.act(&note, &mark(&format!("p{run}"))).await;
        assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
        assert!(matches!(db.look_up(&note, &mark(&format!("p{run}"))).await, Found::Ours(_)));
    }
    // One that was killed in the middle left a name behind.
    let options: PgConnectOptions = address.parse().unwrap();
    let mut killed = options.extra_float_digits(None).connect().await.unwrap();
    sqlx::raw_sql("prepare sqlx_s_1 as select 1").execute(&mut killed).await.unwrap();
    let db = SqlSystem::at(&Secret::secret(&address), Some("operator_actions"), LIMIT).unwrap();
    let outcome = db.act(&order("update orders set note = 'after'", Vec::new()), &mark("p9")).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    assert_eq!(db.read(&look, &given).await.unwrap().len(), 1);
}
