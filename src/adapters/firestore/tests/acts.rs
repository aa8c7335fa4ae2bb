//! Writing, on the partner: what is named and nothing else, only as it was read, once, and found again.

use chrono::{DateTime, Utc};

use super::{
    Change, FieldValue, FirestoreSystem, Mark, Outcome, Precondition, Value, document, first, json, list, mark, order,
    partner::{Partner, held, put},
    read, set, text,
};
use crate::{
    adapters::testing::words,
    domain::{
        document::{FieldKind, Written},
        template::Template,
        zone::Zone,
    },
    ports::{Doer as _, Found},
};

#[tokio::test]
async fn documents_are_written_once_and_only_as_they_were_read() {
    let Some(partner) = Partner::start(&[]) else { return };
    only_what_is_named(&partner.open(None)).await;
    every_kind_comes_back_as_it_was_or_is_refused(&partner.open(None)).await;
    only_as_it_was_read(&partner.open(None)).await;
    created_once(&partner.open(None)).await;
    found_by_its_mark(&partner.open(Some("operator_actions"))).await;
    found_by_what_it_wrote(&partner.open(None)).await;
}

async fn changed_at(system: &FirestoreSystem, name: &str) -> DateTime<Utc> {
    first(&read(system, document(name, &[])).await.unwrap(), "update_time").time().unwrap()
}

async fn unchanged(system: &FirestoreSystem, name: &str) -> Precondition {
    Precondition::UnchangedSince(changed_at(system, name).await)
}

fn again(mark: &Mark, attempt: u32) -> Mark {
    Mark { attempt, ..mark.clone() }
}

async fn only_what_is_named(system: &FirestoreSystem) {
    let before = json!({
        "status": { "stringValue": "stuck" },
        "kept": { "integerValue": "7" },
        "moderation": { "mapValue": { "fields": { "flags": { "integerValue": "2" }, "note": { "stringValue": "x" } } } },
        "gone": { "booleanValue": true },
    });
    put(system, "jobs/j1", before).await;
    let changes = [
        ("status", set(text("open"))),
        ("moderation.hidden", set(FieldValue::Truth(true))),
        ("moderation.`odd-name`", set(FieldValue::List(vec![FieldValue::Integer(1), FieldValue::None]))),
        ("rate", set(FieldValue::Double(0.5))),
        ("owner", set(FieldValue::Reference("users/u1".into()))),
        ("at", set(FieldValue::Time("2026-11-19T08:00:00.5Z".parse().unwrap()))),
        ("reopened_at", Change::ServerTime),
        ("gone", Change::Remove),
    ];
    let outcome = system.act(&order("jobs/j1", &changes, unchanged(system, "jobs/j1").await), &mark("a1")).await;
    assert_eq!(words(&outcome), "docs: jobs/j1 written");
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    let after = held(system, "jobs/j1").await;
    assert_eq!(after["status"], json!({ "stringValue": "open" }));
    assert_eq!(after["kept"], json!({ "integerValue": "7" }), "what is not named stays");
    assert_eq!(
        after["moderation"]["mapValue"]["fields"],
        json!({
            "flags": { "integerValue": "2" },
            "note": { "stringValue": "x" },
            "hidden": { "booleanValue": true },
            "odd-name": { "arrayValue": { "values": [{ "integerValue": "1" }, { "nullValue": null }] } },
        })
    );
    assert_eq!(after["rate"], json!({ "doubleValue": 0.5 }));
    assert!(after["owner"]["referenceValue"].as_str().unwrap().ends_with("/documents/users/u1"));
    assert!(after["at"]["timestampValue"].as_str().unwrap().starts_with("2026-11-19T08:00:00.5"));
    let stamped: DateTime<Utc> = after["reopened_at"]["timestampValue"].as_str().unwrap().parse().unwrap();
    let later = changed_at(system, "jobs/j1").await - stamped;
    assert!((0..1_000).contains(&later.num_microseconds().unwrap()), "the database's own clock, to the millisecond: {later}");
    assert!(after.get("gone").is_none(), "{after}");
}

/// What an action that copies a field does: the cell that was read, bound or called by its kind, and written elsewhere.
async fn every_kind_comes_back_as_it_was_or_is_refused(system: &FirestoreSystem) {
    let time = json!({ "timestampValue": "2026-11-19T08:00:00.500Z" });
    let user = json!({ "referenceValue": format!("{}/users/u1", super::ROOT) });
    let fields = json!({
        "bytes": { "bytesValue": "wN4=" },
        "reference": user,
        "place": { "geoPointValue": { "latitude": -33.9, "longitude": 151.2 } },
        "list": { "arrayValue": { "values": [time, { "stringValue": "x" }] } },
        "map": { "mapValue": { "fields": { "who": user, "raw": { "bytesValue": "wN4=" } } } },
        "time": time,
        "plain": { "mapValue": { "fields": { "a": { "arrayValue": { "values": [{ "integerValue": "1" }, { "doubleValue": 0.5 }] } } } } },
        "text": { "stringValue": "2026-11-19T08:00:00Z" },
    });
    put(system, "kinds/k1", fields.clone()).await;
    let names: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
    let columns: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
    for source in [document("kinds/k1", &columns), list("kinds", &columns)] {
        let row = read(system, source).await.unwrap().first().unwrap().params();
        let bound = |name: &str| Written::Bound(name.to_owned()).value(&row, Zone::UTC);
        let called = |kind, name: &str| {
            Written::As(kind, Template::parse(&format!("{{{{ {name} }}}}")).unwrap()).value(&row, Zone::UTC).unwrap()
        };
        for (name, advice) in [
            ("bytes", "write { bytes = \":bytes\" }"),
            ("reference", "write { document = \":reference\" }"),
            ("place", "write { geo_point = \":place\" }"),
            ("list", "holds an array with a timestamp in it"),
            ("map", "holds a map with a reference in it"),
        ] {
            let why = bound(name).unwrap_err();
            assert!(why.contains(advice), "{why}");
        }
        let values = [
            ("bytes", called(FieldKind::Bytes, "bytes")),
            ("reference", called(FieldKind::Reference, "reference")),
            ("place", called(FieldKind::Place, "place")),
            ("time", bound("time").unwrap()),
            ("plain", bound("plain").unwrap()),
            ("text", bound("text").unwrap()),
        ];
        put(system, "copies/k1", json!({ "empty": { "nullValue": null } })).await;
        let changes: Vec<_> = values.into_iter().map(|(name, value)| (name, set(value))).collect();
        let outcome = system.act(&order("copies/k1", &changes, unchanged(system, "copies/k1").await), &mark("k1")).await;
        assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
        let copy = held(system, "copies/k1").await;
        for (name, _) in &changes {
            let (was, is) = (&fields[name], &copy[name]);
            // The partner spells moments in its own way.
            let moment =
                |value: &serde_json::Value| value["timestampValue"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
            assert!(was == is || moment(was).is_some() && moment(was) == moment(is), "{name}: {was} became {is}");
        }
    }
}

async fn only_as_it_was_read(system: &FirestoreSystem) {
    put(system, "jobs/j2", json!({ "status": { "stringValue": "open" } })).await;
    let read_at = unchanged(system, "jobs/j2").await;
    let hide = |when| order("jobs/j2", &[("hidden", set(FieldValue::Truth(true)))], when);
    put(system, "jobs/j2", json!({ "status": { "stringValue": "taken by somebody" } })).await;
    let outcome = system.act(&hide(read_at), &mark("b1")).await;
    assert!(matches!(&outcome, Outcome::Changed(why) if why.shown().contains("it has changed since it was read")), "{outcome:?}");
    assert!(held(system, "jobs/j2").await.get("hidden").is_none());
    // To the very microsecond.
    let Precondition::UnchangedSince(moment) = unchanged(system, "jobs/j2").await else { panic!() };
    for off in [-1, 1] {
        let near = Precondition::UnchangedSince(moment + chrono::TimeDelta::microseconds(off));
        assert!(matches!(system.act(&hide(near), &mark("b2")).await, Outcome::Changed(_)));
    }
    let outcome = system.act(&order("jobs/nobody", &[("a", set(FieldValue::None))], read_at), &mark("b3")).await;
    assert!(
        matches!(&outcome, Outcome::Changed(why) if why.shown().contains("gone") || why.shown().contains("changed")),
        "{outcome:?}"
    );
    assert!(read(system, document("jobs/nobody", &[])).await.unwrap().is_empty(), "nothing is made in passing");
    // Back again, from how it is now: the way in which an undo goes.
    let outcome = system.act(&hide(unchanged(system, "jobs/j2").await), &mark("b4")).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    let back = order("jobs/j2", &[("hidden", Change::Remove)], unchanged(system, "jobs/j2").await);
    assert!(matches!(system.act(&back, &mark("b5")).await, Outcome::Confirmed(_)));
    assert_eq!(held(system, "jobs/j2").await, json!({ "status": { "stringValue": "taken by somebody" } }));
}

async fn created_once(system: &FirestoreSystem) {
    let ban = |why: &str| order("bans/u1", &[("why", set(text(why)))], Precondition::Absent);
    assert_eq!(system.look_up(&ban("spam"), &mark("c1")).await, Found::Absent);
    assert!(matches!(system.act(&ban("spam"), &mark("c1")).await, Outcome::Confirmed(_)));
    let outcome = system.act(&ban("other"), &mark("c2")).await;
    assert!(
        matches!(&outcome, Outcome::Changed(why) if why.shown().contains("there is one of that name already")),
        "{outcome:?}"
    );
    assert_eq!(held(system, "bans/u1").await, json!({ "why": { "stringValue": "spam" } }));
    let found = system.look_up(&ban("spam"), &mark("c1")).await;
    assert!(matches!(&found, Found::Unlabelled(why) if why.shown().contains("nothing says by whom")), "{found:?}");
    assert!(matches!(system.look_up(&ban("other"), &mark("c2")).await, Found::CannotTell(_)));
}

async fn found_by_its_mark(system: &FirestoreSystem) {
    put(system, "jobs/j3", json!({ "n": { "integerValue": "1" } })).await;
    let count = order("jobs/j3", &[("n", set(FieldValue::Integer(2)))], unchanged(system, "jobs/j3").await);
    let first_try = mark("d1");
    assert_eq!(system.look_up(&count, &first_try).await, Found::Absent);
    assert!(matches!(system.act(&count, &first_try).await, Outcome::Confirmed(_)));
    let marked = held(system, "operator_actions/d1-0").await;
    assert_eq!(marked["operator"], json!({ "stringValue": "ana" }));
    assert_eq!(
        (&marked["target"], &marked["document"]),
        (&json!({ "stringValue": "rr_1" }), &json!({ "stringValue": "jobs/j3" }))
    );
    assert!(marked["marked_at"]["timestampValue"].is_string());
    let Found::Ours(answer) = system.look_up(&count, &first_try).await else { panic!() };
    assert_eq!(answer.said.shown(), "docs: jobs/j3 written");
    // The same act once more, though somebody wrote meanwhile: it is known, and nothing changes.
    put(system, "jobs/j3", json!({ "n": { "integerValue": "9" } })).await;
    for attempt in [1, 2] {
        let outcome = system.act(&count, &again(&first_try, attempt)).await;
        assert_eq!(words(&outcome), "docs: jobs/j3 already written");
    }
    assert_eq!(held(system, "jobs/j3").await, json!({ "n": { "integerValue": "9" } }));
    // Another act on what has changed meanwhile leaves no mark.
    let outcome = system.act(&count, &mark("d2")).await;
    assert!(matches!(outcome, Outcome::Changed(_)), "{outcome:?}");
    assert_eq!(system.look_up(&count, &mark("d2")).await, Found::Absent, "a mark without its write would be a lie");
    assert!(matches!(system.look_up(&count, &Mark { step: 1, ..first_try }).await, Found::Absent), "each step has its own");
}

async fn found_by_what_it_wrote(system: &FirestoreSystem) {
    put(system, "jobs/j4", json!({ "n": { "integerValue": "1" }, "old": { "booleanValue": true } })).await;
    let changes =
        [("n", set(FieldValue::Integer(2))), ("a.b", set(text("x"))), ("old", Change::Remove), ("at", Change::ServerTime)];
    let count = order("jobs/j4", &changes, unchanged(system, "jobs/j4").await);
    assert_eq!(system.look_up(&count, &mark("e1")).await, Found::Absent, "unchanged since it was read: nothing came");
    assert!(matches!(system.act(&count, &mark("e1")).await, Outcome::Confirmed(_)));
    let found = system.look_up(&count, &mark("e1")).await;
    assert!(matches!(&found, Found::Unlabelled(_)), "it is as it should be, and nothing says by whom: {found:?}");
    let outcome = system.act(&count, &again(&mark("e1"), 2)).await;
    assert!(matches!(&outcome, Outcome::Unknown(why) if why.shown().contains("an earlier attempt")), "{outcome:?}");
    put(system, "jobs/j4", json!({ "n": { "integerValue": "3" } })).await;
    let found = system.look_up(&count, &mark("e1")).await;
    assert!(matches!(&found, Found::CannotTell(why) if why.shown().contains("something else")), "{found:?}");
    assert_eq!(first(&read(system, document("jobs/j4", &[("n", "n")])).await.unwrap(), "n"), Value::Integer(3));
}
