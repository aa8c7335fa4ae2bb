//! The same ways in which a service may fail, where Stripe is the service: a refund is never lost nor doubled, a look never
//! green, the key never told.

use std::{fmt::Write as _, sync::atomic::Ordering};

use wheelhouse::{
    adapters::{self, Environment},
    domain::{
        id::Id,
        money::{Currency, Money},
        plan::{ActionId, Order},
    },
    pack::parse,
    ports::{Mark, Outcome},
};

use super::{
    HEAD, House,
    faults::{FAULTS, Failing, LIMIT, words},
    of, runtime,
};
use crate::partners::authority::Authority;

const KEY: &str = "rk_test_canary_of_the_house";

/// In the order of `FAULTS`: what a look says, how a refund ends, and words of that.
const TABLE: [(&str, &str, &str); 10] = [
    ("nobody answers", "Again", "not sent"),
    ("no answer within 1 s", "Unknown", "no answer within 1 s"),
    ("no answer within 1 s", "Unknown", "no answer within 1 s"),
    // A status of success over half an object: only a look can tell.
    ("the answer stopped in the middle, and time ran out", "Unknown", "without an object: looking"),
    ("nobody answers", "Unknown", "the line broke"),
    ("Please log in", "Unknown", "without an object: looking"),
    ("the answer is bigger than", "Unknown", "without an object: looking"),
    // It has the status of a refusal, and not Stripe's words: something in between may have said so.
    ("401", "Unknown", "401"),
    ("it speaks no TLS there", "Rejected", "it speaks no TLS there"),
    ("signed", "Rejected", "signed"),
];

#[test]
fn no_fault_of_stripe_loses_or_doubles_a_refund() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    let runtime = runtime();
    adapters::install_tls();
    let mut wrong = Vec::new();
    for (fault, (_, kind, said)) in FAULTS.iter().zip(TABLE) {
        let stripe = Failing::http(*fault, &authority);
        let source = format!(
            "{HEAD}[connections]\nstripe.stripe = {{ key_env = \"KEY\", url_env = \"URL\", livemode = false, timeout = \"{LIMIT}\" }}\n"
        );
        let pack = parse("house.toml", &source, &|_| Err("no files".into())).unwrap_or_else(|problems| panic!("{problems}")).pack;
        let environment = Environment::default().with("KEY", KEY).with("URL", stripe.address.as_str());
        let opened = adapters::open(&pack, &environment).unwrap();
        let amount = Money::new(2200, Currency::from_code("EUR").unwrap());
        let order = Order::Refund { on: Id::new("stripe"), charge: "ch_1".to_owned(), amount, reason: None };
        let mark = Mark { action: ActionId("act".into()), step: 0, attempt: 1, target: "t".into(), operator: "op".into() };
        let outcome = runtime.block_on(opened.find(&Id::new("stripe")).unwrap().act(&order, &mark));
        let (found, told) = (format!("{outcome:?}"), words(&outcome));
        let came = stripe.acts.load(Ordering::SeqCst);
        // Told as not sent, it was not; told as unknown, it was, and once.
        let expected = usize::from(matches!(outcome, Outcome::Unknown(_) | Outcome::Confirmed(_)));
        if !found.starts_with(kind) || !told.contains(said) || came != expected {
            wrong.push(format!("{fault:?}: arrived {came} times\n  {found}\n  and not {kind}: {said}"));
        }
        if found.contains("canary") || told.contains("canary") {
            wrong.push(format!("{fault:?}: the key is told: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_fault_of_stripe_is_green_and_each_is_told_by_a_look_and_by_the_check_of_connections() {
    let home = tempfile::tempdir().unwrap();
    let Some(authority) = Authority::new(&home.path().join("authority")) else { return };
    let services: Vec<_> = FAULTS.iter().map(|fault| Failing::http(*fault, &authority)).collect();
    let (mut pack, mut variables) = (String::new(), vec![("KEY".to_owned(), KEY.to_owned())]);
    for (at, service) in services.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(
            pack,
            "[connections.stripe{at}]\nstripe = {{ key_env = \"KEY\", url_env = \"URL{at}\", livemode = false, timeout = \"{LIMIT}\" }}\n\
             [checks.charges{at}]\ntitle = \"Charges {at}\"\nread.stripe = {{ on = \"stripe{at}\", list = \"charges\" }}\nvalue = \"rows\"\nred = {{ above = 9 }}\n"
        );
        variables.push((format!("URL{at}"), service.address.clone()));
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let house = House::of(&pack, &variables);
    let looked = house.run(&["check", "--all", "--json"]).ends(3);
    let checked = house.run(&["connect", "check", "--json"]).ends(2);
    for ran in [&looked, &checked] {
        assert!(!ran.out.contains("canary") && !ran.errors.contains("canary"), "{ran:?}");
    }
    let (looked, checked) = (looked.json(), checked.json());
    for (at, (said, _, _)) in TABLE.iter().enumerate() {
        let alert = of(&looked, "alerts", &format!("check.charges{at}"));
        assert_eq!(alert["severity"], "unknown", "{:?}: {alert}", FAULTS[at]);
        let failure = alert["failure"].as_str().unwrap_or_default();
        assert!(failure.contains(said), "{:?}: {failure}", FAULTS[at]);
        let connection = of(&checked, "connections", &format!("stripe{at}"));
        assert!(connection["failure"].as_str().is_some_and(|failure| failure.contains(said)), "{:?}: {connection}", FAULTS[at]);
    }
}
