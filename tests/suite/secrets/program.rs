//! The program itself over the failing business: everything that it prints, draws, logs, records and lets others see.

use std::{fs, path::Path, thread, time::Instant};

use assert_cmd::Command;
use tempfile::TempDir;

use super::{canaries::sung, paths::is_told_to_no_program, shop::Shop};
use crate::{probe, pty::Terminal};

struct Home {
    folder: TempDir,
    shop: Shop,
}

impl Home {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let shop = Shop::open(folder.path());
        fs::write(folder.path().join("canaries.toml"), &shop.pack).unwrap();
        let marks = wheelhouse::adapters::marks_table(wheelhouse::adapters::Database::Sqlite, "operator_actions");
        let things = "create table things (id text primary key, charge text, amount integer); insert into things values ('t1', 'ch_1', 2200), ('401-text', 'ch_2', 2200), ('204-named', 'ch_3', 2200)";
        probe::create(&folder.path().join("shop.db"), &[things, &marks]);
        Self { folder, shop }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What a call prints; its log and its record stay in a directory of that name.
    fn call(&self, state: &str, words: &[&str]) -> Vec<u8> {
        let directory = self.path().join(state);
        fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("wheelhouse"));
        command.env_clear().env("HOME", self.path()).env("PATH", "/usr/bin:/bin").env("USER", "op");
        command.env("WHEELHOUSE_LOG", "trace").env("RUST_BACKTRACE", "full");
        command.envs(self.shop.variables.iter().cloned()).current_dir(self.path());
        command.args(["--pack", "canaries.toml", "--state-dir", state]).args(words);
        let output = command.output().unwrap();
        assert!(output.status.code().is_some(), "{words:?} ended by itself");
        let mut said = output.stdout;
        said.extend(output.stderr);
        assert!(!said.is_empty(), "{words:?} says something");
        said
    }
}

/// Every byte of every file below a directory.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

fn assert_none(leaks: Vec<(String, Vec<u8>)>) -> usize {
    let count = leaks.len();
    for (name, bytes) in leaks {
        let heard = sung(&bytes);
        assert!(heard.is_empty(), "{name} tells {heard:?}:\n{}", String::from_utf8_lossy(&bytes));
    }
    count
}

#[test]
fn nothing_that_is_printed_logged_or_recorded_tells_a_secret() {
    every_output();
}

pub fn every_output() {
    {
        let began = Instant::now();
        let home = Home::new();
        let calls: [&[&[&str]]; 4] = [
            &[&["check", "--all"], &["snapshot", "--screen", "errors", "--size", "200x200"]],
            &[&["check", "--all", "--json"], &["snapshot", "--screen", "alerts", "--size", "200x200", "--format", "svg"]],
            &[
                &["snapshot", "--screen", "why:site_probe_0", "--size", "200x100", "--format", "ansi"],
                &["snapshot", "--screen", "home"],
                &["pack", "check", "canaries.toml"],
            ],
            &[
                &["connect", "check", "tool", "docs_0", "vercel_0", "page_0"],
                &["do", "tool_both", "t1"],
                &["do", "tool_hangs", "t1"],
                &["do", "act_vercel_0", "t1"],
                &["do", "act_netlify_8", "t1"],
                &["do", "write_0", "t1"],
                &["do", "tell_site", "401-text", "--dry-run"],
                &["do", "tell_site", "401-text", "--json"],
                &["do", "tell_vault", "204-named"],
                &["do", "message_0", "t1"],
                &["do", "mail_0", "t1"],
                &["do", "change_0", "t1"],
                &["do", "refund_0", "t1", "--confirm", "22.00"],
                &["journal", "export"],
                &["journal", "export", "--format", "csv"],
                &["journal", "recover"],
                &["journal", "verify"],
            ],
        ];
        let said = thread::scope(|scope| {
            let workers: Vec<_> = calls
                .iter()
                .enumerate()
                .map(|(at, calls)| {
                    let home = &home;
                    scope.spawn(move || {
                        calls.iter().map(|words| (words.join(" "), home.call(&format!("state{at}"), words))).collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
        });
        let mut outputs = assert_none(said);
        let kept: Vec<_> = (0..calls.len()).flat_map(|at| files(&home.path().join(format!("state{at}")))).collect();
        assert!(
            kept.iter().any(|(name, bytes)| Path::new(name).extension() == Some("log".as_ref()) && bytes.len() > 10_000),
            "a talkative log is kept"
        );
        assert!(kept.iter().any(|(name, _)| Path::new(name).extension() == Some("db".as_ref())), "a record is kept");
        outputs += assert_none(kept);
        // The command that prints a secret was told none of the others.
        let seen = ["environ.seen", "cmdline.seen"].map(|name| (name.to_owned(), fs::read(home.path().join(name)).unwrap()));
        outputs += assert_none(seen.into());
        is_told_to_no_program(home.path());
        println!("{} failing checks in each of {outputs} outputs, no canary, {:.0?}", home.shop.checks, began.elapsed());
    }
}

#[test]
fn nothing_on_the_screen_or_in_the_process_list_tells_a_secret() {
    let home = Home::new();
    // The terminal's program has a bare environment: here every secret comes from a file.
    let mut pack = home.shop.pack.clone();
    for (name, value) in &home.shop.variables {
        let file = home.path().join(format!("{name}.secret"));
        fs::write(&file, value).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        for key in ["url", "key", "authorization", "token", "password", "credentials", "stdin", "TOOL_SECRET"] {
            pack = pack.replace(&format!("{key}_env = \"{name}\""), &format!("{key}_file = \"{}\"", file.display()));
        }
    }
    // A base address of Stripe's is no secret, and has no file.
    let plain = home.shop.variables.iter().filter(|(name, _)| name.starts_with("SHOP_STRIPE_"));
    for (name, value) in plain {
        let file = home.path().join(format!("{name}.secret"));
        pack = pack.replace(&format!("url_file = \"{}\"", file.display()), &format!("url = \"{value}\""));
    }
    // A service's address comes from the environment or is no secret.
    for (name, value) in home.shop.variables.iter().filter(|(name, _)| name.starts_with("SHOP_STATUS_")) {
        let file = home.path().join(format!("{name}.secret"));
        let (scheme, rest) = value.split_once("://").unwrap();
        let place = rest.rsplit('@').next().unwrap();
        pack = pack.replace(&format!("url_file = \"{}\"", file.display()), &format!("url = \"{scheme}://{place}\""));
    }
    fs::write(home.path().join("canaries.toml"), pack).unwrap();
    fs::create_dir(home.path().join("state")).unwrap();
    let arguments = ["--pack", "canaries.toml", "--state-dir", "state"];
    let mut terminal = Terminal::start(&arguments, home.path(), 200, 60);
    let mut seen = Vec::new();
    terminal.until_now("the failed looks are there", |screen| {
        screen.contains("unknown") || screen.contains("UNKNOWN") || screen.contains("? ")
    });
    for keys in ["!", "Esc", "1,w", "Esc", "G", "w", "Esc", "2,Enter", "d", "Esc"] {
        seen.extend(terminal.bytes());
        terminal.keys(keys);
    }
    terminal.until_now("the queue is there", |screen| screen.contains("t1"));
    seen.extend(terminal.bytes());
    for process in fs::read_dir("/proc").unwrap().flatten() {
        // Of this program and whatever it started: they work in this directory.
        let directory = fs::read_link(process.path().join("cwd")).ok().filter(|directory| directory.starts_with(home.path()));
        if let Some(directory) = directory {
            seen.extend(fs::read(process.path().join("cmdline")).unwrap_or_default());
            // The program of a connection has its own secret in its environment, which only its owner can read.
            if directory == home.path() {
                seen.extend(fs::read(process.path().join("environ")).unwrap_or_default());
            }
        }
    }
    terminal.kill();
    let heard = sung(&seen);
    assert!(heard.is_empty(), "{heard:?}");
    assert_none(files(&home.path().join("state")));
}
