//! What a pane shows, as rows for a file or the clipboard.

use super::{model::Model, place::Thing};
use crate::domain::{
    severity::Severity,
    snapshot::{Item, Look},
    text,
    value::Value,
};

/// A cell for a spreadsheet: figures as it reads them.
fn cell(value: &Value) -> String {
    match value {
        Value::Money(money) => format!("{}{}", if money.minor < 0 { "-" } else { "" }, money.figures()),
        other => other.original(),
    }
}

/// A file's name and its rows as CSV; `None` where the pane has none.
pub fn export(model: &Model) -> Option<(String, String)> {
    let pane = model.place.pane;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let subject = if let Some(work) = model.work() {
        rows.push(work.columns());
        let items = (0..work.len()).filter_map(|at| work.item(at));
        rows.extend(items.map(|item| item.row.cells().map(|(_, value)| cell(value)).collect()));
        work.queue.to_string()
    } else {
        rows.extend(model.things(pane).iter().map(|thing| told(model, thing)));
        pane.title().to_lowercase()
    };
    if rows.is_empty() {
        return None;
    }
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        // Whatever came from outside is made safe, and no formula.
        writer.write_record(row.iter().map(|cell| text::csv_cell(cell).into_owned())).ok()?;
    }
    let content = String::from_utf8(writer.into_inner().ok()?).ok()?;
    Some((format!("{}-{subject}-{}.csv", model.pack.name, model.now.format("%Y%m%dT%H%M%SZ")), content))
}

/// A row's cells as plain text.
pub fn told(model: &Model, thing: &Thing) -> Vec<String> {
    let snapshot = model.snapshot.as_ref();
    let name = thing.name();
    let mut cells = vec![name.clone()];
    match thing {
        Thing::Alert(subject) => {
            if let Some(alert) = model.alert(subject) {
                cells.push(model.severity(alert).word().to_owned());
                cells.push(alert.title.clone());
                cells.push(alert.reading.clone());
                cells.push(alert.since.to_rfc3339());
                cells.push(alert.detail.one_line());
            }
        }
        Thing::Item(queue, key) => {
            cells = model.item(queue, key).map(|item| item_cells(item)).unwrap_or_default();
        }
        Thing::Job(id) => {
            let job = snapshot.and_then(|snapshot| snapshot.jobs.iter().find(|job| job.id == *id));
            if let Some((look, health)) = job.and_then(|job| Some((&job.look, job.look.value.as_ref()?))) {
                // What was read before a look failed, or too long ago, is told as that.
                let severity = look.fresh(model.now).map_or(Severity::Unknown, |health| health.severity);
                cells.extend([severity.word().to_owned(), health.state.clone(), health.why.clone()]);
                cells.extend(doubt(model, look));
            }
        }
        Thing::Discrepancy(id, key) => {
            if let Some(discrepancy) = model.discrepancy(id, key) {
                let difference: Vec<String> = discrepancy.difference.iter().map(ToString::to_string).collect();
                cells.extend([discrepancy.class.said().to_owned(), difference.join(" "), discrepancy.said.one_line()]);
            }
        }
        Thing::Flag(id) => {
            let flag = snapshot.and_then(|snapshot| snapshot.flags.iter().find(|flag| flag.id == *id));
            if let Some((look, value)) = flag.and_then(|flag| Some((&flag.look, flag.look.value.as_ref()?))) {
                cells.push(value.to_string());
                cells.extend(doubt(model, look));
            }
        }
        Thing::Metric(id) => {
            let metric = snapshot.and_then(|snapshot| snapshot.metrics.iter().find(|metric| metric.id == *id));
            if let Some((look, reading)) = metric.and_then(|metric| Some((&metric.look, metric.look.value.as_ref()?))) {
                cells.push(reading.said.clone());
                cells.extend(doubt(model, look));
            }
        }
        Thing::Line(sequence) => {
            if let Some(line) = model.line(*sequence) {
                cells.extend([line.at.to_rfc3339(), line.who.clone(), line.word.clone(), line.said.one_line()]);
            }
        }
        Thing::Queue(id) => {
            let queue = snapshot.and_then(|snapshot| snapshot.queues.iter().find(|queue| queue.id == *id));
            if let Some((look, items)) = queue.and_then(|queue| Some((&queue.look, queue.look.value.as_ref()?))) {
                cells.push(items.items.len().to_string());
                cells.extend(doubt(model, look));
            }
        }
        Thing::Run(plan) => {
            cells.extend(model.outputs.find(plan).map(|output| output.printed.tail.one_line()));
        }
        Thing::Healthy | Thing::Statement(_) | Thing::Playbook(_) => {}
    }
    cells
}

/// Why the value before it is none of now.
fn doubt<T>(model: &Model, look: &Look<T>) -> Option<String> {
    let read_at = look.looked_at.map_or_else(|| "an earlier visit".to_owned(), |at| at.to_rfc3339());
    match &look.failure {
        Some(failure) => Some(format!("unknown now, as of {read_at}: {}", failure.said.one_line())),
        None if look.fresh(model.now).is_none() => Some(format!("unknown now, as of {read_at}")),
        None => None,
    }
}

fn item_cells(item: &Item) -> Vec<String> {
    item.row.cells().map(|(_, value)| value.to_string()).collect()
}

/// The row of a thing for the clipboard.
pub fn row(model: &Model, thing: &Thing) -> String {
    told(model, thing).join("\t")
}
