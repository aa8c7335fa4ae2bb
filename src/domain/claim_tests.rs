use super::*;
use crate::domain::{
    id::Id,
    money::{Currency, Money},
    rows::Params,
};

fn setting() -> Setting<'static> {
    Setting {
        livemode: true,
        account: "acct_1",
        currency: Currency::from_code("AUD").unwrap(),
        timezone: crate::domain::zone::zone("Australia/Sydney"),
        operator: "jo",
        now: moment().now,
        batch: None,
        claim: None,
    }
}

fn moment() -> Moment {
    let now = "2026-11-20T00:30:00Z".parse().unwrap();
    Moment { now, timezone: crate::domain::zone::zone("Australia/Sydney"), ahead: TimeDelta::zero() }
}

/// A decision on `rr_1` under a number.
fn plan(action: &str, minor: Option<i64>, epoch: u32) -> Plan {
    let mut plan = Plan {
        id: ActionId(String::new()),
        action: Id::new(action),
        title: action.to_owned(),
        target: Target { queue: Some(Id::new("refunds")), key: "rr_1".to_owned() },
        label: Text::new("rr_1"),
        row: Params::new(),
        inputs: Params::new(),
        amount: minor.map(|minor| Money::new(minor, Currency::from_code("AUD").unwrap())),
        epoch,
        claim: Some(Id::new("db")),
        steps: Vec::new(),
        is_final: true,
        operator: "jo".to_owned(),
        planned_at: moment().now,
        batch: None,
    };
    plan.id = planning::id_at(&plan, epoch, &setting());
    plan
}

/// The claim of such a decision, made by Anna on her own machine at 10:42 in Sydney.
fn held(plan: &Plan, ended: Option<Ending>) -> Held {
    Held {
        act: plan.id.clone(),
        target: target_name(&plan.target),
        epoch: plan.epoch,
        action: plan.action.to_string(),
        operator: "Anna".to_owned(),
        journal: "hers".to_owned(),
        since: "2026-11-19T23:42:00Z".parse().unwrap(),
        ended,
    }
}

fn said(plan: &Plan, held: &[Held]) -> Option<String> {
    bar(plan, held, "mine", &setting(), &moment()).map(|why| why.original().to_owned())
}

#[test]
fn whoever_has_it_in_hand_is_named_with_the_time() {
    let theirs = held(&plan("approve", None, 0), None);
    let open = Some("Anna has had it since 10:42 (approve): nothing was sent".to_owned());
    assert_eq!(said(&plan("reject", None, 1), std::slice::from_ref(&theirs)), open);
    assert_eq!(said(&plan("approve", None, 0), std::slice::from_ref(&theirs)), open, "the same decision is hers as well");
    let ours = Held { journal: "mine".to_owned(), ..theirs.clone() };
    assert_eq!(said(&plan("reject", None, 1), &[ours]), None, "the record judges one's own");
    let yesterday = Held { since: theirs.since - TimeDelta::days(1), ..theirs };
    assert_eq!(
        said(&plan("reject", None, 1), &[yesterday]).unwrap(),
        "Anna has had it since Thu 19 Nov, 10:42 (approve): nothing was sent"
    );
}

#[test]
fn what_is_over_bars_nothing_but_the_same_money_twice() {
    for ended in Ending::ALL {
        let theirs = held(&plan("refund", Some(2200), 0), Some(ended));
        let again = said(&plan("refund", Some(2200), 1), std::slice::from_ref(&theirs));
        assert_eq!(again.is_some(), ended != Ending::Nothing, "{ended:?}: {again:?}");
        for other in [plan("refund", Some(1100), 1), plan("deny", None, 1)] {
            assert_eq!(said(&other, std::slice::from_ref(&theirs)), None, "{ended:?}");
        }
    }
    let done = held(&plan("approve", None, 0), Some(Ending::Done));
    assert_eq!(said(&plan("approve", None, 1), &[done]), None, "a row may be approved again after it was taken back");
    let done = held(&plan("refund", Some(2200), 0), Some(Ending::Done));
    assert_eq!(said(&plan("refund", Some(2200), 1), &[done]).unwrap(), "Anna did the same at 10:42 (refund): nothing was sent");
}

#[test]
fn a_number_that_was_taken_since_it_was_shown_is_not_used() {
    let done = held(&plan("reject", None, 3), Some(Ending::Done));
    assert_eq!(next_epoch(std::slice::from_ref(&done)), 4);
    assert_eq!(
        said(&plan("approve", None, 3), std::slice::from_ref(&done)).unwrap(),
        "Anna was quicker: had it at 10:42 (reject): nothing was sent"
    );
    assert_eq!(said(&plan("approve", None, 4), &[done]), None);
    assert_eq!(next_epoch(&[]), 0);
}

#[test]
fn a_word_of_a_hand_rules_nothing_out() {
    for ending in Ending::ALL {
        assert_eq!(Ending::of_word(ending.word()), ending);
    }
    assert_eq!(Ending::of_word("given up by the owner"), Ending::Partly);
}
