//! What the pages of an item, of its queue, of a figure and of a line of the journal say.

use crate::{
    domain::{
        id::Id,
        pack::{self, Metric, Queue},
        plan::Target,
        value::Value,
    },
    ui::{
        keymap::Intent,
        period,
        theme::Role,
        view::{
            ink::Ink,
            metrics,
            page::{Extent, Paper},
            queues,
        },
    },
};

pub fn item(paper: &mut Paper<'_>, queue: &Id<Queue>, key: &str) {
    let ink = paper.ink;
    let Some(spec) = ink.model.queue_spec(queue) else { return };
    let Some(item) = ink.model.item(queue, key) else { return };
    if let Some(since) = item.since {
        paper.labelled("Waits", &format!("{} since {}", ink.age(since), ink.date(since)), Role::Text);
    }
    if let Some(deadline) = item.deadline {
        let (left, role) = ink.left(deadline);
        paper.labelled("Deadline", &format!("{} {left}", ink.date(deadline)), role);
    }
    let target = ink.model.pack.known_as(Target { queue: Some(queue.clone()), key: key.to_owned() });
    if let Some(receipt) = ink.model.receipts.of(&target) {
        let text = format!(
            "{} {}, {} of {} steps. {}",
            receipt.title,
            receipt.standing.word(),
            receipt.steps_done,
            receipt.steps,
            receipt.said
        );
        paper.labelled("Act", &text, Role::Warning);
    }
    if !item.presets.is_empty() {
        paper.labelled("Presets", &item.presets.join(", "), Role::Text);
    }
    if let Some(body) = spec.body.as_ref().and_then(|column| item.row.find(column)) {
        paper.blank();
        let text = match body {
            Value::Text(text) => text.shown().to_owned(),
            other => other.to_string(),
        };
        paper.text(&text, Role::Text);
    }
    paper.blank();
    let actions = spec.actions.iter().filter_map(|id| pack::find(&ink.model.pack.actions, id));
    for action in actions {
        let key = action.key.map_or_else(String::new, |key| format!("{key} "));
        match item.barred_from(&action.id) {
            // Below its list the frame has the keys, and the foot says why a row cannot be marked.
            Some(_) if paper.extent == Extent::Aside && Some(&action.id) == spec.actions.first() => {}
            None if paper.extent == Extent::Aside => {}
            Some(why) => paper.labelled(&format!("  {key}"), &format!("{}: NO, {}", action.title, why.one_line()), Role::Warning),
            None => paper.labelled(&format!("  {key}"), &action.title, Role::Key),
        }
    }
    paper.head("Columns");
    for (name, value) in item.row.cells().filter(|(name, _)| spec.body.as_deref() != Some(*name)) {
        let (text, _, role) = ink.cell(value, pack::ColumnFormat::Plain);
        paper.labelled(name, &text, role);
    }
}

pub fn metric(paper: &mut Paper<'_>, id: &Id<Metric>) {
    let ink = paper.ink;
    let reports = ink.model.snapshot.as_ref().map(|snapshot| snapshot.metrics.as_slice()).unwrap_or_default();
    let Some(report) = reports.iter().find(|report| report.id == *id) else { return };
    if let Some(trouble) = ink.trouble(&report.look) {
        paper.labelled("No data", &trouble, Role::Unknown);
    }
    if let Some(reading) = &report.look.value {
        let value = reading.value.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        // In a row beside it a figure stands whole, a sentence may be cut.
        if paper.extent == Extent::Whole || !reading.said.is_empty() {
            paper.labelled("Now", if reading.said.is_empty() { &value } else { &reading.said }, Role::Money);
        }
        if let Some((target, is_met)) = &reading.target {
            paper.labelled("Target", target.trim_start_matches("target "), if *is_met { Role::Good } else { Role::Warning });
        }
        let room = paper.width.saturating_sub(14);
        let points = ink.model.period.of(reading, ink.calm);
        paper.labelled("Course", &metrics::spark(&ink, points, room), Role::Chart);
        if paper.extent == Extent::Whole && !reading.times.is_empty() {
            let trend = period::trend(points)
                .map_or_else(String::new, |trend| format!(", its second half {:+.0}% against its first", trend * 100.0));
            paper.labelled(
                "",
                &format!("{} ({} shows another period){trend}", ink.model.period.word(), ink.model.keymap.key_of(Intent::Period)),
                Role::Muted,
            );
        }
    }
    if let Some(spec) = pack::find(&ink.model.pack.metrics, id) {
        paper.labelled("Means", &spec.definition, Role::Text);
    }
}

pub fn line(paper: &mut Paper<'_>, sequence: u64) {
    let ink = paper.ink;
    let Some(line) = ink.model.line(sequence) else { return };
    paper.labelled("When", &ink.date(line.at), Role::Text);
    paper.labelled("Who", &line.who, Role::Text);
    paper.labelled("What", &line.word, Ink::severity(line.severity));
    paper.blank();
    paper.text(line.said.shown(), Role::Text);
    if let Some(printed) = line.printed.as_ref().filter(|_| paper.extent == Extent::Whole) {
        paper.head("Printed, the last lines");
        for line in printed.shown().lines() {
            paper.text(if line.is_empty() { " " } else { line }, Role::Text);
        }
    }
}

pub fn queue(paper: &mut Paper<'_>, id: &Id<Queue>) {
    let ink = paper.ink;
    let Some(spec) = ink.model.queue_spec(id) else { return };
    let Some(figures) = ink.model.figures.get(id) else { return };
    paper.labelled("Waiting", &format!("{} items", figures.count), Role::Text);
    paper.labelled("Estimate", &queues::estimate(spec.minutes_each * figures.count as f64), Role::Text);
    if let Some(oldest) = figures.oldest {
        paper.labelled("Oldest", &format!("{} since {}", ink.age(oldest), ink.date(oldest)), Role::Text);
    }
    if figures.barred > 0 {
        paper.labelled("Barred", &format!("{} items are barred from an action", figures.barred), Role::Warning);
    }
    for preset in &spec.presets {
        let count = figures.presets.get(&preset.name).copied().unwrap_or(0);
        paper.labelled(&format!(".{}", preset.name), &format!("{count:>4}   {}", preset.filter.source()), Role::Text);
    }
    for action in spec.actions.iter().filter_map(|id| pack::find(&ink.model.pack.actions, id)) {
        let key = action.key.map_or_else(String::new, String::from);
        paper.labelled(&format!("  {key}"), &action.title, Role::Key);
    }
}
