//! What the overview says of a queue, counted once for each look and not for each frame.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};

use crate::domain::snapshot::Items;

#[derive(Clone, Debug, Default)]
pub struct Figures {
    of: Option<Arc<Items>>,
    pub count: usize,
    pub oldest: Option<DateTime<Utc>>,
    /// The nearest deadline still ahead and whose it is.
    pub next_due: Option<(DateTime<Utc>, String)>,
    /// Items whose deadline has passed.
    pub over: usize,
    pub presets: BTreeMap<String, usize>,
    /// Items that some action is barred from.
    pub barred: usize,
}

impl Figures {
    pub fn take(&mut self, items: Option<&Arc<Items>>, now: DateTime<Utc>) {
        let Some(items) = items else {
            *self = Self::default();
            return;
        };
        if self.of.as_ref().is_some_and(|ours| Arc::ptr_eq(ours, items)) {
            return;
        }
        let mut presets = BTreeMap::new();
        for name in items.items.iter().flat_map(|item| &item.presets) {
            if let Some(count) = presets.get_mut(name) {
                *count += 1;
            } else {
                presets.insert(name.clone(), 1);
            }
        }
        let deadlines = || items.items.iter().filter_map(|item| item.deadline.map(|at| (at, &item.key)));
        let due = deadlines().filter(|(at, _)| *at > now).min();
        *self = Self {
            count: items.items.len(),
            oldest: items.items.iter().filter_map(|item| item.since).min(),
            next_due: due.map(|(at, key)| (at, key.clone())),
            over: deadlines().filter(|(at, _)| *at <= now).count(),
            barred: items.items.iter().filter(|item| !item.barred.is_empty()).count(),
            presets,
            of: Some(Arc::clone(items)),
        };
    }
}
