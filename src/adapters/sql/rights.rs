//! Whether the roles may run what the pack would have them run: each statement is explained, which asks the server for its
//! plan and for every right that it takes, and runs nothing. To prepare one asks for no right at all.

use std::collections::BTreeMap;

use super::{Engine, SqlSystem, fault::FaultKind};
use crate::domain::{
    rights::{Needs, Runner, Wanted},
    rows::Rows,
    text::{self, Text},
    value::Value,
};

/// So many of the pack's parts are named; the others are counted.
const NAMED: usize = 4;

/// What a role lacks: its name, the server's words, and who needs it.
type Lacks<'a> = BTreeMap<(String, String), Vec<&'a str>>;

impl SqlSystem {
    /// A sentence for each right that a role lacks. A file knows none.
    pub(super) async fn lacking(&self, needs: &Needs) -> Vec<Text> {
        let mut lacks = Lacks::new();
        let mut unasked = None;
        for (engine, runs) in [(&self.engine, Runner::looks as fn(Runner) -> bool), (self.acting(), Runner::acts)] {
            let Engine::Postgres(_) = engine else { continue };
            let wanted = needs.statements.iter().filter(|wanted| runs(wanted.by));
            let wanted =
                wanted.filter(|wanted| wanted.by != Runner::LooksAndClaims || runs(Runner::Looks) || self.marks.is_some());
            for wanted in wanted {
                match self.explained(engine, wanted).await {
                    Ok(None) => {}
                    Ok(Some(lack)) => {
                        let of = lacks.entry(lack).or_default();
                        if !of.contains(&wanted.of.as_str()) {
                            of.push(&wanted.of);
                        }
                    }
                    Err(why) => {
                        unasked = Some(why);
                        break;
                    }
                }
            }
        }
        let said = lacks.into_iter().map(|((role, why), of)| {
            let needs = if of.len() == 1 { "needs" } else { "need" };
            format!("{}: {} {needs} what the role `{role}` may not: {why}", self.name, few(&of))
        });
        let unasked =
            unasked.map(|why| format!("{}: whether the roles may do what the pack needs could not be asked: {why}", self.name));
        said.chain(unasked).map(|said| self.scrub.text(&said)).collect()
    }

    /// The role and what it lacks, if it lacks anything. What else is wrong with a statement is told where it is prepared.
    async fn explained(&self, engine: &Engine, wanted: &Wanted) -> Result<Option<(String, String)>, String> {
        let blank = vec![Value::Null; wanted.parameters];
        let Err(fault) = self.look_at(engine, &format!("explain {}", wanted.text), &blank).await else { return Ok(None) };
        match fault.kind {
            FaultKind::Denied if fault.is_verdict => {
                let role = self.look_at(engine, "select current_user::text as role", &[]).await;
                let role = role.as_ref().ok().and_then(Rows::first).and_then(|row| row.find("role")).map(Value::original);
                Ok(Some((role.unwrap_or_default(), fault.said)))
            }
            FaultKind::Denied | FaultKind::Refused | FaultKind::Malformed => Ok(None),
            FaultKind::Unreachable | FaultKind::Lost | FaultKind::TimedOut | FaultKind::Busy => Err(fault.said),
        }
    }
}

fn few(of: &[&str]) -> String {
    let named = of.iter().take(NAMED).map(|of| format!("`{of}`")).collect::<Vec<_>>().join(", ");
    match of.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {}", text::counted(more as u64, "other")),
    }
}
