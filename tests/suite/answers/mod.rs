//! Every fault of an answer, at every moment of an act, up to three in a row: each must end where the table says.
//!
//! The acting part, the journal, the adapters and the stand-in are the real ones; between the last two is a line that
//! fails as told. The long form plays every case, over and over: `tests/proofs F2`.

mod line;
mod play;
mod post_office;
pub mod stage;
mod steps;
mod table;

use std::time::Instant;

use futures_util::{StreamExt as _, stream};

use line::Fault;
use play::{Case, play, wrong};
use stage::Stage;
use table::{End, TABLE, When};

/// Cases that are played at the same time.
const AT_ONCE: usize = 24;

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Short,
    /// Every case, so many times.
    Long(usize),
}

/// Rounds of the long form.
const LONG: Form = Form::Long(20);

fn cases(form: Form, round: usize, is_wanted: impl Fn(When) -> bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for row in TABLE {
        for when in row.when.iter().filter(|when| is_wanted(**when)) {
            let turn = cases.len() % 3 + 1;
            for (tries, end) in (1..).zip(row.ends) {
                // The short form plays once what ends the same however often, and each number of times in turn.
                let is_same = row.ends.iter().all(|other| *other == end);
                if is_same && form == Form::Short && turn != tries {
                    continue;
                }
                let id = format!("p{round}x{}", cases.len());
                cases.push(Case { id, fault: row.fault, when: *when, tries, end, why: row.why });
            }
        }
    }
    cases
}

/// Plays every case of these moments; says each that did not end where it must.
fn prove(name: &str, form: Form, is_wanted: impl Fn(When) -> bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rounds = if let Form::Long(rounds) = form { rounds } else { 1 };
    let began = Instant::now();
    let mut failures = Vec::new();
    let mut played = 0;
    for round in 0..rounds {
        let cases = cases(form, round, &is_wanted);
        runtime.block_on(async {
            let ids: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
            let stage = Stage::open(&ids).await;
            let stage = &stage;
            let playing = cases.iter().map(|case| async move { (case, play(stage, case).await) });
            let mut ends = stream::iter(playing).buffer_unordered(AT_ONCE);
            while let Some((case, ended)) = ends.next().await {
                let wrong = wrong(case, &ended);
                if !wrong.is_empty() {
                    failures.push(format!("{case:?}, because {}\n  {}\n  {ended:#?}", case.why, wrong.join("\n  ")));
                }
            }
        });
        played += cases.len();
        println!("{name}: round {} of {rounds}, {played} cases, {} wrong, {:.0?}", round + 1, failures.len(), began.elapsed());
        assert!(failures.is_empty(), "{} of {played} cases ended wrong\n{}", failures.len(), failures.join("\n"));
    }
}

#[test]
fn before_anything_is_sent_every_fault_refuses_or_passes() {
    prove("before it is sent", Form::Short, |when| matches!(when, When::Account | When::Planned | When::Intent));
}

#[test]
fn an_attempt_meets_every_fault_and_is_made_once() {
    prove("as it is sent", Form::Short, |when| matches!(when, When::Sent | When::Again | When::Resent));
}

#[test]
fn a_look_meets_every_fault_and_is_believed_only_when_it_has_seen() {
    prove("as it is looked for", Form::Short, |when| matches!(when, When::Look | When::LookForNothing));
}

#[test]
fn a_new_start_meets_every_fault_and_settles_what_a_kill_left() {
    prove("as it is recovered", Form::Short, |when| matches!(when, When::Recovered | When::RecoveredNothing));
}

#[test]
#[ignore = "the long form of F2: tests/proofs F2"]
fn long_f2_every_fault_at_every_moment() {
    prove("at every moment", LONG, |_| true);
}

#[test]
#[ignore = "the long form of F2: tests/proofs F2"]
fn long_f2_every_fault_of_the_other_steps() {
    let Form::Long(rounds) = LONG else { return };
    for round in 1..=rounds {
        steps::requests(LONG);
        steps::mails();
        steps::statements();
        println!("the other steps: round {round} of {rounds}");
    }
}

#[test]
fn the_table_has_every_fault_at_every_moment_where_it_can_strike() {
    let says = |fault: Fault, when: When| TABLE.iter().filter(|row| row.fault == fault && row.when.contains(&when)).count();
    let whens = [
        When::Account,
        When::Planned,
        When::Intent,
        When::Sent,
        When::Again,
        When::Resent,
        When::Look,
        When::LookForNothing,
        When::Recovered,
        When::RecoveredNothing,
    ];
    // What a read can meet, and what an attempt can.
    let read = [Fault::Refused, Fault::ResetBefore, Fault::Timeout, Fault::Failing, Fault::BadGateway, Fault::TooMany];
    for (fault, when) in read.iter().flat_map(|fault| whens.iter().map(move |when| (*fault, *when))) {
        assert_eq!(says(fault, when), 1, "{fault:?} {when:?}");
    }
    let attempt =
        [Fault::ResetAfter, Fault::FailingKept, Fault::Declined, Fault::RefundedElsewhere, Fault::EmptyBody, Fault::KeyPruned];
    for (fault, when) in attempt.iter().flat_map(|fault| whens[3..6].iter().map(move |when| (*fault, *when))) {
        assert_eq!(says(fault, when), 1, "{fault:?} {when:?}");
    }
    assert!(
        TABLE.iter().all(|row| row.why.len() > 10 && row.ends.iter().all(|end| end.standing().is_some() || *end == End::Barred))
    );
}
