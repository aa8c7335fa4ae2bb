//! A business, opened: its connections, its record, its acting part. The same for the cockpit and for every subcommand.

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use super::{choice::Choice, clock::CockpitClock, complaint::Complaint, paths, prepare};
use crate::{
    adapters::{self, Environment},
    cli::arguments::BusinessArguments,
    demo::{Fault, Options, Town},
    domain::{barrier::Barrier, text::Text},
    engine::{
        act::{Actor, Setup},
        message::Event,
        reader::Reader,
        watcher::Ground,
    },
    ports::{Clock as _, StoreError, System},
    store::{Access, Shelf, Store},
};

/// Events of the acting part that may wait for the watcher: several batches' worth.
const ACTED: usize = 8192;

/// What is opened, chosen before any thread or runtime is there.
#[derive(Debug)]
pub struct Opening {
    pub choice: Choice,
    pub arguments: BusinessArguments,
    pub clock: Arc<CockpitClock>,
}

pub struct Business {
    pub ground: Ground,
    pub actor: Actor,
    /// What the acting part tells.
    pub acted: mpsc::Receiver<Event>,
    /// Said once at the start: statements that do not prepare, a record that another cockpit holds.
    pub warnings: Vec<Text>,
    pub shelf: Shelf,
    /// Its servers run as long as it lives.
    _town: Option<Town>,
}

impl Opening {
    pub fn new(choice: Choice, arguments: BusinessArguments) -> Self {
        let clock = Arc::new(CockpitClock::default());
        if let Some(at) = arguments.at.filter(|_| choice.demo.is_some()) {
            clock.move_ahead(at - Utc::now());
        }
        Self { choice, arguments, clock }
    }

    /// Where the record is, if that is known before a town is opened.
    pub fn record(&self) -> Option<PathBuf> {
        match self.choice.demo {
            Some(_) => self.arguments.demo_dir.as_ref().map(|dir| dir.join("cockpit.db")),
            None => self.state_file().ok(),
        }
    }

    /// Where the business's statements are kept for years: beside the record where that has a place of its own, else
    /// with what is the operator's to keep.
    pub fn shelf(&self) -> Result<Shelf, Complaint> {
        let directory = match (self.choice.demo, self.record()) {
            (Some(_), Some(record)) => record.parent().map(|parent| parent.join("statements")),
            (Some(_), None) => None,
            (None, _) => Some(paths::statements(self.arguments.state_dir.as_deref())?.join(&self.choice.loaded.pack.name)),
        };
        let none = || Complaint::said("a scratch demo keeps no statements: give --demo-dir DIR");
        directory.map(Shelf::new).ok_or_else(none)
    }

    fn state_file(&self) -> Result<PathBuf, Complaint> {
        let directory = paths::state_directory(self.arguments.state_dir.as_deref())?;
        Ok(directory.join(format!("{}.db", self.choice.loaded.pack.name)))
    }

    async fn town(&self) -> Result<Option<Town>, Complaint> {
        let Some(built_in) = self.choice.demo else { return Ok(None) };
        let faults = self.arguments.faults.iter().map(|fault| Fault::parse(fault)).collect::<Result<Vec<_>, _>>();
        let options = Options {
            pack: built_in.name.to_owned(),
            dir: self.arguments.demo_dir.clone(),
            seed: self.arguments.seed,
            at: self.arguments.at,
            faults: faults.map_err(|error| Complaint::said(error.to_string()))?,
        };
        let town = Town::open(options).await.map_err(|error| Complaint::said(format!("the demo business: {error}")))?;
        self.clock.move_ahead(town.clock.ahead());
        Ok(Some(town))
    }

    /// Opens everything. The acting part runs as a task of the caller's runtime and has settled what an earlier run
    /// left before this returns.
    pub async fn open(self) -> Result<Business, Complaint> {
        let town = self.town().await?;
        let pack = Arc::clone(&self.choice.loaded.pack);
        let connections =
            adapters::open(&pack, &environment(town.as_ref())).map_err(|problems| Complaint::said(problems.join("\n")))?;
        let file = match &town {
            Some(town) => town.state.clone(),
            None => self.state_file()?,
        };
        let shelf = match &town {
            Some(town) => Shelf::new(town.dir.join("statements")),
            None => self.shelf()?,
        };
        let now = self.clock.now();
        let operator = self.choice.operator.clone();
        let (store, access) =
            Store::open(&file, &operator, now).await.map_err(|error| Complaint::said(format!("{}: {error}", file.display())))?;
        let store = Arc::new(store);
        let mut warnings = prepare::prepare(&self.choice.loaded, &connections).await;
        let barrier = self.barrier(&store, &access);
        if let Some(barrier @ (Barrier::HeldElsewhere(_) | Barrier::ChainBroken(_))) = &barrier {
            warnings.push(barrier.why().clone());
        }
        let (tell, acted) = mpsc::channel(ACTED);
        let clock = Arc::clone(&self.clock) as Arc<dyn crate::ports::Clock>;
        let (actor, task) = Actor::start(Setup {
            pack: Arc::clone(&pack),
            connections: connections.clone(),
            journal: Arc::clone(&store) as Arc<dyn crate::ports::Journal>,
            clock: Arc::clone(&clock),
            operator: operator.clone(),
            barrier,
            hold_at_least: self.choice.config.confirm.hold_at_least,
            unlocked_for: self.choice.config.confirm.unlocked_for,
            session_began: now,
            tell: Arc::new(move |event| told(&tell, event)),
        });
        tokio::spawn(task);
        let reader = Arc::new(Reader::new(&pack, connections));
        let refresh = self.choice.config.refresh;
        let record = Arc::clone(&store) as Arc<dyn crate::ports::Store>;
        let archive = Arc::new(shelf.clone()) as Arc<dyn crate::ports::Archive>;
        let ground = Ground { pack, reader, record, archive, clock, operator, refresh };
        Ok(Business { ground, actor, acted, warnings, shelf, _town: town })
    }

    /// The connections alone, each in the pack's order; the town, if there is one, must outlive them.
    pub async fn reach(&self) -> Result<(Vec<Result<Arc<dyn System>, String>>, Option<Town>), Complaint> {
        let town = self.town().await?;
        Ok((adapters::open_each(&self.choice.loaded.pack, &environment(town.as_ref())), town))
    }

    /// What keeps this cockpit from writing, whatever comes.
    fn barrier(&self, store: &Store, access: &Access) -> Option<Barrier> {
        if self.arguments.read_only {
            return Some(Barrier::ReadOnly(Text::new("opened with --read-only: nothing is written")));
        }
        match access {
            Access::Write => store.broken().map(|broken| {
                let broken = StoreError::Broken(Text::new(broken.to_string()));
                Barrier::ChainBroken(Text::new(broken.to_string()))
            }),
            Access::ReadOnly { holder: Some(holder) } => {
                Some(Barrier::HeldElsewhere(Text::new(format!("{holder} holds the journal: this cockpit only reads"))))
            }
            Access::ReadOnly { holder: None } => {
                Some(Barrier::HeldElsewhere(Text::new("another cockpit holds the journal: this one only reads")))
            }
        }
    }
}

/// The process's own, and where a town's servers listen.
fn environment(town: Option<&Town>) -> Environment {
    let told = town.into_iter().flat_map(|town| &town.environment);
    told.fold(Environment::process(), |environment, (name, value)| environment.with(name.clone(), value.clone()))
}

impl Business {
    pub fn now(&self) -> DateTime<Utc> {
        self.ground.clock.now()
    }
}

fn told(tell: &mpsc::Sender<Event>, event: Event) {
    if let Err(error) = tell.try_send(event) {
        // The journal has it all the same; only the screen learns of it with the next snapshot.
        tracing::error!(%error, "an event of the acting part was not passed on");
    }
}
