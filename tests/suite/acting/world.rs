//! A business that can fail: an outside with keys and marks as the real ones keep them, scripted answers, and points
//! at which the program dies.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use wheelhouse::{
    domain::{
        id::Id,
        journal::{Act, Entry},
        money::{Currency, Money},
        pack::{
            Action, Confirm, Connection, ConnectionKind, Effect, EffectKind, EventWay, Guard, GuardRule, Input, InputKind, Pack,
            Policy, Query, Read, SecretSource, Sql, WindowClock,
        },
        plan::{ActionId, Order, Target},
        rows::{Params, Rows},
        snapshot::JournalLine,
        template::Template,
        text::Text,
        value::Value,
    },
    ports::{
        Answer, Clock, Connections, Doer, Followed, Found, Journal, Mark, Outcome, Ownership, Source, SourceError, StoreError,
    },
    store::Store,
};

pub fn start() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

pub fn aud(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("AUD").unwrap())
}

/// What happens to the next attempt, whatever the order.
#[derive(Clone, Debug)]
pub enum Script {
    /// It goes as it should.
    Goes,
    Again,
    Rejected,
    /// It happens, and the answer is lost.
    LostAfter,
    /// It does not happen, and nobody knows.
    LostBefore,
    /// The adapter panics.
    Panics,
}

#[derive(Default)]
pub struct Outside {
    /// Rows by their id.
    pub rows: BTreeMap<String, Params>,
    /// Charge and key of every refund that was made.
    pub refunds: Vec<(String, String)>,
    /// Keys of the statements that were carried out.
    pub statements: Vec<String>,
    pub mails: Vec<String>,
    /// Events that arrived, each as often as it did.
    pub arrived: Vec<String>,
    /// What arrives is not processed.
    pub is_deaf: bool,
    pub script: VecDeque<Script>,
    /// Refunds that somebody made elsewhere.
    pub is_unlabelled: bool,
    pub is_unreadable: bool,
    /// A look tells whether a mail went out.
    pub keeps_mails: bool,
    pub attempts: usize,
    /// What the payment account answers when it is asked whose key this is; `None` is the pack's own.
    pub ownership: Option<Ownership>,
    /// What has become of the refunds, when it is asked days later.
    pub followed: Option<Followed>,
    /// Nothing that is asked is answered before `World::speak`.
    pub is_silent: bool,
    /// The item whose earlier acts the journal cannot tell.
    pub forgotten: Option<String>,
    /// So many looks do not see yet what was refunded: the list is behind.
    pub behind: u32,
}

pub struct World {
    pub outside: Mutex<Outside>,
    now: Mutex<DateTime<Utc>>,
    points: AtomicUsize,
    kill_at: AtomicUsize,
    pub killed: Notify,
    /// Something was asked of a silent outside.
    pub asked: Notify,
    speaks: Notify,
}

impl World {
    pub fn new(ids: &[&str]) -> Arc<Self> {
        let rows = ids.iter().map(|id| ((*id).to_owned(), row(id))).collect();
        Arc::new(Self {
            outside: Mutex::new(Outside { rows, ..Outside::default() }),
            now: Mutex::new(start()),
            points: AtomicUsize::new(0),
            kill_at: AtomicUsize::new(usize::MAX),
            killed: Notify::new(),
            asked: Notify::new(),
            speaks: Notify::new(),
        })
    }

    pub fn later(&self, delta: TimeDelta) {
        *self.now.lock().unwrap() += delta;
    }

    pub fn set(&self, id: &str, column: &str, value: Value) {
        self.outside.lock().unwrap().rows.get_mut(id).unwrap().insert(column.to_owned(), value);
    }

    pub fn belongs(&self, ownership: Ownership) {
        self.outside.lock().unwrap().ownership = Some(ownership);
    }

    pub fn script(&self, script: impl IntoIterator<Item = Script>) {
        self.outside.lock().unwrap().script.extend(script);
    }

    /// The program dies at the so-manieth point from now.
    pub fn kill_at(&self, number: usize) {
        self.points.store(0, Ordering::SeqCst);
        self.kill_at.store(number, Ordering::SeqCst);
    }

    /// A moment at which the program may die: then it goes no further.
    async fn point(&self) {
        if self.points.fetch_add(1, Ordering::SeqCst) == self.kill_at.load(Ordering::SeqCst) {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
    }

    pub fn be_silent(&self) {
        self.outside.lock().unwrap().is_silent = true;
    }

    /// What was asked last is answered, and all that comes.
    pub fn speak(&self) {
        self.outside.lock().unwrap().is_silent = false;
        self.speaks.notify_one();
    }

    async fn listens(&self) {
        if self.outside.lock().unwrap().is_silent {
            self.asked.notify_one();
            self.speaks.notified().await;
        }
    }

    pub fn connections(self: &Arc<Self>) -> Connections {
        let system = |name: &str| {
            let system: Arc<dyn wheelhouse::ports::System> = Arc::new(Fake { world: Arc::clone(self) });
            (Id::<Connection>::new(name), system)
        };
        Connections(HashMap::from([system("db"), system("stripe"), system("mail")]))
    }
}

impl Clock for World {
    fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }
}

pub fn row(id: &str) -> Params {
    [
        ("id", Value::text(id)),
        ("charge", Value::text(format!("ch_{id}"))),
        ("amount", Value::Money(aud(2200))),
        ("status", Value::text("pending")),
        ("purchased_at", Value::Time(start() - TimeDelta::hours(10))),
        ("literal_pending", Value::text("pending")),
        ("literal_approved", Value::text("approved")),
        ("literal_refunded", Value::text("refunded")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

struct Fake {
    world: Arc<World>,
}

#[async_trait]
impl Source for Fake {
    async fn read(&self, _: &Query, params: &Params) -> Result<Rows, SourceError> {
        let outside = self.world.outside.lock().unwrap();
        if outside.is_unreadable {
            return Err(SourceError::Unreachable(Text::new("db: connection refused")));
        }
        let found = params.get("id").and_then(|id| outside.rows.get(&id.original()));
        let columns = row("x").into_keys();
        Ok(Rows::new(columns, found.map(|row| row.values().cloned().collect())))
    }

    async fn prepare(&self, _: &Query) -> Result<Option<Vec<String>>, SourceError> {
        Ok(None)
    }
}

impl Fake {
    /// Does it once for each key, as an outside with idempotency keys or marks does.
    fn happen(outside: &mut Outside, order: &Order, mark: &Mark) -> Outcome {
        let key = mark.key();
        match order {
            Order::Refund { charge, .. } => {
                if !outside.refunds.iter().any(|(_, made)| *made == key) {
                    outside.refunds.push((charge.clone(), key));
                }
                let reference = Some(format!("re_{}", outside.refunds.len()));
                Outcome::Confirmed(Answer { reference, request: Some("req_1".to_owned()), said: Text::new("refunded") })
            }
            Order::Sql { parameters, .. } => {
                let id = parameters.first().map(Value::original).unwrap_or_default();
                if !outside.statements.contains(&key) {
                    let row = outside.rows.get_mut(&id);
                    let Some(row) = row.filter(|row| row.get("status") == parameters.get(1)) else {
                        return Outcome::Changed(Text::new("0 rows, 1 expected"));
                    };
                    row.insert("status".to_owned(), parameters.get(2).cloned().unwrap_or_default());
                    outside.statements.push(key);
                }
                Outcome::Confirmed(Answer { reference: None, request: None, said: Text::new("1 row") })
            }
            Order::Event { event, .. } => {
                outside.arrived.push(event.clone());
                Outcome::Confirmed(Answer { reference: None, request: None, said: Text::new("arrived") })
            }
            Order::Proof { parameters, .. } => {
                let id = parameters.first().map(Value::original).unwrap_or_default();
                if outside.is_deaf || !outside.arrived.contains(&id) {
                    return Outcome::Again { after: Duration::from_secs(1), why: Text::new("not proven: no row yet") };
                }
                Outcome::Confirmed(Answer { reference: None, request: None, said: Text::new("proven") })
            }
            Order::Amend { .. }
            | Order::Mail { .. }
            | Order::Http { .. }
            | Order::Webhook { .. }
            | Order::Firestore { .. }
            | Order::Command { .. } => {
                outside.mails.push(key);
                Outcome::Confirmed(Answer { reference: None, request: None, said: Text::new("accepted") })
            }
        }
    }
}

#[async_trait]
impl Doer for Fake {
    async fn follow(&self, order: &Order, answer: &Answer, mark: &Mark) -> Followed {
        let Order::Refund { .. } = order else { panic!("{order:?}") };
        self.world.listens().await;
        let outside = self.world.outside.lock().unwrap();
        if answer.reference.is_some() {
            return outside.followed.clone().unwrap_or(Followed::Open);
        }
        match outside.refunds.iter().position(|(_, key)| *key == mark.key()) {
            Some(at) => {
                let reference = Some(format!("re_{}", at + 1));
                Followed::Named(Answer { reference, request: None, said: Text::new("by this act's id") })
            }
            None => Followed::Lost(Text::new("no refund is like it")),
        }
    }

    async fn ownership(&self) -> Ownership {
        self.world.outside.lock().unwrap().ownership.clone().unwrap_or(Ownership::Own)
    }

    async fn act(&self, order: &Order, mark: &Mark) -> Outcome {
        self.world.point().await;
        self.world.listens().await;
        let answer = {
            let mut outside = self.world.outside.lock().unwrap();
            outside.attempts += 1;
            let script = outside.script.pop_front();
            match script {
                None | Some(Script::Goes) => Self::happen(&mut outside, order, mark),
                Some(Script::Again) => Outcome::Again { after: Duration::from_secs(1), why: Text::new("busy") },
                Some(Script::Rejected) => Outcome::Rejected(Text::new("refused by the outside")),
                Some(Script::LostBefore) => Outcome::Unknown(Text::new("no answer within 10 s")),
                Some(Script::LostAfter) => {
                    Self::happen(&mut outside, order, mark);
                    Outcome::Unknown(Text::new("the line dropped"))
                }
                Some(Script::Panics) => {
                    drop(outside);
                    panic!("planted");
                }
            }
        };
        self.world.point().await;
        answer
    }

    async fn look_up(&self, order: &Order, mark: &Mark) -> Found {
        self.world.point().await;
        self.world.listens().await;
        let mut outside = self.world.outside.lock().unwrap();
        let key = mark.key();
        if let (Order::Refund { .. }, Some(behind)) = (order, outside.behind.checked_sub(1)) {
            outside.behind = behind;
            return Found::Absent;
        }
        let ours = |said: &str| Found::Ours(Answer { reference: None, request: None, said: Text::new(said) });
        match order {
            Order::Refund { .. } if outside.is_unlabelled => Found::Unlabelled(Text::new("re_9 A$22.00")),
            Order::Refund { .. } if outside.refunds.iter().any(|(_, made)| *made == key) => ours("refunded"),
            Order::Sql { .. } if outside.statements.contains(&key) => ours("1 row"),
            Order::Refund { .. } | Order::Sql { .. } | Order::Event { .. } | Order::Proof { .. } => Found::Absent,
            Order::Mail { .. } if outside.keeps_mails && outside.mails.contains(&key) => ours("accepted"),
            Order::Mail { .. } if outside.keeps_mails => Found::Absent,
            Order::Amend { .. }
            | Order::Mail { .. }
            | Order::Http { .. }
            | Order::Webhook { .. }
            | Order::Firestore { .. }
            | Order::Command { .. } => Found::CannotTell(Text::new("mail leaves no trace")),
        }
    }
}

/// The real store, with a point before and after every write.
pub struct MortalJournal {
    pub store: Store,
    pub world: Arc<World>,
}

#[async_trait]
impl Journal for MortalJournal {
    async fn append(&self, entry: &Entry) -> Result<JournalLine, StoreError> {
        self.store.append(entry).await
    }

    async fn save_transition(&self, act: &Act, entry: &Entry) -> Result<JournalLine, StoreError> {
        self.world.point().await;
        let line = self.store.save_transition(act, entry).await;
        self.world.point().await;
        line
    }

    async fn identity(&self) -> Result<String, StoreError> {
        self.store.identity().await
    }

    async fn open_acts(&self) -> Result<Vec<Act>, StoreError> {
        self.store.open_acts().await
    }

    async fn half_way_acts(&self) -> Result<Vec<Act>, StoreError> {
        self.store.half_way_acts().await
    }

    async fn unsettled_acts(&self, at_most: usize) -> Result<Vec<Act>, StoreError> {
        self.store.unsettled_acts(at_most).await
    }

    async fn cut_batches(&self) -> Result<Vec<Vec<Act>>, StoreError> {
        self.store.cut_batches().await
    }

    async fn act(&self, id: &ActionId) -> Result<Option<Act>, StoreError> {
        self.store.act(id).await
    }

    async fn acts_on(&self, target: &Target) -> Result<Vec<Act>, StoreError> {
        if self.world.outside.lock().unwrap().forgotten.as_ref() == Some(&target.key) {
            return Err(StoreError::Unreadable(Text::new("the page is damaged")));
        }
        self.store.acts_on(target).await
    }

    async fn money_sent(&self, since: DateTime<Utc>, except: Option<&ActionId>) -> Result<i64, StoreError> {
        self.store.money_sent(since, except).await
    }

    async fn journal_tail(&self, at_most: usize) -> Result<Vec<JournalLine>, StoreError> {
        self.store.journal_tail(at_most).await
    }

    async fn journal_page(&self, before: Option<u64>, contains: &str, at_most: usize) -> Result<Vec<JournalLine>, StoreError> {
        self.store.journal_page(before, contains, at_most).await
    }
}

fn sql(from: &str, to: &str) -> Effect {
    let parameters = vec!["id".to_owned(), format!("literal_{from}"), format!("literal_{to}")];
    let kind = EffectKind::Sql {
        on: Id::new("db"),
        sql: Sql { text: "update".to_owned(), numbered: "update".to_owned(), parameters },
        rows: 1,
    };
    Effect { kind, said: template(&format!("status {from} -> {to}")) }
}

fn refund() -> Effect {
    let kind =
        EffectKind::Refund { on: Id::new("stripe"), charge: "charge".to_owned(), amount: "amount".to_owned(), reason: None };
    Effect { kind, said: template("refund {{ amount }} of {{ charge }}") }
}

fn mail(body: &str) -> Effect {
    let kind = EffectKind::Mail {
        on: Id::new("mail"),
        to: template("a@example.org"),
        subject: template("Your refund"),
        body: template(body),
    };
    Effect { kind, said: template("mail to a@example.org") }
}

/// An event posted to a handler, and the row that proves it.
fn event() -> Vec<Effect> {
    let way = EventWay::Ourselves { handler: "site".to_owned() };
    let kind = EffectKind::Event { on: Id::new("stripe"), event: "id".to_owned(), way };
    let sql = Sql { text: "select".to_owned(), numbered: "select".to_owned(), parameters: vec!["id".to_owned()] };
    let proof = EffectKind::Proof { on: Id::new("db"), sql };
    [(kind, "post {{ id }}"), (proof, "see it processed")].map(|(kind, said)| Effect { kind, said: template(said) }).into()
}

fn template(source: &str) -> Template {
    Template::parse(source).unwrap()
}

fn action(id: &str, effects: Vec<Effect>) -> Action {
    let read = Read::Sql(Sql { text: "select".to_owned(), numbered: "select".to_owned(), parameters: Vec::new() });
    Action {
        id: Id::new(id),
        title: id.to_owned(),
        key: None,
        effects,
        guards: Vec::new(),
        inputs: Vec::new(),
        undo: None,
        confirm: Confirm::Key,
        stops_at_unknown: false,
        hold: Duration::ZERO,
        amount: None,
        fresh: vec![Query { on: Id::new("db"), read, money: Vec::new() }],
        unchanged: vec!["status".to_owned()],
        label: None,
        covers: Vec::new(),
    }
}

/// Approve and its undo (SQL), and a refund of three steps with a window, a hold and a note.
pub fn pack() -> Arc<Pack> {
    pack_for("acct_1")
}

/// The same, pinned to a payment account.
pub fn pack_for(account: &str) -> Arc<Pack> {
    let approve = Action { undo: Some(Id::new("unapprove")), ..action("approve", vec![sql("pending", "approved")]) };
    let unapprove = action("unapprove", vec![sql("approved", "pending")]);
    let window =
        GuardRule::Within { column: "purchased_at".to_owned(), window: Duration::from_hours(72), clock: WindowClock::Now };
    let refund = Action {
        guards: vec![Guard { title: "within 3 days".to_owned(), rule: window, says: None }],
        inputs: vec![Input { name: "note".to_owned(), title: "Note".to_owned(), kind: InputKind::Text, required: true }],
        confirm: Confirm::Typed,
        stops_at_unknown: false,
        hold: Duration::from_secs(10),
        amount: Some("amount".to_owned()),
        ..action("refund", vec![refund(), sql("pending", "refunded"), mail("{{ amount }} is on its way. {{ note }}")])
    };
    let send_money =
        Action { amount: Some("amount".to_owned()), ..action("pay_back", vec![self::refund(), sql("pending", "refunded")]) };
    // The statement comes last: it is never begun where the mail before it fails.
    let steps = vec![self::refund(), mail("Thank you."), sql("pending", "refunded")];
    let replay = Action { stops_at_unknown: true, ..action("replay", event()) };
    let thank = Action { amount: Some("amount".to_owned()), ..action("thank", steps) };
    Arc::new(Pack {
        name: "town".to_owned(),
        title: "Town".to_owned(),
        timezone: "Australia/Sydney".parse().unwrap(),
        currency: Currency::from_code("AUD").unwrap(),
        connections: vec![Connection {
            id: Id::new("stripe"),
            kind: ConnectionKind::Stripe {
                key: SecretSource::Environment("KEY".to_owned()),
                url: None,
                account: Some(account.to_owned()),
                livemode: false,
                unrestricted: false,
                handlers: Vec::new(),
            },
            timeout: Duration::from_secs(10),
        }],
        checks: Vec::new(),
        queues: Vec::new(),
        jobs: Vec::new(),
        ledgers: Vec::new(),
        reconciliations: Vec::new(),
        flags: Vec::new(),
        metrics: Vec::new(),
        actions: vec![approve, unapprove, refund, send_money, thank, replay],
        playbooks: Vec::new(),
        policy: Policy { money_per_session: Some(10_000), money_per_day: Some(20_000), ..Policy::default() },
    })
}
