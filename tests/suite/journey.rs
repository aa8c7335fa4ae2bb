//! Journeys: what a person does on the demo, from keys to screen, database, stand-ins and files. Each is a TOML
//! scenario in tests/journeys; the real program runs in a pseudo-terminal on a town of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde::Deserialize;

use crate::{
    partners::{stripe::Payments, town::Others},
    postgres::{Business, Lock, Site, Way},
    probe,
    pty::{PATIENCE, Terminal},
};

/// A dialog takes no key in the first 300 ms after its answer came: a person reads it first, and so does a journey.
const READING: Duration = Duration::from_millis(330);
/// What a dialog says while its answer is on the way, or while it must be asked for anew.
const NOT_READY: [&str; 2] = ["checking what this would do", "An input changed"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// The operator's story in one sentence.
    title: String,
    #[serde(default = "wide")]
    size: (u16, u16),
    /// The moment at which the town stands; scenarios that see only ages and limits need no other.
    #[serde(default = "tuesday_morning")]
    at: String,
    #[serde(default)]
    arguments: Vec<String>,
    /// Configuration of the cockpit, as TOML text.
    #[serde(default)]
    config: String,
    step: Vec<Step>,
}

fn wide() -> (u16, u16) {
    (120, 40)
}

/// Nine in the morning in Sydney, in summer time.
fn tuesday_morning() -> String {
    "2026-03-16T22:00:00Z".to_owned()
}

/// What is given happens in the order of the fields.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Step {
    /// Why, in the operator's words; told when the step fails.
    why: String,
    /// Where the business lies for which the step is, `sqlite` or `postgres`; both, where it says nothing.
    on: String,
    /// Kill -9, and start again.
    killed: bool,
    /// Quit with `q`, and start again.
    restarted: bool,
    /// Start again what has ended.
    started: bool,
    /// The window gets another size: columns and rows.
    resized: Option<(u16, u16)>,
    /// A fault that is switched on while it runs (`stripe=drop`); `none` ends them all.
    fault: Option<String>,
    /// A fact of the town that changes while it runs: its name and value.
    switch: Option<(String, String)>,
    /// A statement that someone else runs on the business's database meanwhile.
    meanwhile: Option<String>,
    /// The same in PostgreSQL's words, where they differ.
    meanwhile_on_postgres: Option<String>,
    /// Tables of the demo's own: what the site adds to them from here on is added on PostgreSQL as well.
    site_adds: Vec<String>,
    /// A table that someone else locks on PostgreSQL, until a later step says `none`.
    lock_on_postgres: Option<String>,
    /// The dialog on the screen is ready, and is read first.
    reads: bool,
    keys: String,
    /// Told to the program after the keys: `HUP`, `TERM`, or `KILL`, after which it has ended.
    signal: String,
    /// The program ends by itself, with this status.
    ends: Option<u32>,
    /// What follows, up to `see_no`, holds on one and the same frame since the keys. On the screen, somewhere.
    see: Vec<String>,
    /// Together on one line of the screen.
    lines: Vec<Vec<String>>,
    /// As `lines`, with the day at which the scenario stands.
    dated: Vec<Vec<String>>,
    /// How often, exactly.
    times: BTreeMap<String, usize>,
    /// One below or after the other.
    order: Vec<String>,
    see_no: Vec<String>,
    /// Bytes that went to the terminal since the keys.
    written: Vec<String>,
    /// Queries, each with the first column of its rows, joined by commas. Any may join the tables of all three.
    business: Vec<(String, String)>,
    stand_ins: Vec<(String, String)>,
    record: Vec<(String, String)>,
    /// At the servers of others (`variables`, `deployments`, `messages`, `mails`, `refunds`): a text, and how often it is there.
    others: Vec<(String, String, usize)>,
    /// A file of the town, or a folder (all its files), and what is in it.
    files: Vec<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    at: String,
    #[serde(default)]
    holds: Vec<String>,
    #[serde(default)]
    times: BTreeMap<String, usize>,
}

struct Journey {
    name: String,
    at: String,
    town: PathBuf,
    terminal: Terminal,
    arguments: Vec<String>,
    home: tempfile::TempDir,
    size: (u16, u16),
    elsewhere: Elsewhere,
    lock: Option<Lock>,
    site: Option<Site>,
}

/// What is not the demo's own.
enum Elsewhere {
    Nothing,
    /// The business's database.
    Business(Business),
    /// Its host, its channel and its mail server.
    Services(Box<Others>),
    /// Its Stripe.
    Payments(Box<Payments>),
}

impl Elsewhere {
    fn environment(&self) -> &[(String, String)] {
        match self {
            Self::Nothing => &[],
            Self::Business(business) => &business.environment,
            Self::Services(others) => &others.environment,
            Self::Payments(payments) => &payments.environment,
        }
    }

    /// What the servers of others tell of something.
    fn told(&self, what: &str) -> Option<String> {
        match self {
            Self::Nothing | Self::Business(_) => None,
            Self::Services(others) => Some(others.told(what)),
            Self::Payments(payments) => (what == "refunds").then(|| payments.refunds()),
        }
    }

    fn business(&self) -> Option<&Business> {
        if let Self::Business(business) = self { Some(business) } else { None }
    }
}

fn play(name: &str) {
    play_with(name, |_| Some(Elsewhere::Nothing));
}

/// With the business on PostgreSQL: the town stands at this moment, as the server's clock does.
pub fn play_on_postgres(name: &str, way: Way) {
    play_with(name, |home| Business::open(home, way).map(Elsewhere::Business));
}

/// With its host, its channel and its mail server run by others, at this moment.
fn play_among_others(name: &str) {
    play_with(name, |home| Others::open(home).map(|others| Elsewhere::Services(Box::new(others))));
}

/// With its money at a Stripe that others wrote, at this moment.
fn play_at_another_stripe(name: &str) {
    play_with(name, |home| Payments::open(home).map(|payments| Elsewhere::Payments(Box::new(payments))));
}

fn play_with(name: &str, open: impl FnOnce(&Path) -> Option<Elsewhere>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journeys").join(format!("{name}.toml"));
    let source = std::fs::read_to_string(&path).expect("the scenario is there");
    let mut scenario: Scenario = toml::from_str(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!scenario.title.is_empty());
    let home = tempfile::tempdir().expect("a home");
    std::fs::write(home.path().join("config.toml"), &scenario.config).expect("a configuration");
    let Some(elsewhere) = open(home.path()) else { return };
    let is_demo = matches!(elsewhere, Elsewhere::Nothing);
    // A server's clock is the machine's.
    if is_demo {
        for step in &mut scenario.step {
            step.lines.append(&mut step.dated);
        }
    }
    let opens = if is_demo {
        vec!["demo", "--demo-dir", "town", "--at", &scenario.at]
    } else {
        vec!["--pack", "cockpit/pack.toml", "--state-dir", "town"]
    };
    let mut arguments: Vec<String> = opens.into_iter().chain(["--config", "config.toml"]).map(str::to_owned).collect();
    arguments.extend(scenario.arguments.iter().cloned());
    let mut journey = Journey {
        name: name.to_owned(),
        at: String::new(),
        town: home.path().join("town"),
        terminal: start(&arguments, &elsewhere, home.path(), scenario.size),
        arguments,
        home,
        size: scenario.size,
        elsewhere,
        lock: None,
        site: None,
    };
    if journey.elsewhere.business().is_some() {
        // What the start warns of takes the place of whatever was said before it.
        let warns = |screen: &str| screen.contains("the role `app` is a superuser");
        journey.terminal.until_now(&format!("{name}: the start's warning"), warns);
    }
    let here = if journey.elsewhere.business().is_some() { "postgres" } else { "sqlite" };
    for (index, step) in scenario.step.iter().enumerate() {
        match step.on.as_str() {
            "" => {}
            on @ ("sqlite" | "postgres") => {
                if on != here {
                    continue;
                }
            }
            other => panic!("{name}: no business is on `{other}`"),
        }
        journey.at = format!("{} step {}: {}", journey.name, index + 1, step.why);
        journey.act(step);
        journey.check(step);
    }
}

fn start(arguments: &[String], elsewhere: &Elsewhere, home: &Path, (columns, rows): (u16, u16)) -> Terminal {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Terminal::start_with(&arguments, elsewhere.environment(), home, columns, rows)
}

impl Step {
    /// What this frame lacks of what is to be seen; nothing, where it is the one.
    fn lacks(&self, frame: &str) -> Vec<String> {
        let texts = self.see.iter().filter(|text| !frame.contains(text.as_str())).map(|text| format!("`{text}`"));
        let has_all = |parts: &[String]| frame.lines().any(|line| parts.iter().all(|part| line.contains(part.as_str())));
        let lines = self.lines.iter().filter(|parts| !has_all(parts)).map(|parts| format!("a line with {parts:?}"));
        let times = self.times.iter().filter(|(text, times)| frame.matches(text.as_str()).count() != **times);
        let times = times.map(|(text, times)| format!("`{text}` {times} times"));
        let mut rest = Some(frame);
        let mut follows = |text: &String| {
            rest = rest.and_then(|rest| rest.split_once(text.as_str())).map(|(_, behind)| behind);
            rest.is_none()
        };
        let order =
            self.order.iter().find(|text| follows(text)).map(|text| format!("`{text}` in its place among {:?}", self.order));
        let unwanted = self.see_no.iter().filter(|text| frame.contains(text.as_str())).map(|text| format!("no `{text}`"));
        texts.chain(lines).chain(times).chain(order).chain(unwanted).collect()
    }
}

impl Journey {
    fn act(&mut self, step: &Step) {
        if step.restarted {
            self.terminal.keys("q");
            assert!(self.terminal.ended().success(), "{}: it ends well", self.at);
        }
        if step.killed {
            self.terminal.kill();
        }
        if step.killed || step.restarted || step.started {
            if !matches!(self.elsewhere, Elsewhere::Nothing) {
                // The demo's own town, and what is broken in it, ends with the program.
                probe::switch_fault(&self.town, "none");
            }
            self.terminal = start(&self.arguments, &self.elsewhere, self.home.path(), self.size);
        }
        if step.reads {
            self.read();
        }
        if let Some(fault) = &step.fault {
            probe::switch_fault(&self.town, fault);
        }
        if let Some((name, value)) = &step.switch {
            probe::switch(&self.town, name, value);
        }
        if let (Some(table), Some(business)) = (&step.lock_on_postgres, self.elsewhere.business()) {
            self.lock = (table != "none").then(|| business.lock(table));
        }
        if let Some(business) = self.elsewhere.business().filter(|_| !step.site_adds.is_empty()) {
            self.site = Some(business.follow_site(&self.town, &step.site_adds));
        }
        match (&step.meanwhile, &step.meanwhile_on_postgres, self.elsewhere.business()) {
            (_, Some(statement), Some(business)) | (Some(statement), None, Some(business)) => business.run(statement),
            (Some(statement), _, None) => probe::execute(&self.town, statement),
            (None, ..) => {}
        }
        if !step.keys.is_empty() {
            self.terminal.look_up();
        }
        if let Some((columns, rows)) = step.resized {
            self.terminal.resize(columns, rows);
        }
        self.terminal.keys(&step.keys);
        match step.signal.as_str() {
            "" => {}
            "HUP" => self.terminal.signal(Signal::HUP),
            "TERM" => self.terminal.signal(Signal::TERM),
            "KILL" => self.terminal.kill(),
            other => panic!("{}: no signal {other}", self.at),
        }
        if let Some(status) = step.ends {
            assert_eq!(self.terminal.ended().exit_code(), status, "{}", self.at);
        }
    }

    /// Reads a dialog as long as a person must, from when it is ready.
    fn read(&self) {
        let is_ready = |screen: &str| !NOT_READY.iter().any(|said| screen.contains(said));
        loop {
            self.terminal.until_now(&format!("a dialog that is ready\n--- {}", self.at), is_ready);
            std::thread::park_timeout(READING);
            if is_ready(&self.terminal.text()) {
                return;
            }
        }
    }

    fn check(&self, step: &Step) {
        self.terminal.until(&self.at, |frame| step.lacks(frame));
        for text in &step.written {
            let bytes = || self.terminal.bytes().escape_ascii().to_string();
            let wanted = text.as_bytes().escape_ascii().to_string();
            self.wait_for(&format!("`{wanted}` on the terminal"), bytes, |bytes| bytes.contains(&wanted));
        }
        for (query, expected) in &step.business {
            let ask = || match self.elsewhere.business() {
                None => probe::first_column(&self.town, query),
                Some(business) => business.ask(query),
            };
            self.wait_for(&format!("{query}\n    = {expected}"), ask, |found| found == expected);
        }
        for (query, expected) in [&step.stand_ins, &step.record].into_iter().flatten() {
            let ask = || probe::first_column(&self.town, query);
            self.wait_for(&format!("{query}\n    = {expected}"), ask, |found| found == expected);
        }
        for (what, text, times) in &step.others {
            let told = || self.elsewhere.told(what).unwrap_or_else(|| panic!("{}: nobody tells {what}", self.at));
            let has_it = |told: &String| told.matches(text.as_str()).count() == *times;
            self.wait_for(&format!("`{text}` {times} times among the {what}"), told, has_it);
        }
        for file in &step.files {
            let texts = || probe::texts_under(&self.town.join(&file.at));
            let holds = |texts: &String| {
                file.holds.iter().all(|text| texts.contains(text.as_str()))
                    && file.times.iter().all(|(text, times)| texts.matches(text.as_str()).count() == *times)
            };
            self.wait_for(&format!("{file:?}"), texts, holds);
        }
    }

    /// Asks until it is so: a change on disk tells nobody.
    fn wait_for<T: std::fmt::Display>(&self, what: &str, ask: impl Fn() -> T, is_so: impl Fn(&T) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = ask();
            if is_so(&found) {
                return;
            }
            assert!(
                Instant::now() < end,
                "never so: {what}\n--- {}\n--- instead: {found}\n--- the screen:\n{}",
                self.at,
                self.terminal.text()
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

#[test]
fn control_z_leaves_for_the_shell_and_fg_comes_back_to_the_same_place() {
    let home = tempfile::tempdir().expect("a home");
    // A shell that ends takes with it what nobody has read yet: it stays until it is seen.
    let script = "$P demo --demo-dir town --at 2026-03-16T22:00:00Z; echo stopped $?; read line; fg; echo ended $?; read line";
    let mut terminal = Terminal::start_in_shell(script, home.path(), 120, 40);
    let town = home.path().join("town");
    let mut step = |keys: &str, see: &[&str], see_no: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let step = Step { see: owned(see), see_no: owned(see_no), ..Step::default() };
        terminal.look_up();
        terminal.keys(keys);
        terminal.until(keys, |frame| step.lacks(frame));
    };
    step("", &["2 Queues   59 items"], &[]);
    step("2,Enter,/,text:rv_902,Enter,Space", &["1 of 51  /rv_902", "[x]"], &[]);
    step("Ctrl-z", &["stopped 148"], &["2 Queues"]);
    step("Enter", &["1 of 51  /rv_902", "[x]", "DEMO"], &["stopped"]);
    step("Esc,Esc", &["2 Queues > Reviews   51 items"], &["[x]"]);
    step("q,q", &["ended 0"], &["2 Queues"]);
    assert_eq!(probe::first_column(&town, "select count(*) from plans"), "0");
}

#[test]
fn what_is_unknown_is_decided_by_who_has_looked() {
    play("unknown-happened");
}

#[test]
fn what_did_not_happen_is_said_and_not_sent_again() {
    play("unknown-not-happened");
}

#[test]
fn a_refund_that_meets_a_failing_stripe_is_made_once() {
    play("refund-500");
}

#[test]
fn a_refund_that_meets_a_busy_stripe_is_made_once() {
    play("refund-429");
}

#[test]
fn a_refund_without_its_mail_stands_and_is_finished() {
    play("refund-mail");
}

#[test]
fn what_is_marked_is_what_was_shown() {
    play("lists");
}

#[test]
fn an_alert_comes_back_later() {
    play("alert-later");
}

#[test]
fn a_dropped_line_ends_one_effect_and_begins_none() {
    play("hung-up");
}

#[test]
fn quitting_with_something_held_asks() {
    play("quit-held");
}

#[test]
fn what_someone_else_decided_is_left_alone() {
    play("someone-else");
}

#[test]
fn a_window_may_shrink_under_a_dialog() {
    play("resized");
}

#[test]
fn what_is_seen_can_be_left_found_again_and_taken_along() {
    play("views");
}

#[test]
fn monday_is_one_look() {
    play("monday");
}

#[test]
fn monday_fits_a_small_terminal() {
    play("monday-80x24");
}

#[test]
fn an_alert_is_explained_and_handled() {
    play("alert");
}

#[test]
fn the_safe_reviews_go_in_one_batch_and_come_back() {
    play("reviews-safe");
}

#[test]
fn a_batch_is_paused_and_given_up() {
    play("batch-paused");
}

#[test]
fn doubtful_reviews_are_read_one_by_one() {
    play("reviews-edge");
}

#[test]
fn a_refund_is_sent_once_and_written_everywhere() {
    play("refund");
}

#[test]
fn a_refund_outside_the_window_is_denied_by_mail() {
    play("refund-denied");
}

#[test]
fn a_held_refund_is_taken_back_in_time() {
    play("refund-held");
}

#[test]
fn a_refund_whose_answer_was_dropped_is_found_again() {
    play("refund-dropped");
}

#[test]
fn the_late_job_is_run_now() {
    play("cron");
}

#[test]
fn undelivered_events_are_sent_again_and_proven() {
    play("events");
}

#[test]
fn the_flag_stays_an_open_loop_until_it_is_put_back() {
    play("flag");
}

#[test]
fn seven_days_are_reconciled_repaired_and_signed() {
    play("reconcile");
}

#[test]
fn killed_in_the_middle_of_a_batch() {
    play("killed-batch");
}

#[test]
fn what_an_earlier_run_left_half_done_is_listed_and_finished() {
    play("recovery-half-done");
}

#[test]
fn a_flag_is_flipped_at_a_host_and_told_in_a_channel_of_others() {
    play_among_others("others-flag");
}

#[test]
fn a_refund_is_told_by_a_mail_server_of_others() {
    play_among_others("others-refund");
}

#[test]
fn a_refund_is_made_once_at_a_stripe_of_others_and_written_everywhere() {
    play_at_another_stripe("others-stripe");
}

#[test]
fn killed_in_the_middle_of_a_refund() {
    play("killed-refund");
}
