//! `[ledgers]` and `[reconciliations]`.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    domain::pack::{Class, Ledger, LedgerColumns, Reconciliation},
    pack::{
        nearest::advice,
        raw::{RawLedger, RawReconciliation},
    },
};

use super::{
    Part, id,
    read::{Names, query},
    reader::{Reader, Section},
};

pub(super) fn ledger(reader: &mut Reader<'_>, part: &Part<RawLedger>) -> Option<Ledger> {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    let query = query(reader, &place.key("read"), &raw.read, Names::Window);
    let columns = &raw.columns;
    let columns_place = place.key("columns");
    if columns.status.is_none() && !(columns.settled.is_empty() && columns.pending.is_empty()) {
        let help = Some("name the column that `settled` and `pending` are words of".to_owned());
        reader.say(&columns_place, "words of a status, and no column `status`", "needs `status`", help);
    }
    if let Some(index) = columns.pending.iter().position(|word| columns.settled.contains(word)) {
        let place = columns_place.key("pending").index(index);
        reader.say(&place, "the same word cannot be settled and pending", "also settled", None);
    }
    Some(Ledger {
        id: id(name),
        title: raw.title.clone(),
        query: query?,
        columns: LedgerColumns {
            key: columns.key.clone(),
            link: columns.link.clone(),
            amount: columns.amount.clone(),
            refunded: columns.refunded.clone(),
            currency: columns.currency.clone(),
            at: columns.at.clone(),
            status: columns.status.clone(),
            settled: columns.settled.clone(),
            pending: columns.pending.clone(),
        },
    })
}

pub(super) fn reconciliation(reader: &mut Reader<'_>, part: &Part<RawReconciliation>) -> Option<Reconciliation> {
    let Part { name, place, raw } = part;
    reader.not_empty(&place.key("title"), &raw.title, "the title");
    reader.no_repetition(&place.key("covers"), &raw.covers);
    let theirs = reader.reference(Section::Ledgers, &raw.theirs, &place.key("theirs"));
    let ours = reader.reference(Section::Ledgers, &raw.ours, &place.key("ours"));
    if raw.theirs == raw.ours {
        reader.say(&place.key("ours"), "a ledger agrees with itself", "the same ledger", None);
    }
    let window = reader.duration(&place.key("window"), &raw.window);
    let settle = reader.duration_or(&place.key("settle"), raw.settle.as_ref(), Duration::from_hours(1));
    let tolerance = reader.duration_or(&place.key("tolerance"), raw.tolerance.as_ref(), Duration::from_mins(10));
    if window.is_some_and(|window| settle >= window) {
        let message = "everything in the window would still be in flight";
        reader.say(&place.key("settle"), message, "as long as the window", None);
    }
    let mut proposals = BTreeMap::new();
    for (word, action) in &raw.propose {
        let class_place = place.key("propose").key(word);
        let action = reader.reference(Section::Actions, action, &class_place);
        let Some(class) = Class::ALL.into_iter().find(|class| class.word() == word) else {
            let help = advice(word, &Class::ALL.map(Class::word), "classes");
            reader.say_key(&class_place, format!("there is no class `{word}`"), "not a class", Some(help));
            continue;
        };
        if matches!(class, Class::Matched | Class::InFlight) {
            reader.say_key(&class_place, format!("what is {} needs no repair", class.said()), "nothing to do", None);
        }
        proposals.extend(action.map(|action| (class, action)));
    }
    let every = reader.every(&place.key("every"), raw.every.as_ref(), Duration::from_mins(5));
    Some(Reconciliation {
        id: id(name),
        title: raw.title.clone(),
        theirs: theirs?,
        ours: ours?,
        window: window?,
        settle,
        tolerance,
        proposals,
        every,
        covers: raw.covers.clone(),
    })
}
