//! What an action is aimed at: a target, and its row as the operator sees it.

use crate::domain::{
    plan::Target,
    planning::CURRENT,
    reconcile,
    rows::Params,
    snapshot::{Discrepancy, Snapshot},
    text::Text,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Aim {
    pub target: Target,
    pub row: Params,
    /// False where the row is not what the operator looked at: it is then not compared with the fresh one.
    pub is_drawn: bool,
}

impl Aim {
    /// The row as the operator saw it; one that is gone is read afresh, and refused there. `pictures` are those that the
    /// screen may show, the newest first: until a list has been read anew, it is the one of the run before.
    pub fn drawn<'a>(target: &Target, pictures: impl IntoIterator<Item = &'a Snapshot>) -> Self {
        let gone = Self { target: target.clone(), row: Params::new(), is_drawn: false };
        let shown = pictures.into_iter().find(|picture| is_read(picture, target));
        shown.and_then(|shown| Self::at(target.clone(), shown).ok()).unwrap_or(gone)
    }

    /// The row that stands on the screen for a target: a queue's item, or a reconciliation's discrepancy. Flags and jobs
    /// have only their name; a flag also its value, as `current`.
    pub fn at(target: Target, snapshot: &Snapshot) -> Result<Self, Text> {
        let row = match &target.queue {
            Some(queue) => {
                let report = snapshot.queues.iter().find(|report| report.id == *queue);
                let items = report.and_then(|report| report.look.value.as_ref());
                let item = items.and_then(|items| items.items.iter().find(|item| item.key == target.key));
                item.map(|item| item.row.params()).ok_or_else(|| Text::new(format!("{} is no longer in {queue}", target.key)))?
            }
            None => match discrepancy(snapshot, &target.key) {
                Some(discrepancy) => reconcile::proposal_row(discrepancy),
                None => flag_value(snapshot, &target.key),
            },
        };
        Ok(Self { target, row, is_drawn: true })
    }
}

/// Whether the list that the target stands in has been read; what stands in no list has.
fn is_read(picture: &Snapshot, target: &Target) -> bool {
    let Some(queue) = &target.queue else { return true };
    picture.queues.iter().any(|report| report.id == *queue && report.look.value.is_some())
}

fn discrepancy<'a>(snapshot: &'a Snapshot, key: &str) -> Option<&'a Discrepancy> {
    let statements = snapshot.reconciliations.iter().filter_map(|report| report.look.value.as_ref());
    statements.flat_map(|statement| &statement.discrepancies).find(|discrepancy| discrepancy.key == key)
}

fn flag_value(snapshot: &Snapshot, name: &str) -> Params {
    let flag = snapshot.flags.iter().find(|flag| flag.id.as_str() == name);
    let value = flag.and_then(|flag| flag.look.value.as_deref());
    value.map(|value| Params::from([(CURRENT.to_owned(), value.clone())])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::domain::{
        id::Id,
        money::{Currency, Money},
        pack::Class,
        rows::Row,
        rows::Rows,
        snapshot::{Entry, Item, Items, Look, QueueReport, ReconciliationReport, Statement},
        value::Value,
    };

    fn row(id: &str) -> Row {
        Rows::new(["id".to_owned()], [vec![Value::text(id)]]).into_rows().remove(0)
    }

    fn look<T>(value: T) -> Look<T> {
        Look { value: Some(Arc::new(value)), ..Look::never(Duration::from_mins(1)) }
    }

    fn snapshot() -> Snapshot {
        let now = chrono::DateTime::UNIX_EPOCH;
        let aud = Currency::from_code("AUD").unwrap();
        let item =
            Item { key: "r1".into(), row: row("r1"), since: None, deadline: None, presets: Vec::new(), barred: Vec::new() };
        let entry = Entry {
            key: "ch_1".into(),
            link: None,
            amount: Money::new(2200, aud),
            refunded: Money::new(0, aud),
            at: now,
            status: None,
            settled: true,
            pending: false,
            row: row("ch_1"),
        };
        let discrepancy = Discrepancy {
            key: "missing_here ch_1".into(),
            class: Class::MissingHere,
            theirs: Some(entry),
            ours: None,
            difference: vec![Money::new(2200, aud)],
            said: Text::new(""),
            proposal: None,
            candidates: Vec::new(),
            more_candidates: 0,
        };
        let statement = Statement {
            from: now,
            to: now,
            theirs_title: String::new(),
            ours_title: String::new(),
            totals: Vec::new(),
            discrepancies: vec![discrepancy],
            matched: 0,
            unlisted: 0,
        };
        Snapshot {
            sequence: 0,
            taken_at: now,
            alerts: Vec::new(),
            queues: vec![Arc::new(QueueReport {
                id: Id::new("reviews"),
                title: String::new(),
                look: look(Items { items: vec![Arc::new(item)], ..Items::default() }),
            })],
            jobs: Vec::new(),
            reconciliations: vec![Arc::new(ReconciliationReport {
                id: Id::new("charges"),
                title: String::new(),
                look: look(statement),
                signed_off: None,
                reading: None,
            })],
            flags: Vec::new(),
            metrics: Vec::new(),
            sources: Vec::new(),
            journal: Arc::from([]),
            receipts: Arc::from([]),
            batch: None,
            next_look: None,
            since_last_visit: None,
            barrier: None,
            recovery: None,
            money_today: 0,
            money_this_session: 0,
        }
    }

    fn names(queue: Option<&str>, key: &str) -> Result<Vec<String>, String> {
        let target = Target { queue: queue.map(Id::new), key: key.to_owned() };
        Aim::at(target, &snapshot()).map(|aim| aim.row.into_keys().collect()).map_err(|why| why.original().to_owned())
    }

    #[test]
    fn until_a_list_is_read_anew_its_row_is_that_of_the_run_before() {
        let before = snapshot();
        let mut latest = snapshot();
        let target = Target { queue: Some(Id::new("reviews")), key: "r1".to_owned() };
        let of = |latest: &Snapshot| Aim::drawn(&target, [latest, &before]);
        let report = latest.queues[0].as_ref().clone();
        let with = |look| vec![Arc::new(QueueReport { look, ..report.clone() })];
        latest.queues = with(Look::never(Duration::from_mins(1)));
        assert!(of(&latest).is_drawn && of(&latest).row.contains_key("id"));
        latest.queues = with(look(Items::default()));
        assert!(!of(&latest).is_drawn && of(&latest).row.is_empty(), "read anew, and gone");
    }

    #[test]
    fn the_row_is_the_one_on_the_screen() {
        assert_eq!(names(Some("reviews"), "r1").unwrap(), ["id"]);
        assert_eq!(names(Some("reviews"), "r2").unwrap_err(), "r2 is no longer in reviews");
        assert_eq!(names(Some("refunds"), "r1").unwrap_err(), "r1 is no longer in refunds");
        assert_eq!(names(None, "missing_here ch_1").unwrap(), ["difference", "their_id"]);
        assert_eq!(names(None, "ai_mode").unwrap(), Vec::<String>::new());
    }
}
