//! Without a screen: every subcommand on a town that stays, its exit status, and what it never does.

use std::{path::Path, process::Output};

use assert_cmd::Command;
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::probe;

/// A demo town that is kept between calls.
struct Town(TempDir);

impl Town {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a home"))
    }

    fn run(&self, words: &str) -> Ran {
        self.run_with(&words.split(' ').collect::<Vec<_>>())
    }

    /// As it is typed, a word with spaces in it being one.
    fn run_with(&self, words: &[&str]) -> Ran {
        let town = self.0.path().join("town");
        let config = self.0.path().join("config.toml");
        std::fs::write(&config, "[confirm]\nhold_at_most = \"0s\"\n").expect("a configuration");
        let mut command = wheelhouse(self.0.path());
        command.args(["--demo", "--at", "2026-03-16T22:00:00Z", "--demo-dir"]).arg(town).arg("--config").arg(config);
        Ran::of(command.args(words).output())
    }

    fn sql(&self, query: &str) -> String {
        probe::first_column(&self.0.path().join("town"), query)
    }
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub out: String,
    pub errors: String,
    pub status: i32,
}

impl Ran {
    pub fn of(output: std::io::Result<Output>) -> Self {
        let output = output.expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it speaks UTF-8");
        Self { out: text(&output.stdout), errors: text(&output.stderr), status: output.status.code().expect("it ends by itself") }
    }

    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.out.contains(text), "no `{text}` in:\n{}", self.out);
        }
        self
    }

    pub fn complains(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.errors.contains(text), "no `{text}` in:\n{}", self.errors);
        }
        self
    }
}

pub fn wheelhouse(home: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("wheelhouse"));
    command.env_clear().env("HOME", home).env("TMPDIR", home).env("PATH", "/usr/bin:/bin").env("USER", "op").current_dir(home);
    command
}

fn plain(words: &str) -> Ran {
    let home = tempfile::tempdir().expect("a home");
    Ran::of(wheelhouse(home.path()).args(words.split(' ')).output())
}

#[test]
fn check_says_what_is_wrong_in_lines_in_json_and_by_its_exit_status() {
    let town = Town::new();
    let lines = town.run("check").ends(2).says(&[
        "RED      Stripe webhook failing",
        "RED      featured-expiry-and-promotion",
        "RED      Z.AI down",
        "YELLOW   Charges, 7 days",
        "3 red, 5 yellow, 0 unknown, 11 green",
    ]);
    assert_eq!(lines.out.lines().count(), 9, "{}", lines.out);
    assert_eq!(lines.errors, "");
    let json = town.run("check --json").ends(2).json();
    assert_eq!(json["severity"], "red");
    let alerts = json["alerts"].as_array().unwrap();
    let of = |name: &str| alerts.iter().find(|alert| alert["name"] == name).unwrap();
    assert_eq!(of("check.webhooks_undelivered")["reading"], "4 events");
    assert_eq!(of("reconciliation.charges")["severity"], "yellow");
    assert!(of("job.promote")["since"].is_string());
}

#[test]
fn what_cannot_be_read_is_unknown_and_not_well() {
    let town = Town::new();
    let json = town.run("check --json --fault site=refuse").json();
    let alerts = json["alerts"].as_array().unwrap();
    let health = alerts.iter().find(|alert| alert["name"] == "check.z_ai_down").unwrap();
    assert_eq!(health["severity"], "unknown", "{health}");
    assert!(health["failure"].is_object() || health["failure"].is_string(), "{health}");
}

#[test]
fn a_look_from_the_command_line_is_no_visit_and_writes_nothing() {
    let town = Town::new();
    town.run("check").ends(2);
    town.run("reconcile").ends(1);
    assert_eq!(town.sql("select count(*) from visits"), "0");
    assert_eq!(town.sql("select count(*) from plans"), "0");
    assert_eq!(town.sql("select count(*) from operator_actions"), "0");
}

#[test]
fn a_snapshot_is_the_screen_as_text() {
    let town = Town::new();
    let drawn = town.run("snapshot --size 100x30").ends(0).says(&["R 3 red", "Reviews", "Z.AI down", "Charges, 7 days"]);
    assert_eq!(drawn.out.lines().count(), 30);
    assert!(!drawn.out.contains('\u{1b}'), "text has no escapes");
    let svg = town.run("snapshot --format svg").ends(0);
    assert!(svg.out.starts_with("<svg"), "{}", svg.out.lines().next().unwrap_or_default());
    town.run("snapshot --keys 2,Enter,.").ends(0).says(&["40 of 51  .safe"]);
    town.run("snapshot --screen nothing").ends(3);
}

#[test]
fn a_dry_run_says_all_and_sends_nothing() {
    let town = Town::new();
    town.run("do approve_refund rr_0312 --dry-run").ends(0).says(&[
        "[ok] within 3 days",
        "1. Stripe: refund A$22.00 of ch_3Q038c5309ded7bd",
        "5. mail",
        "total A$22.00",
        "nothing has been sent",
    ]);
    assert_eq!(town.sql("select count(*) from refunds"), "2");
    assert_eq!(town.sql("select count(*) from plans"), "0");
}

#[test]
fn a_wrong_or_missing_confirmation_sends_nothing() {
    let town = Town::new();
    for words in ["do approve_refund rr_0312", "do approve_refund rr_0312 --confirm 2200", "do job.promote --confirm backup"] {
        town.run(words).ends(3).complains(&["nothing was sent. To carry it out, add --confirm"]);
    }
    town.run("do approve_review rv_901 rv_903 --confirm 3").ends(3).complains(&["nothing was sent: it is about 2, not about 3"]);
    assert_eq!(town.sql("select count(*) from plans"), "0");
    assert_eq!(town.sql("select count(*) from refunds"), "2");
    assert_eq!(town.sql("select count(*) from reviews where moderation_status = 'pending'"), "51");
}

#[test]
fn a_confirmed_act_is_done_once_and_recorded() {
    let town = Town::new();
    town.run("do approve_refund rr_0312 --confirm 22.00").ends(0).says(&["done", "Refund", "rr_0312"]);
    assert_eq!(town.sql("select count(*) from refunds where charge = 'ch_3Q038c5309ded7bd'"), "1");
    assert_eq!(town.sql("select status from refund_requests where id = 'rr_0312'"), "approved");
    town.run("do approve_refund rr_0312 --confirm 22.00").ends(1);
    assert_eq!(town.sql("select count(*) from refunds where charge = 'ch_3Q038c5309ded7bd'"), "1");
    let ran = town.run("do reject_review rv_902 --input reason=spam --input note=advert --json").ends(0).json();
    assert_eq!(ran["receipts"].as_array().unwrap().len(), 1);
    assert_eq!(town.sql("select reason || '|' || note from review_moderation_log where decided_by = 'op'"), "spam|advert");
}

#[test]
fn a_rule_that_fails_refuses_whatever_is_typed() {
    let town = Town::new();
    town.run("do approve_refund rr_0313 --confirm 22.00").ends(1).says(&["rr_0313", "over by 1d 1h"]);
    town.run("do reject_review rv_902 --input reason=rude").ends(1);
    town.run("do approve_review rv_901 --read-only").ends(3).complains(&["--read-only"]);
    town.run("do aprove_review rv_901").ends(3).complains(&["there is no action `aprove_review`"]);
    town.run("do approve_review").ends(3).complains(&["on which rows?"]);
    assert_eq!(town.sql("select count(*) from operator_actions"), "0");
    assert_eq!(town.sql("select count(*) from refunds"), "2");
}

#[test]
fn a_reconciliation_is_told_in_json_and_csv() {
    let town = Town::new();
    town.run("reconcile charges").ends(1).says(&[
        "to 2026-03-17 09:00 Australia/Sydney",
        "A$462.00  (21 rows)",
        "A$420.00",
        "+A$42.00",
        "+A$22.00",
        "missing here",
        "amount differs",
    ]);
    let csv = town.run("reconcile charges --csv").ends(1);
    let rows: Vec<&str> = csv.out.lines().collect();
    assert_eq!(rows.len(), 3, "{}", csv.out);
    assert!(rows.first().unwrap().starts_with("reconciliation,class,their_id,their_amount"), "{}", csv.out);
    assert!(csv.out.contains("charges,amount,ch_3Q038da4e48544d0,22.00,pay_02079,2.00,AUD,20.00"), "{}", csv.out);
    assert!(csv.out.contains("charges,missing_here,ch_3Q00064kx9000061,22.00,,,AUD,22.00"), "{}", csv.out);
    let json = town.run("reconcile --json").ends(1).json();
    assert_eq!(json.as_array().map(Vec::len), Some(2), "{json}");
    town.run("reconcile refunds").ends(0).says(&["(1 row)"]);
    town.run("reconcile chargs").ends(3).complains(&["there is no reconciliation `chargs`; there is charges, refunds"]);
}

#[test]
fn the_journal_is_verified_and_a_flipped_byte_is_found() {
    let town = Town::new();
    town.run("do approve_review rv_901").ends(0);
    let whole = town.run("journal verify").ends(0).says(&["the chain holds: "]);
    assert_eq!(town.sql("select count(*) from audit"), whole.out.split(' ').nth(3).unwrap_or_default());
    let head = whole.out.trim_end().rsplit(' ').next().unwrap_or_default();
    town.run("do approve_review rv_902").ends(0);
    town.run(&format!("journal verify --head {head}")).ends(0).says(&["the chain holds: "]);
    let another = head.chars().rev().collect::<String>();
    town.run(&format!("journal verify --head {another}")).ends(2).says(&["noted elsewhere"]);
    town.run("journal verify --head 12").ends(3).complains(&["64 hexadecimal digits"]);
    let exported = town.run("journal export").ends(0);
    let lines: Vec<Json> = exported.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len().to_string(), town.sql("select count(*) from audit"));
    assert_eq!(lines.first().map(|line| line["sequence"].clone()), Some(Json::from(1)));
    town.run("journal export --format csv").ends(0).says(&["APPROVE", "rv_901"]);
    flip_a_byte(&town.0.path().join("town"));
    town.run("journal verify").ends(2).says(&["BROKEN"]);
}

/// Changes `Happy` to `happy` in the record's own words, in the file, behind SQLite's back.
fn flip_a_byte(town: &Path) {
    let mut flipped = 0;
    for name in ["cockpit.db", "cockpit.db-wal"] {
        let path = town.join(name);
        let Ok(mut bytes) = std::fs::read(&path) else { continue };
        let wanted = b"rv_901 Happy Dog Training: intended";
        let places: Vec<usize> =
            bytes.windows(wanted.len()).enumerate().filter(|(_, at)| at == wanted).map(|(at, _)| at).collect();
        for place in places {
            bytes[place + 7] ^= 0x20;
            flipped += 1;
        }
        std::fs::write(&path, bytes).expect("the file is written");
    }
    assert!(flipped > 0, "there was something to change");
}

#[test]
fn what_a_shell_and_a_reader_need_is_printed() {
    plain("keys").ends(0).says(&["acknowledge", "mark every row that the filter shows", "ctrl-d"]);
    plain("keys --markdown").ends(0).says(&["| "]);
    for shell in ["bash", "zsh", "fish"] {
        plain(&format!("completions {shell}")).ends(0).says(&["wheelhouse", "reconcile"]);
    }
    plain("man").ends(0).says(&[".TH wheelhouse", "reconcile"]);
    plain("--version").ends(0).says(&["wheelhouse "]);
    let schema = plain("pack schema").ends(0).json();
    assert!(schema["properties"]["queues"].is_object());
}

#[test]
fn without_a_terminal_or_a_business_it_says_what_to_do() {
    plain("demo").ends(3).complains(&["the cockpit needs a terminal", "`wheelhouse check`"]);
    plain("check").ends(3).complains(&["no business is configured yet", "wheelhouse demo"]);
    plain("--nonsense").ends(3).complains(&["--nonsense"]);
    plain("journal verify --demo").ends(3).complains(&["--demo-dir"]);
}

/// A business that nobody here has seen: a pack file and a database, no line of Rust.
struct Shop(TempDir);

impl Shop {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a home");
        probe::create(
            &home.path().join("business.db"),
            &[include_str!("../packs/shop/schema.sql"), include_str!("../packs/shop/seed.sql")],
        );
        Self(home)
    }

    fn run(&self, words: &str) -> Ran {
        let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packs/shop/pack.toml");
        let mut command = wheelhouse(self.0.path());
        command.env("SHOP_DATABASE_URL", format!("sqlite://{}", self.0.path().join("business.db").display()));
        command.args(["--pack", pack, "--state-dir"]).arg(self.0.path().join("state"));
        Ran::of(command.args(words.split(' ')).output())
    }

    /// The same shop with a Stripe account whose live key is expected, and a test key given.
    fn run_with_a_test_key(&self, words: &str) -> Ran {
        let text = include_str!("../packs/shop/pack.toml").replace(
            "[connections]",
            "[connections]\nstripe.stripe = { key_env = \"SHOP_STRIPE_KEY\", account = \"acct_1\", livemode = true }",
        );
        let pack = self.0.path().join("pack.toml");
        std::fs::write(&pack, text).expect("a pack");
        std::fs::create_dir_all(self.0.path().join("playbooks")).expect("a directory");
        std::fs::write(self.0.path().join("playbooks/reorder.md"), "# Reorder").expect("a playbook");
        let mut command = wheelhouse(self.0.path());
        command.env("SHOP_DATABASE_URL", format!("sqlite://{}", self.0.path().join("business.db").display()));
        command.env("SHOP_STRIPE_KEY", "rk_test_1").arg("--pack").arg(pack).arg("--state-dir").arg(self.0.path().join("state"));
        Ran::of(command.args(words.split(' ')).output())
    }

    fn sql(&self, query: &str) -> String {
        probe::first_column_of(&self.0.path().join("business.db"), query)
    }
}

#[test]
fn a_shop_opens_checks_and_acts_by_its_pack_alone() {
    plain(concat!("pack check ", env!("CARGO_MANIFEST_DIR"), "/tests/packs/shop/pack.toml"))
        .ends(0)
        .says(&["Tea & Kettle is right", "1 connection, 3 checks, 2 queues, 1 job, 1 reconciliation"]);
    let shop = Shop::new();
    let checked = shop.run("check").says(&["Articles nearly out of stock", "Oldest order waiting", "Payments, 30 days"]);
    assert!([1, 2].contains(&checked.status), "{checked:?}");
    shop.run("reconcile").ends(1).says(&["missing here", "amount differs", "€0.01"]);
    shop.run("do ship o-1002 --dry-run").ends(0).says(&["Ben Costa", "[ok] paid", "can be taken back"]);
    assert_eq!(shop.sql("select status from orders where id = 'o-1002'"), "paid");
    shop.run("do ship o-1002").ends(0).says(&["done", "o-1002"]);
    assert_eq!(shop.sql("select status from orders where id = 'o-1002'"), "shipped");
    shop.run("do ship o-1003 o-1004 --confirm 2").ends(0);
    assert_eq!(shop.sql("select count(*) from orders where status = 'shipped'"), "4");
    shop.run("do unship o-1004").ends(0);
    assert_eq!(shop.sql("select status from orders where id = 'o-1004'"), "paid");
    shop.run("do ship o-1005").ends(1);
    assert_eq!(shop.sql("select status from orders where id = 'o-1005'"), "placed");
    assert_eq!(shop.sql("select count(*) from operator_actions where step >= 0"), "4");
    // Each act was claimed before, and its claim given back. Outside its queue an item is another target.
    assert_eq!(
        shop.sql(
            "select group_concat(epoch || action || outcome) from operator_actions where target like '%/o-1004' and step = -1"
        ),
        "0shipdone,1unshipdone"
    );
    shop.run("journal verify").ends(0).says(&["the chain holds"]);
    shop.run("snapshot --size 80x24").ends(0).says(&["Tea & Kettle", "Orders to ship"]);
}

#[test]
fn a_key_of_the_other_mode_locks_writing_and_never_looks_green() {
    let shop = Shop::new();
    let said = "stripe: the key is a test key, and the pack says `livemode = true`; use the other key, or correct the pack";
    shop.run_with_a_test_key("do ship o-1002").ends(1).complains(&["nothing is written", said]);
    shop.run_with_a_test_key("journal recover").ends(1).complains(&[said]);
    assert_eq!(shop.sql("select status from orders where id = 'o-1002'"), "paid");
    let checked = shop.run_with_a_test_key("check").complains(&[said]);
    assert_ne!(checked.status, 0, "{checked:?}");
    shop.run_with_a_test_key("reconcile").ends(3).complains(&[said]);
    shop.run_with_a_test_key("journal export")
        .ends(0)
        .says(&["nothing is written in this session: stripe: the key is a test key"]);
}

#[test]
fn the_table_of_marks_is_printed_for_the_pack_or_for_both_kinds() {
    let both = plain("pack ddl").ends(0).says(&[
        "-- PostgreSQL.",
        "-- SQLite.",
        "create table operator_actions (",
        "grant select, insert",
    ]);
    assert_eq!(both.out.matches("create table").count(), 2, "{}", both.out);
    let one = plain("pack ddl --for sqlite").ends(0).says(&["-- SQLite."]);
    assert!(!one.out.contains("PostgreSQL"), "{}", one.out);
    // The pack's own address decides, and what is printed is what the acts need.
    let shop = Shop::new();
    let pack = concat!("pack ddl ", env!("CARGO_MANIFEST_DIR"), "/tests/packs/shop/pack.toml");
    let table = shop.run(pack).ends(0).out;
    assert!(table.starts_with("-- SQLite.") && table.matches("create table").count() == 1, "{table}");
    probe::create(&shop.0.path().join("business.db"), &["drop table operator_actions"]);
    let warning =
        "db: every act on this database will be refused: the table of marks `operator_actions` cannot be used (no such table";
    shop.run("check").complains(&[warning, "`wheelhouse pack ddl FILE` prints how it is made"]);
    shop.run("do ship o-1002").ends(1).complains(&[warning]);
    probe::create(&shop.0.path().join("business.db"), &[&table]);
    assert_eq!(shop.run("do ship o-1002").ends(0).errors, "");
    // A table of an older make keeps marks and no claims: acts go, and it is said.
    let old = "create table operator_actions (action_id text not null, step integer not null, target text not null, \
               operator text not null, marked_at timestamp not null default current_timestamp, primary key (action_id, step))";
    probe::create(&shop.0.path().join("business.db"), &["drop table operator_actions", old]);
    let weaker = "not claimed in the database: another operator could act at the same time";
    let told = "db: acts are not claimed in this database, so another operator could act at the same time";
    shop.run("do ship o-1003 --dry-run")
        .ends(0)
        .says(&[weaker])
        .complains(&[told, "lacks epoch, action, journal, ended_at, outcome"]);
    let upgrade: String = table.lines().filter_map(|line| line.strip_prefix("-- ")).filter(|line| line.ends_with(';')).collect();
    probe::create(&shop.0.path().join("business.db"), &[&upgrade]);
    let claimed = shop.run("do ship o-1003 --dry-run").ends(0);
    assert!(!claimed.out.contains(weaker) && claimed.errors.is_empty(), "{claimed:?}");
    plain("pack ddl nowhere.toml").ends(3).complains(&["cannot be read"]);
}

#[test]
fn the_journal_says_a_flip_from_what_to_what_and_why_and_a_run_with_what_it_changed() {
    let town = Town::new();
    let flip = "do flag.ai_mode -i value=deterministic -i reason=provider-down --confirm ai_mode";
    town.run(flip).ends(0).says(&["done", "Set AI_MODE", "z_ai -> deterministic: provider-down"]);
    let said = "select said from record.audit where word = 'SET' order by sequence desc limit 1";
    assert!(town.sql(said).starts_with("AI_MODE z_ai -> deterministic: provider-down: "), "{}", town.sql(said));
    // It is as open as one from the screen: until it is back to normal the cockpit shows it.
    assert_eq!(
        town.sql(
            "select flag || ' ' || json_extract(flip, '$.from') || ' ' || json_extract(flip, '$.to') from record.flag_flips"
        ),
        "ai_mode z_ai deterministic"
    );
    let run =
        town.run("do job.promote --confirm promote").ends(0).says(&["done", "Run featured-expiry-and-promotion", "by hand"]);
    let changed = "featured-expiry-and-promotion: ran_out 2 -> 0, featured 90 -> 92, waiting 87 -> 85";
    let run = run.complains(&[changed]);
    assert_eq!(run.errors.lines().count(), 1, "{}", run.errors);
    assert_eq!(town.sql("select said from record.audit where word = 'RESULT'"), changed);
    let said = "select said from record.audit where word = 'RUN' order by sequence desc limit 1";
    assert!(town.sql(said).starts_with("featured-expiry-and-promotion by hand: "), "{}", town.sql(said));
}

const REFUND: &str = "do approve_refund rr_0312 --confirm 22.00";
const REFUNDED: &str = "select count(*) from refunds where charge = 'ch_3Q038c5309ded7bd'";
const REQUEST: &str = "select status from refund_requests where id = 'rr_0312'";

#[test]
fn a_refund_that_cannot_be_sent_says_so_and_is_sent_when_it_can() {
    let town = Town::new();
    let refused = town.run(&format!("{REFUND} --fault stripe=500")).ends(1);
    let refused = refused.says(&["could not be read afresh: stripe:", "500", "nothing was sent: try again when it answers"]);
    assert!(!refused.out.contains("taken back"), "{}", refused.out);
    refused.complains(&[
        "Stripe could not be asked whose key this is (stripe: account refused: 500",
        "nothing is changed at Stripe",
    ]);
    town.run(&format!("{REFUND} --fault database=timeout"))
        .ends(1)
        .complains(&["could not be read: db: database is locked", "nothing was sent; try again when it answers"]);
    assert_eq!(town.sql("select count(*) from plans"), "0");
    assert_eq!(town.sql(REFUNDED), "0");
    // Too many requests at once: the same key again, after a moment.
    town.run(&format!("{REFUND} --fault stripe:/v1/refunds=429:1")).ends(0).says(&["done"]);
    assert_eq!((town.sql(REFUNDED).as_str(), town.sql(REQUEST).as_str()), ("1", "approved"));
}

#[test]
fn a_refund_whose_answer_was_lost_names_the_next_step_which_finds_it() {
    let town = Town::new();
    town.run(&format!("{REFUND} --wait 0s --fault stripe:/v1/refunds=drop"))
        .ends(2)
        .says(&["unknown whether it happened", "the line broke"])
        .complains(&["1 act unknown: `wheelhouse journal recover` looks outside again and sends nothing twice"]);
    assert_eq!((town.sql(REFUNDED).as_str(), town.sql(REQUEST).as_str()), ("1", "pending"));
    let again = town.run(REFUND);
    assert_eq!(town.sql(REFUNDED), "1", "{again:?}");
    town.run("journal recover");
    assert_eq!((town.sql(REFUNDED).as_str(), town.sql(REQUEST).as_str()), ("1", "approved"));
}

#[test]
fn a_refund_whose_answer_was_lost_is_looked_for_before_it_is_told_as_unknown() {
    let town = Town::new();
    town.run(&format!("{REFUND} --fault stripe:/v1/refunds=drop:1"))
        .ends(0)
        .says(&["done", "rr_0312"])
        .complains(&["nobody knows yet whether it happened: looking outside again"]);
    assert_eq!((town.sql(REFUNDED).as_str(), town.sql(REQUEST).as_str()), ("1", "approved"));
    town.run("do approve_refund rr_0314 --confirm 22.00 --wait soon").ends(3).complains(&["30s, 5m, or 0s"]);
}

#[test]
fn a_batch_that_stops_at_an_unknown_ends_and_says_what_was_not_sent() {
    let town = Town::new();
    // Said twice is meant once.
    town.run("do approve_refund rr_0312 rr_0314 rr_0312 --dry-run").ends(0).says(&["rr_0312", "rr_0314", "total A$44.00"]);
    let refunds = ["do", "approve_refund", "rr_0312", "rr_0314", "--confirm", "2 44.00", "--wait", "0s"];
    town.run_with(&[&refunds[..], &["--fault", "stripe:/v1/refunds=drop"]].concat())
        .ends(2)
        .says(&["unknown whether it happened", "not sent"])
        .complains(&["stopped: nobody knows yet whether", "1 act unknown"]);
    assert_eq!(town.sql(REFUNDED), "1");
    town.run("journal recover").ends(0);
    town.run("do approve_refund rr_0314 rr_0314 --confirm 22.00").ends(0).says(&["done", "rr_0314"]);
}

#[test]
fn what_failed_half_way_is_gone_on_with_once_its_cause_is_gone() {
    let town = Town::new();
    town.run(&format!("{REFUND} --fault mail=refuse"))
        .ends(1)
        .says(&["rejected", "not written into", "what came before stands: "])
        .complains(&["1 act half done", "`wheelhouse journal recover` goes on with the rest"]);
    let mails = || std::fs::read_dir(town.0.path().join("town/mail")).map_or(0, Iterator::count);
    assert_eq!((town.sql(REFUNDED).as_str(), mails()), ("1", 0));
    town.run(REFUND).ends(1).says(&["it is not in its list now"]);
    town.run("journal recover").ends(0).says(&["done", "rr_0312"]);
    assert_eq!((town.sql(REFUNDED).as_str(), town.sql(REQUEST).as_str(), mails()), ("1", "approved", 1));
    town.run("journal recover").ends(0).says(&["nothing was left unfinished"]);
}

#[test]
fn a_flip_in_doubt_is_said_without_a_page_of_html_and_not_made_twice() {
    let town = Town::new();
    let flip = "do flag.ai_mode -i value=deterministic -i reason=down --confirm ai_mode";
    town.run(&format!("{flip} --wait 0s --fault vercel:/v13=502"))
        .ends(2)
        .says(&["POST /v13/deployments answered 502 a page of HTML: 502 Bad Gateway"])
        .complains(&["1 act unknown", "decide in the cockpit (D)"]);
    assert_eq!(town.sql("select value from variables where id = 'env_ai_mode'"), "deterministic");
    town.run(flip).ends(1).says(&["another act on it is not over"]);
    assert_eq!(town.sql("select count(*) from deployments"), "0");
}
