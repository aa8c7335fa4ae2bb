//! Plays one case: the real acting part, journal and Stripe adapter, a line that fails as told, and a patient operator.

use std::{path::PathBuf, sync::Arc, time::Duration};

use chrono::TimeDelta;
use wheelhouse::{
    domain::{
        id::Id,
        pack::Pack,
        plan::{Receipt, Standing},
        rows::Params,
    },
    engine::message::{Ask, Event},
};

use super::{
    line::{Fault, Kind, Line},
    stage::{self, Refund, Stage},
    table::{End, When},
};
use crate::acting::{Cockpit, world::World};

#[derive(Clone, Debug)]
pub struct Case {
    pub id: String,
    pub fault: Fault,
    pub when: When,
    /// How many in a row, from 1.
    pub tries: usize,
    pub end: End,
    pub why: &'static str,
}

/// How it came out.
#[derive(Debug, Default)]
pub struct Ended {
    /// Previews that were refused, in words.
    pub refusals: Vec<String>,
    pub standing: Option<Standing>,
    pub said: String,
    /// The operator had to ask for a look.
    pub was_asked_for: bool,
    pub refunds: Vec<Refund>,
    pub action: String,
    pub purchase: (String, i64),
    /// The keys and bodies of every attempt, without repetitions.
    pub attempts: Vec<(String, String)>,
    pub sent: usize,
    pub journal: Vec<String>,
    pub is_chain_whole: bool,
}

/// Previews that an operator asks for before giving up.
const PATIENCE: usize = 5;
/// A silence while nothing is on its way, in steps of a minute: longer than any pause that the machine makes.
const QUIET: usize = 8;
/// Of an act whose fault is a silence; every other waits as long as a busy machine needs.
const SHORT: &str = "1500ms";

/// Longer than the pauses between a read's attempts.
const SILENCE: Duration = Duration::from_secs(3);

struct Player<'a> {
    stage: &'a Stage,
    case: &'a Case,
    line: Line,
    world: Arc<World>,
    pack: Arc<Pack>,
    file: PathBuf,
}

pub async fn play(stage: &Stage, case: &Case) -> Ended {
    let timeout = if matches!(case.fault, Fault::Timeout | Fault::HangAfter) { SHORT } else { "60s" };
    let line = Line::to(stage.stripe, stage.stand_ins(), stage.secret.clone()).await;
    let pack = stage::till("20s", timeout, (case.when == When::Account).then_some("acct_1DTD"));
    let file = stage.folder.path().join(format!("{}.db", case.id));
    let player = Player { stage, case, line, world: World::new(&[]), pack, file };
    player.play().await
}

impl Player<'_> {
    async fn open(&self) -> Cockpit {
        let connections = self.stage.connections(&self.pack, self.line.address, "file:///nowhere");
        Cockpit::open_on(&self.world, &self.file, Arc::clone(&self.pack), connections).await
    }

    /// The fault, as often in a row as the case says.
    async fn arm(&self, kind: Kind) {
        if self.case.fault == Fault::Refused {
            return self.line.shut().await;
        }
        for _ in 0..self.case.tries {
            self.line.arm(kind, self.case.fault);
        }
    }

    /// What goes before, and the fault itself where it must be there in time.
    async fn prepare(&self) {
        let first = match self.case.when {
            When::Account => return self.arm(Kind::Account).await,
            When::Planned => return self.arm(Kind::Charge).await,
            When::Sent => return self.arm(Kind::Refund).await,
            When::Intent => return,
            When::Again => Fault::TooMany,
            When::Resent | When::LookForNothing => Fault::ResetBefore,
            When::Look => Fault::ResetAfter,
            When::Recovered => return self.line.arm(Kind::Refund, Fault::HangAfter),
            When::RecoveredNothing => return self.line.arm(Kind::Refund, Fault::Timeout),
        };
        self.line.arm(Kind::Refund, first);
        let (kind, before) = match self.case.when {
            When::Again => (Kind::Refund, Kind::Refund),
            When::Resent => (Kind::Refund, Kind::Look),
            _ => (Kind::Look, Kind::Refund),
        };
        if self.case.fault == Fault::Refused {
            self.line.shut_after(before);
        } else {
            self.arm(kind).await;
        }
    }

    async fn play(&self) -> Ended {
        self.prepare().await;
        let mut cockpit = self.open().await;
        cockpit.actor.recover().await.unwrap();
        cockpit.actor.unlock().await.unwrap();
        if self.case.when == When::Account {
            // The start's own question is over before anything is planned.
            cockpit.actor.account().await.unwrap();
        }
        let mut ended = Ended::default();
        if self.confirm(&cockpit, &mut ended).await {
            if matches!(self.case.when, When::Recovered | When::RecoveredNothing) {
                cockpit = self.die_and_come_back(cockpit).await;
            }
            let tick = async || self.listen_again(&cockpit).await;
            ended.was_asked_for = drive(&cockpit, &self.case.id, &self.line, tick).await;
        }
        self.judge(cockpit, ended).await
    }

    /// False where it can never be planned.
    async fn confirm(&self, cockpit: &Cockpit, ended: &mut Ended) -> bool {
        let action = if matches!(self.case.when, When::Planned | When::Intent) { "give_back_checked" } else { "give_back" };
        for number in 1..=PATIENCE {
            let ask = Ask(number as u64);
            let aims = vec![stage::aim(&self.case.id)];
            let preview = cockpit.actor.propose(ask, Id::new(action), aims, Params::new()).await.unwrap();
            let Some(plan) = preview.plans.first() else {
                ended.refusals.extend(preview.refused.iter().map(|(_, why)| why.shown().to_owned()));
                if self.case.fault == Fault::Refused && ended.refusals.len() >= self.case.tries {
                    self.line.reopen().await;
                }
                continue;
            };
            ended.action = plan.id.0.clone();
            if self.case.when == When::Intent {
                self.arm(Kind::Charge).await;
            }
            cockpit.actor.commit(ask, preview.expected.clone()).await.unwrap();
            // The hold is over.
            cockpit.later(TimeDelta::seconds(11)).await;
            return true;
        }
        false
    }

    /// Kill -9 while the answer is awaited; the fault meets what the next start asks first.
    async fn die_and_come_back(&self, cockpit: Cockpit) -> Cockpit {
        let is_there = || match self.case.when {
            When::Recovered => self.line.has_passed_on(Kind::Refund),
            _ => !self.line.seen(Kind::Refund).is_empty(),
        };
        while !is_there() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cockpit.die().await;
        self.arm(Kind::Look).await;
        let cockpit = self.open().await;
        cockpit.actor.recover().await.unwrap();
        cockpit.actor.unlock().await.unwrap();
        cockpit
    }

    /// Somebody listens again once it was refused as often as the case says.
    async fn listen_again(&self, cockpit: &Cockpit) {
        if self.case.fault != Fault::Refused || self.line.is_open() {
            return;
        }
        let lines = cockpit.lines().await;
        let is_refusal =
            |line: &&String| line.contains("not sent: ") && line.contains("tried again") || line.contains("could not tell");
        let is_over = |line: &String| line.contains("could not be read afresh");
        if lines.iter().filter(is_refusal).count() >= self.case.tries || lines.iter().any(is_over) {
            self.line.reopen().await;
        }
    }

    async fn judge(&self, mut cockpit: Cockpit, ended: Ended) -> Ended {
        let receipt = receipt(&cockpit, &self.case.id);
        let told: Vec<String> = cockpit
            .said()
            .into_iter()
            .filter_map(|event| match event {
                Event::Receipt(receipt) if receipt.target.key == self.case.id => Some(receipt.said.shown().to_owned()),
                _ => None,
            })
            .collect();
        if let Some(receipt) = &receipt {
            assert_eq!(
                told.last().map(String::as_str),
                Some(receipt.said.shown()),
                "{:?}: the last word is the one that stands",
                self.case
            );
        }
        let mut attempts: Vec<_> = self.line.seen(Kind::Refund).into_iter().map(|seen| (seen.key, seen.body)).collect();
        let sent = attempts.len();
        attempts.sort();
        attempts.dedup();
        Ended {
            standing: receipt.as_ref().map(|receipt| receipt.standing),
            said: receipt.map(|receipt| receipt.said.shown().to_owned()).unwrap_or_default(),
            refunds: self.stage.refunds(&self.case.id).await,
            purchase: self.stage.purchase(&self.case.id).await,
            attempts,
            sent,
            journal: cockpit.lines().await,
            is_chain_whole: matches!(cockpit.journal.store.verify().await, Ok(Ok(_))),
            ..ended
        }
    }
}

fn receipt(cockpit: &Cockpit, id: &str) -> Option<Receipt> {
    cockpit.actor.standings().receipts.iter().find(|receipt| receipt.target.key == id).cloned()
}

/// Lets time pass until nothing more happens by itself, and then asks once to look again; whether it had to.
pub async fn drive(cockpit: &Cockpit, id: &str, line: &Line, tick: impl AsyncFn()) -> bool {
    let (mut quiet, mut silences, mut in_a_row, mut was_asked_for) = (0, 0, 0, false);
    let mut watch = cockpit.actor.watch();
    loop {
        let receipt = receipt(cockpit, id);
        if receipt.as_ref().is_some_and(|receipt| receipt.standing.is_over()) {
            return was_asked_for;
        }
        tick().await;
        watch.mark_unchanged();
        if tokio::time::timeout(Duration::from_millis(20), watch.changed()).await.is_ok() {
            (quiet, in_a_row) = (0, 0);
            continue;
        }
        if !line.is_idle() {
            continue;
        }
        quiet += 1;
        if quiet <= QUIET {
            cockpit.later(TimeDelta::seconds(61)).await;
            continue;
        }
        // A read that is asked again pauses for a moment, and nobody sees it from here.
        let is_silent = tokio::time::timeout(SILENCE, watch.changed()).await.is_err() && line.is_idle();
        quiet = 0;
        if !is_silent {
            in_a_row = 0;
            continue;
        }
        silences += 1;
        in_a_row += 1;
        assert!(silences < 100, "{id} comes to no end: {receipt:?}");
        let Some(receipt) = receipt.filter(|receipt| receipt.standing == Standing::Unknown) else { continue };
        // On a busy machine one silence may only mean that nobody got to it: more time passes, and it is silent again.
        if in_a_row < 2 {
            continue;
        }
        if was_asked_for {
            return true;
        }
        // It may be at it already: then it is waited for.
        was_asked_for = cockpit.actor.look_up(receipt.plan).await.is_ok();
        in_a_row = 0;
    }
}

/// What does not hold, in words.
pub fn wrong(case: &Case, ended: &Ended) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut hold = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    let ours = ended.refunds.iter().filter(|refund| refund.action == ended.action && !ended.action.is_empty()).count();
    let others = ended.refunds.len() - ours;
    let (expected_ours, expected_others) = case.end.refunds();
    hold(ended.standing == case.end.standing(), format!("it stands {:?}, not {:?}", ended.standing, case.end.standing()));
    hold(ours == expected_ours, format!("{ours} refunds of ours, not {expected_ours}"));
    hold(
        expected_others.is_none_or(|expected| expected == others),
        format!("{others} refunds of others, not {expected_others:?}"),
    );
    let is_done = case.end.standing() == Some(Standing::Done);
    let purchase = if is_done { ("refunded".to_owned(), 1) } else { ("paid".to_owned(), 0) };
    hold(ended.purchase == purchase, format!("the purchase is {:?}, not {purchase:?}", ended.purchase));
    let said = if case.end == End::Barred { ended.refusals.last().cloned().unwrap_or_default() } else { ended.said.clone() };
    hold(!said.is_empty() && said.contains(case.end.said()), format!("it says `{said}`, not `{}`", case.end.said()));
    let refusals = match case.end {
        End::DoneAfter(count) => count,
        End::Barred => PATIENCE,
        _ => 0,
    };
    hold(
        ended.refusals.len() == refusals,
        format!("{} previews refused, not {refusals}: {:?}", ended.refusals.len(), ended.refusals),
    );
    hold(ended.refusals.iter().all(|why| why.len() > 20), format!("a refusal says too little: {:?}", ended.refusals));
    let asked = matches!(case.end, End::DoneOnRequest | End::ForAPerson | End::Unknown);
    hold(ended.was_asked_for == asked, format!("asked for a look: {}, not {asked}", ended.was_asked_for));
    hold(ended.attempts.len() <= 1, format!("attempts differ: {:?}", ended.attempts));
    hold(
        ended.attempts.iter().all(|(key, _)| *key == format!("{}-0", ended.action)),
        format!("a strange key: {:?}", ended.attempts),
    );
    let told = ended.journal.iter().filter(|line| line.contains("sending step 1 of 2")).count();
    hold(told >= ended.sent, format!("{} attempts, {told} on record", ended.sent));
    hold(ended.is_chain_whole, "the chain is broken".to_owned());
    wrong
}
