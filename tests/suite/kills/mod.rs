//! Kill -9: a real process on real files, killed wherever it can be, and judged from outside. Never twice, never lost.
//!
//! The cockpit that is killed is this test binary, started again with an environment variable (`life`). It is composed
//! of the library's own acting part, store and adapters; only thin wrappers that know the points stand between them.
//! Stripe's stand-in, a service that keeps nothing and the business's handler of events (`depot`) live in the harness's
//! process, a database of documents by others (`papers`) beside it; they outlive it. `tests/kills` is the long form.

mod bugs;
mod business;
mod campaign;
mod deed;
mod depot;
mod life;
mod mortal;
mod papers;
mod place;
mod points;
mod round;
mod trap;
mod verdict;
mod wire;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bugs::Bug;
use campaign::{Campaign, LARGE};
use deed::Deed;
use place::Place;
use points::{Kill, Point};
use round::{Arena, Round};

#[test]
#[ignore = "one life of a cockpit; the harness starts it as a process of its own"]
fn life() {
    life::live();
}

/// Every point that can be come to here: what needs a partner that is not installed is left out, which is said.
fn points() -> Vec<&'static Point> {
    let has_documents = crate::documents::server::program().is_some();
    if !has_documents {
        crate::partners::absent("hidane", "tests/all partners");
    }
    points::ALL.iter().filter(|point| has_documents || point.deed != Deed::Write).collect()
}

/// A round has at most a handful of lives, and most points are hit at the first try.
const PATIENCE: u64 = 60;

#[test]
fn wherever_it_is_killed_nothing_is_done_twice_and_nothing_is_lost() {
    let campaign = Campaign {
        points: points(),
        patience: PATIENCE,
        kills: 80,
        each: 1,
        seed: 2026,
        workers: 2,
        large_every: 20,
        large: 24,
        kills_in_large: 4,
        is_loud: false,
    };
    let tally = campaign.run(&AtomicBool::new(false));
    assert!(tally.failures.is_empty(), "{}", tally.table());
    assert!(tally.kills >= campaign.kills && tally.hits.values().all(|hits| *hits > 0), "{}", tally.table());
    let unknown: Vec<&String> = tally.met.iter().filter(|name| !points::is_known(name)).collect();
    assert!(unknown.is_empty(), "lives come to points at which none is ended: {unknown:?}");
}

#[test]
fn a_point_that_no_round_comes_to_is_told() {
    static NOWHERE: Point = points::in_every(Deed::Credit, "nowhere.at.all", 1);
    let campaign = Campaign {
        points: vec![&NOWHERE],
        patience: 3,
        kills: 1,
        each: 1,
        seed: 1,
        workers: 1,
        large_every: 0,
        large: LARGE,
        kills_in_large: 0,
        is_loud: false,
    };
    let told = campaign.run(&AtomicBool::new(false)).table();
    assert!(told.contains("UNREACHED: 3 rounds aimed at `nowhere.at.all`, and none came to it"), "{told}");
    assert!(!points::is_known("nowhere.at.all") && points::is_known("stripe.act.before"));
}

/// The long form: `tests/kills` describes it.
#[test]
#[ignore = "takes long: `tests/kills` runs it"]
fn long() {
    let stop = Arc::new(AtomicBool::new(false));
    // The first Ctrl-C ends it with the round under way, the second at once.
    signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGINT, 130, Arc::clone(&stop)).unwrap();
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop)).unwrap();
    if let Ok(round) = std::env::var("WHEELHOUSE_KILLS_ROUND") {
        let round: Round = serde_json::from_str(&round).unwrap();
        let report = Arena::new(&Place::open()).run(&round);
        println!("{report:#?}");
        assert!(report.wrong.is_empty());
        return;
    }
    let number = |name: &str, otherwise: u64| {
        let said = std::env::var(format!("WHEELHOUSE_KILLS_{name}")).ok();
        said.map_or(otherwise, |said| said.parse().unwrap_or_else(|_| panic!("{name} is a number, and {said} is none")))
    };
    let campaign = Campaign {
        points: points(),
        patience: PATIENCE,
        kills: number("KILLS", 10_000),
        each: number("EACH", 100),
        seed: number("SEED", 1),
        workers: number("WORKERS", 2),
        large_every: 100,
        large: LARGE,
        kills_in_large: 10,
        is_loud: true,
    };
    let tally = campaign.run(&stop);
    println!("\nseed {}\n{}", campaign.seed, tally.table());
    assert!(tally.failures.is_empty());
    assert!(stop.load(Ordering::Relaxed) || tally.kills >= campaign.kills);
}

/// The rounds in which a bug shows; a right cockpit passes the very same ones.
fn assert_caught(bug: Bug, rounds: &[Round], as_what: &str) {
    let place = Place::open();
    let arena = Arena::new(&place);
    for (number, round) in rounds.iter().enumerate() {
        let round = Round { number: number as u64, ..round.clone() };
        let report = arena.run(&round);
        assert!(report.wrong.is_empty(), "without the bug: {report:#?}");
        // Of two operators, the one who is to be killed may be the one who lost the claim.
        assert!(round.operators > 1 || report.killed_at.len() == round.kills.len(), "{report:#?}");
    }
    let caught = rounds.iter().enumerate().any(|(number, round)| {
        let round = Round { number: 100 + number as u64, bug: Some(bug), ..round.clone() };
        arena.run(&round).wrong.iter().any(|wrong| wrong.starts_with(as_what))
    });
    assert!(caught, "{bug:?} was not seen as {as_what}");
}

/// A round of one refund, with a life that ends at the so-manieth time that it comes to a point.
fn killed_at(point: &str, nth: u64) -> Round {
    let kills = vec![Kill { point: point.to_owned(), nth, micros: 0 }];
    Round { number: 0, deed: Deed::Refund, items: 1, operators: 1, kills, faults: 0, gap: false, lags: false, bug: None }
}

#[test]
fn a_new_key_for_every_attempt_is_caught() {
    assert_caught(Bug::KeyPerAttempt, &[killed_at("stripe.act.after", 1), killed_at("wire.committed", 1)], "DOUBLE");
}

#[test]
fn a_new_key_for_every_attempt_is_caught_whatever_is_done() {
    // What was sent late arrives behind the first look of a life that is to end as well.
    let kills = ["wire.resend.late", "journal.done.after"].map(|point| Kill { point: point.to_owned(), nth: 1, micros: 0 });
    let late = Round { deed: Deed::Resend, kills: kills.to_vec(), ..killed_at("", 1) };
    assert_caught(Bug::KeyPerAttempt, &[late], "DOUBLE");
    for (deed, point) in [
        (Deed::Pause, "pause.act.after"),
        (Deed::Resume, "resume.act.after"),
        (Deed::Cancel, "cancel.act.after"),
        (Deed::End, "end.act.after"),
        (Deed::Stage, "stage.act.after"),
    ] {
        // Nothing outside bears the act's name.
        assert_caught(Bug::KeyPerAttempt, &[Round { deed, ..killed_at(point, 1) }], "UNTOLD");
    }
}

#[test]
fn a_document_that_is_written_as_it_is_at_every_attempt_is_caught() {
    if crate::documents::server::program().is_none() {
        crate::partners::absent("hidane", "tests/all partners");
        return;
    }
    assert_caught(Bug::AsItIsNow, &[Round { deed: Deed::Write, ..killed_at("wire.write.late", 1) }], "DOUBLE");
    let before_it_is_written = Round { deed: Deed::Write, ..killed_at("wire.write.committed", 1) };
    assert_caught(Bug::SendBeforeWrite, &[before_it_is_written], "UNTOLD");
}

#[test]
fn an_audit_outside_the_transaction_is_caught() {
    assert_caught(Bug::AuditApart, &[killed_at("journal.in.audit", 2), killed_at("journal.in.plans", 3)], "AUDIT");
}

#[test]
fn sending_before_the_journal_is_written_is_caught() {
    assert_caught(Bug::SendBeforeWrite, &[killed_at("wire.committed", 1), killed_at("stripe.act.after", 1)], "UNTOLD");
}

#[test]
fn sending_before_the_journal_is_written_is_caught_whatever_is_done() {
    for (deed, point) in [
        (Deed::Pause, "wire.pause.committed"),
        (Deed::Resume, "wire.resume.committed"),
        (Deed::Cancel, "wire.cancel.committed"),
        (Deed::End, "wire.end.committed"),
        (Deed::Stage, "wire.stage.committed"),
        (Deed::Resend, "wire.resend.committed"),
        (Deed::Deliver, "hook.committed"),
    ] {
        assert_caught(Bug::SendBeforeWrite, &[Round { deed, ..killed_at(point, 1) }], "UNTOLD");
    }
}

#[test]
fn sending_an_old_key_again_is_caught() {
    let after_a_day = Round { gap: true, lags: true, ..killed_at("stripe.act.after", 1) };
    assert_caught(Bug::OldKey, &[after_a_day], "DOUBLE");
}

#[test]
fn a_claim_by_select_then_update_is_caught() {
    let two = Round { operators: 2, deed: Deed::Credit, items: 3, kills: Vec::new(), ..killed_at("db.act.after", 1) };
    let one_is_killed = Round { operators: 2, deed: Deed::Credit, ..killed_at("db.act.after", 1) };
    assert_caught(Bug::SelectThenUpdate, &[two, one_is_killed], "DOUBLE");
}
