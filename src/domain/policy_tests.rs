use super::*;
use crate::domain::{
    expression::Expression,
    id::Id,
    journal::{ActState, Phase},
    pack::{Guard, GuardRule},
    plan::{ActionId, Target},
    value::Value,
};

fn aud() -> Currency {
    Currency::from_code("AUD").unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

fn action() -> Action {
    let holds = Expression::parse("refunded == 0").unwrap();
    Action {
        id: Id::new("refund"),
        title: "Refund".to_owned(),
        key: None,
        effects: Vec::new(),
        guards: vec![Guard { title: "not refunded yet".to_owned(), rule: GuardRule::Holds(holds), says: None }],
        inputs: Vec::new(),
        undo: None,
        confirm: crate::domain::pack::Confirm::Key,
        stops_at_unknown: false,
        hold: std::time::Duration::ZERO,
        amount: None,
        fresh: Vec::new(),
        unchanged: vec!["status".to_owned()],
        label: None,
        covers: Vec::new(),
    }
}

fn row(refunded: i64, status: &str) -> Params {
    [("refunded", Value::Integer(refunded)), ("status", Value::text(status))].map(|(name, value)| (name.to_owned(), value)).into()
}

fn plan(minor: Option<i64>) -> Plan {
    Plan {
        id: ActionId("a".repeat(64)),
        action: Id::new("refund"),
        title: "Refund".to_owned(),
        target: Target { queue: None, key: "rr_1".to_owned() },
        label: Text::new("rr_1"),
        row: row(0, "open"),
        inputs: Params::new(),
        amount: minor.map(|minor| Money::new(minor, aud())),
        epoch: 0,
        claim: None,
        steps: Vec::new(),
        is_final: true,
        operator: "jo".to_owned(),
        planned_at: now(),
        batch: None,
    }
}

fn context<'a>(action: &'a Action, policy: &'a Policy) -> Context<'a> {
    Context {
        action,
        policy,
        currency: aud(),
        timezone: crate::domain::zone::zone("Australia/Sydney"),
        may_write: true,
        wrong_account: None,
        claimed: None,
        drawn: None,
        earlier: &[],
        money_today: 0,
        money_this_session: 0,
        now: now(),
    }
}

fn act(phase: Phase, plan: Plan) -> Act {
    Act { plan, state: ActState { phase, said: Text::new("x"), ..ActState::default() } }
}

#[test]
fn a_plan_that_passes_every_rule_gets_a_permit_for_itself() {
    let (action, policy) = (action(), Policy::default());
    let permit = review(plan(Some(2200)), &context(&action, &policy)).unwrap();
    assert_eq!(permit.plan(), &plan(Some(2200)));
}

#[test]
fn a_lock_or_a_wrong_account_refuses_whatever_else_holds() {
    let (action, policy) = (action(), Policy::default());
    let locked = Context { may_write: false, ..context(&action, &policy) };
    assert_eq!(review(plan(None), &locked), Err(Refusal::Locked));
    let why = Text::new("the key belongs to acct_2, the pack says acct_1");
    let wrong = Context { wrong_account: Some(&why), ..context(&action, &policy) };
    assert_eq!(review(plan(None), &wrong), Err(Refusal::WrongAccount(why.clone())));
}

#[test]
fn a_guard_that_fails_or_cannot_be_judged_refuses() {
    let (action, policy) = (action(), Policy::default());
    let mut refunded = plan(None);
    refunded.row = row(2200, "open");
    assert!(matches!(review(refunded, &context(&action, &policy)), Err(Refusal::Guard(_))));
    let mut missing = plan(None);
    missing.row.remove("refunded");
    let refused = review(missing, &context(&action, &policy)).unwrap_err();
    assert_eq!(refused.to_string(), "not refunded yet: no refunded");
}

#[test]
fn a_row_that_changed_since_it_was_drawn_refuses_and_says_how() {
    let (action, policy) = (action(), Policy::default());
    for (drawn, said) in [
        (row(0, "open"), None),
        (row(5, "open"), None),
        (row(0, "new"), Some("status was new and is open now")),
        (row(0, ""), Some("status was empty and is open now")),
        (Params::new(), Some("no status to compare")),
    ] {
        let judged = review(plan(None), &Context { drawn: Some(&drawn), ..context(&action, &policy) });
        assert_eq!(judged.err().map(|refusal| refusal.to_string()).as_deref(), said);
    }
}

#[test]
fn caps_hold_to_the_cent_and_only_in_their_own_currency() {
    let (action, policy) =
        (action(), Policy { money_per_session: Some(10_000), money_per_day: Some(20_000), ..Policy::default() });
    for (session, today, minor, fits) in [
        (0, 0, 10_000, true),
        (0, 0, 10_001, false),
        (7_800, 7_800, 2_200, true),
        (7_801, 7_801, 2_200, false),
        (0, 17_801, 2_200, false),
        (0, 0, -10_001, false),
        (0, 0, i64::MIN, false),
    ] {
        let context = Context { money_this_session: session, money_today: today, ..context(&action, &policy) };
        assert_eq!(review(plan(Some(minor)), &context).is_ok(), fits, "{session} {today} {minor}");
    }
    let mut dollars = plan(None);
    dollars.amount = Some(Money::new(1, Currency::from_code("USD").unwrap()));
    assert!(matches!(review(dollars, &context(&action, &policy)), Err(Refusal::Cap(_))));
}

#[test]
fn money_moves_once_and_nothing_is_decided_while_something_is_open() {
    let (action, policy) = (action(), Policy::default());
    let money = || plan(Some(2200));
    let cases = [
        (Phase::Done, money(), money(), false),
        (Phase::Done, plan(Some(100)), money(), true),
        (Phase::Done, plan(None), plan(None), true),
        (Phase::Rejected, money(), money(), true),
        (Phase::Expired, money(), money(), true),
        (Phase::TakenBack, money(), money(), true),
        (Phase::Sent, plan(None), plan(None), false),
        (Phase::Unknown { look_at: None }, plan(None), plan(None), false),
        (Phase::Conflict, money(), plan(None), false),
        (Phase::Intent { until: now() }, plan(None), money(), false),
    ];
    for (phase, earlier, plan, passes) in cases {
        let earlier = [act(phase, earlier)];
        let judged = review(plan, &Context { earlier: &earlier, ..context(&action, &policy) });
        assert_eq!(judged.is_ok(), passes, "{:?}: {judged:?}", earlier[0].state.phase);
    }
}

#[test]
fn only_what_was_sent_once_is_brought_to_its_end_without_review() {
    let mut act = act(Phase::Intent { until: now() }, plan(None));
    assert_eq!(resume(&act), None);
    act.state.was_sent = true;
    assert_eq!(resume(&act).map(|permit| permit.plan().clone()), Some(act.plan));
}
