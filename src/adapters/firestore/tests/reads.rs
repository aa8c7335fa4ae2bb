//! Reading, on the partner: every kind of value, every condition, pages of one moment, totals, paths that lead nowhere else.

use super::{
    Comparing, Documents, FieldValue, Json, Params, ROOT, Read, Rows, SourceError, Test, Total, Value, by, cells, compared,
    document, first, fixed, from, ids, json, list,
    partner::{Partner, fill, put},
    path, query, read, text,
};
use crate::{
    domain::{
        document::Written,
        pack::{Condition, FirestoreRead, Listing},
    },
    ports::{Source as _, Taker},
};

#[tokio::test]
async fn documents_read_as_they_are() {
    let Some(partner) = Partner::start(&[]) else { return };
    let system = partner.open(None);
    every_kind(&system).await;
    conditions(&system).await;
    pages(&system).await;
    totals(&system).await;
    identity(&system, &partner).await;
}

async fn every_kind(system: &super::FirestoreSystem) {
    let fields = json!({
        "nothing": { "nullValue": null },
        "truth": { "booleanValue": true },
        "number": { "integerValue": "9007199254740993" },
        "rate": { "doubleValue": 0.1 },
        "odd": { "doubleValue": "NaN" },
        "at": { "timestampValue": "2026-11-19T08:00:00.123456Z" },
        "words": { "stringValue": "ünï\u{202e}\u{0}\n2026-11-19T08:00:00Z" },
        "raw": { "bytesValue": "wN4=" },
        "owner": { "referenceValue": format!("{ROOT}/users/u1") },
        "where": { "geoPointValue": { "latitude": -33.86, "longitude": 151.2 } },
        "tags": { "arrayValue": { "values": [{ "stringValue": "x" }, { "integerValue": "2" }] } },
        "deep": { "mapValue": { "fields": { "odd-name": { "mapValue": { "fields": { "n": { "integerValue": "7" } } } } } } },
    });
    put(system, "jobs/j1", fields).await;
    let columns: Vec<(&str, &str)> =
        ["nothing", "truth", "number", "rate", "odd", "at", "words", "raw", "owner", "where", "tags"]
            .map(|name| (name, name))
            .into_iter()
            .chain([("n", "deep.`odd-name`.n"), ("missing", "deep.gone.n"), ("changed", "__update_time__"), ("id", "__path__")])
            .collect();
    let rows = read(system, document("jobs/j1", &columns)).await.unwrap();
    for (column, expected) in [
        ("nothing", Value::Null),
        ("truth", Value::Bool(true)),
        ("number", Value::Integer(9_007_199_254_740_993)),
        ("rate", Value::Decimal("0.1".parse().unwrap())),
        ("odd", Value::text("NaN")),
        ("at", Value::Time("2026-11-19T08:00:00.123456Z".parse().unwrap())),
        ("words", Value::text("ünï\u{202e}\u{0}\n2026-11-19T08:00:00Z")),
        ("raw", Value::text("c0de")),
        ("owner", Value::text("users/u1")),
        ("where", Value::Json(json!({ "latitude": -33.86, "longitude": 151.2 }))),
        ("tags", Value::Json(json!(["x", 2]))),
        ("n", Value::Integer(7)),
        ("missing", Value::Null),
        ("id", Value::text("jobs/j1")),
        ("path", Value::text("jobs/j1")),
    ] {
        assert_eq!(first(&rows, column), expected, "{column}");
    }
    assert!(first(&rows, "create_time").time().is_some());
    assert_eq!(first(&rows, "changed"), first(&rows, "update_time"));
    assert_eq!(rows.columns().iter().filter(|name| *name == "id").count(), 1, "a column of the pack's own takes its place");
    let gone = read(system, document("jobs/nobody", &[("truth", "truth")])).await.unwrap();
    assert!(gone.is_empty() && gone.columns().contains(&"truth".to_owned()));
}

async fn conditions(system: &super::FirestoreSystem) {
    let job = |status: &str, days: i64, tags: &[&str], note: Option<Json>| {
        let tags: Vec<Json> = tags.iter().map(|tag| json!({ "stringValue": tag })).collect();
        let at = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(days);
        let mut fields = json!({
            "status": { "stringValue": status },
            "days": { "integerValue": days.to_string() },
            "at": { "timestampValue": at.to_rfc3339() },
            "tags": { "arrayValue": { "values": tags } },
            "owner": { "referenceValue": format!("{ROOT}/users/u{days}") },
        });
        if let Some(note) = note {
            fields["note"] = note;
        }
        fields
    };
    let none = Some(json!({ "nullValue": null }));
    let documents = [
        ("work/a", job("open", 1, &["red", "big"], none)),
        ("work/b", job("funded", 2, &["red"], Some(json!({ "stringValue": "x" })))),
        ("work/c", job("open", 3, &[], None)),
        ("work/d", job("closed", 4, &["blue"], None)),
        ("users/u1/work/e", job("open", 5, &["blue"], None)),
    ];
    fill(system, &documents.map(|(name, fields)| (name.to_owned(), fields))).await;
    let at = |days: i64| FieldValue::Time(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(days));
    let listed = |field: &str, listing, values: &[&str]| Condition {
        field: path(field),
        test: Test::Listed(listing, values.iter().map(|value| fixed(text(value))).collect()),
    };
    let tested = |field: &str, test| Condition { field: path(field), test };
    for (conditions, order, expected) in [
        (vec![compared("status", Comparing::Is, text("open"))], vec![], "a c"),
        (vec![compared("status", Comparing::IsNot, text("open"))], vec![], "d b"),
        (vec![compared("days", Comparing::Above, FieldValue::Integer(2))], vec![by("-days")], "d c"),
        (vec![compared("days", Comparing::AtLeast, FieldValue::Integer(2))], vec![], "b c d"),
        (vec![compared("at", Comparing::Below, at(2))], vec![], "a"),
        (vec![compared("at", Comparing::AtMost, at(2)), compared("status", Comparing::Is, text("funded"))], vec![], "b"),
        (vec![compared("tags", Comparing::Contains, text("red"))], vec![], "a b"),
        (vec![compared("owner", Comparing::Is, FieldValue::Reference("users/u3".into()))], vec![], "c"),
        (vec![listed("status", Listing::OneOf, &["open", "closed"])], vec![], "a c d"),
        (vec![listed("status", Listing::NoneOf, &["open", "closed"])], vec![], "b"),
        (vec![listed("tags", Listing::ContainsOneOf, &["big", "blue"])], vec![], "a d"),
        (vec![tested("note", Test::IsNone)], vec![], "a"),
        (vec![tested("note", Test::IsNotNone)], vec![], "b"),
        (vec![], vec![by("status"), by("-days")], "d b c a"),
    ] {
        let rows =
            read(system, FirestoreRead { conditions: conditions.clone(), order, ..list("work", &[("days", "days")]) }).await;
        let rows = rows.unwrap_or_else(|error| panic!("{conditions:?}: {error}"));
        assert_eq!(ids(&rows).join(" "), expected, "{conditions:?}");
    }
    let limited = FirestoreRead { limit: Some(2), order: vec![by("-days")], ..list("work", &[]) };
    assert_eq!(ids(&read(system, limited).await.unwrap()), ["d", "c"]);

    let group = from(Documents::Group("work".into()), &[("days", "days")]);
    assert_eq!(
        cells(&read(system, group).await.unwrap(), "path").last(),
        Some(&Value::text("work/d")),
        "in the order of their names"
    );
    let nested = read(system, list("users/u1/work", &[("days", "days")])).await.unwrap();
    assert_eq!((ids(&nested), first(&nested, "path")), (vec!["e".to_owned()], Value::text("users/u1/work/e")));

    // A name is bound with its kind, whatever stands in it.
    let named = |value: Value| Params::from([("wanted".to_owned(), value)]);
    let wanted = FirestoreRead {
        conditions: vec![Condition {
            field: path("status"),
            test: Test::Compared(Comparing::Is, Written::Bound("wanted".into())),
        }],
        ..list("work", &[])
    };
    let wanted = query(Read::Firestore(wanted));
    assert_eq!(system.read(&wanted, &named(Value::text("funded"))).await.unwrap().len(), 1);
    for odd in [Value::text("open\" OR 1=1"), Value::Integer(1), Value::Null] {
        assert_eq!(system.read(&wanted, &named(odd)).await.unwrap().len(), 0);
    }
    let error = system.read(&wanted, &Params::new()).await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains("no wanted")), "{error:?}");
}

/// Keeps what it is given; between two parts somebody else changes the list.
struct Meddling<'a> {
    system: &'a super::FirestoreSystem,
    seen: Vec<i64>,
    parts: usize,
}

impl Taker for Meddling<'_> {
    fn take(&mut self, rows: Rows) -> Result<(), String> {
        self.parts += 1;
        self.seen.extend(cells(&rows, "n").iter().filter_map(Value::integer));
        if self.parts == 1 {
            let moved: Vec<(String, Json)> =
                (0..20).map(|n| (format!("many/d{n:04}"), json!({ "n": { "integerValue": (n + 5_000).to_string() } }))).collect();
            // The taker is called from within a runtime; this one has a thread of its own.
            std::thread::scope(|scope| {
                let work = scope.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(fill(self.system, &moved));
                });
                work.join().unwrap();
            });
        }
        Ok(())
    }
}

async fn pages(system: &super::FirestoreSystem) {
    let many: Vec<(String, Json)> = (0..1_203)
        .map(|n| {
            (format!("many/d{n:04}"), json!({ "n": { "integerValue": n.to_string() }, "half": { "booleanValue": n % 2 == 0 } }))
        })
        .collect();
    fill(system, &many).await;
    let all = list("many", &[("n", "n")]);
    assert_eq!(read(system, all.clone()).await.unwrap().len(), 1_203, "ordered by name alone");
    let backwards = FirestoreRead {
        conditions: vec![compared("n", Comparing::AtLeast, FieldValue::Integer(3))],
        order: vec![by("-half"), by("-n")],
        ..list("many", &[])
    };
    let rows = read(system, backwards).await.unwrap();
    assert_eq!((rows.len(), ids(&rows)[0].as_str(), ids(&rows)[1_199].as_str()), (1_200, "d1202", "d0003"));

    let mut taker = Meddling { system, seen: Vec::new(), parts: 0 };
    let by_number = FirestoreRead { order: vec![by("n")], ..list("many", &[("n", "n")]) };
    system.stream(&query(Read::Firestore(by_number)), &Params::new(), &mut taker).await.unwrap();
    assert_eq!(taker.parts, 3);
    assert_eq!(taker.seen, (0..1_203).collect::<Vec<i64>>(), "all pages are of the moment of the first");

    let more: Vec<(String, Json)> = (0..8_900).map(|n| (format!("many/e{n:04}"), json!({}))).collect();
    fill(system, &more).await;
    let error = read(system, all.clone()).await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused(why) if why.shown().contains("more than 10000 documents")), "{error:?}");
    assert_eq!(read(system, FirestoreRead { limit: Some(700), ..all }).await.unwrap().len(), 700);
}

async fn totals(system: &super::FirestoreSystem) {
    let totals = |totals: &[(&str, Total)]| totals.iter().map(|(name, total)| ((*name).to_owned(), total.clone())).collect();
    let asked = FirestoreRead {
        conditions: vec![compared("status", Comparing::Is, text("open"))],
        totals: totals(&[
            ("all of them", Total::Count),
            ("days", Total::Sum(path("days"))),
            ("mean", Total::Average(path("days"))),
        ]),
        ..list("work", &[])
    };
    let rows = read(system, asked).await.unwrap();
    assert_eq!(rows.columns(), ["all of them", "days", "mean"]);
    assert_eq!((first(&rows, "all of them"), first(&rows, "days")), (Value::Integer(2), Value::Integer(4)));
    assert_eq!(first(&rows, "mean"), Value::Decimal("2".parse().unwrap()));
    let nobody = FirestoreRead {
        totals: totals(&[("n", Total::Count), ("sum", Total::Sum(path("days"))), ("mean", Total::Average(path("days")))]),
        ..list("nobody", &[])
    };
    let rows = read(system, nobody).await.unwrap();
    assert_eq!(
        [first(&rows, "n"), first(&rows, "sum"), first(&rows, "mean")],
        [Value::Integer(0), Value::Integer(0), Value::Null]
    );
}

async fn identity(system: &super::FirestoreSystem, partner: &Partner) {
    let identity = system.identify().await.unwrap();
    let facts: Vec<_> = identity.facts.iter().map(|(label, said)| (*label, said.shown())).collect();
    assert_eq!(facts, [("project", "shop"), ("database", "(default)"), ("emulator", partner.address.as_str())]);
    let said = system.inspect().await.unwrap();
    assert!(said.len() == 1 && said[0].shown().contains("FIRESTORE_EMULATOR_HOST is set"), "{said:?}");
    let prepared = system.prepare(&query(Read::Firestore(list("work", &[("days", "days")])))).await.unwrap();
    assert_eq!(prepared.unwrap(), ["id", "path", "create_time", "update_time", "days"]);
}
