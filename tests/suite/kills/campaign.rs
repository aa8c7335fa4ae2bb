//! Many rounds, by several workers, until so many lives were ended and every point was hit often enough.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    life::Deed,
    place::Place,
    points::{self, ALL, ANYWHERE, Kill},
    round::{Arena, Round},
};

/// So many items are a large batch.
pub const LARGE: usize = 200;

pub struct Campaign {
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
    fn new() -> Self {
        let hits = ALL.iter().map(|point| (point.name, 0)).collect();
        Self {
            hits,
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
            ALL.len() - self.hits.values().filter(|hits| **hits == 0).count(),
            ALL.len(),
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
        let tally = Mutex::new(Tally::new());
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
                *tally.hits.entry(points::find(point).name).or_default() += 1;
            }
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
            round.deed = wanted.first().map_or(Deed::Refund, |(name, _)| points::find(name).deed);
        }
        wanted.retain(|(name, _)| points::find(name).deed == round.deed);
        if round.deed != Deed::Refund {
            round = Round { gap: false, lags: false, ..round };
            if chance.u8(0..100) < 15 {
                // Wherever chance will have it, beside the places that have a name.
                round.kills.push(kill(ANYWHERE, 1, &mut chance));
            }
        }
        match round.deed {
            // One that the bank sends back, and one that stands.
            Deed::Follow => round = Round { items: chance.usize(2..=4), faults: 0, ..round },
            Deed::Lend => round.faults = 0,
            Deed::Refund | Deed::Credit | Deed::Ship | Deed::Pause => {}
        }
        for (name, _) in wanted.iter().cycle().take(goals) {
            let point = points::find(name);
            // A recovery's points are met where there is something to recover: at a place that the batch surely comes to.
            round.kills.extend(point.after.map(|before| kill(before, 1, &mut chance)));
            round.kills.push(kill(name, round.items as u64 / goals as u64, &mut chance));
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

fn kill(name: &str, items: u64, chance: &mut fastrand::Rng) -> Kill {
    let point = points::find(name);
    let times = (point.each * items).max(1);
    let within = if name == ANYWHERE { *chance.choice(&[20_000, 100_000, 400_000]).unwrap_or(&100_000) } else { 1_500 };
    let micros = chance.u64(0..within);
    Kill { point: name.to_owned(), nth: chance.u64(1..=times), micros }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}
