//! Where it happens: Stripe's stand-in, a business in a SQLite file, a directory of mails, a journal for each operator.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use wheelhouse::{
    adapters::{Database, Environment, marks_table},
    demo::{Options, Town},
    pack::Loaded,
};

use super::{depot::Depot, life::Deed, wire::Wire};

/// What goes back of each charge. The charge is ten times that, so that a second refund would be taken.
pub const AMOUNT: i64 = 2200;
const CHARGED: i64 = 10 * AMOUNT;

/// A business of payments to give back and wallets to credit. The credit has no condition of its own: only its mark
/// keeps it from being given twice.
const PACK: &str = r#"
[pack]
title = "Kills"
timezone = "Australia/Sydney"
currency = "AUD"

[connections]
db.sql = { url_env = "KILLS_DATABASE_URL", marks = "operator_actions", timeout = "5s" }
stripe.stripe = { key_env = "KILLS_STRIPE_KEY", url_env = "KILLS_STRIPE_URL", account = "ACCOUNT", livemode = true, timeout = "5s" }
mail.smtp = { url_env = "KILLS_MAIL_URL", from = "Kills <hello@kills.example>" }

[queues.payments]
title = "Payments"
read.sql = { on = "db", text = "select id, charge, amount, status, purchased_at from payments where status = 'paid'", money = ["amount"] }
id = "id"
actions = ["refund"]
columns = [{ column = "id", as = "id" }]

[queues.wallets]
title = "Wallets"
read.sql = { on = "db", text = "select id, credit, status from wallets where status = 'due'", money = ["credit"] }
id = "id"
actions = ["credit"]
columns = [{ column = "id", as = "id" }]

[actions.refund]
title = "Refund"
key = "F"
amount = "amount"
hold = "0s"
guards = [
  { title = "within 3 days", within = { column = "purchased_at", window = "72h", clock = "now" } },
  { title = "something to give back", holds = "amount > 0" },
]
fresh.sql = { on = "db", text = "select id, charge, amount, status, purchased_at from payments where id = :id and status = 'paid'", money = ["amount"] }
unchanged = ["status", "amount", "charge"]
do = [
  { stripe = { on = "stripe", refund = "charge", amount = "amount", reason = "requested_by_customer" }, says = "refund {{ amount }} of {{ charge }}" },
  { sql = { on = "db", text = "update payments set status = 'refunded', times = times + 1 where id = :id", rows = 1 }, says = "status paid -> refunded" },
  { smtp = { on = "mail", to = "someone@kills.example", subject = "Your refund", body = "{{ amount }} is on its way." }, says = "mail" },
]

[actions.credit]
title = "Credit"
key = "C"
confirm = "key"
hold = "0s"
fresh.sql = { on = "db", text = "select id, credit, status from wallets where id = :id and status = 'due'", money = ["credit"] }
do.sql = { on = "db", text = "update wallets set status = 'credited', times = times + 1 where id = :id", rows = 1 }
"#;

/// Lent out, and taken back by what the pack names for it.
const LENDING: &str = r#"
[queues.books]
title = "Books"
read.sql = { on = "db", text = "select id, status from books where status = 'in'" }
id = "id"
actions = ["lend"]
columns = [{ column = "id", as = "id" }]

[actions.lend]
title = "Lend"
key = "L"
confirm = "key"
hold = "5s"
undo = "return"
fresh.sql = { on = "db", text = "select id, status from books where id = :id and status = 'in'" }
do.sql = { on = "db", text = "update books set status = 'out', lent = lent + 1 where id = :id", rows = 1 }

[actions.return]
title = "Return"
confirm = "key"
hold = "0s"
undo = "lend"
fresh.sql = { on = "db", text = "select id, status from books where id = :id and status = 'out'" }
do.sql = { on = "db", text = "update books set status = 'in', returned = returned + 1 where id = :id", rows = 1 }
"#;

/// Booked at a service that takes every request for a new one, and announced.
const SHIPPING: &str = r#"
[connections.site.http]
url_env = "KILLS_SITE_URL"
timeout = "5s"

[connections.shout.webhook]
url_env = "KILLS_SHOUT_URL"
timeout = "5s"

[queues.parcels]
title = "Parcels"
read.sql = { on = "db", text = "select id, status from parcels where status = 'new'" }
id = "id"
actions = ["ship"]
columns = [{ column = "id", as = "id" }]

[actions.ship]
title = "Ship"
key = "S"
hold = "0s"
fresh.sql = { on = "db", text = "select id, status from parcels where id = :id and status = 'new'" }
do = [
  { http = { on = "site", path = "/parcels/{{ id }}", body = '{"id": "{{ id }}"}', expect = { at = "/booked", equals = true } }, says = "book it" },
  { sql = { on = "db", text = "update parcels set status = 'sent', times = times + 1 where id = :id", rows = 1 }, says = "status new -> sent" },
  { webhook = { on = "shout", text = "parcel {{ id }} is on its way" }, says = "tell it" },
]
"#;

/// Paused at Stripe, and in the member's own row.
const PAUSING: &str = r#"
[queues.members]
title = "Members"
read.sql = { on = "db", text = "select id, subscription, status from members where status = 'paying'" }
id = "id"
actions = ["pause"]
columns = [{ column = "id", as = "id" }]

[actions.pause]
title = "Pause"
key = "B"
hold = "0s"
fresh.sql = { on = "db", text = "select id, subscription, status from members where id = :id and status = 'paying'" }
do = [
  { stripe = { on = "stripe", pause = "subscription" } },
  { sql = { on = "db", text = "update members set status = 'paused', times = times + 1 where id = :id", rows = 1 }, says = "status paying -> paused" },
]
"#;

const TABLES: &str = "
create table payments (id text primary key, charge text not null, amount integer not null, status text not null,
    purchased_at text not null, times integer not null);
create table wallets (id text primary key, credit integer not null, status text not null, times integer not null);
create table books (id text primary key, status text not null, lent integer not null, returned integer not null);
create table parcels (id text primary key, status text not null, times integer not null);
create table members (id text primary key, subscription text not null, status text not null, times integer not null);";

/// What a cockpit needs to know to reach everything.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Reach {
    pub folder: PathBuf,
    stripe: SocketAddr,
    pub depot: SocketAddr,
    key: String,
    account: String,
}

impl Reach {
    pub fn business(&self) -> PathBuf {
        self.folder.join("business.db")
    }

    pub fn mail(&self) -> PathBuf {
        self.folder.join("mail")
    }

    pub fn journal(&self, operator: &str) -> PathBuf {
        self.folder.join(format!("{operator}.db"))
    }

    /// As much of a pack as a deed needs: a life is short, and most of it is its start.
    pub fn pack(&self, deed: Deed) -> Loaded {
        let more = match deed {
            Deed::Refund | Deed::Credit | Deed::Follow => "",
            Deed::Lend => LENDING,
            Deed::Ship => SHIPPING,
            Deed::Pause => PAUSING,
        };
        let text = PACK.replace("ACCOUNT", &self.account) + more;
        wheelhouse::pack::parse("kills.toml", &text, &|_| Err("not there".to_owned())).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    pub fn environment(&self) -> Environment {
        Environment::default()
            .with("KILLS_DATABASE_URL", format!("sqlite://{}", self.business().display()))
            .with("KILLS_STRIPE_KEY", self.key.as_str())
            .with("KILLS_STRIPE_URL", format!("http://{}/", self.stripe))
            .with("KILLS_MAIL_URL", format!("file://{}", self.mail().display()))
            .with("KILLS_SITE_URL", format!("http://{}/site", self.depot))
            .with("KILLS_SHOUT_URL", format!("http://{}/shout", self.depot))
    }
}

/// A town with Stripe's stand-in, which outlives every cockpit.
pub struct Place {
    pub wire: Wire,
    pub depot: Depot,
    folder: TempDir,
    town: PathBuf,
    key: String,
    account: String,
}

impl Place {
    pub fn open() -> Self {
        // What was handed to the kernel outlives a killed process, wherever the file is; memory is faster than a disk.
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("wheelhouse-kills-").tempdir_in(root).unwrap();
        let town = folder.path().join("town");
        let options = Options { pack: "dtd".to_owned(), dir: Some(town.clone()), ..Options::default() };
        let (opened, open) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let town = Town::open(options).await.unwrap();
                let named = |ending: &str| town.environment.iter().find(|(name, _)| name.ends_with(ending)).unwrap().1.clone();
                let account = town.account.clone().unwrap();
                opened.send((named("_STRIPE_URL"), named("_STRIPE_KEY"), account, town.control.clone())).unwrap();
                std::future::pending::<()>().await;
            });
        });
        let (stripe, key, account, control) = open.recv().unwrap();
        Self { wire: Wire::lay(address(&stripe), address(&control)), depot: Depot::open(), folder, town, key, account }
    }

    /// A business of its own for one round.
    pub async fn furnish(&self, round: u64, items: &[String]) -> Reach {
        let folder = self.folder.path().join(round.to_string());
        let (key, account) = (self.key.clone(), self.account.clone());
        let reach = Reach { folder, stripe: self.wire.address, depot: self.depot.address, key, account };
        // A round may be run again.
        let _ = std::fs::remove_dir_all(&reach.folder);
        self.depot.forget();
        std::fs::create_dir_all(reach.mail()).unwrap();
        let mut business = create(&reach.business()).await;
        for script in [TABLES, &marks_table(Database::Sqlite, "operator_actions")] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(script.to_owned())).execute(&mut business).await.unwrap();
        }
        let mut stand_ins = self.stand_ins().await;
        let command = async |connection: &mut SqliteConnection, words: &'static str| {
            sqlx::raw_sql(words).execute(connection).await.unwrap();
        };
        command(&mut business, "begin").await;
        command(&mut stand_ins, "begin immediate").await;
        for item in items {
            let charge = charge(round, item);
            sqlx::query("insert into payments values ($1, $2, $3, 'paid', datetime('now', '-10 hours'), 0)")
                .bind(item)
                .bind(&charge)
                .bind(AMOUNT)
                .execute(&mut business)
                .await
                .unwrap();
            sqlx::query("insert into wallets values ($1, $2, 'due', 0)")
                .bind(item)
                .bind(AMOUNT)
                .execute(&mut business)
                .await
                .unwrap();
            for text in ["insert into books values ($1, 'in', 0, 0)", "insert into parcels values ($1, 'new', 0)"] {
                sqlx::query(text).bind(item).execute(&mut business).await.unwrap();
            }
            let subscription = subscription(round, item);
            sqlx::query("insert into members values ($1, $2, 'paying', 0)")
                .bind(item)
                .bind(&subscription)
                .execute(&mut business)
                .await
                .unwrap();
            // A round that is run again begins anew.
            sqlx::query(
                "insert or replace into subscriptions (id, created, customer, price, unit_amount, quantity, currency, interval, status, metadata)
                 values ($1, unixepoch('now', '-10 days'), 'cus_kills', 'price_1', 900, 1, 'aud', 'month', 'active', '{}')",
            )
            .bind(&subscription)
            .execute(&mut stand_ins)
            .await
            .unwrap();
            sqlx::query(
                "insert or ignore into charges (id, created, amount, currency, status, metadata, fee)
                 values ($1, unixepoch('now', '-10 hours'), $2, 'aud', 'succeeded', '{}', 0)",
            )
            .bind(&charge)
            .bind(CHARGED)
            .execute(&mut stand_ins)
            .await
            .unwrap();
        }
        for mut connection in [business, stand_ins] {
            command(&mut connection, "commit").await;
            connection.close().await.unwrap();
        }
        reach
    }

    /// Stripe forgets every key, as it may after a day.
    pub async fn forget_keys(&self) {
        let mut stand_ins = self.stand_ins().await;
        sqlx::raw_sql("update idempotency set created = created - 90000").execute(&mut stand_ins).await.unwrap();
        stand_ins.close().await.unwrap();
    }

    /// The bank has sent the money of these charges back.
    pub async fn send_back(&self, charges: impl IntoIterator<Item = String>) {
        let mut stand_ins = self.stand_ins().await;
        for charge in charges {
            let text = "update refunds set status = 'failed' where charge = $1";
            sqlx::query(text).bind(charge).execute(&mut stand_ins).await.unwrap();
        }
        stand_ins.close().await.unwrap();
    }

    pub async fn stand_ins(&self) -> SqliteConnection {
        open(&self.town.join("stand-ins.db")).await
    }
}

pub fn charge(round: u64, item: &str) -> String {
    format!("ch_kills_{round}_{item}")
}

pub fn subscription(round: u64, item: &str) -> String {
    format!("sub_kills_{round}_{item}")
}

pub async fn open(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(std::time::Duration::from_secs(20));
    SqliteConnection::connect_with(&options).await.unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

async fn create(file: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file).create_if_missing(true)).await.unwrap()
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
}
