use std::time::Duration;

use super::*;
use crate::domain::{
    journal::{ActState, Answer, Phase},
    pack::{Confirm, Effect},
};

fn aud() -> Currency {
    Currency::from_code("AUD").unwrap()
}

pub(crate) fn setting() -> Setting<'static> {
    Setting {
        livemode: true,
        account: "acct_1",
        currency: aud(),
        timezone: crate::domain::zone::Zone::UTC,
        operator: "jo",
        now: "2026-11-20T09:00:00Z".parse().unwrap(),
        batch: None,
        claim: None,
    }
}

fn template(source: &str) -> Template {
    Template::parse(source).unwrap()
}

fn refund() -> EffectKind {
    EffectKind::Refund { on: Id::new("stripe"), charge: "charge".into(), amount: "amount".into(), reason: None }
}

fn sql(parameters: &[&str]) -> EffectKind {
    let parameters = parameters.iter().map(|name| (*name).to_owned()).collect();
    EffectKind::Sql { on: Id::new("db"), sql: Sql { text: String::new(), numbered: "update $1".into(), parameters }, rows: 1 }
}

pub(crate) fn action(effects: Vec<EffectKind>) -> Action {
    Action {
        id: Id::new("refund"),
        title: "Refund".to_owned(),
        key: None,
        effects: effects.into_iter().map(|kind| Effect { kind, said: template("do it for {{ id }}") }).collect(),
        guards: Vec::new(),
        inputs: vec![
            Input {
                name: "reason".into(),
                title: "Reason".into(),
                kind: InputKind::Choice(vec!["spam".into(), "other".into()]),
                required: true,
            },
            Input { name: "note".into(), title: "Note".into(), kind: InputKind::Text, required: false },
        ],
        undo: None,
        confirm: Confirm::Key,
        stops_at_unknown: false,
        hold: Duration::ZERO,
        amount: None,
        fresh: Vec::new(),
        unchanged: Vec::new(),
        label: None,
        covers: Vec::new(),
    }
}

pub(crate) fn row(cells: &[(&str, Value)]) -> Params {
    cells.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn target() -> Target {
    Target { queue: Some(Id::new("refunds")), key: "rr_1".to_owned() }
}

fn charged(minor: i64) -> Params {
    row(&[("charge", Value::text("ch_1")), ("amount", Value::Money(Money::new(minor, aud())))])
}

fn spam() -> Params {
    row(&[("reason", Value::text("spam"))])
}

fn planned(action: &Action, row: Params) -> Result<Plan, String> {
    make(action, target(), row, &spam(), &[], &setting()).map_err(|why| why.original().to_owned())
}

#[test]
fn everything_is_filled_in() {
    let plan =
        planned(&action(vec![refund(), sql(&["id", "reason", "note", "now", "operator", "action_id"])]), charged(2200)).unwrap();
    assert_eq!(plan.amount, Some(Money::new(2200, aud())));
    let Order::Sql { parameters, .. } = &plan.steps[1].order else { panic!("{plan:?}") };
    let id = Value::text(plan.id.0.as_str());
    let expected = [Value::text("rr_1"), Value::text("spam"), Value::text(""), Value::Time(setting().now), Value::text("jo"), id];
    assert_eq!(parameters, &expected);
    assert_eq!(plan.steps[0].said.shown(), "do it for rr_1");
}

#[test]
fn a_plan_with_a_gap_is_refused() {
    let money = |minor| Value::Money(Money::new(minor, aud()));
    for (effects, cells, why) in [
        (vec![sql(&["colour"])], vec![], "no colour"),
        (vec![refund()], vec![("charge", Value::text("ch_1"))], "no amount"),
        (vec![refund()], vec![("charge", Value::Null), ("amount", money(1))], "no charge"),
        (vec![refund()], vec![("charge", Value::text("")), ("amount", money(1))], "no charge"),
        (vec![refund()], vec![("charge", Value::text("ch_1")), ("amount", Value::text("22"))], "amount is not an amount"),
        (vec![refund()], vec![("charge", Value::text("ch_1")), ("amount", money(0))], "A$0.00 cannot be refunded"),
        (vec![refund()], vec![("charge", Value::text("ch_1")), ("amount", money(-5))], "-A$0.05 cannot be refunded"),
        (vec![], vec![], "`refund` does nothing"),
    ] {
        assert_eq!(planned(&action(effects), row(&cells)).unwrap_err(), why);
    }
}

#[test]
fn the_amount_that_is_shown_is_the_amount_that_moves() {
    let shown = Action { amount: Some("shown".to_owned()), ..action(vec![refund()]) };
    let mut cells = charged(2200);
    cells.insert("shown".to_owned(), Value::Money(Money::new(2100, aud())));
    assert_eq!(planned(&shown, cells).unwrap_err(), "the amount is A$21.00 but A$22.00 would be refunded");
    // In the currency of its row, as a column of the type `char(5)` has it.
    let cells = row(&[("charge", Value::text("ch_1")), ("amount", Value::Integer(2200)), ("currency", Value::text("EUR  "))]);
    let plan = planned(&action(vec![refund()]), cells).unwrap();
    assert_eq!(plan.amount, Some(Money::new(2200, Currency::from_code("EUR").unwrap())));
}

#[test]
fn inputs_are_those_that_the_action_asks_for() {
    for (inputs, why) in [
        (row(&[]), "`reason` is required"),
        (row(&[("reason", Value::text("  "))]), "`reason` is required"),
        (row(&[("reason", Value::text("rude"))]), "`reason` must be one of spam, other"),
        (row(&[("reason", Value::text("spam")), ("amount", Value::Integer(1))]), "there is no input `amount`"),
    ] {
        let refused = make(&action(vec![sql(&[])]), target(), Params::new(), &inputs, &[], &setting()).unwrap_err();
        assert_eq!(refused.original(), why);
    }
    assert_eq!(missing(&action(vec![]), &row(&[("note", Value::text("x"))])), ["reason"]);
}

#[test]
fn two_operators_who_decide_the_same_make_the_same_act_and_any_difference_makes_another() {
    let base = |setting: &Setting<'_>, target: Target, row: Params| {
        make(&action(vec![refund()]), target, row, &spam(), &[], setting).unwrap().id
    };
    let id = base(&setting(), target(), charged(2200));
    let kim = Setting { operator: "kim", now: "2026-11-21T10:00:00Z".parse().unwrap(), ..setting() };
    assert_eq!(base(&kim, target(), charged(2200)), id);
    assert_eq!(id.0.len(), 64);
    let others = [
        base(&Setting { livemode: false, ..setting() }, target(), charged(2200)),
        base(&Setting { account: "acct_2", ..setting() }, target(), charged(2200)),
        base(&setting(), Target { key: "rr_2".to_owned(), ..target() }, charged(2200)),
        base(&setting(), Target { queue: None, ..target() }, charged(2200)),
        base(&setting(), Target { queue: Some(Id::new("refund")), key: "srr_1".to_owned() }, charged(2200)),
        base(&setting(), target(), charged(2201)),
    ];
    assert!(others.iter().all(|other| *other != id));
    let plan = make(&action(vec![refund()]), target(), charged(2200), &spam(), &[], &setting()).unwrap();
    assert!(belongs(&plan, &kim));
    assert!(
        !belongs(&plan, &Setting { livemode: false, ..setting() })
            && !belongs(&plan, &Setting { account: "acct_2", ..setting() })
    );
}

#[test]
fn a_used_key_gives_way_to_the_next_number_and_an_unused_one_is_kept() {
    let action = action(vec![refund()]);
    let first = planned(&action, charged(2200)).unwrap();
    let cases = [
        (Phase::NotSent, false, 0),
        (Phase::TakenBack, false, 0),
        (Phase::Refused, false, 0),
        (Phase::Rejected, true, 1),
        (Phase::Expired, true, 1),
        (Phase::Done, true, 1),
    ];
    for (phase, was_sent, epoch) in cases {
        let state = ActState { phase, was_sent, answers: Vec::<Answer>::new(), ..ActState::default() };
        let earlier = [Act { plan: first.clone(), state }];
        let next = make(&action, target(), charged(2200), &spam(), &earlier, &setting()).unwrap();
        assert_eq!(next.epoch, epoch, "{:?}", earlier[0].state.phase);
        assert_eq!(next.id == first.id, epoch == 0);
    }
}

#[test]
fn the_number_is_the_databases_where_it_knows_of_more_decisions_and_never_one_that_is_used() {
    let action = action(vec![refund()]);
    let first = planned(&action, charged(2200)).unwrap();
    let used = Act {
        plan: Plan { epoch: 4, ..first.clone() },
        state: ActState { phase: Phase::Done, was_sent: true, ..ActState::default() },
    };
    for (next_epoch, earlier, epoch) in [(0, &[][..], 0), (7, &[][..], 7), (2, std::slice::from_ref(&used), 5)] {
        let claim = Some(Keeping { on: Id::new("db"), next_epoch });
        let setting = Setting { claim, ..setting() };
        let made = make(&action, target(), charged(2200), &spam(), earlier, &setting).unwrap();
        assert_eq!((made.epoch, made.id == first.id), (epoch, epoch == 0));
        assert_eq!(made.claim, Some(Id::new("db")));
        assert!(belongs(&made, &setting));
    }
    let unclaimed = make(&action, target(), charged(2200), &spam(), &[used], &setting()).unwrap();
    assert_eq!((unclaimed.epoch, unclaimed.claim), (5, None), "numbers that were given once stay used");
}

#[test]
fn an_event_is_sent_where_its_row_says_and_proven_by_its_own_id() {
    let event = |way| EffectKind::Event { on: Id::new("stripe"), event: "event".into(), way };
    let proof = || {
        let sql = Sql { text: String::new(), numbered: "select $1".into(), parameters: vec!["event".into()] };
        EffectKind::Proof { on: Id::new("db"), sql }
    };
    let resend = action(vec![event(EventWay::Account { endpoint: "endpoint".into() }), proof()]);
    let deliver = action(vec![event(EventWay::Ourselves { handler: "site".into() }), proof()]);
    let cells = row(&[("event", Value::text("evt_1")), ("endpoint", Value::text("we_1"))]);
    for (action, to) in [(&resend, EventTo::Endpoint("we_1".into())), (&deliver, EventTo::Handler("site".into()))] {
        let plan = planned(action, cells.clone()).unwrap();
        let orders: Vec<_> = plan.steps.into_iter().map(|step| step.order).collect();
        let sent = Order::Event { on: Id::new("stripe"), event: "evt_1".into(), to };
        let seen = Order::Proof { on: Id::new("db"), statement: "select $1".into(), parameters: vec![Value::text("evt_1")] };
        assert_eq!(orders, [sent, seen]);
        assert!(plan.is_final);
    }
    // An endpoint that is there no more is no address.
    let gone = row(&[("event", Value::text("evt_1")), ("endpoint", Value::Null)]);
    assert_eq!(planned(&resend, gone.clone()).unwrap_err(), "no endpoint");
    assert!(planned(&deliver, gone).is_ok());
}

#[test]
fn no_value_calls_a_channel_or_hides_where_a_link_leads() {
    let text = template("<!here> {{ name }} says {{ said.words }}");
    let action = action(vec![EffectKind::Webhook { on: Id::new("hook"), text }]);
    let mut row = charged(2200);
    row.insert("name".into(), Value::text("<!channel> & Sons"));
    row.insert("said".into(), Value::Json(serde_json::json!({ "words": "<https://evil.example|the bank>" })));
    let plan = make(&action, target(), row, &spam(), &[], &setting()).unwrap();
    let Order::Webhook { text, .. } = &plan.steps[0].order else { panic!() };
    assert_eq!(text, "<!here> ‹!channel› & Sons says ‹https://evil.example|the bank›");
}
