//! Another hand's Stripe (`stripe-stateful-mock` of npm), alone and in the place of the demo's own.

use std::{
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::Value as Json;

use super::node;
use crate::{
    postgres::{stand, write_pack},
    probe,
    pty::PATIENCE,
};

/// What it takes for one: any word behind this.
pub const KEY: &str = "sk_test_wheelhouse";

/// What the demo's pack says otherwise with it: an account that it does not know, and test money.
pub const INSTEAD: (&str, &str) = ("account = \"acct_1DTD\", livemode = true", "livemode = false");

/// Running, until it is dropped.
pub struct Mock {
    process: Child,
    client: reqwest::Client,
    pub base: String,
}

impl Drop for Mock {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Mock {
    /// `None` where it is not installed, which is said.
    pub async fn start() -> Option<Self> {
        wheelhouse::adapters::install_tls();
        // Node closes lines that are idle.
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).pool_max_idle_per_host(0).build().unwrap();
        // A port that was free may be taken in between.
        for _ in 0..5 {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = node("stripe-stateful-mock/dist/cli.js")?;
            command.env("PORT", port.to_string()).env("LOG_LEVEL", "silent");
            let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let mut mock = Self { process, client: client.clone(), base: format!("http://127.0.0.1:{port}/") };
            if mock.is_up().await {
                return Some(mock);
            }
        }
        panic!("stripe-stateful-mock does not start");
    }

    async fn is_up(&mut self) -> bool {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && self.process.try_wait().unwrap().is_none() {
            if self.client.get(&self.base).send().await.is_ok() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }

    pub async fn charge(&self, cents: i64, source: &str) -> String {
        let form = format!("amount={cents}&currency=aud&source={source}");
        let request = self.client.post(format!("{}v1/charges", self.base)).bearer_auth(KEY);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let charge: Json = request.send().await.unwrap().json().await.unwrap();
        charge["id"].as_str().unwrap_or_else(|| panic!("{charge}")).to_owned()
    }

    /// It tells of a charge before it disputes it: waits until it has.
    pub async fn disputed_charge(&self, cents: i64) -> String {
        let charge = self.charge(cents, "tok_createDispute").await;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let request = self.client.get(format!("{}v1/charges/{charge}", self.base)).bearer_auth(KEY);
            let now: Json = request.send().await.unwrap().json().await.unwrap();
            if now["disputed"] == true {
                return charge;
            }
        }
        panic!("{charge} is never disputed");
    }

    pub async fn refunds(&self, charge: &str) -> Vec<Json> {
        let url = format!("{}v1/refunds?charge={charge}", self.base);
        let list: Json = self.client.get(url).bearer_auth(KEY).send().await.unwrap().json().await.unwrap();
        list["data"].as_array().unwrap_or_else(|| panic!("{list}")).clone()
    }
}

/// The demo's business, whose money is at this Stripe; everything else of it is its own.
pub struct Payments {
    pub environment: Vec<(String, String)>,
    mock: Mock,
    /// Of the refund request `rr_0312`, A$22.00.
    charge: String,
    town: PathBuf,
    runtime: tokio::runtime::Runtime,
    /// The town's servers run until it goes.
    _open: mpsc::Sender<()>,
}

impl Payments {
    /// In `home`: `town` with the stand-ins and the record, `cockpit/pack.toml`. `None` where the partner is missing.
    pub fn open(home: &Path) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mock = runtime.block_on(Mock::start())?;
        let charge = runtime.block_on(mock.charge(2200, "tok_visa"));
        let town = home.join("town");
        let (open, _, mut environment) = stand(town.clone());
        let (said, instead) = INSTEAD;
        write_pack(home, &[(said.to_owned(), instead.to_owned())]);
        let payment = "(select payment_id from refund_requests where id = 'rr_0312')";
        let old = format!("select charge_id from payment_audit where id = {payment}");
        let old = probe::first_column_of(&town.join("business.db"), &old);
        for table in ["payment_audit", "featured_placements"] {
            probe::execute(&town, &format!("update {table} set charge_id = '{charge}' where charge_id = '{old}'"));
        }
        for (name, value) in &mut environment {
            match name.as_str() {
                "DTD_STRIPE_URL" => value.clone_from(&mock.base),
                "DTD_STRIPE_KEY" => KEY.clone_into(value),
                _ => {}
            }
        }
        Some(Self { environment, mock, charge, town, runtime, _open: open })
    }

    /// The refunds of the charge, a line each, and whether each bears the name of an act on record.
    pub fn refunds(&self) -> String {
        let refunds = self.runtime.block_on(self.mock.refunds(&self.charge));
        let acts = probe::first_column(&self.town, "select id from plans");
        let line = |refund: &Json| {
            let act = refund["metadata"]["wheelhouse_action"].as_str().unwrap_or("nobody");
            let by = if acts.split(',').any(|known| known == act) { "an act on record" } else { act };
            format!("{} of {} {}, by {by}", refund["id"].as_str().unwrap_or_default(), refund["amount"], refund["status"])
        };
        refunds.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
