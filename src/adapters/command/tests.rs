use std::{
    fs,
    os::{fd::OwnedFd, unix::fs::PermissionsExt as _},
    path::Path,
    sync::{Arc, Mutex},
    time::Instant as Moment,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};

use super::*;
use crate::{
    adapters::testing::{CANARY, mark, params, query, template, words},
    domain::{
        command::CommandLine,
        id::Id,
        pack::{CommandFormat, SecretSource},
        value::Value,
    },
};

/// Longer than any program here needs, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

fn program(name: &str) -> Program {
    Program {
        program: name.to_owned(),
        directory: Some("/".into()),
        environment: Vec::new(),
        inherit: Vec::new(),
        input: None,
        version: Vec::new(),
        is_detached: false,
    }
}

fn surrounded() -> Environment {
    Environment::default()
        .with("PATH", "/usr/local/bin:/usr/bin:/bin")
        .with("HOME", "/")
        .with("TOKEN", format!("{CANARY}-0123456789"))
}

fn open(program: &Program, timeout: Duration) -> CommandSystem {
    CommandSystem::open("tool", program, &surrounded(), timeout).unwrap()
}

/// A system that knows a secret, which the program has as `TOKEN`.
fn secretive(name: &str) -> CommandSystem {
    let environment = vec![("TOKEN".to_owned(), SecretSource::Environment("TOKEN".into()))];
    open(&Program { environment, ..program(name) }, PATIENCE)
}

fn order(arguments: &[&str], exits: Exits) -> Order {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Order::Command { on: Id::new("tool"), arguments, exits, is_looked_for: false }
}

async fn act(system: &CommandSystem, arguments: &[&str]) -> Outcome {
    system.act(&order(arguments, Exits::default()), &mark("a")).await
}

/// What a line of shell comes to; the line is the test's own.
async fn shell(line: &str) -> Outcome {
    act(&open(&program("sh"), PATIENCE), &["-c", line]).await
}

/// What it comes to, and the last that it was heard to print.
async fn aloud(system: &CommandSystem, arguments: &[&str]) -> (Outcome, Printed) {
    let heard = Arc::new(Mutex::new(Printed::default()));
    let kept = Arc::clone(&heard);
    let told = move |printed: Printed| *kept.lock().unwrap() = printed;
    let outcome = system.act_aloud(&order(arguments, Exits::default()), &mark("a"), &told).await;
    let printed = heard.lock().unwrap().clone();
    (outcome, printed)
}

fn read(format: CommandFormat, arguments: &[&str]) -> CommandRead {
    CommandRead {
        line: CommandLine(arguments.iter().map(|argument| template(argument)).collect()),
        format,
        columns: Vec::new(),
        rows: None,
        header: Vec::new(),
        done: vec![0],
        probe: false,
    }
}

async fn look(system: &CommandSystem, read: CommandRead) -> Result<Rows, SourceError> {
    system.read(&query(Read::Command(read)), &params(&[("name", Value::text("a b; $(id)"))])).await
}

/// What takes what is printed, and what it printed last, to be waited on.
fn heard() -> (impl Fn(Printed) + Send + Sync, watch::Receiver<Printed>) {
    let (tells, hears) = watch::channel(Printed::default());
    (move |printed| drop(tells.send_replace(printed)), hears)
}

/// Waits until a line is printed that is a number, and answers it.
async fn number(hears: &mut watch::Receiver<Printed>) -> String {
    let is_number = |line: &&str| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    let printed =
        waited("a number is printed", hears.wait_for(|printed| printed.tail.shown().lines().any(|line| is_number(&line))));
    let printed = printed.await.unwrap().tail.shown().to_owned();
    printed.lines().find(is_number).unwrap().to_owned()
}

/// The end of what is waited for, or of the patience.
async fn waited<T>(what: &str, until: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, until).await.unwrap_or_else(|_| panic!("{what}: waited in vain"))
}

fn process(number: &str) -> Pid {
    number.parse().ok().and_then(Pid::from_raw).unwrap()
}

/// Waits for the end of a process, whoever started it: the kernel tells it.
async fn gone(number: &str) {
    let Some(handle) = handle(number) else { return };
    let wait = move || {
        let limit = Timespec { tv_sec: PATIENCE.as_secs() as i64, tv_nsec: 0 };
        poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&limit)).unwrap()
    };
    assert_eq!(tokio::task::spawn_blocking(wait).await.unwrap(), 1, "{number} is still there");
}

/// `None` where there is no such process any more.
fn handle(number: &str) -> Option<OwnedFd> {
    match pidfd_open(process(number), PidfdFlags::empty()) {
        Ok(handle) => Some(handle),
        Err(error) => {
            assert_eq!(error, rustix::io::Errno::SRCH, "{number}");
            None
        }
    }
}

fn is_alive(number: &str) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    handle(number).is_some_and(|handle| poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&now)).unwrap() == 0)
}

fn kill(number: &str) {
    let _ = rustix::process::kill_process(process(number), rustix::process::Signal::KILL);
}

#[tokio::test]
async fn an_exit_is_an_outcome_and_its_last_words_say_why() {
    let done = shell("echo begun; echo through").await;
    assert!(matches!(&done, Outcome::Confirmed(_)) && words(&done).starts_with("tool: sh ended with 0 after "), "{done:?}");
    assert!(words(&done).ends_with(", 2 lines"), "{done:?}");
    let refused = shell("echo chatter; echo 'no such bucket' >&2; exit 3").await;
    assert!(matches!(&refused, Outcome::Rejected(_)) && words(&refused).contains("ended with 3 after"), "{refused:?}");
    assert!(words(&refused).ends_with(": no such bucket"), "{refused:?}");
    let silent = shell("echo only this; exit 1").await;
    assert!(words(&silent).ends_with(": only this"), "{silent:?}");
    let system = open(&program("sh"), PATIENCE);
    let exits = Exits { done: vec![0, 4], refused: None, unknown: vec![75] };
    for (code, is) in [(4, "confirmed"), (75, "unknown"), (9, "rejected")] {
        let outcome = system.act(&order(&["-c", &format!("exit {code}")], exits.clone()), &mark("a")).await;
        let found = match &outcome {
            Outcome::Confirmed(_) => "confirmed",
            Outcome::Unknown(_) => "unknown",
            Outcome::Rejected(_) => "rejected",
            Outcome::Again { .. } | Outcome::Changed(_) => "else",
        };
        assert_eq!(found, is, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_program_gets_its_arguments_as_they_are_and_nothing_of_the_cockpit() {
    let system = open(&program("printf"), PATIENCE);
    let held = ["a b", "$(id)", "; reboot", "*", "'\"", "", "~"];
    let arguments: Vec<&str> = std::iter::once("<%s>").chain(held).collect();
    let (_, printed) = aloud(&system, &arguments).await;
    assert_eq!(printed.tail.shown(), "<a b><$(id)><; reboot><*><'\"><><~>");

    let mut listed = program("env");
    listed.environment = vec![("STAGE".into(), SecretSource::Plain("live".into()))];
    listed.inherit = vec!["EDITOR".into(), "NOT_SET".into()];
    let environment = surrounded().with("LANG", "C.UTF-8").with("EDITOR", "vi").with("DATABASE_URL", CANARY);
    let system = CommandSystem::open("tool", &listed, &environment, PATIENCE).unwrap();
    let (_, printed) = aloud(&system, &[]).await;
    let mut variables: Vec<&str> = printed.tail.shown().lines().collect();
    variables.sort_unstable();
    assert_eq!(variables, ["EDITOR=vi", "HOME=/", "LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin", "STAGE=live"]);

    let directory = tempfile::tempdir().unwrap();
    let there = Program { directory: Some(directory.path().into()), ..program("pwd") };
    let (_, printed) = aloud(&open(&there, PATIENCE), &["-P"]).await;
    assert_eq!(Path::new(printed.tail.shown()), directory.path().canonicalize().unwrap());
}

#[tokio::test]
async fn it_has_no_terminal_and_no_input() {
    // A session of its own: whoever leads it is the program itself.
    let (outcome, printed) =
        aloud(&open(&program("sh"), PATIENCE), &["-c", "cut -d' ' -f1,6 /proc/$$/stat; cat; : </dev/tty"]).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    let numbers = printed.tail.shown().lines().find(|line| line.starts_with(|c: char| c.is_ascii_digit())).unwrap();
    let (number, session) = numbers.split_once(' ').unwrap();
    assert!(printed.tail.shown().contains("cannot open /dev/tty"), "{printed:?}");
    assert_eq!(number, session, "{printed:?}");
}

#[tokio::test]
async fn what_is_not_there_is_said_and_nothing_is_run() {
    let directory = tempfile::tempdir().unwrap();
    let plain = directory.path().join("notes");
    fs::write(&plain, "not a program").unwrap();
    let plain = plain.display().to_string();
    for (name, said) in [
        (
            "no-such-program-anywhere",
            "there is no program `no-such-program-anywhere` in PATH (/usr/local/bin:/usr/bin:/bin): install it",
        ),
        ("/no/such/program", "there is no program /no/such/program"),
        (plain.as_str(), "is not executable; run `chmod +x"),
        ("/usr", "/usr is not a program"),
    ] {
        let outcome = act(&open(&program(name), PATIENCE), &[]).await;
        assert!(matches!(&outcome, Outcome::Rejected(_)) && words(&outcome).contains("nothing was run: "), "{outcome:?}");
        assert!(words(&outcome).contains(said), "{outcome:?}");
        let failed = look(&open(&program(name), PATIENCE), read(CommandFormat::Text, &[])).await.unwrap_err();
        assert!(matches!(&failed, SourceError::Unreachable(_)) && failed.to_string().contains(said), "{failed:?}");
    }
    let nowhere = Program { directory: Some("/no/such/directory".into()), ..program("true") };
    let outcome = act(&open(&nowhere, PATIENCE), &[]).await;
    assert!(words(&outcome).ends_with("nothing was run: there is no directory /no/such/directory"), "{outcome:?}");
    // A file that says it is a program and is none.
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o755)).unwrap();
    let outcome = act(&open(&program(&plain), PATIENCE), &[]).await;
    assert!(matches!(&outcome, Outcome::Rejected(_)), "{outcome:?}");
}

#[tokio::test]
async fn one_that_hangs_is_ended_with_all_that_it_started_and_nobody_knows_how_far_it_came() {
    for line in ["sleep 1000 & echo $!; wait", "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done"] {
        let (outcome, printed) = aloud(&open(&program("sh"), Duration::from_secs(2)), &["-c", line]).await;
        assert!(matches!(&outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert!(words(&outcome).starts_with("tool: sh did not end within 2s and was ended"), "{outcome:?}");
        gone(printed.tail.shown()).await;
    }
    let failed = look(&open(&program("sleep"), Duration::from_secs(1)), read(CommandFormat::Text, &["1000"])).await;
    assert_eq!(failed.unwrap_err(), SourceError::TimedOut(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_signal_from_elsewhere_leaves_it_unknown_with_its_name() {
    let outcome = shell("echo half way >&2; kill -s SEGV $$").await;
    assert!(matches!(&outcome, Outcome::Unknown(_)), "{outcome:?}");
    assert!(words(&outcome).contains("was ended by SIGSEGV (signal 11) after"), "{outcome:?}");
    assert!(words(&outcome).ends_with(": half way"), "{outcome:?}");
}

#[tokio::test]
async fn what_keeps_its_output_open_after_its_end_is_ended_too() {
    let began = Moment::now();
    let system = open(&program("sh"), Duration::from_secs(1000));
    let (outcome, printed) = aloud(&system, &["-c", "sleep 1000 & echo $!"]).await;
    assert!(began.elapsed() < PATIENCE);
    assert!(matches!(&outcome, Outcome::Confirmed(_)), "{outcome:?}");
    assert!(words(&outcome).contains("; what it had left running was ended as well"), "{outcome:?}");
    gone(printed.tail.shown()).await;
}

#[tokio::test]
async fn a_flood_costs_neither_memory_nor_a_look_at_all_of_it() {
    let (outcome, printed) = aloud(&open(&program("head"), Duration::from_mins(5)), &["-c", "1000000000", "/dev/zero"]).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    assert_eq!(printed.bytes, 1_000_000_000);
    assert!(printed.tail.original().len() < 64 * 1024);
    let lines = "yes 0123456789 | head -n 2000000";
    let (_, printed) = aloud(&open(&program("sh"), Duration::from_mins(5)), &["-c", lines]).await;
    assert_eq!((printed.lines, printed.last_line()), (2_000_000, "0123456789"));

    let failed = look(&open(&program("cat"), PATIENCE), read(CommandFormat::Text, &["/dev/zero"])).await.unwrap_err();
    assert!(matches!(&failed, SourceError::Malformed(_)), "{failed:?}");
    assert!(failed.to_string().contains("cat printed more than 16 MiB and was ended; let it print less"), "{failed:?}");
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB");
    assert!(peak.parse::<u64>().unwrap() < 400_000, "{peak} kB");
}

#[tokio::test]
async fn bytes_and_escapes_are_told_harmless_and_a_last_line_needs_no_end() {
    let (outcome, printed) = aloud(&open(&program("printf"), PATIENCE), &[r"\033]0;owned\007\033[2Jone\ntwo\0\377"]).await;
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    assert_eq!(printed.tail.shown(), "<001B>]0;owned<0007><001B>[2Jone\ntwo<0000>\u{fffd}");
    let refused = shell(r"printf '\033[31mno' >&2; exit 1").await;
    assert!(words(&refused).ends_with("<001B>[31mno"), "{refused:?}");
}

#[tokio::test]
async fn a_secret_goes_by_the_environment_or_by_input_and_never_comes_back() {
    let system = secretive("sh");
    for line in [
        "echo \"token $TOKEN\"; exit 1",
        "echo \"token $TOKEN\" >&2; exit 1",
        "printf 'token canary-7f'; printf '%s' \"${TOKEN#canary-7f}\"; exit 1",
        "printf 'token %s' \"${TOKEN%9}\" >&2; exit 1",
        "kill -s KILL $$ # after\necho $TOKEN",
    ] {
        let (outcome, printed) = aloud(&system, &["-c", line]).await;
        assert!(!words(&outcome).contains(CANARY) && !printed.tail.original().contains(CANARY), "{outcome:?} {printed:?}");
    }
    assert!(!format!("{system:?}").contains(CANARY));
    let rows = look(&system, read(CommandFormat::Text, &["-c", "echo $TOKEN"])).await.unwrap();
    assert_eq!(rows.first().unwrap().find("output").unwrap().original(), "***");

    let given = Program { input: Some(SecretSource::Environment("TOKEN".into())), ..program("wc") };
    let (_, printed) = aloud(&open(&given, PATIENCE), &["-c"]).await;
    assert_eq!(printed.tail.shown(), format!("{}", format!("{CANARY}-0123456789\n").len()));
    let (_, printed) = aloud(&open(&program("wc"), PATIENCE), &["-c"]).await;
    assert_eq!(printed.tail.shown(), "0");
}

#[tokio::test]
async fn a_secret_that_is_short_or_that_its_format_escapes_becomes_no_cell() {
    let environment = vec![("KEY".to_owned(), SecretSource::Environment("KEY".into()))];
    let given = Program { environment, ..program("sh") };
    let open = CommandSystem::open("tool", &given, &surrounded().with("KEY", "p/\"canary"), PATIENCE).unwrap();
    for (format, line) in [
        (CommandFormat::Json, r#"printf '%s' "$KEY" | sed 's|["/]|\\&|g; s|.*|{"said": "&", "in": [{"it": "&"}]}|'"#),
        (CommandFormat::Csv, r#"printf '%s' "$KEY" | sed 's|"|""|; s|.*|said,in\n"&","<&>"|'"#),
        (CommandFormat::Lines, r#"printf '%s' "$KEY""#),
    ] {
        let rows = look(&open, read(format, &["-c", line])).await.unwrap();
        let row = rows.first().unwrap();
        assert!(!format!("{rows:?}").contains("canary"), "{rows:?}");
        assert_eq!(row.values()[4], Value::text("***"), "{rows:?}");
    }
}

#[tokio::test]
async fn a_secret_never_becomes_an_argument() {
    let system = secretive("echo");
    let token = format!("--token={CANARY}-0123456789");
    let outcome = act(&system, &["send", &token]).await;
    assert!(matches!(&outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert!(words(&outcome).contains("nothing was run: its argument 2 holds a secret of this connection"), "{outcome:?}");
    assert!(!words(&outcome).contains(CANARY));
}

#[tokio::test]
async fn what_it_prints_is_told_while_it_runs() {
    let directory = tempfile::tempdir().unwrap();
    let there = Program { directory: Some(directory.path().into()), ..program("sh") };
    let system = open(&there, PATIENCE);
    let first = Arc::new(Mutex::new(None));
    let (tells, mut hears) = heard();
    let kept = Arc::clone(&first);
    let told = move |printed: Printed| {
        kept.lock().unwrap().get_or_insert_with(|| printed.clone());
        tells(printed);
    };
    // Whoever opens a pipe with a name waits until there is somebody at its other end.
    let order = order(&["-c", "mkfifo go; echo one; read -r word <go; echo $word"], Exits::default());
    let mark = mark("a");
    let act = system.act_aloud(&order, &mark, &told);
    let go = async {
        waited("the first line is told", hears.wait_for(|printed| printed.last_line() == "one")).await.unwrap();
        let pipe = directory.path().join("go");
        tokio::task::spawn_blocking(move || fs::write(pipe, "two\n")).await.unwrap().unwrap();
    };
    let (outcome, ()) = tokio::join!(act, go);
    assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    assert_eq!(first.lock().unwrap().clone(), Some(Printed::default()), "it is told at once that there is something to hear");
    assert_eq!(hears.borrow().last_line(), "two");
}

#[tokio::test]
async fn the_end_of_the_cockpit_is_its_end_and_what_is_detached_goes_on() {
    for is_detached in [false, true] {
        let there = Program { is_detached, ..program("sh") };
        let system = open(&there, Duration::from_secs(1000));
        let (order, mark) = (order(&["-c", "echo $$; exec sleep 1000"], Exits::default()), mark("a"));
        let (told, mut hears) = heard();
        let ending = async {
            let number = number(&mut hears).await;
            system.wind_down(Duration::from_millis(50));
            number
        };
        let (outcome, number) = tokio::join!(system.act_aloud(&order, &mark, &told), ending);
        assert!(matches!(&outcome, Outcome::Unknown(_)), "{outcome:?}");
        if is_detached {
            assert!(words(&outcome).contains(&format!("it goes on as process {number}")), "{outcome:?}");
            assert!(is_alive(&number));
            kill(&number);
        } else {
            assert!(words(&outcome).contains("was ended with the cockpit"), "{outcome:?}");
        }
        gone(&number).await;
        // Nothing more is begun that could not end.
        let outcome = system.act(&order, &mark).await;
        assert!(matches!(&outcome, Outcome::Unknown(_)), "{outcome:?}");
        if is_detached {
            let words = words(&outcome).to_owned();
            kill(words.split("as process ").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap());
        }
    }
}

#[tokio::test]
async fn what_is_detached_goes_on_printing() {
    let directory = tempfile::tempdir().unwrap();
    let there = Program { is_detached: true, directory: Some(directory.path().into()), ..program("sh") };
    let system = open(&there, Duration::from_secs(1000));
    let line = "mkfifo go; echo $$; read -r word <go; echo $word; echo $word >&2; echo $word; echo through >done";
    let (order, mark) = (order(&["-c", line], Exits::default()), mark("a"));
    let (told, mut hears) = heard();
    let ending = async {
        let number = number(&mut hears).await;
        system.wind_down(Duration::from_millis(50));
        number
    };
    let (outcome, number) = tokio::join!(system.act_aloud(&order, &mark, &told), ending);
    assert!(words(&outcome).contains("it goes on as process"), "{outcome:?}");
    let go = directory.path().join("go");
    tokio::task::spawn_blocking(move || fs::write(go, "more\n")).await.unwrap().unwrap();
    gone(&number).await;
    assert_eq!(fs::read_to_string(directory.path().join("done")).unwrap(), "through\n", "the first line ended it");
}

#[tokio::test]
async fn whoever_waits_no_longer_leaves_nothing_running() {
    let system = open(&program("sh"), Duration::from_secs(1000));
    let arguments = ["-c", "trap '' TERM; echo $$; while :; do sleep 1; done"];
    let (order, mark) = (order(&arguments, Exits::default()), mark("a"));
    let (told, mut hears) = heard();
    let number = tokio::select! {
        outcome = system.act_aloud(&order, &mark, &told) => panic!("{outcome:?}"),
        number = number(&mut hears) => number,
    };
    gone(&number).await;
}

/// Stopped by jo once it has printed a number: its outcome, and the number.
async fn stopped(system: &CommandSystem, line: &str, exits: Exits) -> (Outcome, String) {
    let (order, mark) = (order(&["-c", line], exits), mark("a"));
    let (told, mut hears) = heard();
    let stop = async {
        let number = number(&mut hears).await;
        assert!(system.cut_short(&mark.action, "jo"));
        assert!(!system.cut_short(&mark.action, "jo"), "it is being stopped already");
        number
    };
    let ended = tokio::join!(system.act_aloud(&order, &mark, &told), stop);
    assert!(!system.cut_short(&mark.action, "jo"), "there is nothing left to stop");
    ended
}

#[tokio::test]
async fn one_that_is_stopped_is_ended_with_all_that_it_started_within_its_grace() {
    let refuses = "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done";
    for is_detached in [false, true] {
        let system = open(&Program { is_detached, ..program("sh") }, Duration::from_secs(1000));
        let (outcome, child) = stopped(&system, "sleep 1000 & echo $!; wait", Exits::default()).await;
        assert!(matches!(&outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert!(words(&outcome).starts_with("tool: sh was stopped by jo after "), "{outcome:?}");
        gone(&child).await;
        let (outcome, child) = stopped(&system, refuses, Exits::default()).await;
        assert!(matches!(&outcome, Outcome::Unknown(_)), "{outcome:?}");
        assert!(words(&outcome).contains("; it did not end when it was asked to, and was killed"), "{outcome:?}");
        gone(&child).await;
    }
}

#[tokio::test]
async fn after_a_stop_only_a_code_that_the_pack_names_says_that_nothing_was_done() {
    let system = open(&program("sh"), Duration::from_secs(1000));
    let line = |code: i32| format!("trap 'exit {code}' TERM; echo $$; while :; do sleep 0.05; done");
    let named = Exits { done: vec![0], refused: Some(vec![3]), unknown: Vec::new() };
    for (code, exits, is_refused) in [(3, &named, true), (4, &named, false), (0, &named, false), (3, &Exits::default(), false)] {
        let (outcome, _) = stopped(&system, &line(code), exits.clone()).await;
        assert_eq!(matches!(&outcome, Outcome::Rejected(_)), is_refused, "{outcome:?}");
        assert_eq!(matches!(&outcome, Outcome::Unknown(_)), !is_refused, "{outcome:?}");
        assert!(words(&outcome).contains(&format!(", and ended with {code}")), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_read_is_rows_and_a_failure_says_why() {
    let system = open(&program("sh"), PATIENCE);
    let rows = look(&system, read(CommandFormat::Lines, &["-c", "printf '%s\\n' \"$1\"", "sh", "{{ name }}"])).await.unwrap();
    let row = rows.first().unwrap();
    assert_eq!(row.find("line").unwrap().original(), "a b; $(id)");
    assert_eq!((row.find("ok"), row.find("exit")), (Some(&Value::Bool(true)), Some(&Value::Integer(0))));
    assert!(matches!(row.find("took_ms"), Some(Value::Integer(0..))));
    let failing = || read(CommandFormat::Text, &["-c", "echo 'no response' >&2; exit 2"]);
    let failed = look(&system, failing()).await.unwrap_err();
    assert!(matches!(&failed, SourceError::Refused(_)) && failed.to_string().ends_with(": no response"), "{failed:?}");
    let rows = look(&system, CommandRead { probe: true, ..failing() }).await.unwrap();
    let row = rows.first().unwrap();
    assert_eq!((row.find("ok"), row.find("exit")), (Some(&Value::Bool(false)), Some(&Value::Integer(2))));
    let rows = look(&system, CommandRead { done: vec![0, 2], ..failing() }).await.unwrap();
    assert_eq!(rows.first().unwrap().find("ok"), Some(&Value::Bool(true)), "an answer by any of its codes");
    let denied =
        look(&system, read(CommandFormat::Json, &["-c", "echo 'FATAL: password authentication failed' >&2; exit 2"])).await;
    let denied = denied.unwrap_err();
    assert!(matches!(&denied, SourceError::Refused(_)), "{denied:?}");
    assert!(
        denied.to_string().contains("sh ended with 2 after")
            && denied.to_string().ends_with(": FATAL: password authentication failed")
    );
    let short = Duration::from_secs(1);
    let drip = read(CommandFormat::Csv, &["-c", "echo id; while :; do echo 1; sleep 0.1; done"]);
    let late = look(&open(&program("sh"), short), drip).await.unwrap_err();
    assert_eq!(late, SourceError::TimedOut(short), "a part of a list is none");
    let wrong = look(&system, read(CommandFormat::Json, &["-c", "echo usage: x"])).await.unwrap_err();
    assert!(matches!(&wrong, SourceError::Malformed(_)) && wrong.to_string().contains("not JSON"), "{wrong:?}");
    let silent = look(&system, read(CommandFormat::Csv, &["-c", "true"])).await.unwrap_err();
    assert!(matches!(&silent, SourceError::Malformed(why) if why.shown().contains("it printed nothing")), "{silent:?}");
    let option = look(&open(&program("echo"), PATIENCE), read(CommandFormat::Text, &["{{ name }}"])).await;
    assert!(option.is_ok());
    let refused = system
        .read(&query(Read::Command(read(CommandFormat::Text, &["{{ name }}"]))), &params(&[("name", Value::text("-c"))]))
        .await;
    assert!(refused.unwrap_err().to_string().contains("would be taken for an option"));
}

#[tokio::test]
async fn connect_check_names_the_program_and_its_version() {
    let shell = Program { version: vec!["--version".into()], ..program("tar") };
    let identity = open(&shell, PATIENCE).identify().await.unwrap();
    let fact = |name: &str| identity.facts.iter().find(|(known, _)| *known == name).map(|(_, said)| said.shown().to_owned());
    assert!(fact("program").unwrap().ends_with("/tar"), "{identity:?}");
    assert!(fact("version").unwrap().contains("tar"), "{identity:?}");
    assert_eq!(fact("directory").as_deref(), Some("/"));
    let absent = open(&program("no-such-program"), PATIENCE).identify().await.unwrap_err();
    assert!(absent.to_string().contains("there is no program `no-such-program`"), "{absent:?}");
    let wrong = Program { version: vec!["-c".into(), "exit 9".into()], ..program("sh") };
    let failed = open(&wrong, PATIENCE).identify().await.unwrap_err();
    assert!(failed.to_string().contains("asked for its version, sh ended with 9"), "{failed:?}");
    let hanging = open(&program("sleep"), PATIENCE);
    let ended = hanging.run(&["60".to_owned()], Duration::from_secs(1), &|_: Printed| {}).await.unwrap();
    assert_eq!(hanging.how(&ended), "sleep did not end within 1s and was ended", "the limit that it had, not the connection's");
    assert!(
        open(&program("true"), PATIENCE).prepare(&query(Read::Command(read(CommandFormat::Lines, &[])))).await.unwrap().is_some()
    );
}
