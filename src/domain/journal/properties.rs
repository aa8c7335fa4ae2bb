//! What holds in every life of an act, whatever the outside answers and whenever the program dies.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::{
    cases::{answer, now, plan},
    *,
};
use crate::domain::{claim::Ending, id::Id, plan::Plan, text::Text};

#[derive(Clone, Debug)]
enum Move {
    Feed(Event),
    Later(i64),
    /// The program dies; it finds what was last persisted.
    Crash,
}

fn moves() -> impl Strategy<Value = Move> {
    let said = || Text::new("x");
    let event = prop_oneof![
        3 => Just(Event::Begin),
        4 => Just(Event::Turn),
        4 => Just(Event::Claimed),
        1 => Just(Event::Unclaimed(said())),
        1 => Just(Event::Refuse(said())),
        1 => Just(Event::TakeBack),
        4 => Just(Event::Next),
        6 => Just(Event::Outcome(Outcome::Confirmed(answer("re_1")))),
        3 => (0..100_u64).prop_map(|after| Event::Outcome(Outcome::Again { after: Duration::from_secs(after), why: "x".into() })),
        1 => Just(Event::Outcome(Outcome::Rejected(said()))),
        1 => Just(Event::Outcome(Outcome::Changed(said()))),
        4 => Just(Event::Outcome(Outcome::Unknown(said()))),
        2 => Just(Event::Found(Found::Ours(answer("re_1")))),
        5 => Just(Event::Found(Found::Absent)),
        1 => Just(Event::Found(Found::Unlabelled(said()))),
        2 => Just(Event::Found(Found::CannotTell(said()))),
        1 => Just(Event::Followed(Followed::Undone(said()))),
        1 => Just(Event::Followed(Followed::Stands(said()))),
        1 => Just(Event::Followed(Followed::Named(answer("re_2")))),
        1 => Just(Event::Followed(Followed::Lost(said()))),
        6 => Just(Event::Wake),
        3 => Just(Event::LookUp),
        1 => any::<bool>().prop_map(|happened| Event::Settle { happened }),
    ];
    prop_oneof![
        12 => event.prop_map(Move::Feed),
        3 => prop_oneof![0..120_i64, 0..90_000_i64, -7_200..0_i64].prop_map(Move::Later),
        1 => Just(Move::Crash),
    ]
}

/// The disk and the outside as a life leaves them.
struct World {
    disk: ActState,
    state: ActState,
    now: DateTime<Utc>,
    keys: HashSet<(usize, String)>,
    /// A claim was asked for and has not been given back: it may stand in the business's database.
    may_be_claimed: bool,
    first_sent: Vec<Option<DateTime<Utc>>>,
}

impl World {
    fn feed(&mut self, plan: &Plan, event: &Event) {
        let was_over = self.state.phase.is_over();
        let (next, commands) = step(plan, &self.state, event.clone(), self.now);
        if commands.is_empty() {
            assert_eq!(next, self.state, "without a command nothing changes: {event:?}");
        }
        // What ended half way may be gone on with, or decided; until a person closes it.
        let ended = matches!(self.state.phase, Phase::Rejected | Phase::Changed | Phase::Expired);
        let is_half_way = ended && self.state.steps_done() > 0 && !self.state.is_closed;
        let is_decided = is_half_way && matches!(event, Event::Settle { .. } | Event::LookUp);
        let is_followed = self.state.phase == Phase::Done && matches!(event, Event::Followed(_));
        if was_over && !is_decided && !is_followed {
            assert!(commands.is_empty(), "what is over stays so: {event:?}");
        }
        let mut is_persisted = false;
        let mut goes_on = false;
        for command in commands {
            match command {
                Command::Persist(entry) => {
                    assert_eq!(entry.payload["phase"], next.phase.word());
                    self.disk = next.clone();
                    is_persisted = true;
                }
                Command::Claim => {
                    assert!(plan.claim.is_some() && !next.was_sent);
                    self.may_be_claimed = true;
                }
                Command::Release(ending) => {
                    assert!(is_persisted && next.phase.is_over(), "given back before its end was on disk");
                    assert_eq!(Some(ending), Ending::of(&next));
                    assert_eq!(ending == Ending::Nothing, !next.may_have_happened());
                    self.may_be_claimed = false;
                }
                Command::Send(mark) => {
                    let is_claimed = matches!(self.state.phase, Phase::Claimed) || self.state.was_sent;
                    assert!(plan.claim.is_none() || is_claimed, "sent without its claim");
                    assert!(is_persisted, "sent before it was on disk");
                    assert_eq!(self.disk.phase, Phase::Sent);
                    assert_eq!((mark.step, mark.attempt), (self.disk.steps_done(), self.disk.attempts));
                    self.keys.insert((mark.step, mark.key()));
                    let first = *self.first_sent[mark.step].get_or_insert(self.now);
                    let is_sql = plan.steps[mark.step].order.connection().as_str() == "db";
                    assert!(is_sql || self.now - first < KEY_LIFE, "an old key was sent again");
                }
                Command::LookUp(mark) => assert!(matches!(next.phase, Phase::Unknown { .. }) && mark.step == next.steps_done()),
                Command::Next => goes_on = true,
                Command::Tell => assert!(is_persisted, "told before it was on disk"),
            }
        }
        assert!(!(next.phase.is_over() && self.may_be_claimed), "over, and its claim left behind: {event:?}");
        if is_half_way && !next.phase.is_over() {
            // Gone on with: never with a step that is through, and with one that had begun only under a key that is good.
            assert!(next.steps_done() >= self.state.steps_done() && next.steps_done() > 0);
            let is_same_step = next.steps_done() == self.state.steps_done();
            assert!(!is_same_step || key_is_good(plan, &self.state, self.now), "an expired step was sent again: {event:?}");
        }
        assert!(!next.is_closed || next.phase == Phase::Expired && next.steps_done() > 0);
        let steps = next.steps_done();
        assert!(steps >= self.state.steps_done() && steps <= self.state.steps_done() + 1, "steps go one by one");
        let is_done = matches!(next.phase, Phase::Done | Phase::Settled | Phase::FailedLate);
        assert_eq!(is_done, steps == plan.steps.len(), "done is all steps confirmed, and only that");
        let rests = |phase: &Phase| matches!(phase, Phase::Confirmed | Phase::Claimed);
        assert_eq!(goes_on, rests(&next.phase) && self.state.phase != next.phase);
        self.state = next;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold_in_every_life(
        orders in prop::collection::vec(prop::sample::select(vec!["refund", "sql", "mail"]), 1..4),
        moves in prop::collection::vec(moves(), 1..60),
        is_claimed in any::<bool>(),
    ) {
        let plan = Plan { claim: is_claimed.then(|| Id::new("db")), ..plan(&orders) };
        let start = ActState::default();
        let mut world = World {
            disk: start.clone(), state: start, now: now(), keys: HashSet::new(), may_be_claimed: false,
            first_sent: vec![None; orders.len()],
        };
        let until = world.now;
        world.feed(&plan, &Event::Confirm { until });
        for next in moves {
            match next {
                Move::Feed(event) => world.feed(&plan, &event),
                Move::Later(seconds) => world.now += TimeDelta::seconds(seconds),
                Move::Crash => {
                    world.state = world.disk.clone();
                    world.feed(&plan, &Event::Recover);
                }
            }
        }
        prop_assert!(world.keys.len() <= orders.len(), "one key for each step: {:?}", world.keys);
    }

    /// Whatever went wrong before, an outside that is well again and asked again brings every act to an end.
    #[test]
    fn an_outside_that_answers_brings_every_life_to_an_end(moves in prop::collection::vec(moves(), 0..40), is_claimed in any::<bool>()) {
        let plan = Plan { claim: is_claimed.then(|| Id::new("db")), ..plan(&["refund", "sql"]) };
        let start = ActState::default();
        let mut world = World {
            disk: start.clone(), state: start, now: now(), keys: HashSet::new(), may_be_claimed: false, first_sent: vec![None; 2],
        };
        let until = world.now;
        world.feed(&plan, &Event::Confirm { until });
        for next in moves {
            match next {
                Move::Feed(event) => world.feed(&plan, &event),
                Move::Later(seconds) => world.now += TimeDelta::seconds(seconds),
                Move::Crash => {
                    world.state = world.disk.clone();
                    // Without a recovery between, what was left claimed is found in the database itself.
                    world.may_be_claimed = false;
                }
            }
        }
        for event in [
            Event::Recover, Event::Settle { happened: true }, Event::Next, Event::Outcome(Outcome::Confirmed(answer("a"))),
            Event::Next, Event::Outcome(Outcome::Confirmed(answer("b"))),
        ] {
            world.feed(&plan, &event);
        }
        prop_assert!(world.state.phase.is_over(), "{:?}", world.state);
    }
}
