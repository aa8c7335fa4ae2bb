use std::time::Duration;

use super::*;
use crate::domain::{
    id::Id,
    money::{Currency, Money},
    pack::{Class, Ledger, LedgerColumns, Query, Read, Sql},
    rows::{Params, Row, Rows},
    severity::Severity,
    snapshot::Entry,
    text::Text,
    value::Value,
};

pub(super) fn now() -> DateTime<Utc> {
    "2026-03-20T12:00:00Z".parse().unwrap()
}

pub(super) fn reconciliation() -> Reconciliation {
    Reconciliation {
        id: Id::new("charges"),
        title: "Charges, 7 days".to_owned(),
        theirs: Id::new("stripe"),
        ours: Id::new("payments"),
        window: Duration::from_hours(7 * 24),
        settle: Duration::from_hours(1),
        tolerance: Duration::from_mins(10),
        proposals: [(Class::MissingHere, Id::new("record_charge")), (Class::Duplicate, Id::new("look_twice"))].into(),
        proposals_there: [(Class::Duplicate, Id::new("refund"))].into(),
        proposals_here: [].into(),
        every: Duration::from_mins(5),
        covers: vec![],
    }
}

pub(super) fn entry(key: &str, minor: i64, minutes_ago: i64) -> Entry {
    let aud = Currency::from_code("AUD").unwrap();
    Entry {
        key: key.to_owned(),
        link: None,
        amount: Money::new(minor, aud),
        refunded: Money::new(0, aud),
        at: now() - TimeDelta::minutes(minutes_ago),
        status: None,
        settled: true,
        pending: false,
        row: Row::from(&Params::new()),
    }
}

trait With: Sized {
    fn link(self, link: &str) -> Self;
    fn refunded(self, minor: i64) -> Self;
    fn failed(self) -> Self;
    fn pending(self) -> Self;
    fn in_currency(self, code: &str) -> Self;
}

impl With for Entry {
    fn link(self, link: &str) -> Self {
        Self { link: Some(link.to_owned()), ..self }
    }

    fn refunded(self, minor: i64) -> Self {
        Self { refunded: Money::new(minor, self.amount.currency), ..self }
    }

    fn failed(self) -> Self {
        Self { settled: false, status: Some(Text::new("failed")), ..self }
    }

    fn pending(self) -> Self {
        Self { settled: false, pending: true, status: Some(Text::new("pending")), ..self }
    }

    fn in_currency(self, code: &str) -> Self {
        let currency = Currency::from_code(code).unwrap();
        Self { amount: Money::new(self.amount.minor, currency), refunded: Money::new(self.refunded.minor, currency), ..self }
    }
}

pub(super) fn compare(theirs: Vec<Entry>, ours: Vec<Entry>) -> Statement {
    let sides = (theirs, ours);
    within(&sides.0, &sides.1, now() - TimeDelta::days(7), now()).0
}

pub(super) fn within(theirs: &[Entry], ours: &[Entry], from: DateTime<Utc>, to: DateTime<Utc>) -> (Statement, Sheet) {
    let book = |title: &str, entries: &[Entry]| Book::of(title, entries).unwrap();
    reconcile(&reconciliation(), book("stripe", theirs), book("db", ours), from, to, now())
}

/// Class, ids and minor units of each discrepancy.
fn found(statement: &Statement) -> Vec<(Class, String, Vec<i64>)> {
    let ids = |key: &str| key.split_once(':').map(|(_, ids)| ids.to_owned()).unwrap();
    let found = statement.discrepancies.iter();
    found.map(|one| (one.class, ids(&one.key), one.difference.iter().map(|money| money.minor).collect())).collect()
}

fn only(theirs: Vec<Entry>, ours: Vec<Entry>) -> Option<(Class, i64)> {
    let statement = compare(theirs, ours);
    assert!(statement.discrepancies.len() <= 1, "{:?}", found(&statement));
    statement.discrepancies.first().map(|one| (one.class, one.difference[0].minor))
}

const OLD: i64 = 600;

#[test]
fn rows_pair_by_any_name_they_have_for_each_other() {
    for (theirs, ours) in [
        (entry("ch_1", 2200, OLD), entry("1", 2200, OLD).link("ch_1")),
        (entry("ch_1", 2200, OLD).link("1"), entry("1", 2200, OLD)),
        (entry("x", 2200, OLD), entry("x", 2200, OLD)),
        (entry("ch_1", 2200, OLD).link("pi_1"), entry("1", 2200, OLD).link("pi_1")),
        (entry("ch_1", 2200, OLD), entry("1", 2200, OLD + 10)),
    ] {
        let statement = compare(vec![theirs], vec![ours]);
        assert_eq!((statement.matched, statement.discrepancies.len()), (1, 0));
    }
}

#[test]
fn unlabelled_rows_pair_only_where_nothing_else_could_be_meant() {
    let alone = |minutes| vec![entry("1", 2200, minutes)];
    assert_eq!(compare(vec![entry("ch_1", 2200, OLD)], alone(OLD + 11)).matched, 0);
    assert_eq!(compare(vec![entry("ch_1", 2201, OLD)], alone(OLD)).matched, 0);
    assert_eq!(compare(vec![entry("ch_1", 2200, OLD).in_currency("USD")], alone(OLD)).matched, 0);
    let two = vec![entry("ch_1", 2200, OLD), entry("ch_2", 2200, OLD + 5)];
    assert_eq!(compare(two.clone(), alone(OLD)).matched, 0);
    assert_eq!(compare(alone(OLD), two).matched, 0);
    let far = vec![entry("ch_1", 2200, OLD), entry("ch_2", 2200, OLD + 15)];
    assert_eq!(compare(far, vec![entry("1", 2200, OLD), entry("2", 2200, OLD + 15)]).matched, 2);
}

#[test]
fn what_could_be_one_of_several_is_kept_with_all_that_it_could_be() {
    let theirs = vec![entry("ch_1", 2200, OLD), entry("ch_2", 2200, OLD + 5), entry("ch_3", 2200, OLD + 300)];
    let ours = vec![entry("1", 2200, OLD + 2), entry("2", 2300, OLD), entry("3", 2200, OLD).link("ch_9")];
    let statement = compare(theirs, ours);
    let told: Vec<_> = statement
        .discrepancies
        .iter()
        .filter(|one| one.class == Class::Ambiguous)
        .map(|one| {
            let candidates: Vec<&str> = one.candidates.iter().map(|entry| entry.key.as_str()).collect();
            (one.key.as_str(), one.said.shown(), candidates, one.proposal.clone())
        })
        .collect();
    let shared = "A$22.00 in stripe could be a row of db that others could be as well";
    assert_eq!(
        told,
        [
            ("ambiguous:ch_2:-", shared, vec!["1"], None),
            ("ambiguous:-:1", "A$22.00 in db could be any of 2 rows of stripe", vec!["ch_2", "ch_1"], None),
            ("ambiguous:ch_1:-", shared, vec!["1"], None),
        ]
    );
    let rest: Vec<&str> =
        statement.discrepancies.iter().filter(|one| one.class != Class::Ambiguous).map(|one| one.key.as_str()).collect();
    assert_eq!(rest, ["missing_here:ch_3:-", "missing_there:-:2", "missing_there:-:3"]);
    assert_eq!(severity(&statement), Severity::Yellow);
    let many = (0..40).map(|index| entry(&format!("c{index:02}"), 5, OLD)).collect();
    let statement = compare(vec![entry("ch_1", 5, OLD)], many);
    let one = statement.discrepancies.iter().find(|one| one.theirs.is_some()).unwrap();
    assert_eq!((one.candidates.len(), one.more_candidates), (12, 28));
    assert_eq!(one.said.shown(), "A$0.05 in stripe could be any of 40 rows of db");
}

#[test]
fn a_row_told_twice_is_repaired_where_it_is_told_twice() {
    let proposed = |theirs: Vec<Entry>, ours: Vec<Entry>| {
        let statement = compare(theirs, ours);
        statement.discrepancies[0].proposal.clone().map(|id| id.to_string())
    };
    let twice = |key: &str| vec![entry(key, 5, OLD), entry(key, 5, OLD)];
    assert_eq!(proposed(twice("a"), vec![entry("a", 5, OLD)]).as_deref(), Some("refund"));
    assert_eq!(proposed(vec![entry("a", 5, OLD)], twice("a")).as_deref(), Some("look_twice"));
}

#[test]
fn a_row_that_names_another_partner_does_not_pair_by_amount() {
    let statement = compare(vec![entry("ch_1", 2200, OLD)], vec![entry("1", 2200, OLD).link("ch_9")]);
    assert_eq!(
        found(&statement),
        [(Class::MissingHere, "ch_1:-".to_owned(), vec![2200]), (Class::MissingThere, "-:1".to_owned(), vec![-2200])]
    );
}

#[test]
fn each_fault_falls_in_its_class() {
    let theirs = || entry("ch_1", 2200, OLD);
    let ours = || entry("1", 2200, OLD).link("ch_1");
    assert_eq!(only(vec![theirs()], vec![]), Some((Class::MissingHere, 2200)));
    assert_eq!(only(vec![], vec![ours()]), Some((Class::MissingThere, -2200)));
    assert_eq!(only(vec![theirs()], vec![entry("1", 2000, OLD).link("ch_1")]), Some((Class::Amount, 200)));
    assert_eq!(only(vec![theirs().failed()], vec![ours()]), Some((Class::Status, -2200)));
    assert_eq!(only(vec![theirs()], vec![ours().failed()]), Some((Class::Status, 2200)));
    assert_eq!(only(vec![theirs().refunded(2200)], vec![ours()]), Some((Class::RefundDrift, -2200)));
    assert_eq!(only(vec![theirs()], vec![ours(), entry("2", 2200, OLD).link("ch_1")]), Some((Class::Duplicate, -2200)));
    let currency = compare(vec![theirs().in_currency("USD")], vec![ours()]);
    let differences: Vec<String> = currency.discrepancies[0].difference.iter().map(ToString::to_string).collect();
    assert_eq!((currency.discrepancies[0].class, differences.join(" ")), (Class::Currency, "US$22.00 -A$22.00".to_owned()));
}

#[test]
fn an_honest_refund_is_no_difference() {
    let ours = entry("1", 2200, OLD).link("ch_1").refunded(2200);
    let statement = compare(vec![entry("ch_1", 2200, OLD).refunded(2200)], vec![ours]);
    assert!(statement.discrepancies.is_empty());
    assert_eq!(statement.totals[0].theirs.minor, 0);
    assert_eq!((statement.totals[0].theirs_rows, statement.totals[0].ours_rows), (1, 1));
}

#[test]
fn young_rows_are_given_time() {
    assert_eq!(only(vec![entry("ch_1", 2200, 59)], vec![]), Some((Class::InFlight, 2200)));
    assert_eq!(only(vec![entry("ch_1", 2200, 60)], vec![]), Some((Class::MissingHere, 2200)));
    assert_eq!(only(vec![], vec![entry("1", 2200, 59).pending()]), Some((Class::InFlight, 0)));
    let ours = |minutes: i64| vec![entry("1", 2200, minutes).link("ch_1").pending()];
    assert_eq!(only(vec![entry("ch_1", 2200, 30)], ours(30)), Some((Class::InFlight, 2200)));
    assert_eq!(only(vec![entry("ch_1", 2200, 90)], ours(90)), Some((Class::Status, 2200)));
    let statement = compare(vec![entry("ch_1", 2200, 30)], vec![]);
    assert_eq!(statement.discrepancies[0].said.shown(), "A$22.00 in stripe, not in db yet: 30m old, given 1h00m");
    assert_eq!(severity(&statement), Severity::Green);
}

#[test]
fn what_never_settled_is_no_difference() {
    assert_eq!(only(vec![entry("ch_1", 2200, OLD).failed()], vec![]), None);
    assert_eq!(only(vec![], vec![entry("1", 2200, OLD).pending()]), None);
    assert_eq!(only(vec![entry("ch_1", 2200, OLD).failed()], vec![entry("1", 2200, OLD).link("ch_1").pending()]), None);
}

#[test]
fn a_declined_card_before_the_payment_confuses_nothing() {
    let attempts = |link: Option<&str>| {
        let with = |entry: Entry| if let Some(link) = link { entry.link(link) } else { entry };
        vec![with(entry("ch_1", 2200, OLD + 2).failed()), with(entry("ch_2", 2200, OLD))]
    };
    assert_eq!(only(attempts(Some("1")), vec![entry("1", 2200, OLD)]), None);
    assert_eq!(only(attempts(None), vec![entry("1", 2200, OLD)]), None);
    // Nor where the payment and its record differ: the record is not held against the declined card.
    let refunded = vec![entry("1", 2200, OLD).refunded(500)];
    assert_eq!(only(attempts(Some("1")), refunded), Some((Class::RefundDrift, 500)));
}

#[test]
fn a_payment_told_twice_is_a_duplicate_on_the_side_that_tells_it_twice() {
    let charged_twice = vec![entry("ch_1", 2200, OLD).link("1"), entry("ch_2", 2200, OLD - 1).link("1")];
    assert_eq!(only(charged_twice, vec![entry("1", 2200, OLD)]), Some((Class::Duplicate, 2200)));
    let given_back = vec![entry("ch_1", 2200, OLD).link("1"), entry("ch_2", 2200, OLD - 1).link("1").refunded(2200)];
    assert_eq!(only(given_back, vec![entry("1", 2200, OLD)]), None);
    let same_key = vec![entry("ch_1", 2200, OLD), entry("ch_1", 2200, OLD)];
    assert_eq!(only(same_key, vec![entry("1", 2200, OLD).link("ch_1")]), Some((Class::Duplicate, 2200)));
    let taken = vec![entry("ch_1", 2200, OLD), entry("ch_2", 2200, OLD).link("1")];
    assert_eq!(only(taken, vec![entry("1", 2200, OLD).link("ch_1")]), Some((Class::Duplicate, 2200)));
    let without_partner = compare(vec![], vec![entry("1", 5, OLD).link("ch_9"), entry("2", 5, OLD).link("ch_9")]);
    let classes: Vec<Class> = without_partner.discrepancies.iter().map(|one| one.class).collect();
    assert_eq!(classes, [Class::Duplicate, Class::MissingThere]);
    let thrice = compare(vec![entry("ch_1", 5, OLD), entry("ch_1", 5, OLD), entry("ch_1", 5, OLD)], vec![]);
    let keys: Vec<&str> = thrice.discrepancies.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["duplicate:ch_1:-", "duplicate:ch_1:-#2", "missing_here:ch_1:-"]);
}

#[test]
fn rows_at_the_edge_of_the_window_find_their_partners_beyond_it() {
    let week = 7 * 24 * 60;
    let before = vec![entry("ch_1", 2200, week + 1)];
    let after = vec![entry("1", 2200, week - 1).link("ch_1")];
    let statement = compare(before, after);
    assert!(statement.discrepancies.is_empty() && statement.totals.is_empty());
    let kept = compare(vec![entry("ch_1", 2200, week - 1)], vec![entry("1", 2200, week + 1).link("ch_1")]);
    assert_eq!((kept.matched, kept.totals[0].ours.minor), (1, 2200));
    assert!(compare(vec![entry("ch_1", 2200, week + 1)], vec![entry("1", 2200, -1)]).discrepancies.is_empty());
    let (from, to) = (now() - TimeDelta::days(7), now());
    assert_eq!(reach(&reconciliation(), from, to), (from - TimeDelta::days(3), to + TimeDelta::days(3)));
}

#[test]
fn rows_come_in_parts_with_other_columns_and_are_counted_on() {
    let part = |names: &[&str], cells: Vec<Value>| Rows::new(names.iter().map(|name| (*name).to_owned()), [cells]);
    let mut ledger = ledger();
    ledger.columns =
        LedgerColumns { refunded: None, currency: None, status: None, settled: vec![], pending: vec![], ..ledger.columns };
    let mut book = Book::new(&ledger, Currency::from_code("AUD").unwrap());
    book.take(&part(&["id", "amount", "at"], vec![Value::text("a"), Value::Integer(1), Value::Time(now())])).unwrap();
    book.take(&part(
        &["at", "charge", "id", "amount"],
        vec![Value::Time(now()), Value::text("c"), Value::text("b"), Value::Integer(2)],
    ))
    .unwrap();
    let (one, other) = (book.entry(0), book.entry(1));
    assert_eq!((one.link, one.row.find("charge")), (None, Some(&Value::Null)));
    assert_eq!((other.link.as_deref(), other.row.find("charge"), other.amount.minor), (Some("c"), Some(&Value::text("c")), 2));
    let wrong = part(&["id", "at"], vec![Value::text("d"), Value::Time(now())]);
    assert_eq!(book.take(&wrong).unwrap_err(), "db: row 3 (d) has no column `amount`");
    let long = part(&["id", "amount", "at"], vec![Value::text("x".repeat(70_000)), Value::Integer(1), Value::Time(now())]);
    assert!(book.take(&long).unwrap_err().ends_with("has an id that is too long"));
}

#[test]
fn totals_are_told_by_currency_and_class() {
    let theirs = vec![entry("ch_1", 2200, OLD), entry("ch_2", 900, OLD).in_currency("USD"), entry("ch_3", 500, OLD)];
    let ours = vec![entry("1", 2200, OLD).link("ch_1"), entry("3", 450, OLD).link("ch_3")];
    let statement = compare(theirs, ours);
    let aud = &statement.totals[0];
    assert_eq!((aud.theirs.minor, aud.ours.minor, aud.difference.minor), (2700, 2650, 50));
    let classes: Vec<_> = aud.by_class.iter().map(|(class, count, money)| (*class, *count, money.minor)).collect();
    assert_eq!(classes, [(Class::Matched, 1, 0), (Class::Amount, 1, 50)]);
    assert_eq!(statement.totals[1].difference.to_string(), "US$9.00");
    assert_eq!(severity(&statement), Severity::Yellow);
}

#[test]
fn a_discrepancy_says_what_it_is_and_what_would_repair_it() {
    let cells = Params::from([("id".to_owned(), Value::text("ch_1")), ("amount".to_owned(), Value::Integer(2200))]);
    let theirs = Entry { row: Row::from(&cells), ..entry("ch_1", 2200, OLD) };
    let statement = compare(vec![theirs], vec![]);
    let discrepancy = &statement.discrepancies[0];
    assert_eq!(discrepancy.said.shown(), "A$22.00 in stripe, not in db");
    assert_eq!(discrepancy.proposal, Some(Id::new("record_charge")));
    let row = proposal_row(discrepancy);
    assert_eq!(row.keys().collect::<Vec<_>>(), ["difference", "their_amount", "their_id"]);
    assert_eq!(row["difference"].to_string(), "A$22.00");
}

fn ledger() -> Ledger {
    let text = |text: &str| text.to_owned();
    Ledger {
        id: Id::new("payments"),
        title: text("db"),
        query: Query {
            on: Id::new("db"),
            read: Read::Sql(Sql { text: String::new(), numbered: String::new(), parameters: vec![] }),
            money: vec![],
        },
        columns: LedgerColumns {
            key: text("id"),
            link: Some(text("charge")),
            amount: text("amount"),
            refunded: Some(text("back")),
            currency: Some(text("currency")),
            at: text("at"),
            status: Some(text("status")),
            settled: vec![text("succeeded"), text("refunded")],
            pending: vec![text("pending")],
        },
    }
}

fn read(ledger: &Ledger, rows: &Rows) -> Result<Vec<Entry>, String> {
    let mut book = Book::new(ledger, Currency::from_code("AUD").unwrap());
    book.take(rows)?;
    Ok((0..book.len() as u32).map(|index| book.entry(index)).collect())
}

fn ledger_row(changes: &[(&str, Value)]) -> Rows {
    let mut cells = Params::from([
        ("id".to_owned(), Value::Integer(7)),
        ("charge".to_owned(), Value::text("ch_1")),
        ("amount".to_owned(), Value::Integer(2200)),
        ("back".to_owned(), Value::Null),
        ("currency".to_owned(), Value::text("aud")),
        ("at".to_owned(), Value::Time(now())),
        ("status".to_owned(), Value::text("succeeded")),
    ]);
    for (name, value) in changes {
        if *value == Value::text("(gone)") {
            cells.remove(*name);
        } else {
            cells.insert((*name).to_owned(), value.clone());
        }
    }
    Rows::new(cells.keys().cloned().collect::<Vec<_>>(), [cells.into_values().collect()])
}

#[test]
fn a_ledgers_rows_become_entries() {
    let read_one = |changes: &[(&str, Value)]| read(&ledger(), &ledger_row(changes)).unwrap().remove(0);
    let plain = read_one(&[]);
    assert_eq!(plain.row, ledger_row(&[]).into_rows().remove(0));
    assert_eq!((plain.key.as_str(), plain.link.as_deref(), plain.amount.to_string().as_str()), ("7", Some("ch_1"), "A$22.00"));
    assert!(plain.settled && !plain.pending && plain.refunded.minor == 0);
    assert_eq!(read_one(&[("charge", Value::Null)]).link, None);
    assert_eq!(read_one(&[("charge", Value::text(""))]).link, None);
    assert_eq!(read_one(&[("charge", Value::text("(gone)"))]).link, None);
    assert_eq!(read_one(&[("currency", Value::text("usd"))]).amount.to_string(), "US$22.00");
    // As a column of the type `char(5)` has it.
    assert_eq!(read_one(&[("currency", Value::text("USD  "))]).amount.to_string(), "US$22.00");
    assert_eq!(read_one(&[("back", Value::Integer(500))]).refunded.to_string(), "A$5.00");
    let pending = read_one(&[("status", Value::text("pending"))]);
    assert!(pending.pending && !pending.settled);
    let other = read_one(&[("status", Value::Null)]);
    assert!(!other.pending && !other.settled);
    let mut every = ledger();
    every.columns.settled.clear();
    assert!(read(&every, &ledger_row(&[("status", Value::text("whatever"))])).unwrap()[0].settled);
    assert!(!read(&every, &ledger_row(&[("status", Value::text("pending"))])).unwrap()[0].settled);
}

#[test]
fn a_row_with_something_missing_is_named_never_counted_as_nothing() {
    for (column, value, said) in [
        ("id", Value::Null, "db: row 1 has an empty `id`"),
        ("id", Value::text(""), "db: row 1 has an empty `id`"),
        ("id", Value::text("(gone)"), "db: row 1 has no column `id`"),
        ("amount", Value::Null, "db: row 1 (7) has an empty `amount`"),
        ("amount", Value::text("22.00"), "db: row 1 (7) has no whole minor units in `amount`, but `22.00`"),
        ("amount", Value::text("(gone)"), "db: row 1 (7) has no column `amount`"),
        ("back", Value::text("x"), "db: row 1 (7) has no whole minor units in `back`, but `x`"),
        ("back", Value::text("(gone)"), "db: row 1 (7) has no column `back`"),
        ("at", Value::Null, "db: row 1 (7) has an empty `at`"),
        ("at", Value::text("today"), "db: row 1 (7) has no time in `at`, but `today`"),
        ("currency", Value::Null, "db: row 1 (7) has an empty `currency`"),
        ("currency", Value::text("zzz"), "db: row 1 (7) has no currency in `currency`, but `zzz`"),
        ("status", Value::text("(gone)"), "db: row 1 (7) has no column `status`"),
    ] {
        assert_eq!(read(&ledger(), &ledger_row(&[(column, value)])).unwrap_err(), said);
    }
}
