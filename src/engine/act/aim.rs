//! What an action is aimed at: a target, and its row as the operator sees it.

use crate::domain::{
    id::Id,
    pack::Action,
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
    /// screen may show, the newest first: until a list has been read anew, it is the one of the run before. An error where
    /// the row cannot be told from another.
    pub fn drawn<'a>(
        action: &Id<Action>,
        target: &Target,
        pictures: impl IntoIterator<Item = &'a Snapshot>,
    ) -> Result<Self, Text> {
        let gone = Self { target: target.clone(), row: Params::new(), is_drawn: false };
        let Some(shown) = pictures.into_iter().find(|picture| is_read(picture, target)) else { return Ok(gone) };
        match Self::at(action, target.clone(), shown) {
            Err(_) if target.queue.is_some() => Ok(gone),
            aim => aim,
        }
    }

    /// The row that stands on the screen for a target: a queue's item, or a reconciliation's discrepancy that this action
    /// repairs. Flags and jobs have only their name; a flag also its value, as `current`.
    pub fn at(action: &Id<Action>, target: Target, snapshot: &Snapshot) -> Result<Self, Text> {
        let row = match &target.queue {
            Some(queue) => {
                let report = snapshot.queues.iter().find(|report| report.id == *queue);
                let items = report.and_then(|report| report.look.value.as_ref());
                let item = items.and_then(|items| items.items.iter().find(|item| item.key == target.key));
                item.map(|item| item.row.params()).ok_or_else(|| Text::new(format!("{} is no longer in {queue}", target.key)))?
            }
            None => match discrepancy(action, snapshot, &target.key)? {
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

/// Two reconciliations may name a discrepancy alike, where their ledgers count their rows from 1: only the one is meant that
/// the action repairs, and of two such nobody knows which.
fn discrepancy<'a>(action: &Id<Action>, snapshot: &'a Snapshot, key: &str) -> Result<Option<&'a Discrepancy>, Text> {
    let named = snapshot.reconciliations.iter().flat_map(|report| {
        let listed = report.look.value.iter().flat_map(|statement| &statement.discrepancies);
        listed.filter(|discrepancy| discrepancy.key == key).map(|discrepancy| (report.title.as_str(), discrepancy))
    });
    let named: Vec<_> = named.collect();
    let is_meant = |(_, discrepancy): &&(&str, &Discrepancy)| discrepancy.proposal.as_ref() == Some(action);
    let meant: Vec<_> = named.iter().filter(is_meant).collect();
    match (meant.as_slice(), named.as_slice()) {
        ([], []) => Ok(None),
        ([(_, one)], _) => Ok(Some(one)),
        // The same row in two windows over the same ledgers.
        ([(_, one), others @ ..], _)
            if others.iter().all(|(_, other)| reconcile::proposal_row(other) == reconcile::proposal_row(one)) =>
        {
            Ok(Some(one))
        }
        ([], _) => Err(Text::new(format!("the pack proposes another repair for {key}, or none: nothing was sent"))),
        (meant, _) => {
            let titles = meant.iter().map(|(title, _)| *title).collect::<Vec<_>>().join(" and in ");
            Err(Text::new(format!(
                "{key} stands in {titles}, and it cannot be told which is meant: nothing was sent; mend one by hand, or give \
                 the rows of their ledgers ids that differ"
            )))
        }
    }
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

    fn aud() -> Currency {
        Currency::from_code("AUD").unwrap()
    }

    fn snapshot() -> Snapshot {
        let now = chrono::DateTime::UNIX_EPOCH;
        let item =
            Item { key: "r1".into(), row: row("r1"), since: None, deadline: None, presets: Vec::new(), barred: Vec::new() };
        let entry = Entry {
            key: "ch_1".into(),
            link: None,
            amount: Money::new(2200, aud()),
            refunded: Money::new(0, aud()),
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
            difference: vec![Money::new(2200, aud())],
            said: Text::new(""),
            proposal: Some(Id::new("record_charge")),
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
                title: "charges".to_owned(),
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
        Aim::at(&Id::new("record_charge"), target, &snapshot())
            .map(|aim| aim.row.into_keys().collect())
            .map_err(|why| why.original().to_owned())
    }

    #[test]
    fn until_a_list_is_read_anew_its_row_is_that_of_the_run_before() {
        let before = snapshot();
        let mut latest = snapshot();
        let target = Target { queue: Some(Id::new("reviews")), key: "r1".to_owned() };
        let of = |latest: &Snapshot| Aim::drawn(&Id::new("approve"), &target, [latest, &before]).unwrap();
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

    /// Two reports that name a discrepancy alike; the second is of this amount and repaired by this action.
    fn two(minor: i64, repaired_by: &str) -> Snapshot {
        let mut snapshot = snapshot();
        let mut second = snapshot.reconciliations[0].as_ref().clone();
        let mut statement = second.look.value.as_deref().unwrap().clone();
        statement.discrepancies[0].proposal = Some(Id::new(repaired_by));
        statement.discrepancies[0].difference[0].minor = minor;
        second.title = "tills".to_owned();
        second.look = look(statement);
        snapshot.reconciliations.insert(0, Arc::new(second));
        snapshot
    }

    #[test]
    fn a_repair_is_of_the_reconciliation_that_proposes_it() {
        let target = Target { queue: None, key: "missing_here ch_1".to_owned() };
        let difference = |action: &str, snapshot: &Snapshot| {
            let aim = Aim::drawn(&Id::new(action), &target, [snapshot]);
            aim.map(|aim| aim.row["difference"].original()).map_err(|why| why.to_string())
        };
        let two_repairs = two(9900, "record_till");
        assert_eq!(difference("record_charge", &two_repairs).unwrap(), Value::Money(Money::new(2200, aud())).original());
        assert_eq!(difference("record_till", &two_repairs).unwrap(), Value::Money(Money::new(9900, aud())).original());
        let why = difference("refund", &two_repairs).unwrap_err();
        assert_eq!(why, "the pack proposes another repair for missing_here ch_1, or none: nothing was sent");
        let why = difference("record_charge", &two(9900, "record_charge")).unwrap_err();
        assert!(why.starts_with("missing_here ch_1 stands in tills and in charges, and it cannot be told which"), "{why}");
        let one_row_in_two_windows = two(2200, "record_charge");
        assert!(difference("record_charge", &one_row_in_two_windows).is_ok(), "whichever is meant, it is that row");
    }
}
