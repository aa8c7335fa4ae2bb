//! Many rounds, by several workers, until so many lives were ended and every point was hit often enough.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    deed::Deed,
    place::Place,
    points::{self, ANYWHERE, Kill, Only, Point},
    round::{Arena, Report, Round},
};

/// So many items are a large batch.
pub const LARGE: usize = 200;

/// Where every act passes by, whatever it does.
const EVERYWHERE: &[&str] = &[
    ANYWHERE,
    ANYWHERE,
    ANYWHERE,
    "journal.claimed.after",
    "journal.sent.before",
    "journal.sent.after",
    "journal.confirmed.before",
    "journal.confirmed.after",
    "journal.done.before",
    "db.act.after",
];

pub struct Campaign {
    /// Where lives are to end.
    pub points: Vec<&'static Point>,
    /// So many rounds aim in vain at a point that was never hit; then it is one that no round comes to.
    pub patience: u64,
    pub kills: u64,
    /// How often every point is hit at least.
    pub each: u64,
    pub seed: u64,
    pub workers: u64,
    /// One round in so many is a batch of the largest size.
    pub large_every: u64,
    pub large: usize,
    /// Lives ended in a large batch.
    pub kills_in_large: usize,
    pub is_loud: bool,
}

/// What was reached.
#[derive(Clone, Debug)]
pub struct Tally {
    pub hits: BTreeMap<&'static str, u64>,
    /// Rounds that aimed at a point, since it was last hit.
    in_vain: BTreeMap<&'static str, u64>,
    /// Every point that was come to.
    pub met: BTreeSet<String>,
    pub kills: u64,
    pub rounds: u64,
    pub lives: u64,
    pub acts: u64,
    pub large: u64,
    pub kills_in_large: u64,
    /// Rounds that were not as they must be, in the words that run them again, and what was wrong.
    pub failures: Vec<(String, Vec<String>)>,
    next: u64,
    began: Instant,
}

impl Tally {
    fn of(points: &[&'static Point]) -> Self {
        Self {
            hits: points.iter().map(|point| (point.name, 0)).collect(),
            in_vain: BTreeMap::new(),
            met: BTreeSet::new(),
            kills: 0,
            rounds: 0,
            lives: 0,
            acts: 0,
            large: 0,
            kills_in_large: 0,
            failures: Vec::new(),
            next: 0,
            began: Instant::now(),
        }
    }

    fn least(&self) -> (&'static str, u64) {
        self.hits.iter().map(|(name, hits)| (*name, *hits)).min_by_key(|(_, hits)| *hits).unwrap_or_default()
    }

    fn is_enough(&self, campaign: &Campaign) -> bool {
        !self.failures.is_empty() || self.kills >= campaign.kills && self.least().1 >= campaign.each
    }

    /// A table of every point and how often a life ended there.
    pub fn table(&self) -> String {
        let mut table = String::new();
        for (name, hits) in &self.hits {
            writeln!(table, "  {name:<28} {hits:>7}").unwrap();
        }
        let Self { kills, rounds, lives, acts, large, kills_in_large, failures, began, .. } = self;
        let seconds = began.elapsed().as_secs_f64();
        let rate = *kills as f64 / seconds;
        writeln!(
            table,
            "{kills} kills ({kills_in_large} of them in {large} large batches), {lives} lives, {rounds} rounds, {acts} acts, {seconds:.0} s, {rate:.1} kills/s"
        )
        .unwrap();
        writeln!(
            table,
            "{} of {} points hit; fewest: {:?}",
            self.hits.values().filter(|hits| **hits > 0).count(),
            self.hits.len(),
            self.least()
        )
        .unwrap();
        if failures.is_empty() {
            table.push_str("0 double, 0 lost, 0 untold\n");
        }
        for (round, wrong) in failures {
            writeln!(table, "WRONG\n  {}\n  again with: tests/kills --round '{round}'", wrong.join("\n  ")).unwrap();
        }
        table
    }
}

impl Campaign {
    /// Ends when it has what it wants, at the first wrong round, or when it is told to stop.
    pub fn run(&self, stop: &AtomicBool) -> Tally {
        let tally = Mutex::new(Tally::of(&self.points));
        thread::scope(|scope| {
            for worker in 0..self.workers {
                let tally = &tally;
                scope.spawn(move || self.work(worker, tally, stop));
            }
            if self.is_loud {
                self.tell(&tally, stop);
            }
        });
        tally.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, worker: u64, tally: &Mutex<Tally>, stop: &AtomicBool) {
        let place = Place::open();
        let arena = Arena::new(&place);
        loop {
            let round = {
                let mut tally = lock(tally);
                if tally.is_enough(self) || stop.load(Ordering::Relaxed) {
                    return;
                }
                tally.next += 1;
                self.round(tally.next, &tally)
            };
            let report = arena.run(&round);
            let mut tally = lock(tally);
            let is_large = round.items >= self.large && round.operators == 1;
            for point in &report.killed_at {
                tally.kills += 1;
                tally.kills_in_large += u64::from(is_large);
                *tally.hits.entry(self.find(point).name).or_default() += 1;
            }
            self.count_what_was_in_vain(&round, &report, &mut tally);
            tally.met.extend(report.met);
            tally.rounds += 1;
            tally.lives += report.lives;
            tally.acts += round.items as u64;
            tally.large += u64::from(is_large);
            if !report.wrong.is_empty() {
                let mut wrong = report.wrong;
                wrong.truncate(20);
                if self.is_loud {
                    // At once: the table comes only when every worker has ended.
                    eprintln!("worker {worker}: {round:?} is wrong: {wrong:#?}");
                }
                tally.failures.push((serde_json::to_string(&round).unwrap(), wrong));
            }
        }
    }

    /// A point that is aimed at again and again and never hit is one that no round comes to.
    fn count_what_was_in_vain(&self, round: &Round, report: &Report, tally: &mut Tally) {
        for kill in &round.kills {
            let name = self.find(&kill.point).name;
            let in_vain = tally.in_vain.entry(name).or_default();
            *in_vain = if report.killed_at.contains(&kill.point) { 0 } else { *in_vain + 1 };
            let is_in_vain = *in_vain >= self.patience;
            if is_in_vain && tally.hits.get(name) == Some(&0) {
                let wrong = format!("UNREACHED: {} rounds aimed at `{name}`, and none came to it", self.patience);
                tally.failures.push((serde_json::to_string(round).unwrap(), vec![wrong]));
            }
        }
    }

    fn find(&self, name: &str) -> &'static Point {
        let point = self.points.iter().copied().chain(points::ALL).find(|point| point.name == name);
        point.unwrap_or_else(|| panic!("there is no point `{name}`"))
    }

    /// The next round: towards the point that was hit least, and beyond it wherever chance will have it.
    fn round(&self, number: u64, tally: &Tally) -> Round {
        let mut chance = fastrand::Rng::with_seed(self.seed.wrapping_mul(1_000_003).wrapping_add(number));
        let is_large = self.large_every > 0 && number.is_multiple_of(self.large_every);
        let mut round = Round {
            number,
            deed: Deed::Refund,
            items: if is_large { self.large } else { *chance.choice(&[1, 1, 1, 2, 3, 5]).unwrap_or(&1) },
            operators: 1,
            kills: Vec::new(),
            faults: *chance.choice(&[0, 0, 10, 30]).unwrap_or(&0),
            gap: !is_large && chance.u8(0..100) < 4,
            lags: chance.u8(0..100) < 10,
            bug: None,
        };
        if !is_large && chance.u8(0..100) < 6 {
            // Two at once, on what only a claim, or a mark, keeps from being done twice.
            let deed = if chance.bool() { Deed::Credit } else { Deed::Refund };
            // No trap in the business: it would hold the other one too.
            let places = ["db.claim.before", "db.claim.after", "db.act.before", "db.act.after", "journal.sent.after"];
            let point = chance.choice(places).unwrap_or(places[0]).to_owned();
            let kill = Kill { point, nth: chance.u64(1..=round.items as u64), micros: 0 };
            return Round { operators: 2, deed, kills: vec![kill], gap: false, lags: false, ..round };
        }
        let goals = if is_large { self.kills_in_large } else { chance.usize(1..=2) };
        let mut wanted: Vec<(&str, u64)> = tally.hits.iter().map(|(name, hits)| (*name, *hits)).collect();
        chance.shuffle(&mut wanted);
        wanted.sort_by_key(|(_, hits)| *hits);
        if !is_large {
            round.deed = wanted.first().map_or(Deed::Refund, |(name, _)| self.find(name).deed);
        }
        wanted.retain(|(name, _)| {
            let point = self.find(name);
            point.deed == round.deed && (point.only == Only::Always || !is_large)
        });
        if round.deed != Deed::Refund {
            round = Round { gap: false, lags: false, ..round };
            if chance.u8(0..100) < 30 {
                // Wherever chance will have it, or where every act passes by, beside the places that are its own.
                let point = *chance.choice(EVERYWHERE).unwrap_or(&ANYWHERE);
                round.kills.push(kill(self.find(point), 1, &mut chance));
            }
        }
        match round.deed {
            // One that the bank sends back, and one that stands.
            Deed::Follow => round = Round { items: chance.usize(2..=4), faults: 0, ..round },
            Deed::Lend => round.faults = 0,
            _ => {}
        }
        for (name, _) in wanted.iter().cycle().take(goals) {
            let point = self.find(name);
            match point.only {
                Only::Always => {}
                Only::InTrouble => round.faults = 60,
                // What a life of many items leaves undone is too much for one look.
                Only::AfterADay => round = Round { gap: true, items: 1, ..round },
            }
            // A recovery's points are met where there is something to recover: at a place that the batch surely comes to.
            round.kills.extend(point.after.map(|before| kill(self.find(before), 1, &mut chance)));
            round.kills.push(kill(point, round.items as u64 / goals as u64, &mut chance));
        }
        round
    }

    fn tell(&self, tally: &Mutex<Tally>, stop: &AtomicBool) {
        let mut told = Instant::now();
        loop {
            thread::sleep(Duration::from_millis(200));
            let tally = lock(tally);
            if tally.is_enough(self) || stop.load(Ordering::Relaxed) {
                return;
            }
            if told.elapsed() >= Duration::from_secs(5) {
                told = Instant::now();
                let rate = tally.kills as f64 / tally.began.elapsed().as_secs_f64();
                let left = self.kills.saturating_sub(tally.kills) as f64 / rate.max(0.01);
                let (least, hits) = tally.least();
                eprintln!(
                    "{} of {} kills, {rate:.1}/s, {:.0} min left, {} rounds; fewest {hits} at {least}; 0 double, 0 lost",
                    tally.kills,
                    self.kills,
                    left / 60.0,
                    tally.rounds,
                );
            }
        }
    }
}

fn kill(point: &Point, items: u64, chance: &mut fastrand::Rng) -> Kill {
    let times = (point.each * items).max(1);
    let within = if point.name == ANYWHERE { *chance.choice(&[20_000, 100_000, 400_000]).unwrap_or(&100_000) } else { 1_500 };
    let micros = chance.u64(0..within);
    Kill { point: point.name.to_owned(), nth: chance.u64(1..=times), micros }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
