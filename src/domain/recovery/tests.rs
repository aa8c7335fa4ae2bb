use chrono::{TimeDelta, TimeZone as _};

use super::*;
use crate::domain::{
    journal::{Answer, Event, Found, KEY_LIFE, Outcome, step},
    money::Currency,
    plan::ActionId,
    proof::Proofs,
};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 9, 0, 0).unwrap()
}

fn aud(minor: i64) -> Money {
    Money::new(minor, Currency::from_code("AUD").unwrap())
}

fn step_of(kind: &str) -> Step {
    let order = match kind {
        "refund" => Order::Refund { on: Id::new("stripe"), charge: "ch_1".to_owned(), amount: aud(2200), reason: None },
        "sql" => Order::Sql { on: Id::new("db"), statement: "update".to_owned(), parameters: Vec::new(), rows: 1 },
        "http" => Order::Http {
            on: Id::new("site"),
            method: "POST".to_owned(),
            path: "/run".to_owned(),
            body: None,
            find: None,
            proofs: Proofs::default(),
        },
        "proof" => Order::Proof { on: Id::new("db"), statement: "select".to_owned(), parameters: Vec::new() },
        _ => Order::Mail { on: Id::new("mail"), to: String::new(), subject: String::new(), body: String::new() },
    };
    Step { order, said: Text::new(kind) }
}

fn act(kinds: &[&str], batch: Option<&str>) -> Act {
    let plan = Plan {
        id: ActionId("f".repeat(64)),
        action: Id::new("refund"),
        title: "Refund".to_owned(),
        target: Target { queue: None, key: "rr_1".to_owned() },
        label: Text::new("Happy Paws"),
        row: Params::new(),
        inputs: Params::new(),
        amount: Some(aud(2200)),
        epoch: 0,
        claim: None,
        steps: kinds.iter().map(|kind| step_of(kind)).collect(),
        is_final: true,
        operator: "jo".to_owned(),
        planned_at: now(),
        batch: batch.map(|batch| BatchId(batch.to_owned())),
    };
    Act { plan, state: ActState::default() }
}

fn lived(mut act: Act, events: &[Event]) -> Act {
    for event in events {
        act.state = step(&act.plan, &act.state, event.clone(), now()).0;
    }
    act
}

fn facts(act: &Act, at: DateTime<Utc>) -> Vec<String> {
    let left = LeftAct::found(act, act.receipt(false, at), at);
    left.facts(|at| at.format("%H:%M").to_string()).into_iter().map(|(word, said)| format!("{word} | {said}")).collect()
}

fn confirm() -> Event {
    Event::Confirm { until: now() }
}

fn through(reference: &str) -> Event {
    let answer = Answer { reference: Some(reference.to_owned()), request: None, said: Text::new("succeeded") };
    Event::Outcome(Outcome::Confirmed(answer))
}

fn refused() -> Event {
    Event::Outcome(Outcome::Rejected(Text::new("mailbox full")))
}

#[test]
fn what_is_certain_what_is_not_and_what_is_asked_is_told_for_every_way_to_end() {
    let unlabelled = Event::Found(Found::Unlabelled(Text::new("re_9")));
    let cases: [(&[&str], &[Event], &[&str]); 7] = [
        (&["refund"], &[confirm()], &["certain | nothing of it was sent", "so | nothing is asked, and it is not sent by itself"]),
        (
            &["refund", "sql"],
            &[confirm(), Event::Begin],
            &[
                "certain | nothing of it is known to have happened",
                "unknown | whether step 1 of 2 happened: refund",
                "so | stripe is asked for the refunds of ch_1, for one with this act's id; where it certainly is not there, \
                 the same step goes out under the same key",
            ],
        ),
        (
            &["refund", "sql"],
            &[confirm(), Event::Begin, through("re_1")],
            &["certain | step 1 of 2: refund: succeeded (re_1)", "so | the next step goes out, for the first time: sql"],
        ),
        (
            &["http"],
            &[confirm(), Event::Begin],
            &[
                "certain | nothing of it is known to have happened",
                "unknown | whether it happened: http",
                "so | nothing at site tells whether POST /run arrived: a person looks and decides",
            ],
        ),
        (
            &["refund", "mail"],
            &[confirm(), Event::Begin, through("re_1"), Event::Next, refused()],
            &[
                "certain | step 1 of 2: refund: succeeded (re_1)",
                "certain | step 2 of 2 (mail) failed: mailbox full",
                "so | what is left goes out when you say so, under the same key",
            ],
        ),
        (
            &["http", "proof"],
            &[confirm(), Event::Begin, through("evt_1"), Event::Next, refused()],
            &[
                "certain | step 1 of 2: http: succeeded (evt_1)",
                "certain | step 2 of 2 (proof) found no proof: mailbox full",
                "so | the proof is looked for again when you say so, and nothing is sent by that",
            ],
        ),
        (
            &["refund"],
            &[confirm(), Event::Begin, Event::Recover, unlabelled],
            &[
                "certain | nothing of it is known to have happened",
                "unknown | whose it is: something like it happened and nothing says by whom: re_9",
                "so | nothing is asked by itself: a person looks and decides",
            ],
        ),
    ];
    for (kinds, events, told) in cases {
        let found = facts(&lived(act(kinds, None), events), now());
        assert_eq!(found.split_last().unwrap().1, told, "{events:?}");
        assert!(found.last().unwrap().starts_with("now | "), "{found:?}");
    }
}

#[test]
fn an_old_key_is_said_never_to_be_sent_again() {
    let sent = lived(act(&["refund"], None), &[confirm(), Event::Begin]);
    assert!(facts(&sent, now() + KEY_LIFE)[2].ends_with("its key is too old to be sent again"));
    let half_way = [confirm(), Event::Begin, through("re_1"), Event::Next, refused()];
    let half_way = lived(act(&["refund", "mail"], None), &half_way);
    assert!(facts(&half_way, now() + KEY_LIFE)[2].contains("do this step by hand"));
}

#[test]
fn who_has_not_answered_is_said_with_the_time_and_no_standing() {
    let sent = lived(act(&["refund"], None), &[confirm(), Event::Begin]);
    let mut left = LeftAct::found(&sent, sent.receipt(false, now()), now());
    left.waits_for = Some((Text::new("stripe"), now() + TimeDelta::minutes(1)));
    let facts = left.facts(|at| at.format("%H:%M").to_string());
    assert_eq!(facts.last().unwrap(), &("waits", "stripe since 09:01".to_owned()));
}

#[test]
fn a_batch_is_counted_as_it_stands_and_forgets_what_was_confirmed_anew() {
    let id = BatchId("b1".to_owned());
    let begun = |batch: &str, events: &[Event]| lived(act(&["refund"], Some(batch)), events);
    let mut acts = vec![
        begun("b1", &[confirm(), Event::Begin, through("re_1")]),
        begun("b1", &[confirm(), Event::Begin]),
        begun("b1", &[confirm()]),
        begun("b1", &[confirm(), Event::Recover]),
    ];
    let cut = CutBatch::count(&id, &acts, now()).unwrap();
    assert_eq!(cut.said(), "Refund 4, which was cut off: 1 done, 2 not sent, 1 unknown");
    assert_eq!((cut.unsent.len(), cut.unsent_amount), (2, Some(aud(4400))));
    acts[2] = begun("b2", &[confirm()]);
    acts[3] = begun("b2", &[confirm(), Event::Begin, through("re_2")]);
    let cut = CutBatch::count(&id, &acts, now()).unwrap();
    assert_eq!(cut.said(), "Refund 4, which was cut off: 2 done, 1 unknown, 1 under way");
    assert_eq!(CutBatch::count(&id, &[], now()), None);
}

#[test]
fn a_missing_proof_is_told_by_its_own_word_and_counted_on_its_own() {
    let id = BatchId("b1".to_owned());
    let begun = |kinds: &[&str], events: &[Event]| lived(act(kinds, Some("b1")), events);
    let unproven = [confirm(), Event::Begin, through("evt_1"), Event::Next, refused()];
    let acts = [
        begun(&["http", "proof"], &unproven),
        begun(&["http", "mail"], &unproven),
        begun(&["http"], &[confirm(), Event::Begin, refused()]),
        begun(&["http"], &[confirm(), Event::Begin, through("evt_2")]),
    ];
    let cut = CutBatch::count(&id, &acts, now()).unwrap();
    assert_eq!(cut.said(), "Refund 4, which was cut off: 1 done, 1 not proven, 2 failed");
    let words = |act: &Act| facts(act, now()).last().unwrap().clone();
    assert!(words(&acts[0]).starts_with("now | not proven: "), "{}", words(&acts[0]));
    assert!(words(&acts[1]).starts_with("now | half done: "), "{}", words(&acts[1]));
}
