//! Generated worlds: payments as two ledgers tell them, with faults of every class planted, thousands of rows a side.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    plain,
    tests::{compare, entry, now, within},
    *,
};
use crate::domain::{
    money::{Currency, Money},
    pack::Class,
    snapshot::Entry,
};

/// How the two rows of a payment name each other.
#[derive(Clone, Copy, Debug)]
enum Naming {
    Theirs,
    Ours,
    Same,
    Third,
    /// Told apart by an amount that nothing else has.
    Unlabelled,
}

#[derive(Clone, Debug)]
struct Payment {
    naming: Naming,
    class: Class,
    minor: i64,
    refunded: i64,
    minutes_ago: i64,
    currency: &'static str,
}

fn payment() -> impl Strategy<Value = Payment> {
    let naming = prop_oneof![
        4 => Just(Naming::Theirs),
        2 => Just(Naming::Ours),
        1 => Just(Naming::Same),
        1 => Just(Naming::Third),
        1 => Just(Naming::Unlabelled),
    ];
    // Nothing ambiguous: a row that could be two has no class that is planted.
    let fault = prop::sample::select(Class::ALL.into_iter().filter(|class| *class != Class::Ambiguous).collect::<Vec<_>>());
    let class = prop_oneof![9 => Just(Class::Matched), 1 => fault];
    let currency = prop::sample::select(vec!["AUD", "USD", "JPY"]);
    (naming, class, 100_i64..120, 0_i64..50, 61_i64..10_000, currency).prop_map(
        |(naming, class, minor, refunded, minutes_ago, currency)| Payment {
            naming,
            class,
            minor,
            refunded,
            minutes_ago,
            currency,
        },
    )
}

fn in_currency(entry: Entry, code: &str) -> Entry {
    let currency = Currency::from_code(code).unwrap();
    let (amount, refunded) = (Money::new(entry.amount.minor, currency), Money::new(entry.refunded.minor, currency));
    Entry { amount, refunded, ..entry }
}

/// The rows of both sides, and for each row's key the class that it must be found in.
fn world(payments: &[Payment]) -> (Vec<Entry>, Vec<Entry>, BTreeMap<String, Class>) {
    let (mut theirs, mut ours, mut planted) = (vec![], vec![], BTreeMap::new());
    for (index, payment) in payments.iter().enumerate() {
        let class = payment.class;
        // A row that stands by an amount of its own can only lose its partner.
        let naming = match (payment.naming, class) {
            (Naming::Unlabelled, Class::Matched | Class::MissingHere | Class::MissingThere) => Naming::Unlabelled,
            (Naming::Unlabelled, _) => Naming::Theirs,
            (naming, _) => naming,
        };
        // A row left alone may have had its label on the row that is gone: only its amount tells it from a stranger's.
        let is_alone = matches!(class, Class::MissingHere | Class::MissingThere | Class::InFlight);
        let minor = if is_alone || matches!(naming, Naming::Unlabelled) { 1_000_000 + index as i64 } else { payment.minor };
        let minutes = if class == Class::InFlight { 1 + payment.minutes_ago % 58 } else { payment.minutes_ago };
        let (one, other) = (format!("ch_{index}"), format!("{index}"));
        let row = |key: &str, link: Option<String>| {
            let mut row = in_currency(Entry { link, ..entry(key, minor, minutes) }, payment.currency);
            row.refunded.minor = payment.refunded;
            row
        };
        let (their, mut our) = match naming {
            Naming::Theirs => (row(&one, None), row(&other, Some(one.clone()))),
            Naming::Ours => (row(&one, Some(other.clone())), row(&other, None)),
            Naming::Same => (row(&one, None), row(&one, None)),
            Naming::Third => (row(&one, Some(format!("pi_{index}"))), row(&other, Some(format!("pi_{index}")))),
            Naming::Unlabelled => (row(&one, None), row(&other, None)),
        };
        match class {
            Class::Amount => our.amount.minor += 7,
            Class::Currency => our = in_currency(our, "NZD"),
            Class::Status => our.settled = false,
            Class::RefundDrift => our.refunded.minor += 3,
            Class::Matched | Class::MissingHere | Class::MissingThere | Class::Duplicate | Class::InFlight | Class::Ambiguous => {
            }
        }
        if class == Class::Duplicate {
            // Recorded a second time under the same id; the first of the two matches.
            planted.insert(format!("ours {}", our.key), Class::Duplicate);
            planted.insert(format!("theirs {}", their.key), Class::Matched);
            ours.extend([our.clone(), our]);
            theirs.push(their);
            continue;
        }
        if class != Class::MissingThere {
            planted.insert(format!("theirs {}", their.key), class);
            theirs.push(their);
        }
        if class != Class::MissingHere && class != Class::InFlight {
            planted.insert(format!("ours {}", our.key), class);
            ours.push(our);
        }
    }
    (theirs, ours, planted)
}

fn net(entries: &[Entry], code: &str) -> i64 {
    let counts = |entry: &&Entry| entry.settled && entry.amount.currency.code() == code;
    entries.iter().filter(counts).map(|entry| entry.amount.minor - entry.refunded.minor).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_classes_add_up_and_the_planted_faults_are_found(
        payments in prop::collection::vec(payment(), 1..2_500),
        shuffle in any::<u64>(),
    ) {
        let (mut theirs, mut ours, planted) = world(&payments);
        let mut random = fastrand::Rng::with_seed(shuffle);
        random.shuffle(&mut theirs);
        random.shuffle(&mut ours);
        let statement = compare(theirs.clone(), ours.clone());

        for total in &statement.totals {
            let code = total.theirs.currency.code();
            prop_assert_eq!(total.theirs.minor, net(&theirs, code));
            prop_assert_eq!(total.ours.minor, net(&ours, code));
            prop_assert_eq!(total.difference.minor, total.theirs.minor - total.ours.minor);
            let sum: i64 = total.by_class.iter().map(|(_, _, money)| money.minor).sum();
            prop_assert_eq!(sum, total.difference.minor);
            let listed = statement.discrepancies.iter().flat_map(|one| &one.difference);
            let listed: i64 = listed.filter(|money| money.currency.code() == code).map(|money| money.minor).sum();
            prop_assert_eq!(listed, total.difference.minor);
        }

        // Every row once: those told of as discrepancies, and the rest matched, pair by pair.
        let told = |side: fn(&crate::domain::snapshot::Discrepancy) -> bool| statement.discrepancies.iter().filter(|one| side(one)).count();
        prop_assert_eq!(theirs.len() - told(|one| one.theirs.is_some()), statement.matched);
        prop_assert_eq!(ours.len() - told(|one| one.ours.is_some()), statement.matched);

        let mut found = BTreeMap::new();
        for one in &statement.discrepancies {
            let names = [("theirs", &one.theirs), ("ours", &one.ours)];
            for (side, entry) in names.into_iter().filter_map(|(side, entry)| Some((side, entry.as_ref()?))) {
                prop_assert!(found.insert(format!("{side} {}", entry.key), one.class).is_none(), "told twice: {}", one.key);
            }
        }
        let planted: BTreeMap<_, _> = planted.into_iter().filter(|(_, class)| *class != Class::Matched).collect();
        prop_assert_eq!(found, planted);
    }

    /// Names from a handful, so that everything collides with everything: it still adds up, in whatever order the rows
    /// come, and is what the plain way finds.
    #[test]
    fn the_classes_add_up_in_any_muddle(rows in prop::collection::vec(muddled(), 0..200), shuffle in any::<u64>()) {
        let (mut theirs, mut ours) = sides(rows);
        let (statement, sheet) = within(&theirs, &ours, from(), now());
        for total in &statement.totals {
            let code = total.theirs.currency.code();
            prop_assert_eq!(total.theirs.minor, net(&theirs, code));
            prop_assert_eq!(total.ours.minor, net(&ours, code));
            let sum: i64 = total.by_class.iter().map(|(_, _, money)| money.minor).sum();
            prop_assert_eq!(sum, total.theirs.minor - total.ours.minor);
            let rows = |entries: &[Entry]| entries.iter().filter(|entry| entry.settled && entry.amount.currency.code() == code).count();
            prop_assert_eq!((total.theirs_rows, total.ours_rows), (rows(&theirs), rows(&ours)));
        }
        let keys: std::collections::BTreeSet<_> = statement.discrepancies.iter().map(|one| &one.key).collect();
        prop_assert_eq!(keys.len(), statement.discrepancies.len());
        let told: Vec<SheetRow<'_>> = sheet.rows().collect();
        prop_assert_eq!(told.len(), theirs.len() + ours.len());

        let (tolerance, settle) = (TimeDelta::minutes(10), TimeDelta::hours(1));
        let plain: Vec<_> = plain::findings(&theirs, &ours, tolerance, settle, now()).into_iter().filter(|(class, ..)| *class != Class::Matched).collect();
        let row = |entry: &Option<Entry>| entry.as_ref().map(|entry| (entry.key.clone(), entry.amount.minor));
        let mut fast: Vec<_> = statement.discrepancies.iter().map(|one| (one.class, row(&one.theirs), row(&one.ours))).collect();
        fast.sort();
        prop_assert_eq!(fast, plain);

        let mut random = fastrand::Rng::with_seed(shuffle);
        random.shuffle(&mut theirs);
        random.shuffle(&mut ours);
        let (other, other_sheet) = within(&theirs, &ours, from(), now());
        prop_assert_eq!(serde_json::to_string(&statement).unwrap(), serde_json::to_string(&other).unwrap());
        prop_assert_eq!(told, other_sheet.rows().collect::<Vec<_>>());
    }

    /// Windows that meet tell of every row once: what straddles an edge is told in one of them, whole.
    #[test]
    fn windows_that_meet_add_up_to_the_whole(rows in prop::collection::vec(muddled(), 0..120), cut in 0_i64..90) {
        let (theirs, ours) = sides(rows);
        let middle = now() - TimeDelta::minutes(cut);
        let parts = [within(&theirs, &ours, from(), middle).0, within(&theirs, &ours, middle, now()).0];
        let whole = within(&theirs, &ours, from(), now()).0;
        prop_assert_eq!(whole.matched, parts.iter().map(|part| part.matched).sum::<usize>());
        let mut told: Vec<&str> = parts.iter().flat_map(|part| &part.discrepancies).map(|one| one.said.shown()).collect();
        let mut all: Vec<&str> = whole.discrepancies.iter().map(|one| one.said.shown()).collect();
        told.sort_unstable();
        all.sort_unstable();
        prop_assert_eq!(told, all);
        for total in &whole.totals {
            let sum: i64 = parts.iter().flat_map(|part| &part.totals).filter(|part| part.theirs.currency == total.theirs.currency).map(|part| part.difference.minor).sum();
            prop_assert_eq!(sum, total.difference.minor);
        }
    }
}

type Muddled = (bool, u8, Option<u8>, i64, i64, i64, u8);

fn muddled() -> impl Strategy<Value = Muddled> {
    (any::<bool>(), 0_u8..9, prop::option::of(0_u8..9), -5_i64..6, 0_i64..4, 1_i64..90, 0_u8..4)
}

fn from() -> DateTime<Utc> {
    now() - TimeDelta::days(7)
}

fn sides(rows: Vec<Muddled>) -> (Vec<Entry>, Vec<Entry>) {
    let (mut theirs, mut ours) = (vec![], vec![]);
    for (is_theirs, key, link, minor, refunded, minutes, kind) in rows {
        let mut row = Entry { link: link.map(|link| link.to_string()), ..entry(&key.to_string(), minor, minutes) };
        row.refunded.minor = refunded;
        (row.settled, row.pending) = (kind > 1, kind == 1);
        if kind == 3 {
            row = in_currency(row, "USD");
        }
        if is_theirs { theirs.push(row) } else { ours.push(row) }
    }
    (theirs, ours)
}

/// A quadratic path over 40,000 rows of one amount, one link and one moment would be felt: this runs in every test run.
#[test]
fn a_crowd_of_equals_is_paired_in_one_pass() {
    let crowd = |prefix: &str, link: Option<&str>| -> Vec<Entry> {
        (0..20_000)
            .map(|index| Entry { link: link.map(str::to_owned), ..entry(&format!("{prefix}{index}"), 2200, 600 + index % 3) })
            .collect()
    };
    let shared = compare(crowd("a", Some("x")), crowd("b", Some("x")));
    assert_eq!((shared.matched, shared.discrepancies.len()), (20_000, 0));
    let unlabelled = compare(crowd("a", None), crowd("b", None));
    assert_eq!((unlabelled.matched, unlabelled.discrepancies.len(), unlabelled.unlisted), (0, MOST_LISTED, 40_000 - MOST_LISTED));
    let classes: Vec<_> =
        unlabelled.totals[0].by_class.iter().map(|(class, count, money)| (*class, *count, money.minor)).collect();
    assert_eq!(classes, [(Class::Ambiguous, 40_000, 0)]);
    assert!(unlabelled.discrepancies.iter().all(|one| one.candidates.len() == 12 && one.more_candidates > 0));
}

#[test]
fn what_differs_is_listed_before_what_is_on_its_way() {
    let young = (0..MOST_LISTED + 5).map(|index| entry(&format!("y{index}"), 5, 30)).collect::<Vec<_>>();
    let old = entry("old", 7, 20);
    let amount = Entry { link: Some("old".to_owned()), ..entry("1", 8, 20) };
    let statement = compare([young, vec![old]].concat(), vec![amount]);
    assert_eq!(statement.unlisted, 6);
    assert!(!statement.is_even());
}
