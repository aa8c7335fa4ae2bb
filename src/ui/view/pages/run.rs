//! What the page of a run says: how it stands, and the last lines that it printed.

use crate::{
    domain::{
        age,
        plan::{ActionId, Standing},
        text::counted,
    },
    ui::{
        model::Model,
        theme::Role,
        view::{ink::Ink, page::Paper},
    },
};

pub fn run(paper: &mut Paper<'_>, plan: &ActionId) {
    let ink = paper.ink;
    let Some(output) = ink.model.outputs.find(plan) else { return };
    paper.labelled("Began", &ink.date(output.began), Role::Text);
    if let Some(receipt) = ink.model.receipts.find(plan) {
        let role = match receipt.standing {
            Standing::Done => Role::Good,
            Standing::Rejected | Standing::Unknown => Role::Bad,
            Standing::Unproven => Role::Warning,
            Standing::Held
            | Standing::Waiting
            | Standing::UnderWay
            | Standing::TakenBack
            | Standing::Refused
            | Standing::Changed
            | Standing::NotSent => Role::Text,
        };
        paper.labelled("Stands", &standing(&ink, plan), role);
        if receipt.standing != Standing::UnderWay {
            paper.labelled("Said", receipt.said.shown(), Role::Text);
        }
    }
    let printed = &output.printed;
    paper.labelled("Printed", &format!("{}, {}", counted(printed.lines, "line"), bytes(printed.bytes)), Role::Text);
    let shown: Vec<&str> = printed.tail.shown().lines().collect();
    if (shown.len() as u64) < printed.lines {
        paper.labelled("", &format!("the last {} of them", shown.len()), Role::Muted);
    }
    paper.blank();
    for line in shown {
        // An empty line is one as well.
        paper.text(if line.is_empty() { " " } else { line }, Role::Text);
    }
}

/// `under way for 12s`, `done`.
fn standing(ink: &Ink<'_>, plan: &ActionId) -> String {
    let Some(receipt) = ink.model.receipts.find(plan) else { return String::new() };
    match ink.model.outputs.find(plan).filter(|_| receipt.standing == Standing::UnderWay) {
        Some(output) => format!("under way for {}", age::span(ink.now - output.began)),
        None => receipt.standing.word().to_owned(),
    }
}

/// What was run, for the page's frame.
pub fn title(model: &Model, plan: &ActionId) -> String {
    let receipt = model.receipts.find(plan);
    receipt.map_or_else(|| plan.short().to_owned(), |receipt| format!("{} {}", receipt.title, receipt.label.one_line()))
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_000 => counted(bytes, "byte"),
        10_000..10_000_000 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / (1024 * 1024)),
    }
}
