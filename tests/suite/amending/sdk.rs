//! Stripe's own client for Python drives the stand-in: what it refuses there is wrong there.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{ledgers::Club, partners::target};

/// A Python that has Stripe's client, if there is one.
pub fn client() -> Option<PathBuf> {
    let has_it = |python: &PathBuf| {
        let asked = Command::new(python).args(["-c", "import stripe; assert stripe.VERSION.startswith('16.')"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    ["python3".into(), target().join("venv/bin/python")].into_iter().find(has_it)
}

/// `None` where there is none, which is said.
fn python() -> Option<PathBuf> {
    let found = client();
    if found.is_none() {
        crate::partners::absent("Stripe's library for Python", "tests/all partners");
    }
    found
}

#[tokio::test]
async fn stripes_own_client_reads_and_writes_the_stand_in() {
    let Some(python) = python() else { return };
    let club = Club::open().await;
    let environment = &club.town.environment;
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/partners/stripe_sdk.py"))
        .env("STRIPE_BASE", &environment["CLUB_STRIPE_URL"])
        .env("STRIPE_KEY", &environment["CLUB_STRIPE_KEY"])
        .env("STRIPE_NARROW_KEY", "rk_demo_narrow");
    // The stand-in is a task of this runtime: the client is waited for beside it.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("everything is as it should be"), "{said}");
}
