//! Undelivered events, worked off by the program: a hundred at once, a handler that is down, one that takes and does
//! nothing, and signatures as Stripe's own library judges them.

mod independent;

use std::{path::Path, process::Output};

use serde_json::Value as Json;
use tempfile::TempDir;
use wheelhouse::demo::{Fault, Options, Town, built_in::BuiltIn};

use crate::probe;

const LETTERS: BuiltIn = BuiltIn {
    name: "letters",
    files: &[
        ("demo.toml", include_str!("../../packs/letters/demo.toml")),
        ("schema.sql", include_str!("../../packs/letters/schema.sql")),
        ("seed.sql", include_str!("../../packs/letters/seed.sql")),
    ],
};

/// The printer of letters: its stand-ins, its database, and the program.
struct Letters {
    home: TempDir,
    town: Town,
    /// Where events are posted to, if not to the town's own site.
    hook: Option<String>,
}

impl Letters {
    async fn open() -> Self {
        Self::of(&LETTERS).await
    }

    /// Stripe has switched the site's endpoint off.
    async fn switched_off() -> Self {
        let (on, off) = ("id = \"we_site\"\n", "id = \"we_site\"\nstatus = \"disabled\"\n");
        let files = LETTERS.files.iter().map(|(name, text)| (*name, &*text.replace(on, off).leak()));
        Self::of(&BuiltIn { files: files.collect::<Vec<_>>().leak(), ..LETTERS }).await
    }

    async fn of(town: &BuiltIn) -> Self {
        let town = Town::of(town, Options { pack: "letters".to_owned(), ..Options::default() }).await.unwrap();
        Self { home: tempfile::tempdir().unwrap(), town, hook: None }
    }

    /// The stand-ins are tasks of this runtime: the program is waited for beside them.
    async fn run(&self, words: &str) -> Output {
        let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("wheelhouse"));
        let home = self.home.path();
        command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").env("USER", "op").current_dir(home);
        command.envs(self.town.environment.clone());
        command.envs(self.hook.iter().map(|url| ("LETTERS_HOOK_URL", url)));
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packs/letters/pack.toml");
        command.arg("--pack").arg(pack).arg("--state-dir").arg(home.join("state")).args(words.split(' '));
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
    }

    /// What became of each event.
    async fn verdicts(&self, words: &str, status: i32) -> Vec<(String, String, String)> {
        let output = self.run(&format!("{words} --json")).await;
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        let json: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let receipts = json["receipts"].as_array().into_iter().flatten();
        let receipts = receipts.map(|one| (text(&one["target"]["key"]), text(&one["standing"]), text(&one["said"])));
        let refused = json["refused"].as_array().unwrap_or_else(|| panic!("{json}"));
        receipts.chain(refused.iter().map(|one| (text(&one["key"]), "refused".to_owned(), text(&one["why"])))).collect()
    }

    async fn sql(&self, query: &'static str) -> String {
        let file = self.town.business.clone();
        tokio::task::spawn_blocking(move || probe::first_column_of(&file, query)).await.unwrap()
    }

    async fn fault(&self, fault: &str) {
        self.town.fault(&Fault::parse(fault).unwrap()).await.unwrap();
    }

    /// The check's severity and reading.
    async fn check(&self) -> (String, String, String) {
        let output = self.run("check --json").await;
        let json: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        let alert = &json["alerts"][0];
        let text = |name: &str| alert[name].as_str().unwrap_or_default().to_owned();
        (text("severity"), text("reading"), text("detail"))
    }
}

fn hundred() -> String {
    (1..=100).map(|number| format!("evt_l{number:03}")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_hundred_events_are_posted_each_once_though_some_answers_are_lost_and_each_has_a_verdict() {
    let letters = Letters::open().await;
    assert_eq!(letters.check().await.0, "red");
    letters.fault("site:/hook=drop:7").await;
    let verdicts = letters.verdicts(&format!("do deliver {}", hundred()), 0).await;
    assert_eq!(verdicts.len(), 100);
    assert!(verdicts.iter().all(|(_, standing, said)| standing == "done" && said.contains("proven: at ")), "{verdicts:?}");
    assert_eq!(letters.sql("select count(*) || ' ' || count(distinct id) from told").await, "100 100");
    assert_eq!(letters.sql("select count(*) || ' ' || count(distinct letter) from sent").await, "100 100");
    // Stripe still counts them as undelivered; the business's own table decides.
    let (severity, reading, detail) = letters.check().await;
    assert_eq!((severity.as_str(), reading.as_str()), ("green", "0"));
    assert_eq!(detail, "100 more are processed, and only Stripe does not know");
    let again = letters.verdicts("do deliver evt_l001", 1).await;
    assert!(again[0].2.contains("not processed yet"), "{again:?}");
    assert_eq!(letters.sql("select count(*) from told").await, "100");
}

#[tokio::test]
async fn stripe_sends_again_and_the_proof_waits_until_it_has_arrived() {
    let letters = Letters::open().await;
    let verdicts = letters.verdicts("do resend evt_l001 evt_l002 evt_l003", 0).await;
    assert!(verdicts.iter().all(|(_, standing, said)| standing == "done" && said.contains("proven: at ")), "{verdicts:?}");
    assert_eq!(
        letters.sql("select group_concat(id, ' ') from (select id from told order by id)").await,
        "evt_l001 evt_l002 evt_l003"
    );
    assert_eq!(letters.check().await.1, "97");
}

#[tokio::test]
async fn while_the_handler_is_down_nothing_is_sent_and_it_is_said_why() {
    let letters = Letters::open().await;
    letters.fault("site=500").await;
    for action in ["deliver", "resend"] {
        let verdicts = letters.verdicts(&format!("do {action} evt_l001 evt_l002"), 1).await;
        assert_eq!(verdicts.len(), 2);
        for (_, standing, said) in &verdicts {
            assert_eq!(standing, "refused");
            assert!(said.contains("the site is well: ") && said.contains("GET /well answered 500"), "{said}");
            assert!(said.ends_with("heal it first"), "{said}");
        }
    }
    letters.town.clear_faults().await.unwrap();
    assert_eq!(letters.sql("select count(*) from told").await, "0");
    letters.verdicts("do deliver evt_l001", 0).await;
}

#[tokio::test]
async fn nothing_is_sent_again_to_an_endpoint_that_stripe_has_switched_off() {
    let letters = Letters::switched_off().await;
    let verdicts = letters.verdicts("do resend evt_l001 evt_l002", 1).await;
    assert_eq!(verdicts.len(), 2);
    for (_, standing, said) in &verdicts {
        assert_eq!(standing, "refused");
        assert!(
            said.contains("the endpoint is on: Stripe has we_site as disabled; switch it on in Stripe's dashboard"),
            "{said}"
        );
    }
    assert_eq!(letters.sql("select count(*) from told").await, "0");
    // What does not go by the endpoint is not held up by it.
    let posted = letters.verdicts("do deliver evt_l001", 0).await;
    assert!(posted.iter().all(|(_, standing, _)| standing == "done"), "{posted:?}");
}

#[tokio::test]
async fn what_is_taken_and_not_processed_is_delivered_and_not_proven() {
    let letters = Letters::open().await;
    assert!(letters.town.switch("printer", "off").await.unwrap());
    let output = letters.run("do deliver evt_l007 evt_l008").await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    for line in lines {
        assert!(line.starts_with("not proven ") && line.contains("found no proof: given up after 6 tries"), "{said}");
        assert!(line.contains("not proven: no row yet") && line.contains("what came before stands"), "{said}");
    }
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("0 of 2 done, 2 not proven\n2 acts not proven: what was done stands; "), "{told}");
    assert!(!told.contains("failed") && !told.contains("half done"), "{told}");
    assert_eq!(letters.sql("select count(*) from told").await, "2");
    assert_eq!(letters.check().await.1, "100");
}

#[tokio::test]
async fn what_cannot_be_held_against_the_businesss_own_table_is_unknown() {
    let letters = Letters::open().await;
    letters.fault("database=timeout").await;
    let output = letters.run("check").await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("what of it is done already could not be read from db"), "{said}");
}

#[tokio::test]
async fn the_list_stands_together_by_endpoint_and_type_with_what_time_is_left() {
    let letters = Letters::open().await;
    letters.verdicts("do deliver evt_l001 evt_l002", 0).await;
    let page = String::from_utf8(letters.run("snapshot --size 140x40 --keys 2,Enter").await.stdout).unwrap();
    for said in ["98 we_site charge.succeeded", "left out: 2 done already", "2d 21h", "14d", "29d"] {
        assert!(page.contains(said), "{said}: {page}");
    }
}
