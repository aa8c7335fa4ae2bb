//! `wheelhouse connect check`: a line for each connection, and what is to be done about it.

use std::{io, time::Duration};

use chrono::TimeDelta;
use serde_json::json;

use super::output;
use crate::domain::{
    age,
    identity::{Identity, is_off},
    text::{self, Text},
};

/// A connection that was reached once, or was not.
#[derive(Debug)]
pub struct Reached {
    pub name: String,
    /// The word for its kind in a pack (`sql`, `stripe`).
    pub kind: &'static str,
    pub answer: Result<Answered, Text>,
    /// What is to be looked at, each with its next step.
    pub warnings: Vec<Text>,
    /// It certainly is not the one that the pack means.
    pub is_another: bool,
}

#[derive(Debug)]
pub struct Answered {
    pub identity: Identity,
    /// From the first word to the answer, connecting included.
    pub took: Duration,
    /// How far its clock is ahead of this machine's; none where it tells none.
    pub ahead: Option<TimeDelta>,
}

impl Reached {
    fn is_lost(&self) -> bool {
        self.answer.is_err() || self.is_another
    }

    fn word(&self) -> &'static str {
        match self.answer {
            Err(_) => "FAILED",
            Ok(_) if self.is_another => "WRONG",
            Ok(_) if self.warnings.is_empty() => "ok",
            Ok(_) => "warning",
        }
    }
}

/// 0 all well, 1 something to look at, 2 something not reached or not the pack's own.
pub fn exit_status(all: &[Reached]) -> u8 {
    if all.iter().any(Reached::is_lost) { 2 } else { u8::from(all.iter().any(|reached| !reached.warnings.is_empty())) }
}

pub fn print_lines(all: &[Reached]) -> io::Result<()> {
    let width = |word: fn(&Reached) -> &str| all.iter().map(|reached| word(reached).chars().count()).max().unwrap_or(0);
    let (names, kinds) = (width(|reached| &reached.name), width(|reached| reached.kind));
    let mut lines = Vec::new();
    for reached in all {
        let head = format!("{:<names$}  {:<kinds$}  {:<7}", reached.name, reached.kind, reached.word());
        let rest = match &reached.answer {
            Ok(answered) => format!("{:>7}  {}", milliseconds(answered.took), facts(answered)),
            Err(why) => {
                let why = why.one_line();
                let why = why.strip_prefix(&format!("{}: ", reached.name)).unwrap_or(&why);
                format!("{:>7}  {why}", "")
            }
        };
        lines.push(format!("{head}  {rest}"));
        lines.extend(reached.warnings.iter().map(|warning| format!("{:names$}  - {}", "", warning.one_line())));
    }
    let lost = all.iter().filter(|reached| reached.is_lost()).count();
    let warnings: usize = all.iter().map(|reached| reached.warnings.len()).sum();
    let well = text::counted(all.len() as u64, "connection");
    lines.push(match (lost, warnings) {
        (0, 0) => format!("{well}: all is well\n"),
        (0, _) => format!("{well}: all reached, {} to look at\n", text::counted(warnings as u64, "thing")),
        (_, _) => format!("{well}: {lost} not usable\n"),
    });
    output::print_words(&lines.join("\n"))
}

fn milliseconds(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}

/// `PostgreSQL 15.6, role app, database shop, clock 4m behind`.
fn facts(answered: &Answered) -> String {
    let system = answered.identity.system.one_line();
    let facts = answered.identity.facts.iter().map(|(label, said)| format!("{label} {}", said.one_line()));
    let clock = answered.ahead.filter(|ahead| is_off(*ahead)).map(|ahead| format!("clock {}", off(ahead)));
    std::iter::once(system).chain(facts).chain(clock).collect::<Vec<_>>().join(", ")
}

/// `4m behind`, `3s ahead`.
pub fn off(ahead: TimeDelta) -> String {
    format!("{} {}", age::span(ahead.abs()), if ahead < TimeDelta::zero() { "behind" } else { "ahead" })
}

pub fn print_json(all: &[Reached]) -> io::Result<()> {
    let connections: Vec<_> = all
        .iter()
        .map(|reached| {
            let answered = reached.answer.as_ref().ok();
            let facts = answered.map(|answered| {
                let facts = answered.identity.facts.iter();
                facts.map(|(label, said)| ((*label).to_owned(), json!(said.shown()))).collect::<serde_json::Map<_, _>>()
            });
            json!({
                "name": reached.name,
                "kind": reached.kind,
                "reached": reached.answer.is_ok(),
                "own": !reached.is_another,
                "system": answered.map(|answered| answered.identity.system.shown()),
                "identity": facts,
                "latency_ms": answered.map(|answered| u64::try_from(answered.took.as_millis()).unwrap_or(u64::MAX)),
                "clock_ahead_ms": answered.and_then(|answered| answered.ahead).map(|ahead| ahead.num_milliseconds()),
                "failure": reached.answer.as_ref().err().map(Text::shown),
                "warnings": reached.warnings.iter().map(Text::shown).collect::<Vec<_>>(),
            })
        })
        .collect();
    output::print_json(&json!({ "status": exit_status(all), "connections": connections }))
}
