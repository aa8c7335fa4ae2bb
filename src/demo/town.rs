//! Opens a town: files filled once, servers started each time, and what the pack's connections need to find them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::{
    built_in::{self, BuiltIn},
    clock::TownClock,
    control,
    declaration::Declaration,
    error::Error,
    fault::{Fault, FaultKind, Faults, Target},
    fill::{self, Files},
    line::Line,
    programs,
    script::{Script, Values},
    site,
    stand_in::StandIn,
    stripe::{self, Stripe},
    switchboard::Switchboard,
    vercel,
    webhook::{self, Sink},
};
use crate::domain::{
    rows::Params,
    template::{Template, TemplatePlace},
    value::Value,
};

/// Which town, and how it is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A built-in pack's name.
    pub pack: String,
    /// Where it lives; `None` is a scratch directory that goes with the town.
    pub dir: Option<PathBuf>,
    pub seed: u64,
    /// The moment at which it stands; `None` is the machine's, or where the directory's town left off.
    pub at: Option<DateTime<Utc>>,
    pub faults: Vec<Fault>,
}

/// A running town; its servers end with it.
#[derive(Debug)]
pub struct Town {
    pub dir: PathBuf,
    /// The variables that the pack's connections name, with their values here.
    pub environment: BTreeMap<String, String>,
    pub clock: TownClock,
    /// The Stripe account that it plays.
    pub account: Option<String>,
    pub business: PathBuf,
    /// Where the cockpit's own database belongs.
    pub state: PathBuf,
    /// Where faults and switches are switched over HTTP; also in `DIR/control.txt`.
    pub control: String,
    levers: Levers,
    _servers: Vec<StandIn>,
    _scratch: Option<TempDir>,
}

impl Town {
    /// Its servers run as tasks of the caller's runtime.
    pub async fn open(options: Options) -> Result<Self, Error> {
        let pack = built_in::find(&options.pack).ok_or_else(|| Error::NoPack {
            name: options.pack.clone(),
            known: built_in::ALL.iter().map(|pack| pack.name).collect::<Vec<_>>().join(", "),
        })?;
        Self::of(pack, options).await
    }

    /// The town of a pack that the program does not carry.
    pub async fn of(pack: &BuiltIn, options: Options) -> Result<Self, Error> {
        let declaration = Declaration::read(pack)?;
        let (dir, scratch) = directory(options.dir.as_deref())?;
        let business = dir.join("business.db");
        let files = Files { business: &business, stand_ins: &dir.join("stand-ins.db") };
        let clock = settle(&files, pack, &declaration, &options).await?;

        let mail = dir.join("mail");
        clear(&mail)?;
        std::fs::create_dir_all(&mail).map_err(Error::io(&mail))?;
        let levers = Levers {
            faults: Faults::default(),
            board: Switchboard { stand_ins: Line::new(sqlite(files.stand_ins)), clock },
            lock: Arc::default(),
            business: business.clone(),
            mail: mail.clone(),
        };
        let mut places = Places::default();
        places.note("database", address("sqlite", &business)?);
        places.note("mail", address("file", &mail)?);
        places.stand_ins(&declaration, &levers, &dir).await?;
        let control = places.serve(None, control::router(levers.clone()), &levers.faults).await?;
        let file = dir.join("control.txt");
        std::fs::write(&file, format!("{control}\n")).map_err(Error::io(file))?;
        for fault in &options.faults {
            levers.fault(fault).await?;
        }
        let mut environment = places.environment(&declaration)?;
        environment.extend(programs::furnish(&dir, &declaration.programs)?.map(|path| ("PATH".to_owned(), path)));
        Ok(Self {
            environment,
            clock,
            account: declaration.stripe.map(|stripe| stripe.account),
            business,
            state: dir.join("cockpit.db"),
            control,
            levers,
            _servers: places.servers,
            _scratch: scratch,
            dir,
        })
    }

    /// Switches a fault on, or with `none` off, while the town runs.
    pub async fn fault(&self, fault: &Fault) -> Result<(), Error> {
        self.levers.fault(fault).await
    }

    pub async fn clear_faults(&self) -> Result<(), Error> {
        self.levers.clear().await
    }

    /// Changes a fact of the town (`provider` is `up`); false where it has no such switch.
    pub async fn switch(&self, name: &str, value: &str) -> Result<bool, Error> {
        self.levers.board.switch(name, value).await
    }

    /// The messages that its webhook received, oldest first.
    pub fn messages(&self) -> Result<Vec<String>, Error> {
        let file = self.dir.join("webhook.jsonl");
        if !file.exists() {
            return Ok(Vec::new());
        }
        let lines = std::fs::read_to_string(&file).map_err(Error::io(file))?;
        let texts = lines.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        Ok(texts.filter_map(|message| Some(message.get("text")?.as_str()?.to_owned())).collect())
    }
}

fn directory(wanted: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), Error> {
    if let Some(dir) = wanted {
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
        return Ok((std::path::absolute(dir).map_err(Error::io(dir))?, None));
    }
    let scratch = tempfile::Builder::new().prefix("wheelhouse-demo-").tempdir().map_err(Error::io(std::env::temp_dir()))?;
    Ok((scratch.path().to_owned(), Some(scratch)))
}

/// A file as an address, with what means something in an address encoded.
fn address(scheme: &str, file: &Path) -> Result<String, Error> {
    let unfit = || Error::Io { path: file.to_owned(), source: std::io::ErrorKind::InvalidFilename.into() };
    let url = reqwest::Url::from_file_path(file).map_err(|()| unfit())?;
    Ok(format!("{scheme}://{}", url.path()))
}

/// Fills a new town, or finds an old one as it was left, and sets its clock.
async fn settle(files: &Files<'_>, pack: &BuiltIn, declaration: &Declaration, options: &Options) -> Result<TownClock, Error> {
    if let Some(ahead) = left_off(files, pack.name).await? {
        let clock = options.at.map_or_else(|| TownClock::ahead_by(ahead), TownClock::standing_at);
        let mut stand_ins = open(files.stand_ins).await?;
        // Deployments went on while nobody looked.
        let now = Values::from([("now".into(), json!(clock.now().timestamp_millis()))]);
        Script::new("reopen", "update deployments set ready = min(ready, :now)").run(&mut stand_ins, &now).await?;
        return Ok(clock);
    }
    let now = options.at.unwrap_or_else(Utc::now).trunc_subsecs(0);
    let clock = options.at.map_or_else(|| TownClock::ahead_by(TimeDelta::zero()), TownClock::standing_at);
    fill::fill(files, pack, declaration, options.seed, now).await?;
    let mut stand_ins = open(files.stand_ins).await?;
    let filled =
        Values::from([("pack".into(), json!(pack.name)), ("ahead".into(), json!(clock.ahead().num_milliseconds().to_string()))]);
    let note = "insert into town (name, value) values ('pack', :pack), ('ahead', :ahead)";
    Script::new("filled", note).run(&mut stand_ins, &filled).await?;
    Ok(clock)
}

/// How far the clock of the directory's town is ahead; `None` where there is no whole town of this pack.
async fn left_off(files: &Files<'_>, pack: &str) -> Result<Option<TimeDelta>, Error> {
    if !files.business.exists() || !files.stand_ins.exists() {
        return Ok(None);
    }
    let mut stand_ins = open(files.stand_ins).await?;
    let source = "select ahead.value as ahead, pack.value as pack from town ahead join town pack
        where ahead.name = 'ahead' and pack.name = 'pack'";
    // No such table, no such row: the filling was cut off.
    let rows = Script::new("reopen", source).rows(&mut stand_ins, &Values::new()).await.unwrap_or_default();
    let Some(row) = rows.first() else { return Ok(None) };
    let text = |column: &str| row.get(column).and_then(Json::as_str).unwrap_or_default();
    if text("pack") != pack {
        let said = format!("holds the town of `{}`; choose another directory for `{pack}`", text("pack"));
        return Err(Error::declaration(&files.business.display().to_string(), said));
    }
    Ok(text("ahead").parse().ok().map(TimeDelta::milliseconds))
}

fn sqlite(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(std::time::Duration::from_secs(5)).pragma("cache_size", "-48")
}

async fn open(file: &Path) -> Result<SqliteConnection, Error> {
    sqlite(file).connect().await.map_err(Error::sql(file.display().to_string()))
}

/// The stand-ins as they come up, and where each is found.
#[derive(Default)]
struct Places {
    found: BTreeMap<String, String>,
    servers: Vec<StandIn>,
}

impl Places {
    fn note(&mut self, name: &str, value: String) {
        self.found.insert(name.to_owned(), value);
    }

    async fn serve(&mut self, target: Option<Target>, router: axum::Router, faults: &Faults) -> Result<String, Error> {
        let server = StandIn::start(target, router, faults).await.map_err(Error::io("loopback"))?;
        let url = server.url();
        self.servers.push(server);
        Ok(url)
    }

    async fn stand_ins(&mut self, declaration: &Declaration, levers: &Levers, dir: &Path) -> Result<(), Error> {
        let (board, faults) = (&levers.board, &levers.faults);
        if let Some(declared) = &declaration.site {
            let router = site::router(declared.clone(), Line::new(sqlite(&levers.business)), board.clone())?;
            let url = self.serve(Some(Target::Site), router, faults).await?;
            self.note("site", url);
        }
        if let Some(declared) = &declaration.stripe {
            let mut declared = declared.clone();
            for endpoint in &mut declared.webhook_endpoints {
                endpoint.url = self.render(&endpoint.id, &endpoint.url)?;
            }
            self.note("stripe_key", declared.key.clone());
            let stripe = Stripe::new(declared, board.clone());
            let url = self.serve(Some(Target::Stripe), stripe::router(stripe), faults).await?;
            self.note("stripe", format!("{url}/"));
        }
        if let Some(declared) = &declaration.vercel {
            let url = self.serve(Some(Target::Vercel), vercel::router(declared.clone(), board.clone()), faults).await?;
            self.note("vercel", url);
            self.note("vercel_token", declared.token.clone());
        }
        let sink = Sink { file: dir.join("webhook.jsonl"), clock: board.clock };
        let url = self.serve(Some(Target::Webhook), webhook::router(sink), faults).await?;
        self.note("webhook", format!("{url}/services/incidents"));
        Ok(())
    }

    fn environment(&self, declaration: &Declaration) -> Result<BTreeMap<String, String>, Error> {
        let rendered = |(name, template): (&String, &String)| Ok((name.clone(), self.render(name, template)?));
        declaration.environment.iter().map(rendered).collect()
    }

    /// A text of the declaration, with the addresses that are known by now.
    fn render(&self, name: &str, template: &str) -> Result<String, Error> {
        let found: Params = self.found.iter().map(|(name, value)| (name.clone(), Value::text(value.as_str()))).collect();
        let wrong = |error: String| Error::declaration(&format!("demo.toml, {name}"), error);
        let template = Template::parse_for(TemplatePlace::Address, template).map_err(|error| wrong(error.to_string()))?;
        template.render(&found).map_err(wrong)
    }
}

/// What can be broken and switched while the town runs.
#[derive(Clone, Debug)]
pub(super) struct Levers {
    pub faults: Faults,
    pub board: Switchboard,
    /// Holds the business's database locked while it lives.
    lock: Arc<Mutex<Option<SqliteConnection>>>,
    business: PathBuf,
    mail: PathBuf,
}

impl Levers {
    pub async fn fault(&self, fault: &Fault) -> Result<(), Error> {
        self.faults.switch(fault);
        self.follow().await
    }

    pub async fn clear(&self) -> Result<(), Error> {
        self.faults.clear();
        self.follow().await
    }

    /// Makes what is no server be as the faults that stand say.
    async fn follow(&self) -> Result<(), Error> {
        self.faults.settled().await;
        let mut lock = self.lock.lock().await;
        match (self.faults.stands(Target::Database, FaultKind::Timeout), lock.is_some()) {
            (true, false) => {
                let mut connection = open(&self.business).await?;
                Script::new("lock", "begin exclusive").run(&mut connection, &Values::new()).await?;
                *lock = Some(connection);
            }
            (false, true) => *lock = None,
            _ => {}
        }
        let gone = self.mail.with_extension("gone");
        match (self.faults.stands(Target::Mail, FaultKind::Refuse), gone.exists()) {
            (true, false) => {
                std::fs::rename(&self.mail, &gone).map_err(Error::io(&self.mail))?;
                // What stands in its place cannot be made a directory again by whoever has mail to leave.
                std::fs::write(&self.mail, "").map_err(Error::io(&self.mail))
            }
            (false, true) => {
                clear(&self.mail)?;
                // Someone may have made the directory again meanwhile; what is in it is mail.
                if self.mail.exists() {
                    for entry in std::fs::read_dir(&self.mail).map_err(Error::io(&self.mail))?.flatten() {
                        std::fs::rename(entry.path(), gone.join(entry.file_name())).map_err(Error::io(entry.path()))?;
                    }
                    std::fs::remove_dir(&self.mail).map_err(Error::io(&self.mail))?;
                }
                std::fs::rename(&gone, &self.mail).map_err(Error::io(&self.mail))
            }
            _ => Ok(()),
        }
    }
}

/// Takes away what a fault has put in the place of the mail's directory.
fn clear(mail: &Path) -> Result<(), Error> {
    if mail.is_file() { std::fs::remove_file(mail).map_err(Error::io(mail)) } else { Ok(()) }
}
