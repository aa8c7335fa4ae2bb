//! A business for tests of the loop: a pack, a connection that answers what it is told to, the real record, a clock that is
//! put.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tempfile::TempDir;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    act::{Actor, Setup},
    message::Event,
    reader::Reader,
    watcher::{Ground, Watcher},
};
use crate::{
    domain::{
        archive::{Filed, Filing},
        id::Id,
        pack::{Connection, Pack, Query, Read},
        plan::{Order, Receipt, Standing},
        rows::{Params, Rows},
        snapshot::JournalLine,
        text::Text,
        value::Value,
    },
    ports::{Archive, Clock, Connections, Doer, Found, Journal, Mark, Outcome, Source, SourceError, System},
    store::Store,
};

pub struct Stage {
    folder: TempDir,
    pack: Arc<Pack>,
    now: Mutex<DateTime<Utc>>,
    /// What `db` answers, by the statement.
    answers: Mutex<HashMap<String, Result<Rows, SourceError>>>,
}

/// A watcher, and what it stands on.
pub struct Watching {
    pub watcher: Watcher,
    pub store: Arc<Store>,
    pub actor: Actor,
    pub acted: mpsc::Receiver<Event>,
    pub told: mpsc::UnboundedReceiver<Event>,
    pub acting: JoinHandle<()>,
}

impl Stage {
    /// `declared` is the pack behind its connections.
    pub fn new(declared: &str) -> Arc<Self> {
        let head = "[pack]\ntitle = \"Depot\"\ntimezone = \"UTC\"\ncurrency = \"EUR\"\n[connections]\n\
                    db.sql = { url_env = \"DEPOT\" }\n";
        let text = format!("{head}{declared}");
        let loaded = crate::pack::parse("depot.toml", &text, &|name| Err(format!("there is no {name}")));
        let pack = loaded.unwrap_or_else(|problems| panic!("{problems}")).pack;
        let now = Mutex::new("2026-03-20T12:00:00Z".parse().unwrap());
        Arc::new(Self { folder: TempDir::new().unwrap(), pack, now, answers: Mutex::default() })
    }

    pub fn later(&self, delta: TimeDelta) {
        *self.now.lock().unwrap() += delta;
    }

    /// From now on this statement answers one row of one column.
    pub fn answers(&self, statement: &str, column: &str, value: Value) {
        self.answers_rows(statement, Rows::new([column.to_owned()], [vec![value]]));
    }

    pub fn answers_rows(&self, statement: &str, rows: Rows) {
        self.answers.lock().unwrap().insert(statement.to_owned(), Ok(rows));
    }

    pub fn fails(&self, statement: &str, why: &str) {
        let why = SourceError::Malformed(Text::new(why));
        self.answers.lock().unwrap().insert(statement.to_owned(), Err(why));
    }

    pub async fn open(self: &Arc<Self>) -> Watching {
        self.open_with(None, Arc::new(Shelf)).await
    }

    pub async fn open_with(self: &Arc<Self>, refresh: Option<Duration>, archive: Arc<dyn Archive>) -> Watching {
        let (store, _) = Store::open(&self.folder.path().join("depot.db"), "jo", self.now()).await.unwrap();
        let store = Arc::new(store);
        let system: Arc<dyn System> = Arc::new(Outside(Arc::clone(self)));
        let connections = Connections(HashMap::from([(Id::<Connection>::new("db"), system)]));
        let (tell, acted) = mpsc::channel(100);
        let clock = Arc::clone(self) as Arc<dyn Clock>;
        let (actor, task) = Actor::start(Setup {
            pack: Arc::clone(&self.pack),
            connections: connections.clone(),
            journal: Arc::clone(&store) as Arc<dyn Journal>,
            clock: Arc::clone(&clock),
            operator: "jo".to_owned(),
            barrier: None,
            hold_at_least: Duration::ZERO,
            unlocked_for: Duration::from_mins(15),
            session_began: self.now(),
            tell: Arc::new(move |event| drop(tell.try_send(event))),
        });
        let acting = tokio::spawn(task);
        let ground = Ground {
            reader: Arc::new(Reader::new(&self.pack, connections)),
            pack: Arc::clone(&self.pack),
            record: Arc::clone(&store) as Arc<dyn crate::ports::Store>,
            archive,
            clock,
            operator: "jo".to_owned(),
            refresh,
        };
        let (sender, told) = mpsc::unbounded_channel();
        let watcher = Watcher::start(ground, Arc::new(move |event| sender.send(event).is_ok()), actor.clone()).await;
        Watching { watcher, store, actor, acted, told, acting }
    }
}

impl Watching {
    /// The record is free for the next.
    pub async fn close(self) {
        self.actor.stop().await.unwrap();
        self.acting.await.unwrap();
    }

    pub async fn lines(&self) -> Vec<JournalLine> {
        self.store.journal_tail(100).await.unwrap()
    }
}

/// An act of this action on a target that stands in no queue.
pub fn receipt(action: &str, target: &str, standing: Standing) -> Receipt {
    let target = crate::domain::plan::Target { queue: None, key: target.to_owned() };
    Receipt { action: Id::new(action), ..crate::ui::fixture::receipt(&target, standing) }
}

impl Clock for Stage {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }
}

struct Outside(Arc<Stage>);

#[async_trait]
impl Source for Outside {
    async fn read(&self, query: &Query, _: &Params) -> Result<Rows, SourceError> {
        let Read::Sql(sql) = &query.read else { panic!("{query:?}") };
        let answers = self.0.answers.lock().unwrap();
        answers.get(sql.text.as_str()).cloned().unwrap_or_else(|| panic!("nothing is said of {}", sql.text))
    }

    async fn prepare(&self, _: &Query) -> Result<Option<Vec<String>>, SourceError> {
        Ok(None)
    }
}

#[async_trait]
impl Doer for Outside {
    async fn act(&self, order: &Order, _: &Mark) -> Outcome {
        panic!("{order:?}")
    }

    async fn look_up(&self, _: &Order, _: &Mark) -> Found {
        Found::Absent
    }
}

/// Files nothing, and says that it did.
pub struct Shelf;

impl Archive for Shelf {
    fn file(&self, _: &Filing) -> Result<Filed, Text> {
        Ok(Filed { name: "statement".to_owned(), hashes: BTreeMap::new() })
    }

    fn discard(&self, _: &Filed) {}
}
