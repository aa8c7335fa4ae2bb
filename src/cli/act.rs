//! `wheelhouse do` and `journal recover`: what would be done, and what became of it.

use std::io;

use crate::domain::zone::Zone;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::output;
use crate::{
    domain::{
        ends::Ends,
        pack::Confirm,
        plan::{Receipt, Standing, Target},
        recovery::Recovery,
        text::{self, Text},
    },
    engine::message::{Letter, Preview},
};

/// Nothing was sent: a guard, a cap, a changed row, a refusal of the outside.
pub const REFUSED: u8 = 1;
/// Sent, and nobody knows whether it happened, or nothing proves that it did.
pub const UNKNOWN: u8 = 2;

/// A preview, to be printed.
pub struct Said<'a> {
    pub preview: &'a Preview,
    pub json: bool,
}

impl Said<'_> {
    pub fn print(&self) -> io::Result<()> {
        if self.json { output::print_json(&self.as_json()) } else { output::print_words(&self.as_text()) }
    }

    fn as_json(&self) -> serde_json::Value {
        let preview = self.preview;
        json!({
            "action": preview.action,
            "title": preview.title,
            "plans": preview.plans.iter().map(|plan| json!({
                "id": plan.id, "key": plan.target.key, "label": plan.label, "amount": plan.amount,
                "guards": plan.guards.iter().map(|guard| json!({ "title": guard.title, "holds": guard.holds, "said": guard.said })).collect::<Vec<_>>(),
                "steps": plan.steps,
                "letters": plan.letters.iter().map(|letter| json!({
                    "step": letter.step + 1, "to": letter.to, "subject": letter.subject, "text": letter.text,
                })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "refused": refused_json(&preview.refused),
            "missing": preview.missing,
            "expected": preview.expected,
            "total": preview.total,
            "final": preview.is_final,
            "unclaimed": preview.unclaimed,
        })
    }

    fn as_text(&self) -> String {
        let preview = self.preview;
        let mut lines = Vec::new();
        for plan in &preview.plans {
            lines.push(format!("{}  {}  {}", preview.title, plan.target.key, plan.label.one_line()));
            for guard in &plan.guards {
                let mark = if guard.holds { "ok" } else { "NO" };
                lines.push(format!("  [{mark}] {}  {}", guard.title, guard.said.one_line()));
            }
            for (number, step) in plan.steps.iter().enumerate() {
                lines.push(format!("  {}. {}", number + 1, step.one_line()));
                let letters = plan.letters.iter().filter(|letter| letter.step == number);
                lines.extend(letters.flat_map(written).map(|line| format!("     {line}")));
            }
        }
        lines.extend(refused_lines(&preview.refused));
        lines.extend(preview.changed.iter().map(|change| format!("changed: {}", change.one_line())));
        if let Some(total) = preview.total {
            lines.push(format!("total {total}"));
        }
        lines.extend(preview.unclaimed.iter().map(Text::one_line).filter(|_| !preview.plans.is_empty()));
        if !preview.plans.is_empty() {
            lines.push(if preview.is_final {
                "cannot be taken back once sent".to_owned()
            } else {
                "can be taken back".to_owned()
            });
        }
        lines.push("nothing has been sent".to_owned());
        lines.join("\n") + "\n"
    }
}

/// A mail or a message, line by line.
fn written(letter: &Letter) -> Vec<String> {
    let head = match &letter.subject {
        Some(subject) => vec![format!("To: {}", letter.to.one_line()), format!("Subject: {}", subject.one_line())],
        None => Vec::new(),
    };
    head.into_iter().chain(letter.text.shown().lines().map(|line| format!("| {line}"))).collect()
}

/// What is still to be given.
pub fn how_to_confirm(preview: &Preview) -> String {
    let mut needs: Vec<String> = preview.missing.iter().map(|name| format!("--input {name}=...")).collect();
    if preview.confirm == Confirm::Typed && !preview.expected.is_empty() {
        needs.push(format!("--confirm '{}'", preview.expected));
    }
    format!("nothing was sent. To carry it out, add {}", needs.join(" "))
}

/// A line for each act.
pub fn line(receipt: &Receipt) -> String {
    let said = receipt.said.one_line();
    let line = format!(
        "{:<10} {}  {}  {}  {said}",
        receipt.standing.word(),
        receipt.title,
        receipt.target.key,
        receipt.label.one_line()
    );
    line.trim_end().to_owned()
}

pub fn print_receipts(receipts: &[Receipt], refused: &[(Target, Text)], as_json: bool) -> io::Result<()> {
    if as_json {
        return output::print_json(&json!({ "receipts": receipts, "refused": refused_json(refused) }));
    }
    let lines: Vec<String> = receipts.iter().map(line).chain(refused_lines(refused)).collect();
    output::print_words(&(lines.join("\n") + "\n"))?;
    let count = receipts.len() + refused.len();
    if count > 1 {
        output::complain(&closing(receipts, refused.len()));
    }
    for step in next_steps(receipts) {
        output::complain(&step);
    }
    Ok(())
}

/// How all of them ended, in the words of the journal's closing line.
fn closing(receipts: &[Receipt], refused: usize) -> String {
    let mut ends = Ends { skipped: refused, ..Ends::default() };
    ends.extend(receipts.iter().map(|receipt| receipt.standing));
    let count = receipts.len() + refused;
    let open = count - ends.through();
    let open = if open == 0 { String::new() } else { format!(", {open} unknown") };
    format!("{}{open}", ends.said(count))
}

/// What is to be done about acts that did not come to their end.
fn next_steps(receipts: &[Receipt]) -> Vec<String> {
    let is_unknown = |receipt: &&Receipt| !receipt.standing.is_over();
    let acts = |count: usize| text::counted(count, "act");
    let unknown = receipts.iter().filter(is_unknown).count();
    let unproven = receipts.iter().filter(|receipt| receipt.standing == Standing::Unproven).count();
    let half_way = receipts.iter().filter(|receipt| receipt.is_half_done() && receipt.is_resendable).count();
    let by_hand = receipts.iter().filter(|receipt| receipt.is_half_done() && !receipt.is_resendable).count();
    let mut steps = Vec::new();
    if unknown > 0 {
        steps.push(format!(
            "{} unknown: `wheelhouse journal recover` looks outside again and sends nothing twice; what no look can tell, look up \
             yourself and decide in the cockpit (D)",
            acts(unknown)
        ));
    }
    if unproven > 0 {
        steps.push(format!(
            "{} not proven: what was done stands; `wheelhouse journal recover` looks for the proof again and sends nothing; what it \
             does not find, look up yourself and decide in the cockpit (D)",
            acts(unproven)
        ));
    }
    if half_way > 0 {
        steps.push(format!(
            "{} half done: what came before stands; once the cause is gone, `wheelhouse journal recover` goes on with the rest",
            acts(half_way)
        ));
    }
    if by_hand > 0 {
        steps.push(format!(
            "{} half done at a step whose key is too old to be sent again: do that step by hand and say so in the cockpit (D), and \
             what comes after it goes on; or leave the rest undone",
            acts(by_hand)
        ));
    }
    steps
}

/// What an earlier run left: each act with what was certain, what was not and what was asked; then each batch.
pub fn print_recovered(recovery: Option<&Recovery>, zone: Zone) -> io::Result<()> {
    let Some(recovery) = recovery else { return output::print("nothing was left unfinished\n") };
    let when = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %-d %b %H:%M").to_string();
    let mut lines = Vec::new();
    for act in &recovery.acts {
        lines.push(format!("{:<10} {}", act.receipt.standing.word(), act.named(when)));
        lines.extend(act.facts(when).into_iter().map(|(word, said)| format!("  {word:<9} {said}")));
    }
    for batch in &recovery.batches {
        lines.push(format!("{:<10} {}   by {}, {}", "batch", batch.said(), batch.operator, when(batch.planned_at)));
        let unsent: Vec<&str> = batch.unsent.iter().map(|target| target.key.as_str()).collect();
        if !unsent.is_empty() {
            lines.push(format!("  {:<9} {}", "not sent", unsent.join(" ")));
        }
    }
    output::print(&(lines.join("\n") + "\n"))?;
    if recovery.left_alone.is_some() {
        output::complain("nothing of it was settled: with the right key, `wheelhouse journal recover` settles it");
        return Ok(());
    }
    let receipts: Vec<Receipt> = recovery.acts.iter().map(|act| act.receipt.clone()).collect();
    for step in next_steps(&receipts) {
        output::complain(&step);
    }
    Ok(())
}

/// 0 where all is done; the worst of the rest.
pub fn exit_status(receipts: &[Receipt], refused: &[(Target, Text)]) -> u8 {
    let worst = receipts.iter().map(|receipt| match receipt.standing {
        Standing::Done | Standing::TakenBack => 0,
        Standing::Refused | Standing::Rejected | Standing::Changed | Standing::NotSent => REFUSED,
        Standing::Held | Standing::Waiting | Standing::UnderWay | Standing::Unknown | Standing::Unproven => UNKNOWN,
    });
    worst.max().unwrap_or(0).max(if refused.is_empty() { 0 } else { REFUSED })
}

fn refused_lines(refused: &[(Target, Text)]) -> Vec<String> {
    refused.iter().map(|(target, why)| format!("refused    {}  {}", target.key, why.one_line())).collect()
}

fn refused_json(refused: &[(Target, Text)]) -> serde_json::Value {
    refused.iter().map(|(target, why)| json!({ "key": target.key, "why": why })).collect()
}
