//! `[ledgers]` and `[reconciliations]`.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    domain::{
        id::Id,
        pack::{Action, Class, Ledger, LedgerColumns, Reconciliation},
    },
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
    let [proposals, proposals_there, proposals_here] = proposals(reader, part);
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
        proposals_there,
        proposals_here,
        every,
        covers: raw.covers.clone(),
    })
}

/// The classes whose rows stand alone, on the one side or the other.
const SIDED: [Class; 2] = [Class::Duplicate, Class::Ambiguous];

/// What repairs each class: wherever it stands, in their ledger (`duplicate_there`), in ours (`duplicate_here`).
fn proposals(reader: &mut Reader<'_>, part: &Part<RawReconciliation>) -> [BTreeMap<Class, Id<Action>>; 3] {
    let mut proposals = [BTreeMap::new(), BTreeMap::new(), BTreeMap::new()];
    let sided = |word: &str, end: &str, at: usize| {
        let class = SIDED.into_iter().find(|class| word.strip_suffix(end) == Some(class.word()));
        class.map(|class| (class, at))
    };
    for (word, action) in &part.raw.propose {
        let class_place = part.place.key("propose").key(word);
        let action = reader.reference(Section::Actions, action, &class_place);
        let whole = Class::ALL.into_iter().find(|class| class.word() == word).map(|class| (class, 0));
        let Some((class, at)) = whole.or_else(|| sided(word, "_there", 1)).or_else(|| sided(word, "_here", 2)) else {
            let sided = SIDED.iter().flat_map(|class| ["_there", "_here"].map(|end| format!("{}{end}", class.word())));
            let known: Vec<String> = Class::ALL.map(|class| class.word().to_owned()).into_iter().chain(sided).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = advice(word, &known, "classes");
            reader.say_key(&class_place, format!("there is no class `{word}`"), "not a class", Some(help));
            continue;
        };
        if matches!(class, Class::Matched | Class::InFlight) {
            reader.say_key(&class_place, format!("what is {} needs no repair", class.said()), "nothing to do", None);
        }
        if let (Some(action), Some(map)) = (action, proposals.get_mut(at)) {
            map.insert(class, action);
        }
    }
    proposals
}
