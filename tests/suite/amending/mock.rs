//! Another hand's Stripe (`stripe-stateful-mock` of npm): refunds and keys as others understood them.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use wheelhouse::{
    adapters::{self, Environment},
    demo::{Options, Town},
    domain::{
        id::Id,
        money::{Currency, Money},
        plan::{ActionId, Order},
    },
    ports::{Connections, Found, Mark, Outcome},
};

use super::said;
use crate::partners::stripe::{INSTEAD, KEY, Mock};

/// Our adapter, with it for Stripe.
fn connections(mock: &Mock) -> Connections {
    let text = "[pack]\ntitle = \"Mock\"\ntimezone = \"UTC\"\ncurrency = \"AUD\"\n[connections]\n\
                stripe.stripe = { key_env = \"MOCK_KEY\", url_env = \"MOCK_URL\", livemode = false }\n\
                [checks.charges]\ntitle = \"Charges\"\nread.stripe = { on = \"stripe\", list = \"charges\" }\n\
                value = \"rows\"\nyellow = { below = 0 }\n";
    let loaded =
        wheelhouse::pack::parse("mock.toml", text, &|_| Err("not there".to_owned())).unwrap_or_else(|wrong| panic!("{wrong}"));
    let environment = Environment::default().with("MOCK_KEY", KEY).with("MOCK_URL", mock.base.as_str());
    adapters::install_tls();
    adapters::open(&loaded.pack, &environment).unwrap()
}

fn refund(charge: &str, cents: i64) -> Order {
    let amount = Money::new(cents, Currency::from_code("AUD").unwrap());
    Order::Refund { on: Id::new("stripe"), charge: charge.to_owned(), amount, reason: None }
}

fn mark(action: &str) -> Mark {
    Mark { action: ActionId(action.to_owned()), step: 0, attempt: 1, target: "rr_1".to_owned(), operator: "ana".to_owned() }
}

#[tokio::test]
async fn refunds_are_made_replayed_refused_and_found_as_another_hand_understood_stripe() {
    let Some(mock) = Mock::start().await else { return };
    let connections = connections(&mock);
    let stripe = connections.find(&Id::new("stripe")).unwrap();
    let charge = mock.charge(2200, "tok_visa").await;

    let made = stripe.act(&refund(&charge, 1000), &mark("a")).await;
    let Outcome::Confirmed(answer) = &made else { panic!("{made:?}") };
    let again = stripe.act(&refund(&charge, 1000), &mark("a")).await;
    let Outcome::Confirmed(replayed) = &again else { panic!("{again:?}") };
    assert_eq!(answer.reference, replayed.reference, "the same key, the same refund");
    let refunds = mock.refunds(&charge).await;
    assert_eq!(refunds.len(), 1);
    assert_eq!(refunds[0]["metadata"]["wheelhouse_action"], "a");

    let other_words = stripe.act(&refund(&charge, 1100), &mark("a")).await;
    assert!(matches!(&other_words, Outcome::Rejected(why) if why.shown().contains("our bug")), "{other_words:?}");
    let too_much = stripe.act(&refund(&charge, 1201), &mark("b")).await;
    assert!(matches!(&too_much, Outcome::Rejected(why) if why.shown().contains("unrefunded amount")), "{too_much:?}");
    assert!(matches!(stripe.act(&refund(&charge, 1200), &mark("c")).await, Outcome::Confirmed(_)));
    let nothing_left = stripe.act(&refund(&charge, 100), &mark("d")).await;
    assert!(matches!(&nothing_left, Outcome::Rejected(why) if why.shown().contains("not by this act")), "{nothing_left:?}");
    assert_eq!(mock.refunds(&charge).await.len(), 2);

    assert!(matches!(stripe.look_up(&refund(&charge, 1000), &mark("a")).await, Found::Ours(_)));
    assert!(matches!(stripe.look_up(&refund(&charge, 1000), &mark("d")).await, Found::Absent));
}

#[tokio::test]
async fn what_its_tokens_break_is_told_plainly() {
    let Some(mock) = Mock::start().await else { return };
    let connections = connections(&mock);
    let stripe = connections.find(&Id::new("stripe")).unwrap();
    let forgotten = mock.charge(2200, "tok_forget").await;
    let lost = stripe.act(&refund(&forgotten, 2200), &mark("a")).await;
    assert!(matches!(&lost, Outcome::Rejected(why) if why.shown().contains("No such charge")), "{lost:?}");
    assert!(matches!(stripe.look_up(&refund(&forgotten, 2200), &mark("a")).await, Found::Absent));

    let disputed = mock.disputed_charge(2200).await;
    let charged_back = stripe.act(&refund(&disputed, 2200), &mark("b")).await;
    assert!(matches!(&charged_back, Outcome::Rejected(why) if why.shown().contains("charge_disputed")), "{charged_back:?}");
    assert!(mock.refunds(&disputed).await.is_empty());
}

/// The demo's business, with this Stripe instead of its own.
#[tokio::test]
async fn the_demos_refund_is_made_there_once_and_written_everywhere() {
    let Some(mock) = Mock::start().await else { return };
    let town = Town::open(Options { pack: "dtd".to_owned(), seed: 1, ..Options::default() }).await.unwrap();
    let home = tempfile::tempdir().unwrap();
    write_pack(home.path());
    let charge = mock.charge(2200, "tok_visa").await;
    let mut business = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&town.business)).await.unwrap();
    let old: String =
        "select charge_id from payment_audit p join refund_requests r on r.payment_id = p.id where r.id = 'rr_0314'".to_owned();
    let old: String = sqlx::query_scalar(sqlx::AssertSqlSafe(old)).fetch_one(&mut business).await.unwrap();
    for table in ["payment_audit", "featured_placements"] {
        let text = format!("update {table} set charge_id = $1 where charge_id = $2");
        sqlx::query(sqlx::AssertSqlSafe(text)).bind(&charge).bind(&old).execute(&mut business).await.unwrap();
    }
    let run = async |words: &str| {
        let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("wheelhouse"));
        command.env_clear().env("HOME", home.path()).env("PATH", "/usr/bin:/bin").env("USER", "op").current_dir(home.path());
        command.envs(&town.environment).env("DTD_STRIPE_URL", &mock.base).env("DTD_STRIPE_KEY", KEY);
        command.arg("--pack").arg("cockpit/pack.toml").arg("--state-dir").arg("state").args(words.split(' '));
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
    };
    let done = run("do approve_refund rr_0314 --confirm 22.00").await;
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let refunds = mock.refunds(&charge).await;
    assert_eq!((refunds.len(), refunds[0]["amount"].as_i64(), refunds[0]["status"].as_str()), (1, Some(2200), Some("succeeded")));
    let told = "select p.status || ' ' || p.refunded_amount || ' ' || f.refund_status || ' ' || r.status
        from payment_audit p join refund_requests r on r.payment_id = p.id join featured_placements f on f.charge_id = p.charge_id
        where r.id = 'rr_0314'";
    let told: String = sqlx::query_scalar(told).fetch_one(&mut business).await.unwrap();
    assert_eq!(told, "refunded 2200 refunded approved");
    let mails = std::fs::read_dir(town.dir.join("mail")).unwrap().count();
    assert_eq!(mails, 1);
    let journal = run("journal export").await;
    assert!(said(&journal).contains(refunds[0]["id"].as_str().unwrap()), "{}", said(&journal));

    let again = run("do approve_refund rr_0314 --confirm 22.00").await;
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    assert_eq!(mock.refunds(&charge).await.len(), 1);
}

/// Its own pack, but for an account that this Stripe does not know, test money, and the hold.
fn write_pack(home: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/packs/dtd");
    let to = home.join("cockpit");
    std::fs::create_dir_all(to.join("playbooks")).unwrap();
    for entry in std::fs::read_dir(from.join("playbooks")).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join("playbooks").join(entry.file_name())).unwrap();
    }
    let mut pack = std::fs::read_to_string(from.join("pack.toml")).unwrap();
    for (said, instead) in [INSTEAD, ("amount = \"refund_amount\"\nguards", "amount = \"refund_amount\"\nhold = \"0s\"\nguards")]
    {
        assert!(pack.contains(said), "the pack no longer says {said}");
        pack = pack.replacen(said, instead, 1);
    }
    std::fs::write(to.join("pack.toml"), pack).unwrap();
}
