//! Services that a pack knows by name, and mail: what they are asked, tried on servers that others wrote.

mod described;
mod faults;
mod mail;
mod named;
mod named_faults;
mod stripe_faults;

use std::path::Path;

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::{
    cli::{Ran, wheelhouse},
    probe,
};

const HEAD: &str = "[pack]\ntitle = \"House\"\ntimezone = \"UTC\"\ncurrency = \"EUR\"\n\n";

/// A pack, the variables that it names, one thing in a database (`things.db`), and a state of its own.
struct House {
    home: TempDir,
    variables: Vec<(String, String)>,
}

impl House {
    fn of(pack: &str, variables: &[(&str, &str)]) -> Self {
        Self::in_home(tempfile::tempdir().expect("a home"), pack, variables)
    }

    fn in_home(home: TempDir, pack: &str, variables: &[(&str, &str)]) -> Self {
        let things = [
            "create table things (id text, name text)",
            "insert into things values ('t1', 'Ann' || char(10) || 'Bcc: all@dogs.example')",
        ];
        probe::create(&home.path().join("things.db"), &things);
        std::fs::write(home.path().join("pack.toml"), format!("{HEAD}{pack}")).expect("a pack");
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { home, variables }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn run(&self, words: &[&str]) -> Ran {
        let mut command = wheelhouse(self.path());
        command.args(["--pack", "pack.toml", "--state-dir", "state"]).args(words);
        Ran::of(command.envs(self.variables.iter().map(|(name, value)| (name, value))).output())
    }
}

fn of<'a>(told: &'a Json, list: &str, name: &str) -> &'a Json {
    let all = told[list].as_array().unwrap_or_else(|| panic!("no {list}: {told}"));
    let is_it = |one: &&Json| one["name"] == name || one["id"] == name || one["subject"] == name;
    all.iter().find(is_it).unwrap_or_else(|| panic!("no {name}: {told}"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
