//! What a fault is played on: the demo's Stripe with a charge for each case, a till's database, and the till's pack.

use std::{net::SocketAddr, path::Path, path::PathBuf, sync::Arc, time::Duration};

use serde_json::Value as Json;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use wheelhouse::{
    adapters::{self, Environment},
    demo::{Options, Town},
    domain::{
        id::Id,
        money::{Currency, Money},
        pack::Pack,
        plan::Target,
        rows::Params,
        value::Value,
    },
    engine::act::Aim,
    pack,
    ports::Connections,
};

use crate::acting::world;

/// What every charge here is, in cents.
const AMOUNT: i64 = 2200;

pub struct Stage {
    town: Town,
    pub stripe: SocketAddr,
    pub secret: String,
    pub folder: TempDir,
}

/// A refund as Stripe knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The act that its metadata names; empty where it names none.
    pub action: String,
    pub status: String,
}

impl Stage {
    /// With a charge and a purchase for each id.
    pub async fn open(ids: &[String]) -> Self {
        adapters::install_tls();
        let folder = scratch();
        let dir = Some(folder.path().join("town"));
        let options = Options { pack: "dtd".to_owned(), seed: 7, at: Some(world::start()), dir, ..Options::default() };
        let town = Town::open(options).await.unwrap();
        let variable = |ending: &str| town.environment.iter().find(|(name, _)| name.ends_with(ending)).unwrap().1.clone();
        let url = variable("_STRIPE_URL");
        let stripe = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        let stage = Self { secret: variable("_STRIPE_KEY"), stripe, folder, town };
        stage.fill(ids).await;
        stage
    }

    async fn fill(&self, ids: &[String]) {
        let created = created();
        let mut stand_ins = connect(&self.stand_ins()).await;
        let mut theirs = stand_ins.begin().await.unwrap();
        for id in ids {
            let charge = format!(
                "insert into charges (id, created, amount, currency, status, metadata, fee) values ('ch_{id}', {created}, {AMOUNT}, 'aud', 'succeeded', '{{}}', 67)"
            );
            sqlx::query(sqlx::AssertSqlSafe(charge)).execute(&mut *theirs).await.unwrap();
        }
        theirs.commit().await.unwrap();
        open_till(&self.till(), ids).await;
    }

    pub fn stand_ins(&self) -> PathBuf {
        self.town.dir.join("stand-ins.db")
    }

    pub fn till(&self) -> PathBuf {
        self.folder.path().join("till.db")
    }

    /// Every refund of a charge, whoever made it.
    pub async fn refunds(&self, id: &str) -> Vec<Refund> {
        let rows = sqlx::query("select status, metadata from refunds where charge = $1")
            .bind(format!("ch_{id}"))
            .fetch_all(&mut connect(&self.stand_ins()).await)
            .await
            .unwrap();
        let refund = |row: &sqlx::sqlite::SqliteRow| {
            let metadata: Json = serde_json::from_str(row.get("metadata")).unwrap();
            let action = metadata.get("wheelhouse_action").and_then(Json::as_str).unwrap_or_default().to_owned();
            Refund { action, status: row.get("status") }
        };
        rows.iter().map(refund).collect()
    }

    /// The purchase's state and how many marks its acts have left.
    pub async fn purchase(&self, id: &str) -> (String, i64) {
        purchase(&self.till(), id).await
    }

    /// What somebody else does to the till meanwhile.
    pub async fn meanwhile(&self, statement: &str) {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connect(&self.till()).await).await.unwrap();
    }

    /// The till's connections over this line.
    pub fn connections(&self, pack: &Pack, line: SocketAddr, mail: &str) -> Connections {
        connections(pack, &self.till(), line, &self.secret, mail)
    }
}

/// Of a pack like [`till`]'s: its database, Stripe and everything else at `line`, and where mail goes.
pub fn connections(pack: &Pack, till: &Path, line: SocketAddr, secret: &str, mail: &str) -> Connections {
    adapters::install_tls();
    let environment = Environment::default()
        .with("TILL_DATABASE_URL", format!("sqlite://{}", till.display()))
        .with("TILL_STRIPE_KEY", secret)
        .with("TILL_STRIPE_URL", format!("http://{line}/"))
        .with("TILL_SITE_URL", format!("http://{line}/site"))
        .with("TILL_HOOK_URL", format!("http://{line}/hook"))
        .with("TILL_MAIL_URL", mail);
    adapters::open(pack, &environment).unwrap()
}

/// Ten hours before the test's clock begins.
fn created() -> i64 {
    world::start().timestamp() - 36_000
}

/// A till's database with a purchase for each id.
pub async fn open_till(file: &Path, ids: &[String]) {
    let created = created();
    let mut till = connect(file).await;
    let marks = adapters::marks_table(adapters::Database::Sqlite, "operator_actions");
    let table = "create table purchases (id text primary key, charge text not null, amount integer not null, state text not null, bought_at text not null)";
    for statement in ["pragma journal_mode = wal", &marks, table] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut till).await.unwrap();
    }
    let mut ours = till.begin().await.unwrap();
    for id in ids {
        let row = format!("insert into purchases values ('{id}', 'ch_{id}', {AMOUNT}, 'paid', datetime({created}, 'unixepoch'))");
        sqlx::query(sqlx::AssertSqlSafe(row)).execute(&mut *ours).await.unwrap();
    }
    ours.commit().await.unwrap();
    till.close().await.unwrap();
}

/// The purchase's state and how many marks its acts have left.
pub async fn purchase(till: &Path, id: &str) -> (String, i64) {
    let row = sqlx::query(
        "select state, (select count(*) from operator_actions where target = $1) as marks from purchases where id = $1",
    )
    .bind(id)
    .fetch_one(&mut connect(till).await)
    .await
    .unwrap();
    (row.get("state"), row.get("marks"))
}

/// Where files live only for a test, in memory where there is such a place: it is not the disk that is tested here.
pub fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

pub async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).busy_timeout(Duration::from_secs(30));
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// What Stripe does after a day, done now.
pub async fn forget_key(stand_ins: &Path, key: &str) {
    sqlx::query("delete from idempotency where key = $1").bind(key).execute(&mut connect(stand_ins).await).await.unwrap();
}

/// The till's pack. `database` is the database's timeout, `timeout` that of all others; `pin` is the account, where one is
/// pinned.
pub fn till(database: &str, timeout: &str, pin: Option<&str>) -> Arc<Pack> {
    let account = pin.map(|account| format!(", account = \"{account}\"")).unwrap_or_default();
    let fresh = "select id as number, charge, amount, state, bought_at from purchases where id = :number";
    let mark = |to: &str| {
        format!(
            "{{ sql = {{ on = \"db\", text = \"update purchases set state = '{to}' where id = :number and state = 'paid'\", rows = 1 }}, says = \"purchase paid -> {to}\" }}"
        )
    };
    let refund = "{ stripe = { on = \"stripe\", refund = \"charge\", amount = \"amount\", reason = \"requested_by_customer\" }, says = \"refund {{ amount }} of {{ charge }}\" }";
    let text = format!(
        r#"
[pack]
title = "Till"
timezone = "UTC"
currency = "AUD"

[connections]
db.sql = {{ url_env = "TILL_DATABASE_URL", marks = "operator_actions", timeout = "{database}" }}
stripe.stripe = {{ key_env = "TILL_STRIPE_KEY", url_env = "TILL_STRIPE_URL", livemode = true{account}, timeout = "{timeout}" }}
site.http = {{ url_env = "TILL_SITE_URL", timeout = "{timeout}" }}
hook.webhook = {{ url_env = "TILL_HOOK_URL", timeout = "{timeout}" }}
mail.smtp = {{ url_env = "TILL_MAIL_URL", from = "Till <till@shop.example>", timeout = "{timeout}" }}

[queues.purchases]
title = "Purchases"
read.sql = {{ on = "db", text = "select id as number, charge, amount, state, bought_at from purchases where state = 'paid'", money = ["amount"] }}
id = "number"
minutes_each = 1
actions = ["give_back", "give_back_checked", "close", "tell_site", "tell_channel", "write"]
columns = [{{ column = "number", title = "Purchase", as = "id" }}]

[actions.give_back]
title = "Give back"
amount = "amount"
fresh.sql = {{ on = "db", text = "{fresh}", money = ["amount"] }}
unchanged = ["state"]
do = [{refund}, {refunded}]

[actions.give_back_checked]
title = "Give back"
amount = "amount"
guards = [{{ title = "nothing has gone back", holds = "amount_refunded == 0" }}]
fresh = [
  {{ sql = {{ on = "db", text = "{fresh}", money = ["amount"] }} }},
  {{ stripe = {{ on = "stripe", list = "charges", id = "{{{{ charge }}}}", money = ["amount", "amount_refunded"] }} }},
]
unchanged = ["state"]
do = [{refund}, {refunded}]

[actions.close]
title = "Close"
fresh.sql = {{ on = "db", text = "{fresh}", money = ["amount"] }}
do = [{closed}]

[actions.tell_site]
title = "Tell the site"
do = [{closed}, {{ http = {{ on = "site", path = "/closed", method = "POST", body = '{{"id": "{{{{ id }}}}"}}' }}, says = "tell the site" }}]

[actions.tell_channel]
title = "Tell the channel"
do = [{closed}, {{ webhook = {{ on = "hook", text = "{{{{ id }}}} is closed" }}, says = "tell the channel" }}]

[actions.write]
title = "Write"
do = [{closed}, {{ smtp = {{ on = "mail", to = "mia@home.example", subject = "Closed", body = "{{{{ id }}}} is closed" }}, says = "mail mia" }}]
"#,
        refunded = mark("refunded"),
        closed = mark("closed"),
    );
    pack::parse("till.toml", &text, &|_| Err("there is none".to_owned())).unwrap_or_else(|problems| panic!("{problems}")).pack
}

/// A purchase as the screen shows it.
pub fn aim(id: &str) -> Aim {
    let row: Params = [
        ("number", Value::text(id)),
        ("charge", Value::text(format!("ch_{id}"))),
        ("amount", Value::Money(Money::new(AMOUNT, Currency::from_code("AUD").unwrap()))),
        ("state", Value::text("paid")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    Aim { target: Target { queue: Some(Id::new("purchases")), key: id.to_owned() }, row, is_drawn: true }
}
