//! What the engine asks of the outside: reading, acting, remembering, the time. Adapters and the store answer.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::{
    archive::{Filed, Filing},
    claim::{Claim, Claims, Ending, Held},
    command::Printed,
    id::Id,
    identity::Identity,
    journal::{Act, Entry},
    pack::{Connection, Flag, Query, Reconciliation},
    plan::{ActionId, Order, Target},
    rights::{Needs, Rights},
    rows::{Params, Rows},
    snapshot::{FlagFlip, Flip, Handling, JournalLine, SignOff, Snapshot, Subject},
    text::Text,
};

pub use crate::domain::journal::{Answer, Followed, Found, Mark, Outcome};

/// Why a look failed. The words are safe to show and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nobody answered: refused, no route, name unknown, TLS.
    #[error("{0}")]
    Unreachable(Text),
    /// It answered and did not want to: 4xx, a statement with a mistake.
    #[error("{0}")]
    Refused(Text),
    /// It is there and cannot answer now: locked, short of connections.
    #[error("{0}")]
    Busy(Text),
    /// Wrong or missing credentials or permissions.
    #[error("{0}")]
    Denied(Text),
    /// An answer that could not be understood: not JSON, a field missing, 5xx.
    #[error("{0}")]
    Malformed(Text),
    #[error("no answer within {}", humantime(*.0))]
    TimedOut(Duration),
}

fn humantime(duration: Duration) -> String {
    if duration.as_secs() == 0 { format!("{} ms", duration.as_millis()) } else { format!("{} s", duration.as_secs()) }
}

/// Takes rows as they come, in order.
pub trait Taker: Send {
    /// An error ends the reading; its words say what of which row cannot be used.
    fn take(&mut self, rows: Rows) -> Result<(), String>;
}

/// An outside system that can be read.
#[async_trait]
pub trait Source: Send + Sync {
    /// Rows with at least the columns that the query names. Never writes. Bounded by the connection's timeout; a list that
    /// comes in pages, each of them.
    async fn read(&self, query: &Query, params: &Params) -> Result<Rows, SourceError>;

    /// As `read`, for what comes in pages: tells of each, as it comes, how many rows it has.
    async fn read_aloud(&self, query: &Query, params: &Params, came: &PageCame<'_>) -> Result<Rows, SourceError> {
        let _ = came;
        self.read(query, params).await
    }

    /// How many looks it takes at a time without one waiting for another.
    fn looks_at_once(&self) -> usize {
        1
    }

    /// As `read`, for lists too long to be held twice: hands the rows over in parts. Each part within the connection's
    /// timeout. Answers what the outside calls the requests that it was asked, where it calls them anything.
    async fn stream(&self, query: &Query, params: &Params, taker: &mut dyn Taker) -> Result<Vec<String>, SourceError> {
        let rows = self.read(query, params).await?;
        taker.take(rows).map_err(|why| SourceError::Refused(Text::new(why)))?;
        Ok(Vec::new())
    }

    /// Finds mistakes in a query without running it, where the system can; its columns, where they are known.
    async fn prepare(&self, query: &Query) -> Result<Option<Vec<String>>, SourceError>;

    /// What answers there, and as whom we are known to it. Never writes.
    async fn identify(&self) -> Result<Identity, SourceError> {
        Err(SourceError::Refused(Text::new("it cannot be asked what it is")))
    }

    /// What its credentials may do of what is needed, where that can be asked. Never changes anything.
    async fn rights(&self, needs: &Needs) -> Rights {
        let _ = needs;
        Rights::default()
    }

    /// How much of what it allows is used just now, in words; `None` where nothing is rationed.
    fn budget(&self) -> Option<Text> {
        None
    }

    /// How far the long lists have come that are being read just now, in words.
    fn progress(&self) -> Option<Text> {
        None
    }

    /// What acts will need and is not there, in words with the next step. Never writes.
    async fn inspect(&self) -> Result<Vec<Text>, SourceError> {
        Ok(Vec::new())
    }
}

/// Whether a connection is the one that the pack means: its account, its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// It is, or the pack pins nothing.
    Own,
    /// It certainly is another account's.
    Another(Text),
    /// It is of the other mode: test data in a live pack, or real money in a test pack.
    OtherMode(Text),
    /// It could not be asked; it may be asked again.
    Unasked(Text),
}

/// Takes the number of rows of a page that has come. Must not block.
pub type PageCame<'a> = dyn Fn(usize) + Send + Sync + 'a;

/// Takes what an act has printed so far. Must not block.
pub type Told = dyn Fn(Printed) + Send + Sync;

/// An outside system that can be acted upon.
#[async_trait]
pub trait Doer: Send + Sync {
    /// Asks whose it is, where the pack pins that. Never writes. Bounded by the connection's timeout.
    async fn ownership(&self) -> Ownership {
        Ownership::Own
    }

    /// Carries out one attempt. Only the journal's driver calls this, after the attempt is on disk.
    async fn act(&self, order: &Order, mark: &Mark) -> Outcome;

    /// As `act`, for what prints while it works: tells, again and again, what that was so far.
    async fn act_aloud(&self, order: &Order, mark: &Mark, told: &Told) -> Outcome {
        let _ = told;
        self.act(order, mark).await
    }

    /// The longest that one attempt may take, where that is longer than the engine waits for an answer.
    fn longest_act(&self) -> Option<Duration> {
        None
    }

    /// The program is ending: what is under way has so long, and is then given up as unknown.
    fn wind_down(&self, within: Duration) {
        let _ = within;
    }

    /// Ends the attempt of this act that is under way, in the name of an operator. False where there is none that could be
    /// ended, or it is being ended already. Its outcome comes as any other.
    fn cut_short(&self, act: &ActionId, by: &str) -> bool {
        let _ = (act, by);
        false
    }

    /// Looks whether an earlier attempt happened. Never writes.
    async fn look_up(&self, order: &Order, mark: &Mark) -> Found;

    /// Looks what has become of something that was done, days later; where its answer has no reference, by its mark. Never
    /// writes.
    async fn follow(&self, order: &Order, answer: &Answer, mark: &Mark) -> Followed {
        let _ = (order, answer, mark);
        Followed::CannotTell(Text::new("nothing of it can be looked at"))
    }

    /// Every claim on these targets, open or ended; `None` where no claims are kept. Never writes.
    async fn claims(&self, targets: &[String]) -> Result<Option<Claims>, SourceError> {
        let _ = targets;
        Ok(None)
    }

    /// Claims a target in one transaction, in which `judge` has the last word. Claims of the same record that `settled`
    /// tells the ends of are given back on the way; asked for once more, a claim that stands already is found.
    async fn claim(&self, claim: &Claim, settled: &[(ActionId, Ending)], judge: &mut dyn Judge) -> Claimed {
        let _ = (claim, settled, judge);
        Claimed::NotKept
    }

    /// Gives a claim back, or says once more how its act ended. Where that record holds no such claim nothing changes.
    async fn release(&self, act: &ActionId, journal: &str, ending: Ending) -> Result<(), SourceError> {
        let _ = (act, journal, ending);
        Ok(())
    }

    /// The acts of a record whose claims are open. Never writes.
    async fn open_claims(&self, journal: &str) -> Result<Vec<ActionId>, SourceError> {
        let _ = journal;
        Ok(Vec::new())
    }
}

/// What is seen from inside the transaction that claims.
#[async_trait]
pub trait Inside: Send {
    /// The database's own clock.
    fn now(&self) -> DateTime<Utc>;

    /// Every claim on the target, this one too.
    fn held(&self) -> &[Held];

    /// As `Source::read`; one of the queries that the judge named.
    async fn read(&mut self, query: &Query, params: &Params) -> Result<Rows, SourceError>;
}

/// Decides inside the transaction whether a claim stands.
#[async_trait]
pub trait Judge: Send {
    /// What it will read inside, so that it is prepared before.
    fn queries(&self) -> &[Query];

    /// True: it is committed. False: it is rolled back.
    async fn permits(&mut self, inside: &mut dyn Inside) -> bool;
}

/// What became of asking for a claim. Nothing has been sent, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It stands.
    Granted,
    /// The judge forbade it; it was rolled back.
    Forbidden,
    /// Another claim was there: all that there are.
    Lost(Claims),
    /// Nobody knows whether it stands; asked again, it is found.
    Unanswered(Text),
    /// The database refused, and will.
    Refused(Text),
    /// No claims are kept here.
    NotKept,
}

/// A connection, opened.
pub trait System: Source + Doer {}

impl<T: Source + Doer> System for T {}

/// Every connection of a pack, by its name.
#[derive(Clone, Default)]
pub struct Connections(pub HashMap<Id<Connection>, Arc<dyn System>>);

impl Connections {
    pub fn find(&self, id: &Id<Connection>) -> Option<&Arc<dyn System>> {
        self.0.get(id)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why the cockpit's own record could not be kept or read. Where it cannot be written, nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the journal cannot be written ({0}): nothing was sent")]
    Unwritable(Text),
    #[error("the journal cannot be read ({0})")]
    Unreadable(Text),
    /// Another cockpit holds it; who, where and since when.
    #[error("{0} holds the journal: this cockpit only reads")]
    ReadOnly(Text),
    #[error("the journal's chain is broken ({0}): nothing is sent until it is mended")]
    Broken(Text),
}

/// The durable record of acts. Every write is through to the disk when it answers, with its audit entry in the same
/// transaction.
#[async_trait]
pub trait Journal: Send + Sync {
    async fn append(&self, entry: &Entry) -> Result<JournalLine, StoreError>;

    /// Writes the act's state and the entry that tells of it in one transaction.
    async fn save_transition(&self, act: &Act, entry: &Entry) -> Result<JournalLine, StoreError>;

    /// Acts that are not over, oldest first.
    async fn open_acts(&self) -> Result<Vec<Act>, StoreError>;

    /// Acts that ended with some of their steps through and the rest denied, oldest first.
    async fn half_way_acts(&self) -> Result<Vec<Act>, StoreError>;

    /// Refunds that are done and that the outside may still undo, oldest first; at most so many.
    async fn unsettled_acts(&self, at_most: usize) -> Result<Vec<Act>, StoreError>;

    /// The acts of each batch that has no closing line (`BATCH`, with the batch in its payload), oldest first.
    async fn cut_batches(&self) -> Result<Vec<Vec<Act>>, StoreError>;

    async fn act(&self, id: &ActionId) -> Result<Option<Act>, StoreError>;

    /// Names this record among all: whose claim is whose.
    async fn identity(&self) -> Result<String, StoreError>;

    /// Every act on a target, whatever became of it, oldest first.
    async fn acts_on(&self, target: &Target) -> Result<Vec<Act>, StoreError>;

    /// Minor units of the acts committed since then, all but `except`, that happened, may have happened or still can.
    async fn money_sent(&self, since: DateTime<Utc>, except: Option<&ActionId>) -> Result<i64, StoreError>;

    /// Newest first.
    async fn journal_tail(&self, at_most: usize) -> Result<Vec<JournalLine>, StoreError>;

    /// Lines before a sequence number whose words hold `contains`, newest first.
    async fn journal_page(&self, before: Option<u64>, contains: &str, at_most: usize) -> Result<Vec<JournalLine>, StoreError>;
}

/// What is remembered of one alert's subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remembered {
    /// The judge's own memory.
    pub memory: Option<serde_json::Value>,
    pub handling: Handling,
}

/// A stay of the operator at the cockpit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    pub number: i64,
    pub operator: String,
    pub began: DateTime<Utc>,
    pub ended: Option<DateTime<Utc>>,
}

/// What outlives a start beside the acts: severities, handling, sign-offs, open flips, the last picture.
#[async_trait]
pub trait Memory: Send + Sync {
    /// By `Subject::name`.
    async fn load_memories(&self) -> Result<HashMap<String, Remembered>, StoreError>;
    /// All of them in one transaction.
    async fn save_memories(&self, memories: &[(Subject, serde_json::Value)]) -> Result<(), StoreError>;
    async fn save_handling(&self, subject: &Subject, handling: &Handling, entry: &Entry) -> Result<JournalLine, StoreError>;
    async fn record_flip(&self, flip: &Flip) -> Result<(), StoreError>;
    /// Newest first.
    async fn flips(&self, subject: &Subject, at_most: usize) -> Result<Vec<Flip>, StoreError>;
    /// Flips of every subject since then, oldest first.
    async fn flips_since(&self, since: DateTime<Utc>) -> Result<Vec<Flip>, StoreError>;
    /// What was done and noted about a subject (entries saved with its handling, or with `subject` in their payload), newest first.
    async fn lines_about(&self, subject: &Subject, at_most: usize) -> Result<Vec<JournalLine>, StoreError>;

    /// Keeps the statement that was signed, whole.
    async fn sign_off(
        &self,
        reconciliation: &Id<Reconciliation>,
        sign_off: &SignOff,
        statement: &serde_json::Value,
        entry: &Entry,
    ) -> Result<JournalLine, StoreError>;
    async fn last_sign_off(&self, reconciliation: &Id<Reconciliation>) -> Result<Option<SignOff>, StoreError>;
    /// A statement by its hash.
    async fn statement(&self, hash: &str) -> Result<Option<serde_json::Value>, StoreError>;

    /// `None` closes the loop.
    async fn save_flag_flip(&self, flag: &Id<Flag>, flip: Option<&FlagFlip>) -> Result<(), StoreError>;
    async fn flag_flips(&self) -> Result<Vec<(Id<Flag>, FlagFlip)>, StoreError>;

    async fn last_snapshot(&self) -> Result<Option<Snapshot>, StoreError>;
    async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError>;

    async fn begin_visit(&self, operator: &str, at: DateTime<Utc>) -> Result<i64, StoreError>;
    async fn end_visit(&self, number: i64, at: DateTime<Utc>) -> Result<(), StoreError>;
    /// The latest visit that has ended, or that was cut off, before this one.
    async fn last_visit(&self, before: i64) -> Result<Option<Visit>, StoreError>;
}

/// Where statements are kept for years.
pub trait Archive: Send + Sync {
    /// Writes a statement, through to the disk, under a name that nothing had. Blocks.
    fn file(&self, filing: &Filing) -> Result<Filed, Text>;

    /// Takes back what was filed a moment ago and does not count. Blocks.
    fn discard(&self, filed: &Filed);
}

/// The cockpit's own database.
pub trait Store: Journal + Memory {}

impl<T: Journal + Memory> Store for T {}

/// The time; a test's clock stands where it is put.
pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;

    /// How far it was moved on purpose from the machine's clock, and so from a database's.
    fn ahead(&self) -> TimeDelta {
        TimeDelta::zero()
    }
}

/// The machine's clock, moved by `ahead`, so that a demo can stand at a chosen moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock {
    pub ahead: TimeDelta,
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now() + self.ahead
    }

    fn ahead(&self) -> TimeDelta {
        self.ahead
    }
}
