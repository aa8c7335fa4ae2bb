//! One round: a business, some acts, lives that end where they are told to, a last one that is left in peace, and the
//! judgement after each.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead as _, BufReader},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use chrono::Utc;
use serde::{Deserialize, Serialize};

use super::{
    bugs::Bug,
    deed::Deed,
    life::{FastClock, LIFE, Life},
    place::{self, Place, Reach},
    points::{ANYWHERE, Kill, SAYS},
    trap,
    verdict::{self, Case},
    wire::Wire,
};

/// A life that is still there after so long hangs.
const PATIENCE: Duration = Duration::from_mins(2);
/// The signal of `kill -9`.
const KILLED: i32 = 9;

/// Everything that a round is made of; run again from these words, it is the same round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Round {
    pub number: u64,
    pub deed: Deed,
    pub items: usize,
    /// 1, or 2 who decide the same things at the same time.
    pub operators: usize,
    /// Where the lives end, one after the other.
    pub kills: Vec<Kill>,
    /// How many in a hundred requests to Stripe meet a fault.
    pub faults: u8,
    /// A day and an hour pass after the first life, and Stripe forgets its keys.
    #[serde(default)]
    pub gap: bool,
    /// Stripe's list of refunds is behind at the first look.
    #[serde(default)]
    pub lags: bool,
    #[serde(default)]
    pub bug: Option<Bug>,
}

#[derive(Debug, Default)]
pub struct Report {
    /// Where lives were ended.
    pub killed_at: Vec<String>,
    pub lives: u64,
    /// Every point that a life came to which ended by itself.
    pub met: BTreeSet<String>,
    pub wrong: Vec<String>,
}

/// How a life ended.
#[derive(Debug)]
enum End {
    Killed(String),
    /// Everything is done.
    Done,
    /// Something was left that only time or a person can settle.
    Rest(Vec<String>),
    Failed(String),
}

pub struct Arena<'a> {
    pub place: &'a Place,
    runtime: tokio::runtime::Runtime,
}

/// A process at work.
struct AtWork {
    operator: String,
    child: Child,
    lines: mpsc::Receiver<String>,
    began: Instant,
    kill: Option<Kill>,
}

impl<'a> Arena<'a> {
    pub fn new(place: &'a Place) -> Self {
        Self { place, runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap() }
    }

    pub fn run(&self, round: &Round) -> Report {
        let items: Vec<String> = (0..round.items).map(|item| format!("r{}p{item:03}", round.number)).collect();
        let operators: Vec<String> = ["anna", "bert"].into_iter().take(round.operators).map(str::to_owned).collect();
        let reach = self.runtime.block_on(self.place.furnish(round.number, round.deed, &items));
        let mut clock = FastClock { began: Utc::now(), hours_later: 0 };
        let mut report = Report::default();
        let mut confirmed = BTreeSet::new();
        // A month lies between what was done and what has become of it: nobody dies before.
        let lead = usize::from(round.deed == Deed::Follow);
        let lives = lead + round.kills.len() + if round.operators > 1 { 3 } else { 1 };
        for number in 0..lives {
            let is_final = number + 1 >= lives;
            let kill = number.checked_sub(lead).and_then(|number| round.kills.get(number)).cloned();
            // The last word is had by one after the other: what one waits for, the other has settled.
            let at_work: Vec<&String> = match number.checked_sub(round.kills.len()) {
                Some(turn) if number > 0 => operators.iter().skip(turn % operators.len()).take(1).collect(),
                _ => operators.iter().collect(),
            };
            if kill.is_none() {
                self.deliver();
            }
            let is_calm = kill.is_none() && number > 0;
            let (faults, seed) = (if is_calm { 0 } else { round.faults }, round.number ^ number as u64);
            self.begin(kill.as_ref(), faults, seed);
            let all_at_work: Vec<AtWork> = at_work
                .iter()
                .enumerate()
                .map(|(place, operator)| {
                    let life = Life {
                        reach: reach.clone(),
                        operator: (*operator).clone(),
                        others: at_work.iter().filter(|other| *other != operator).map(|other| (*other).clone()).collect(),
                        deed: round.deed,
                        items: items.clone(),
                        clock,
                        kill: kill.clone().filter(|_| place == 0),
                        bug: round.bug,
                        decides: is_calm || round.deed == Deed::Ship,
                        follows: number >= lead && round.deed == Deed::Follow,
                        lags: round.lags,
                        meets: at_work.len() > 1,
                    };
                    self.start(&life)
                })
                .collect();
            let mut left = Vec::new();
            let mut has_ended = false;
            for at_work in all_at_work {
                report.lives += 1;
                let operator = at_work.operator.clone();
                match self.watch(at_work, &mut confirmed, &mut report.met) {
                    End::Killed(at) => {
                        self.clear_trap(&at, &reach, &operator);
                        report.killed_at.push(at);
                    }
                    End::Done => has_ended = true,
                    End::Rest(said) => left.extend(said),
                    End::Failed(why) => {
                        let errors = std::fs::read_to_string(errors(&reach, &operator)).unwrap_or_default();
                        let errors: String = errors.lines().take(4).collect::<Vec<_>>().join(" ");
                        report.wrong.push(format!("FAILED: life {number} of {operator}: {why} {errors}"));
                    }
                }
            }
            if is_final {
                if !has_ended {
                    report.wrong.push(format!("STUCK: the last life did not come to its end: {}", left.join("; ")));
                }
                self.deliver();
            }
            let wrong = self.judge(round, &reach, &items, &operators, &confirmed, is_final);
            report.wrong.extend(wrong.iter().map(|wrong| format!("{wrong} (after life {} of {lives})", number + 1)));
            if number == 0 {
                clock.hours_later += self.hours_pass(round, &items);
            }
        }
        if report.wrong.is_empty() {
            drop(std::fs::remove_dir_all(&reach.folder));
        }
        report
    }

    /// What meets the requests of the lives that begin now; what the dead have sent has arrived.
    fn begin(&self, kill: Option<&Kill>, faults: u8, seed: u64) {
        self.place.wires().for_each(|wire| wire.begin(kill.cloned(), faults, seed));
        self.place.depot.settle();
        self.place.depot.begin(kill.cloned(), faults, seed);
    }

    /// What the dead have sent arrives.
    fn deliver(&self) {
        self.place.wires().for_each(Wire::deliver);
    }

    fn clear_trap(&self, at: &str, reach: &Reach, operator: &str) {
        if at.contains(".in.") {
            let is_business = at.starts_with("db.") || at.starts_with("undo.");
            let file = if is_business { reach.business() } else { reach.journal(operator) };
            self.runtime.block_on(trap::clear(&file));
        }
    }

    /// How long nobody is at work after the first life, and what happens outside meanwhile.
    fn hours_pass(&self, round: &Round, items: &[String]) -> i64 {
        if round.deed == Deed::Follow {
            let fails = items.iter().enumerate().filter(|(place, _)| verdict::fails(round.number, *place));
            self.runtime.block_on(self.place.send_back(fails.map(|(_, item)| place::charge(round.number, item))));
            return 31 * 24;
        }
        if !round.gap {
            return 0;
        }
        // What was on its way arrives within the day, or never.
        self.deliver();
        self.runtime.block_on(self.place.forget_keys());
        25
    }

    fn judge(
        &self,
        round: &Round,
        reach: &Reach,
        items: &[String],
        operators: &[String],
        confirmed: &BTreeSet<String>,
        is_final: bool,
    ) -> Vec<String> {
        self.runtime.block_on(async {
            let (place, round, deed) = (self.place, round.number, round.deed);
            verdict::judge(&Case { place, reach, round, deed, items, operators, confirmed, is_final }).await
        })
    }

    fn start(&self, life: &Life) -> AtWork {
        let errors = File::create(errors(&life.reach, &life.operator)).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kills::life", "--ignored", "--nocapture", "--test-threads=1"])
            .env(LIFE, serde_json::to_string(life).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            // Ctrl-C is for the harness, which ends the round first.
            .process_group(0)
            .spawn()
            .unwrap();
        if life.kill.is_some() {
            self.place.wires().for_each(|wire| wire.belongs_to(child.id()));
            self.place.depot.belongs_to(child.id());
        }
        let out = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some((_, words)) = line.split_once(SAYS)
                    && said.send(words.to_owned()).is_err()
                {
                    return;
                }
            }
        });
        AtWork { operator: life.operator.clone(), child, lines, began: Instant::now(), kill: life.kill.clone() }
    }

    /// Listens to a life until its end.
    fn watch(&self, mut at_work: AtWork, confirmed: &mut BTreeSet<String>, met: &mut BTreeSet<String>) -> End {
        let anywhere = at_work.kill.as_ref().filter(|kill| kill.point == ANYWHERE).map(|kill| Duration::from_micros(kill.micros));
        let mut deadline = at_work.began + anywhere.unwrap_or(PATIENCE);
        let (mut at, mut end) = (None, None);
        let mut said = Vec::new();
        loop {
            match at_work.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => match line.split_once(' ').unwrap_or((&line, "")) {
                    ("at", point) => at = Some(point.to_owned()),
                    ("confirmed", ids) => confirmed.extend(ids.split(' ').map(str::to_owned)),
                    ("met", points) => met.extend(points.split(' ').map(str::to_owned)),
                    ("end", _) => end = Some(End::Done),
                    ("rest", _) => end = Some(End::Rest(std::mem::take(&mut said))),
                    _ => said.push(line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    at = Some(if anywhere.is_some() && at.is_none() { ANYWHERE } else { "nowhere: it hung" }.to_owned());
                    at_work.child.kill().unwrap();
                    deadline = Instant::now() + PATIENCE;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let by_wire = self.place.wires().fold(self.place.depot.end(), |by_wire, wire| wire.end() | by_wire);
        let status = at_work.child.wait().unwrap();
        if status.signal() == Some(KILLED) {
            let point = at_work.kill.map(|kill| kill.point);
            return match (at, by_wire) {
                (Some(at), _) if Some(&at) == point.as_ref() => End::Killed(at),
                (None, true) => End::Killed(point.unwrap_or_default()),
                (at, _) => End::Failed(format!("killed at {at:?}")),
            };
        }
        match end {
            Some(end) if status.success() => end,
            _ => End::Failed(format!("{status}")),
        }
    }
}

/// What a life writes on its standard error.
fn errors(reach: &Reach, operator: &str) -> PathBuf {
    reach.folder.join(format!("{operator}.stderr"))
}
