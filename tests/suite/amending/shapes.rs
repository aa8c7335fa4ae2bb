//! What the stand-in answers beside Stripe's own sample objects: nothing that is there is missing here.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::object;
use crate::ledgers::Club;

/// What comes only where it is asked for, and what the newer versions have moved further within.
const LEFT_OUT: [&str; 2] = ["charge.refunds", "invoice.subscription"];

/// Stripe's samples, which are no part of this repository; `None` where they are not there, which is said.
fn samples() -> Option<Json> {
    let named = std::env::var_os("WHEELHOUSE_STRIPE_SAMPLES").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
    let mut places = named.into_iter().chain(above.map(|folder| folder.join("shared/data/stripe-fixtures3.json")));
    let found = places.find_map(|place| std::fs::read_to_string(place).ok());
    if found.is_none() {
        println!("Stripe's sample objects are not here (WHEELHOUSE_STRIPE_SAMPLES names the file): shapes were not compared");
    }
    serde_json::from_str(&found?).ok()
}

#[tokio::test]
async fn the_stand_ins_objects_have_every_field_that_stripes_have() {
    let Some(samples) = samples() else { return };
    let club = Club::open().await;
    let mut missing = Vec::new();
    for kind in [
        "charge",
        "payment_intent",
        "refund",
        "event",
        "balance_transaction",
        "dispute",
        "payout",
        "customer",
        "subscription",
        "invoice",
        "transfer",
    ] {
        let list = object(&club, &format!("{kind}s?limit=1")).await;
        let ours = list["data"][0].as_object().unwrap_or_else(|| panic!("{kind}: {list}"));
        let theirs = samples["resources"][kind].as_object().unwrap();
        let lacks = theirs.keys().filter(|name| !ours.contains_key(*name)).map(|name| format!("{kind}.{name}"));
        missing.extend(lacks.filter(|name| !LEFT_OUT.contains(&name.as_str())));
        for (name, value) in theirs.iter().filter(|(_, value)| !value.is_null()) {
            let Some(other) = ours.get(name).filter(|other| !other.is_null()) else { continue };
            let is_alike = std::mem::discriminant(value) == std::mem::discriminant(other);
            if !is_alike {
                missing.push(format!("{kind}.{name} is {other}, and Stripe's {value}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
