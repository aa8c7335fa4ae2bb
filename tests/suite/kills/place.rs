//! Where it happens: Stripe's stand-in, a business in a SQLite file, a directory of mails, a journal for each operator.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{OnceLock, mpsc},
    thread,
};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use wheelhouse::{
    adapters::Environment,
    demo::{Options, Town, built_in::BuiltIn},
    pack::Loaded,
};

use super::{
    business::{self, HOOK_SECRET},
    deed::Deed,
    depot::Depot,
    papers::{self, Papers},
    wire::Wire,
};

/// What goes back of each charge.
pub const AMOUNT: i64 = 2200;

/// The town has nothing but Stripe's stand-in, which sends events to the depot.
const TOWN: &str = r#"
schema = "nothing.sql"
seed = "nothing.sql"

[environment]
KILLS_STRIPE_KEY = "{{ stripe_key }}"
KILLS_STRIPE_URL = "{{ stripe }}"

[stripe]
account = "acct_1KILLS"
name = "Kills"
country = "AU"
currency = "aud"
key = "rk_demo_kills"
livemode = true
charges = """
select null as id, null as created, null as amount, null as currency, null as status, null as payment_intent, null as customer,
    null as email, null as name, null as description, null as metadata, null as fee where 0
"""

[[stripe.webhook_endpoints]]
id = "we_kills"
url = "http://DEPOT/told"
description = "the site"
enabled_events = ["*"]
secret = "SECRET"
"#;

/// What a cockpit needs to know to reach everything.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Reach {
    pub folder: PathBuf,
    /// As the business's database of documents names its marks.
    pub marks: String,
    stripe: SocketAddr,
    pub documents: Option<SocketAddr>,
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

    /// A line for each run of the program.
    pub fn runs(&self) -> PathBuf {
        self.folder.join("runs")
    }

    pub fn journal(&self, operator: &str) -> PathBuf {
        self.folder.join(format!("{operator}.db"))
    }

    pub fn pack(&self, deed: Deed) -> Loaded {
        let text = business::pack(deed, &self.account, &self.folder.display().to_string(), &self.marks);
        wheelhouse::pack::parse("kills.toml", &text, &|_| Err("not there".to_owned())).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    pub fn environment(&self) -> Environment {
        let environment = Environment::default()
            .with("KILLS_DATABASE_URL", format!("sqlite://{}", self.business().display()))
            .with("KILLS_STRIPE_KEY", self.key.as_str())
            .with("KILLS_STRIPE_URL", format!("http://{}/", self.stripe))
            .with("KILLS_MAIL_URL", format!("file://{}", self.mail().display()))
            .with("KILLS_SITE_URL", format!("http://{}/site", self.depot))
            .with("KILLS_SHOUT_URL", format!("http://{}/shout", self.depot))
            .with("KILLS_HOOK_URL", format!("http://{}/hook", self.depot))
            .with("KILLS_HOOK_SECRET", HOOK_SECRET)
            .with("KILLS_PROJECT", papers::PROJECT);
        match self.documents {
            Some(documents) => environment.with("FIRESTORE_EMULATOR_HOST", documents.to_string()),
            None => environment,
        }
    }
}

/// A town with Stripe's stand-in, which outlives every cockpit.
pub struct Place {
    pub wire: Wire,
    pub depot: Depot,
    /// Started when it is needed.
    papers: OnceLock<Papers>,
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
        let depot = Depot::open();
        let options = Options { pack: "kills".to_owned(), dir: Some(town.clone()), ..Options::default() };
        // A pack's files are the program's own, and as old as it is.
        let declared = TOWN.replace("DEPOT", &depot.address.to_string()).replace("SECRET", HOOK_SECRET);
        let files = vec![("demo.toml", &*declared.leak()), ("nothing.sql", "")];
        let pack = BuiltIn { name: "kills", files: files.leak() };
        let (opened, open) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let town = Town::of(&pack, options).await.unwrap();
                let named = |name: &str| town.environment[name].clone();
                let account = town.account.clone().unwrap();
                opened.send((named("KILLS_STRIPE_URL"), named("KILLS_STRIPE_KEY"), account, town.control.clone())).unwrap();
                std::future::pending::<()>().await;
            });
        });
        let (stripe, key, account, control) = open.recv().unwrap();
        let wire = Wire::to_stripe(address(&stripe), address(&control));
        Self { wire, depot, papers: OnceLock::new(), folder, town, key, account }
    }

    /// The database of documents; a deed that needs it is done only where it is installed.
    pub fn papers(&self) -> &Papers {
        self.papers.get_or_init(|| Papers::open().expect("hidane is installed"))
    }

    /// The lines on which requests go out, as far as there are any.
    pub fn wires(&self) -> impl Iterator<Item = &Wire> {
        std::iter::once(&self.wire).chain(self.papers.get().map(|papers| &papers.wire))
    }

    /// A business of its own for one round.
    pub async fn furnish(&self, round: u64, deed: Deed, items: &[String]) -> Reach {
        let folder = self.folder.path().join(round.to_string());
        let (key, account) = (self.key.clone(), self.account.clone());
        let documents = (deed == Deed::Write).then(|| self.papers().wire.address);
        let marks = format!("marks_{round}");
        let reach = Reach { folder, marks, stripe: self.wire.address, documents, depot: self.depot.address, key, account };
        // A round may be run again.
        let _ = std::fs::remove_dir_all(&reach.folder);
        std::fs::create_dir_all(reach.mail()).unwrap();
        let mut business = create(&reach.business()).await;
        let mut stand_ins = self.stand_ins().await;
        let command = async |connection: &mut SqliteConnection, words: &'static str| {
            sqlx::raw_sql(words).execute(connection).await.unwrap();
        };
        command(&mut business, "begin").await;
        command(&mut stand_ins, "begin immediate").await;
        business::furnish(&mut business, deed, round, items).await;
        business::furnish_stripe(&mut stand_ins, deed, round, items).await;
        for mut connection in [business, stand_ins] {
            command(&mut connection, "commit").await;
            connection.close().await.unwrap();
        }
        if deed == Deed::Write {
            self.papers().furnish(items).await;
        }
        self.depot.serve_for(reach.business());
        self.wires().for_each(Wire::forget);
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

pub fn dispute(round: u64, item: &str) -> String {
    format!("dp_kills_{round}_{item}")
}

pub fn event(round: u64, item: &str) -> String {
    format!("evt_kills_{round}_{item}")
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
