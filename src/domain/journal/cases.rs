//! Tables of transitions. No I/O, no async.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};

use super::{step::SECOND_LOOK, *};
use crate::domain::{
    command::Exits,
    id::Id,
    money::{Currency, Money},
    plan::{ActionId, Order, Plan, Standing, Step, Target},
    rows::Params,
    text::Text,
};

pub(super) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 9, 0, 0).unwrap()
}

fn refund() -> Order {
    let amount = Money::new(2200, Currency::from_code("AUD").unwrap());
    Order::Refund { on: Id::new("stripe"), charge: "ch_1".to_owned(), amount, reason: None }
}

fn sql() -> Order {
    Order::Sql { on: Id::new("db"), statement: "update".to_owned(), parameters: Vec::new(), rows: 1 }
}

fn mail() -> Order {
    let body = String::new();
    Order::Mail { on: Id::new("mail"), to: "a@example".to_owned(), subject: "Hello".to_owned(), body }
}

fn command() -> Order {
    let arguments = vec!["export".to_owned()];
    Order::Command { on: Id::new("tool"), arguments, exits: Exits::default(), is_looked_for: true }
}

pub(super) fn plan(orders: &[&str]) -> Plan {
    let step = |name: &&str| {
        let order = match *name {
            "refund" => refund(),
            "sql" => sql(),
            "command" => command(),
            _ => mail(),
        };
        Step { order, said: Text::new(*name) }
    };
    Plan {
        id: ActionId("f".repeat(64)),
        action: Id::new("refund"),
        title: "Refund".to_owned(),
        target: Target { queue: None, key: "rr_1".to_owned() },
        label: Text::new("rr_1"),
        row: Params::new(),
        inputs: Params::new(),
        amount: None,
        epoch: 0,
        claim: None,
        steps: orders.iter().map(step).collect(),
        is_final: true,
        operator: "jo".to_owned(),
        planned_at: now(),
        batch: None,
    }
}

pub(super) fn answer(reference: &str) -> Answer {
    Answer { reference: Some(reference.to_owned()), request: None, said: Text::new(reference) }
}

/// An act and its clock, fed one event after the other.
struct Life {
    plan: Plan,
    state: ActState,
    now: DateTime<Utc>,
}

impl Life {
    fn of(orders: &[&str]) -> Self {
        Self { plan: plan(orders), state: ActState::default(), now: now() }
    }

    fn sent(orders: &[&str]) -> Self {
        let mut life = Self::of(orders);
        let until = life.now;
        life.feed(Event::Confirm { until });
        life.feed(Event::Begin);
        life
    }

    fn feed(&mut self, event: Event) -> String {
        let (state, commands) = step(&self.plan, &self.state, event, self.now);
        self.state = state;
        let words: Vec<_> = commands
            .iter()
            .filter_map(|command| match command {
                Command::Persist(_) => Some("persist".to_owned()),
                Command::Send(mark) => Some(format!("send {}.{}", mark.step, mark.attempt)),
                Command::LookUp(mark) => Some(format!("look {}", mark.step)),
                Command::Next => Some("next".to_owned()),
                Command::Claim => Some("claim".to_owned()),
                Command::Release(ending) => Some(format!("release {}", ending.word())),
                Command::Tell => None,
            })
            .collect();
        format!("{}: {}", self.state.phase.word(), words.join(", "))
    }

    fn later(&mut self, delta: TimeDelta) {
        self.now += delta;
    }
}

fn unknown() -> Event {
    Event::Outcome(Outcome::Unknown(Text::new("no answer")))
}

fn again() -> Event {
    Event::Outcome(Outcome::Again { after: Duration::from_secs(1), why: Text::new("busy") })
}

fn confirmed(reference: &str) -> Event {
    Event::Outcome(Outcome::Confirmed(answer(reference)))
}

fn rejected() -> Event {
    Event::Outcome(Outcome::Rejected(Text::new("already refunded")))
}

#[test]
fn steps_go_out_in_turn_and_the_last_makes_it_done() {
    let mut life = Life::of(&["refund", "sql", "mail"]);
    let until = life.now;
    assert_eq!(life.feed(Event::Confirm { until }), "intent: persist");
    assert_eq!(life.feed(Event::Begin), "sent: persist, send 0.1");
    assert_eq!(life.feed(confirmed("re_1")), "confirmed: persist, next");
    assert_eq!(life.feed(Event::Next), "sent: persist, send 1.1");
    assert_eq!(life.feed(confirmed("1 row")), "confirmed: persist, next");
    assert_eq!(life.feed(Event::Next), "sent: persist, send 2.1");
    assert_eq!(life.feed(confirmed("m_1")), "done: persist");
    assert_eq!(life.feed(confirmed("m_1")), "done: ", "a late answer changes nothing");
}

#[test]
fn a_held_act_is_not_sent_before_its_time_and_can_be_taken_back() {
    let mut life = Life::of(&["refund"]);
    let until = life.now + TimeDelta::seconds(10);
    life.feed(Event::Confirm { until });
    assert_eq!(life.state.standing(life.now), Standing::Held);
    life.later(TimeDelta::milliseconds(9_999));
    assert_eq!(life.feed(Event::Begin), "intent: ");
    assert_eq!(life.feed(Event::TakeBack), "taken_back: persist");
    life.later(TimeDelta::seconds(10));
    assert_eq!(life.feed(Event::Begin), "taken_back: ");
}

#[test]
fn what_is_sent_cannot_be_taken_back() {
    let mut life = Life::sent(&["refund"]);
    assert_eq!(life.feed(Event::TakeBack), "sent: ");
}

#[test]
fn an_act_that_is_to_be_claimed_is_sent_only_once_it_is() {
    let mut life = Life::of(&["refund", "sql"]);
    life.plan.claim = Some(Id::new("db"));
    let until = life.now;
    life.feed(Event::Confirm { until });
    assert_eq!(life.feed(Event::Claimed), "intent: ", "nobody asked for it");
    assert_eq!(life.feed(Event::Begin), "intent: ", "not without its claim");
    assert_eq!(life.feed(Event::Turn), "intent: claim");
    assert_eq!(life.feed(Event::Claimed), "claimed: persist, next");
    assert_eq!(life.feed(Event::Next), "sent: persist, send 0.1");
    life.feed(confirmed("re_1"));
    life.feed(Event::Next);
    assert_eq!(life.feed(confirmed("1 row")), "done: persist, release done");
    let mut bare = Life::of(&["refund"]);
    bare.feed(Event::Confirm { until });
    assert_eq!(bare.feed(Event::Turn), "intent: ", "nothing keeps its claim");
}

#[test]
fn a_claim_without_an_answer_is_asked_for_again_and_ends_as_not_sent() {
    let mut life = Life::of(&["refund"]);
    life.plan.claim = Some(Id::new("db"));
    let until = life.now;
    life.feed(Event::Confirm { until });
    for _ in 1..TRIES {
        assert_eq!(life.feed(Event::Turn), "intent: claim");
        assert_eq!(life.feed(Event::Unclaimed(Text::new("no answer"))), "intent: persist");
        assert_eq!(life.feed(Event::Turn), "intent: ", "not before its time");
        life.later(TimeDelta::minutes(3));
    }
    life.feed(Event::Turn);
    assert_eq!(life.feed(Event::Unclaimed(Text::new("no answer"))), "not_sent: persist, release nothing");
    assert!(!life.state.was_sent && !life.state.may_have_happened());
}

#[test]
fn a_claim_is_given_back_however_the_act_ends() {
    let ends = [
        (Event::TakeBack, "taken_back: persist, release nothing"),
        (Event::Recover, "not_sent: persist, release nothing"),
        (Event::Refuse(Text::new("over by 1d")), "refused: persist, release nothing"),
        (Event::Change(Text::new("gone")), "changed: persist, release nothing"),
    ];
    for (event, word) in ends {
        let mut life = Life::of(&["refund"]);
        life.plan.claim = Some(Id::new("db"));
        let until = life.now;
        life.feed(Event::Confirm { until });
        life.feed(Event::Turn);
        assert_eq!(life.feed(event.clone()), word);
        if event == Event::TakeBack {
            let mut early = Life { plan: life.plan.clone(), ..Life::of(&["refund"]) };
            early.feed(Event::Confirm { until });
            assert_eq!(early.feed(event), "taken_back: persist", "nothing was asked for");
        }
    }
    let mut half = Life::of(&["refund", "sql"]);
    half.plan.claim = Some(Id::new("db"));
    let until = half.now;
    half.feed(Event::Confirm { until });
    half.feed(Event::Turn);
    half.feed(Event::Claimed);
    half.feed(Event::Next);
    half.feed(confirmed("re_1"));
    half.feed(Event::Next);
    assert_eq!(half.feed(rejected()), "rejected: persist, release partly");
    assert_eq!(half.feed(Event::LookUp), "sent: persist, send 1.2");
    assert_eq!(half.feed(confirmed("1 row")), "done: persist, release done");
}

#[test]
fn a_judgement_before_the_first_attempt_sends_nothing() {
    for (event, word) in
        [(Event::Refuse(Text::new("over by 1d")), "refused: persist"), (Event::Change(Text::new("gone")), "changed: persist")]
    {
        let mut life = Life::of(&["refund"]);
        let until = life.now;
        life.feed(Event::Confirm { until });
        assert_eq!(life.feed(event.clone()), word);
        let mut life = Life::sent(&["refund"]);
        assert_eq!(life.feed(event), "sent: ", "once it is sent, judging it comes too late");
    }
}

#[test]
fn busy_is_tried_again_with_pauses_and_given_up_at_last() {
    let mut life = Life::sent(&["refund"]);
    for attempt in 1..TRIES {
        assert_eq!(life.feed(again()), "again: persist");
        assert_eq!(life.feed(Event::Wake), "again: ", "not before its time");
        life.later(TimeDelta::minutes(3));
        assert_eq!(life.feed(Event::Wake), format!("sent: persist, send 0.{}", attempt + 1));
    }
    assert_eq!(life.feed(again()), "rejected: persist");
}

#[test]
fn an_unknown_outcome_is_looked_up_before_anything_else() {
    let mut life = Life::sent(&["refund", "sql"]);
    assert_eq!(life.feed(unknown()), "unknown: persist");
    life.later(TimeDelta::seconds(2));
    assert_eq!(life.feed(Event::Wake), "unknown: look 0");
    assert_eq!(life.feed(Event::Found(Found::Ours(answer("re_1")))), "confirmed: persist, next");
}

#[test]
fn an_unknown_refund_that_is_not_there_goes_out_again_under_the_same_key() {
    let mut life = Life::sent(&["refund"]);
    let key = life.state.mark(&life.plan).key();
    life.feed(unknown());
    life.feed(Event::LookUp);
    assert_eq!(life.feed(Event::Found(Found::Absent)), "sent: persist, send 0.2");
    assert_eq!(life.state.mark(&life.plan).key(), key);
}

#[test]
fn looks_that_cannot_tell_end_and_leave_it_unknown() {
    let mut life = Life::sent(&["mail"]);
    life.feed(unknown());
    for _ in 0..3 {
        life.later(TimeDelta::minutes(2));
        assert_eq!(life.feed(Event::Wake), "unknown: look 0");
        assert_eq!(life.feed(Event::Found(Found::CannotTell(Text::new("no trace")))), "unknown: persist");
    }
    life.later(TimeDelta::minutes(2));
    assert_eq!(life.feed(Event::Wake), "unknown: ");
    assert_eq!(life.feed(Event::LookUp), "unknown: persist, look 0", "until a person asks");
}

#[test]
fn an_unlabelled_one_is_for_a_person_to_decide() {
    for (happened, word) in [(true, "done: persist"), (false, "expired: persist")] {
        let mut life = Life::sent(&["refund"]);
        life.feed(unknown());
        life.feed(Event::LookUp);
        assert_eq!(life.feed(Event::Found(Found::Unlabelled(Text::new("re_9")))), "conflict: persist");
        assert!(!life.state.phase.is_over());
        assert_eq!(life.feed(Event::Recover), "conflict: ");
        assert_eq!(life.feed(Event::Settle { happened }), word);
    }
}

#[test]
fn a_no_after_a_doubtful_attempt_is_believed_only_after_a_look() {
    for (step, found, word) in [
        ("refund", Found::Ours(answer("re_1")), "done: persist"),
        ("refund", Found::Absent, "unknown: persist"),
        ("sql", Found::Absent, "rejected: persist"),
    ] {
        let mut life = Life::sent(&[step]);
        life.feed(unknown());
        life.feed(Event::LookUp);
        life.feed(Event::Found(Found::Absent));
        assert_eq!(life.feed(rejected()), "unknown: persist, look 0");
        assert_eq!(life.feed(Event::Found(found)), word);
    }
}

#[test]
fn what_is_not_listed_yet_is_looked_for_twice_before_a_no_is_believed() {
    for (found, word) in [(Found::Ours(answer("re_1")), "done: persist"), (Found::Absent, "rejected: persist")] {
        let mut life = Life::sent(&["refund"]);
        life.feed(unknown());
        life.feed(Event::LookUp);
        life.feed(Event::Found(Found::Absent));
        life.feed(rejected());
        life.feed(Event::Found(Found::Absent));
        life.later(SECOND_LOOK - TimeDelta::seconds(1));
        assert_eq!(life.feed(Event::Wake), "unknown: ");
        // Asked for sooner, it is a look and no second one.
        assert_eq!(life.feed(Event::LookUp), "unknown: persist, look 0");
        assert_eq!(life.feed(Event::Found(Found::Absent)), "unknown: persist");
        life.later(TimeDelta::seconds(1));
        assert_eq!(life.feed(Event::Wake), "unknown: look 0");
        assert_eq!(life.feed(Event::Found(found)), word);
    }
}

#[test]
fn the_first_no_is_believed_at_once() {
    let mut life = Life::sent(&["refund"]);
    assert_eq!(life.feed(rejected()), "rejected: persist");
    assert!(!life.state.may_have_happened());
}

#[test]
fn a_later_step_that_is_rejected_leaves_what_came_before_and_says_so() {
    let mut life = Life::sent(&["refund", "sql"]);
    life.feed(confirmed("re_1"));
    life.feed(Event::Next);
    assert_eq!(life.feed(Event::Outcome(Outcome::Changed(Text::new("0 rows, 1 expected")))), "changed: persist");
    assert_eq!(life.state.said.shown(), "step 2 of 2 (sql) failed: 0 rows, 1 expected; what came before stands: refund");
    assert!(life.state.may_have_happened());
    assert_eq!(life.feed(Event::LookUp), "sent: persist, send 1.2", "only what is left is repeated");
}

#[test]
fn recovery_finds_each_phase_and_does_what_the_rules_say() {
    let until = now();
    let cases: [(&[Event], &str); 7] = [
        (&[], "planned: "),
        (&[Event::Confirm { until }], "not_sent: persist"),
        (&[Event::Confirm { until }, Event::Begin], "unknown: persist, look 0"),
        (&[Event::Confirm { until }, Event::Begin, again()], "unknown: persist, look 0"),
        (&[Event::Confirm { until }, Event::Begin, unknown()], "unknown: persist, look 0"),
        (&[Event::Confirm { until }, Event::Begin, confirmed("re_1")], "sent: persist, send 1.1"),
        (&[Event::Confirm { until }, Event::Begin, rejected()], "rejected: "),
    ];
    for (events, word) in cases {
        let mut life = Life::of(&["refund", "sql"]);
        for event in events {
            life.feed(event.clone());
        }
        assert_eq!(life.feed(Event::Recover), word, "{events:?}");
    }
}

#[test]
fn an_old_key_is_never_sent_again_and_expires_after_two_looks() {
    let mut life = Life::sent(&["refund"]);
    life.later(KEY_LIFE);
    assert_eq!(life.feed(Event::Recover), "unknown: persist, look 0");
    assert_eq!(life.feed(Event::Found(Found::Absent)), "unknown: persist");
    assert_eq!(life.feed(Event::Found(Found::Absent)), "unknown: persist", "a second look at once proves nothing");
    life.later(TimeDelta::seconds(60));
    assert_eq!(life.feed(Event::Wake), "unknown: look 0");
    assert_eq!(life.feed(Event::Found(Found::Absent)), "expired: persist");
}

#[test]
fn a_clock_that_was_set_back_makes_a_key_old() {
    let mut life = Life::sent(&["refund"]);
    life.later(TimeDelta::hours(-2));
    life.feed(Event::Recover);
    assert_eq!(life.feed(Event::Found(Found::Absent)), "unknown: persist");
}

#[test]
fn a_busy_answer_before_a_long_sleep_is_looked_up_not_sent() {
    let mut life = Life::sent(&["refund"]);
    life.feed(again());
    life.later(KEY_LIFE);
    assert_eq!(life.feed(Event::Wake), "unknown: look 0");
}

#[test]
fn the_statement_behind_a_refund_is_repeated_however_late_and_the_refund_is_not() {
    let mut life = Life::sent(&["refund", "sql"]);
    life.feed(confirmed("re_1"));
    life.feed(Event::Next);
    life.later(TimeDelta::days(4));
    assert_eq!(life.feed(Event::Recover), "unknown: persist, look 1");
    assert_eq!(life.feed(Event::Found(Found::Absent)), "sent: persist, send 1.2");
    assert_eq!(life.feed(confirmed("1 row")), "done: persist");
}

#[test]
fn the_entry_says_what_happened_to_what_by_whom() {
    let life = Life::sent(&["refund"]);
    let (_, commands) = step(&life.plan, &life.state, confirmed("re_1"), life.now);
    let Some(Command::Persist(entry)) = commands.first() else { panic!("{commands:?}") };
    assert_eq!((entry.who.as_str(), entry.word.as_str(), entry.said.shown()), ("jo", "REFUND", "rr_1: re_1"));
    assert_eq!(entry.payload["phase"], "done");
}

#[test]
fn what_is_done_can_fail_for_a_month_and_is_settled_then() {
    let stands = || Event::Followed(Followed::Stands(Text::new("re_1 succeeded")));
    let undone = || Event::Followed(Followed::Undone(Text::new("re_1 failed")));
    for (days, event, then) in [
        (1, stands(), "done: "),
        (29, stands(), "done: "),
        (30, stands(), "settled: persist"),
        (30, Event::Followed(Followed::Open), "done: "),
        (90, Event::Followed(Followed::CannotTell(Text::new("x"))), "done: "),
        (3, undone(), "failed_late: persist"),
        (40, undone(), "failed_late: persist"),
    ] {
        let mut life = Life::sent(&["refund"]);
        life.feed(confirmed("re_1"));
        life.later(TimeDelta::days(days));
        assert_eq!(life.feed(event.clone()), then, "{event:?} after {days} days");
        // What has failed may be planned anew; what stands may not.
        assert_eq!(life.state.may_have_happened(), !then.starts_with("failed"));
        if !then.starts_with("done") {
            assert_eq!(life.feed(undone()), then.replace("persist", ""), "it is over");
        }
    }
    let mut unfinished = Life::sent(&["refund", "sql"]);
    unfinished.feed(confirmed("re_1"));
    assert_eq!(unfinished.feed(undone()), "confirmed: ", "only what is done is followed");
}

/// A refund whose later step, a mail, lay beyond its key's life: given up after two looks.
fn expired_later(orders: &[&str]) -> Life {
    let mut life = Life::sent(orders);
    life.feed(confirmed("re_1"));
    life.feed(Event::Next);
    life.feed(unknown());
    life.later(KEY_LIFE);
    life.feed(Event::LookUp);
    life.feed(Event::Found(Found::Absent));
    life.later(TimeDelta::seconds(60));
    life.feed(Event::Wake);
    assert_eq!(life.feed(Event::Found(Found::Absent)), "expired: persist");
    assert!(!life.state.said.shown().contains("planned anew") && life.state.may_have_happened(), "{}", life.state.said);
    life
}

#[test]
fn a_later_step_that_outlived_its_key_is_finished_by_hand_and_what_was_never_begun_goes_on() {
    let mut life = expired_later(&["refund", "mail", "mail"]);
    assert_eq!(life.feed(Event::LookUp), "expired: ", "an old key is not sent again");
    assert_eq!(life.feed(Event::Settle { happened: true }), "confirmed: persist, next");
    assert_eq!(life.feed(Event::Next), "sent: persist, send 2.1", "the step never begun, for the first time");
    assert_eq!(life.feed(confirmed("mail")), "done: persist");
}

#[test]
fn a_later_step_that_outlived_its_key_is_closed_for_good() {
    let mut life = expired_later(&["refund", "mail", "mail"]);
    assert_eq!(life.feed(Event::Settle { happened: false }), "expired: persist");
    assert!(life.state.said.shown().contains("a person leaves the rest undone; what came before stands: refund"));
    assert!(life.state.may_have_happened(), "the refund is never decided anew");
    for event in [Event::LookUp, Event::Settle { happened: true }, Event::Settle { happened: false }, Event::Recover, Event::Next]
    {
        assert_eq!(life.feed(event.clone()), "expired: ", "{event:?}");
    }
}

#[test]
fn a_statement_that_a_person_saw_not_to_have_happened_goes_out_again_and_a_refund_of_that_kind_does_not() {
    let mut life = Life::sent(&["refund", "sql"]);
    life.feed(confirmed("re_1"));
    life.feed(Event::Next);
    life.feed(unknown());
    assert_eq!(life.feed(Event::Settle { happened: false }), "expired: persist");
    life.later(TimeDelta::days(2));
    assert_eq!(life.feed(Event::LookUp), "sent: persist, send 1.2", "a statement has no key that is forgotten");

    let mut first = Life::sent(&["refund", "sql"]);
    first.feed(unknown());
    first.feed(Event::Settle { happened: false });
    assert!(first.state.said.shown().ends_with("it can be planned anew"));
    assert_eq!(first.feed(Event::LookUp), "expired: ");
}

#[test]
fn a_refund_without_a_name_is_named_or_said_not_to_be_followed() {
    let settled = || {
        let mut life = Life::sent(&["refund", "sql"]);
        life.feed(unknown());
        life.feed(Event::Settle { happened: true });
        life.feed(Event::Next);
        assert_eq!(life.feed(confirmed("1 row")), "done: persist");
        life
    };
    let lost = || Event::Followed(Followed::Lost(Text::new("no refund of ch_1")));
    let named = || Event::Followed(Followed::Named(answer("re_7")));
    let mut life = settled();
    let done_at = life.state.at;
    life.later(TimeDelta::days(1));
    assert_eq!(life.feed(lost()), "done: persist");
    assert!(life.state.said.shown().ends_with("not followed, a later failure of it is not seen here: no refund of ch_1"));
    assert_eq!(life.feed(lost()), "done: ", "it is said once");
    assert_eq!(life.feed(named()), "done: persist");
    assert_eq!(life.state.answers[0].reference.as_deref(), Some("re_7"));
    assert_eq!(life.state.answers[1].reference.as_deref(), Some("1 row"), "the statement's is its own");
    assert_eq!(life.state.at, done_at, "a name makes it no younger");
    assert_eq!(life.feed(named()), "done: ", "it has its name");

    let mut life = settled();
    life.later(TimeDelta::days(30));
    assert_eq!(life.feed(lost()), "settled: persist");
    assert!(life.state.may_have_happened());
}

#[test]
fn a_command_that_may_have_run_is_never_run_again_by_itself() {
    let mut life = Life::sent(&["command"]);
    assert_eq!(life.feed(Event::Recover), "unknown: persist, look 0");
    assert_eq!(life.feed(Event::Found(Found::Absent)), "unknown: persist");
    assert!(life.state.said.shown().contains("a command is not run again by itself: a second look follows"), "{:?}", life.state);
    life.later(TimeDelta::seconds(61));
    assert_eq!(life.feed(Event::Wake), "unknown: look 0");
    assert_eq!(life.feed(Event::Found(Found::Absent)), "expired: persist");
    assert!(life.state.said.shown().contains("it can be planned anew"), "{:?}", life.state);

    let mut life = Life::sent(&["command"]);
    assert_eq!(life.feed(unknown()), "unknown: persist");
    for _ in 0..9 {
        life.later(TimeDelta::minutes(5));
        let said = life.feed(Event::Wake);
        assert!(!said.contains("send"), "{said}");
        life.feed(Event::Found(Found::CannotTell(Text::new("no trace"))));
    }
    assert_eq!(life.feed(Event::LookUp), "unknown: persist, look 0");
    assert_eq!(life.feed(Event::Found(Found::Ours(answer("copy")))), "done: persist");
}

#[test]
fn a_refused_command_in_the_middle_is_run_again_only_when_a_person_says_so() {
    let mut life = Life::sent(&["mail", "command"]);
    life.feed(confirmed("m"));
    assert_eq!(life.feed(Event::Next), "sent: persist, send 1.1");
    assert_eq!(life.feed(Event::Outcome(Outcome::Rejected(Text::new("exit 1")))), "rejected: persist");
    assert_eq!(life.feed(Event::Wake), "rejected: ");
    assert_eq!(life.feed(Event::LookUp), "sent: persist, send 1.2");
    // Once it may have run, not even then.
    assert_eq!(life.feed(unknown()), "unknown: persist");
    life.feed(Event::LookUp);
    life.feed(Event::Found(Found::Absent));
    life.later(TimeDelta::seconds(61));
    life.feed(Event::Wake);
    assert_eq!(life.feed(Event::Found(Found::Absent)), "expired: persist");
    assert_eq!(life.feed(Event::LookUp), "expired: ");
    assert_eq!(life.feed(Event::Settle { happened: true }), "done: persist");
}

#[test]
fn what_an_attempt_printed_stays_with_its_end_and_goes_with_the_next() {
    let printed = |commands: &[Command]| {
        let Some(Command::Persist(entry)) = commands.first() else { panic!("{commands:?}") };
        entry.payload.get("printed").cloned()
    };
    let mut life = Life::sent(&["command", "mail"]);
    assert_eq!(life.feed(Event::Printed(Text::new("one\ntwo"))), "sent: ");
    let (state, commands) = step(&life.plan, &life.state, confirmed("c"), life.now);
    assert_eq!(printed(&commands), Some(serde_json::json!("one\ntwo")));
    let (state, commands) = step(&life.plan, &state, Event::Next, life.now);
    assert_eq!((state.printed, printed(&commands)), (None, None));
    let (_, commands) = step(&life.plan, &life.state, unknown(), life.now);
    assert_eq!(printed(&commands), Some(serde_json::json!("one\ntwo")));
}
