//! Stripe on the screens: its undelivered events, one customer's timeline, its rate, long lists on their way, an outage.

use std::sync::Arc;

use chrono::TimeDelta;
use wheelhouse::{
    domain::{
        id::Id,
        money::{Currency, Money},
        pack::{Action, ColumnFormat, ColumnSpec, Confirm, Deadline, Pack, Queue},
        rows::Rows,
        severity::Severity,
        snapshot::{Failure, Item, Items, Look, PagesSoFar, QueueReport, Snapshot, SourceReport},
        text::Text,
        value::Value,
    },
    engine::message::{Event, Request},
    ui::{self, Cmd, Model, Msg},
};

use super::{SIZES, compare, drawn, fixture, press, tell};

const ALL: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn columns(spec: &[(&str, &str, ColumnFormat)]) -> Vec<ColumnSpec> {
    let column = |(column, title, format): &(&str, &str, ColumnFormat)| ColumnSpec {
        column: (*column).to_owned(),
        title: (*title).to_owned(),
        format: *format,
    };
    spec.iter().map(column).collect()
}

/// The business with two queues of Stripe's: what it could not tell, and what happened to one customer.
fn pack() -> Pack {
    let mut pack = fixture::pack();
    let queue = |id: &str, title: &str| Queue {
        id: Id::new(id),
        title: title.to_owned(),
        items: Id::new(id),
        presets: Vec::new(),
        target_below: None,
        body: None,
        ..pack.queues[0].clone()
    };
    let events = Queue {
        group: vec!["endpoint".to_owned(), "type".to_owned()],
        since: Some("created".to_owned()),
        deadline: Some(Deadline { column: "created".to_owned(), after: std::time::Duration::from_hours(720) }),
        minutes_each: 2.0,
        actions: vec![Id::new("resend_event"), Id::new("deliver_event")],
        columns: columns(&[
            ("id", "Event", ColumnFormat::Id),
            ("type", "Type", ColumnFormat::Id),
            ("created", "Age", ColumnFormat::Age),
            ("pending_webhooks", "Open", ColumnFormat::Plain),
            ("retries_until", "Retries", ColumnFormat::Left),
            ("dashboard_until", "Dashboard", ColumnFormat::Left),
        ]),
        empty: "Everything that Stripe told has arrived.".to_owned(),
        ..queue("events", "Undelivered events")
    };
    let timeline = Queue {
        since: Some("created".to_owned()),
        minutes_each: 0.0,
        actions: Vec::new(),
        columns: columns(&[
            ("id", "Id", ColumnFormat::Id),
            ("what", "What", ColumnFormat::Id),
            ("created", "When", ColumnFormat::Time),
            ("amount", "Amount", ColumnFormat::Plain),
            ("status", "Status", ColumnFormat::Plain),
            ("said", "Said", ColumnFormat::Plain),
        ]),
        empty: "Stripe knows nothing of this customer.".to_owned(),
        ..queue("timeline", "Ana's timeline")
    };
    let action = |id: &str, title: &str, key: char| Action {
        id: Id::new(id),
        title: title.to_owned(),
        key: Some(key),
        undo: None,
        confirm: Confirm::Count,
        ..pack.actions[0].clone()
    };
    let actions = [action("resend_event", "Send again", 'E'), action("deliver_event", "Post it ourselves", 'H')];
    pack.queues.extend([events, timeline]);
    pack.actions.extend(actions);
    pack
}

fn items(columns: &[&str], rows: Vec<Vec<Value>>) -> Vec<Arc<Item>> {
    let rows = Rows::new(columns.iter().map(|name| (*name).to_owned()), rows).into_rows();
    let item = |row: wheelhouse::domain::rows::Row| {
        let since = row.find("created").and_then(Value::time);
        let key = row.find("id").unwrap().to_string();
        Arc::new(Item { key, since, deadline: None, row, presets: Vec::new(), barred: Vec::new() })
    };
    rows.into_iter().map(item).collect()
}

fn events() -> Items {
    let now = fixture::now();
    let spec = [
        ("evt_1QaT01", "charge.succeeded", 3_960),
        ("evt_1QaT02", "charge.succeeded", 3_100),
        ("evt_1QaT03", "charge.refunded", 1_500),
        ("evt_1QaT04", "invoice.payment_failed", 62),
    ];
    let rows = spec.iter().map(|(id, kind, minutes)| {
        let created = now - TimeDelta::minutes(*minutes);
        vec![
            Value::text(*id),
            Value::text(*kind),
            Value::Time(created),
            Value::Integer(1),
            Value::Time(created + TimeDelta::days(3)),
            Value::Time(created + TimeDelta::days(15)),
        ]
    });
    let names = ["id", "type", "created", "pending_webhooks", "retries_until", "dashboard_until"];
    let mut list = items(&names, rows.collect());
    for item in &mut list {
        let item = Arc::make_mut(item);
        item.deadline = item.since.map(|at| at + TimeDelta::days(30));
    }
    let group = |said: &str, count| (Text::new(said), count);
    let groups = vec![
        group("we_1Site charge.succeeded", 2),
        group("we_1Site charge.refunded", 1),
        group("we_1Site invoice.payment_failed", 1),
    ];
    Items { items: list, left_out: 3, groups }
}

fn timeline() -> Items {
    let money = |minor| Value::Money(Money::new(minor, Currency::from_code("AUD").unwrap()));
    let spec = [
        ("re_1Nx77", "refund", 60, money(2_200), "succeeded", "requested_by_customer"),
        ("ch_1Kx9b", "charge", 1_300, money(2_200), "succeeded", "Featured, 30 days"),
        ("in_1Lm40", "invoice", 1_310, money(2_200), "paid", "subscription_cycle"),
        ("dp_1Zz02", "dispute", 20_000, money(2_200), "won", "fraudulent"),
        ("sub_1Aa1", "subscription", 44_000, Value::Null, "active", "Featured monthly"),
        ("cus_1Ana", "customer", 44_010, Value::Null, "", "ana@example.org Ana Novak"),
    ];
    let rows = spec.into_iter().map(|(id, what, minutes, amount, status, said)| {
        let created = Value::Time(fixture::now() - TimeDelta::minutes(minutes));
        vec![Value::text(id), Value::text(what), created, amount, Value::text(status), Value::text(said)]
    });
    Items { items: items(&["id", "what", "created", "amount", "status", "said"], rows.collect()), ..Items::default() }
}

fn look(items: Option<Items>) -> Look<Items> {
    let fresh = fixture::snapshot().queues[0].look.clone();
    match items {
        Some(items) => Look { value: Some(Arc::new(items)), ..fresh },
        None => Look::never(fresh.every),
    }
}

/// Both queues, and Stripe among the sources.
fn snapshot(events: Look<Items>, timeline: Look<Items>) -> Snapshot {
    let mut snapshot = fixture::snapshot();
    let queue = |id: &str, title: &str, look| Arc::new(QueueReport { id: Id::new(id), title: title.to_owned(), look });
    snapshot.queues.extend([queue("events", "Undelivered events", events), queue("timeline", "Ana's timeline", timeline)]);
    snapshot.sources.push(SourceReport {
        id: Id::new("stripe"),
        kind: "stripe".to_owned(),
        last_ok: Some(fixture::now()),
        took_ms: Some(180),
        failure: None,
        budget: Some(Text::new("43 requests in the last 10 s, 200 at most")),
        progress: None,
    });
    snapshot
}

fn with(snapshot: Snapshot, keys: &str) -> Model {
    let mut model = Model::new(Arc::new(pack()), fixture::shown(), Some(Arc::new(snapshot)));
    drawn(&mut model, (80, 24), fixture::now());
    press(&mut model, keys, fixture::now());
    // The text about the selection follows it once one rests.
    ui::update(&mut model, Msg::Tick, fixture::now() + TimeDelta::seconds(1));
    model
}

fn outage() -> Failure {
    let said = "stripe: GET /v1/events answered 500: An unknown error occurred; Stripe's fault, tried again by itself";
    Failure { said: Text::new(said), ..fixture::failure() }
}

#[test]
fn undelivered_events_are_worked_through_and_say_why_they_cannot_be() {
    let now = fixture::now();
    let mut wrong = Vec::new();
    let rows = || snapshot(look(Some(events())), look(Some(timeline())));
    compare("events", &mut with(rows(), "2 j j enter space j space"), &SIZES, now, &mut wrong);
    compare("events-event", &mut with(rows(), "2 j j enter enter"), &SIZES, now, &mut wrong);
    let empty = snapshot(look(Some(Items { left_out: 4, ..Items::default() })), look(Some(timeline())));
    compare("events-empty", &mut with(empty, "2 j j enter"), &SIZES, now, &mut wrong);

    // The endpoint is ill: asked before anything is sent, and nothing is.
    let mut ill = with(rows(), "");
    tell(&mut ill, Event::Lock { until: Some(now + TimeDelta::minutes(15)), why: None });
    let cmds = press(&mut ill, "2 j j enter A E", now);
    let Some(Cmd::Ask(Request::Propose { ask, targets, .. })) = cmds.last() else { panic!("{cmds:?}") };
    let mut preview = fixture::preview("resend_event", "Send again", targets, Confirm::Count);
    let why = "the handler is well: site: GET /api/webhooks/stripe/health answered 500; heal it first";
    preview.refused = targets.iter().map(|target| (target.clone(), Text::new(why))).collect();
    preview.plans.clear();
    preview.caps.clear();
    let ask = *ask;
    tell(&mut ill, Event::Preview { ask, preview: Ok(Box::new(preview)) });
    compare("events-ill", &mut ill, &SIZES, now, &mut wrong);

    let unread = Look { failure: Some(outage()), ..look(Some(events())) };
    let mut unread = with(snapshot(unread, look(Some(timeline()))), "2 j j enter");
    compare("events-unread", &mut unread, &SIZES, now + TimeDelta::minutes(14), &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_customers_timeline_is_read_from_the_newest_on() {
    let mut wrong = Vec::new();
    let mut model = with(snapshot(look(Some(events())), look(Some(timeline()))), "2 j j j enter j");
    compare("timeline", &mut model, &SIZES, fixture::now(), &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn long_lists_tell_how_far_they_have_come_where_their_rows_will_stand() {
    let now = fixture::now();
    let mut wrong = Vec::new();
    let so_far = PagesSoFar { since: now - TimeDelta::seconds(9), pages: 12, rows: 1_200 };
    let first = Look { reading: Some(so_far), ..look(None) };
    let again = Look { reading: Some(PagesSoFar { pages: 1, rows: 100, ..so_far }), ..look(Some(timeline())) };
    let mut under_way = snapshot(first, again);
    under_way.sources[1].progress = Some(Text::new("events: 1200 so far, charges: 4200 so far"));
    let alert = Arc::make_mut(&mut under_way.alerts[3]);
    (alert.failure, alert.looked_at) = (None, None);
    alert.detail = Text::new(format!("reading: {}", so_far.said()));
    compare("pages", &mut with(under_way.clone(), ""), &ALL, now, &mut wrong);
    compare("pages-queue", &mut with(under_way.clone(), "2 j j enter"), &SIZES, now, &mut wrong);
    // Older rows stay until the new ones are whole.
    compare("pages-again", &mut with(under_way.clone(), "2 j j j enter"), &SIZES, now + TimeDelta::minutes(4), &mut wrong);
    compare("errors-rate", &mut with(under_way, "!"), &SIZES, now, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn while_stripe_fails_what_it_alone_knows_is_unknown_and_the_rest_goes_on() {
    let now = fixture::now();
    let mut wrong = Vec::new();
    let never = || Look { failure: Some(outage()), ..look(None) };
    let mut failing = snapshot(never(), never());
    failing.sources[1].failure = Some(outage());
    failing.sources[1].last_ok = None;
    for at in [1, 2] {
        let alert = Arc::make_mut(&mut failing.alerts[at]);
        (alert.severity, alert.failure, alert.looked_at) = (Severity::Unknown, Some(outage()), None);
    }
    let report = Arc::make_mut(&mut failing.reconciliations[0]);
    report.look = Look { failure: Some(outage()), ..Look::never(report.look.every) };
    compare("stripe-500", &mut with(failing.clone(), ""), &ALL, now, &mut wrong);
    compare("stripe-500-events", &mut with(failing.clone(), "2 j j enter"), &SIZES, now, &mut wrong);
    compare("stripe-500-errors", &mut with(failing, "!"), &SIZES, now, &mut wrong);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
