//! How far the long lists have come that are being read just now.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Every list under way: what it is of, and the rows so far.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Lists>);

#[derive(Debug, Default)]
struct Lists {
    next: u64,
    under_way: BTreeMap<u64, (&'static str, usize)>,
}

/// One list under way; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Course<'a> {
    progress: &'a Progress,
    number: u64,
}

impl Progress {
    pub(super) fn begin(&self, what: &'static str) -> Course<'_> {
        let mut lists = self.lists();
        let number = lists.next;
        lists.next += 1;
        lists.under_way.insert(number, (what, 0));
        Course { progress: self, number }
    }

    /// Of lists that are longer than a page, in words.
    pub(super) fn said(&self) -> Option<String> {
        let lists = self.lists();
        let said: Vec<String> =
            lists.under_way.values().filter(|(_, rows)| *rows > 0).map(|(what, rows)| format!("{what}: {rows} so far")).collect();
        (!said.is_empty()).then(|| said.join(", "))
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Course<'_> {
    pub(super) fn came(&self, rows: usize) {
        if let Some((_, count)) = self.progress.lists().under_way.get_mut(&self.number) {
            *count += rows;
        }
    }
}

impl Drop for Course<'_> {
    fn drop(&mut self) {
        self.progress.lists().under_way.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_told_of_from_its_first_page_to_its_end() {
        let progress = Progress::default();
        let charges = progress.begin("charges");
        assert_eq!(progress.said(), None, "nothing has come yet");
        charges.came(100);
        let invoices = progress.begin("invoices");
        invoices.came(100);
        charges.came(100);
        assert_eq!(progress.said().as_deref(), Some("charges: 200 so far, invoices: 100 so far"));
        drop(charges);
        assert_eq!(progress.said().as_deref(), Some("invoices: 100 so far"));
        drop(invoices);
        assert_eq!(progress.said(), None);
    }
}
