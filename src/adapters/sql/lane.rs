//! A few connections to one database, kept for the next use. Never one that failed: what state it is in, nobody knows.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Idle connections, and how many may be in use at once. (The driver's own pool tries a refused address again and
/// again until time is up; an operator wants to hear of it at once.)
pub(super) struct Lane<C> {
    idle: Mutex<Vec<C>>,
    places: Semaphore,
}

impl<C> Lane<C> {
    pub(super) fn with_places(places: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), places: Semaphore::new(places) }
    }

    /// Closes what is idle: after a silence, every line of that age is suspect.
    pub(super) fn distrust(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Waits for a place. Dropping it without `keep` closes the connection that was taken.
    pub(super) async fn enter(&self) -> Place<'_, C> {
        // The semaphore is never closed, so this is always a permit.
        let permit = self.places.acquire().await.ok();
        Place { lane: self, _permit: permit }
    }
}

pub(super) struct Place<'a, C> {
    lane: &'a Lane<C>,
    _permit: Option<SemaphorePermit<'a>>,
}

impl<C> Place<'_, C> {
    /// A connection that was kept, if one is idle.
    pub(super) fn take(&self) -> Option<C> {
        self.lane.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps a healthy connection for the next use.
    pub(super) fn keep(self, connection: C) {
        self.lane.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

impl<C> fmt::Debug for Lane<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("places", &self.places.available_permits()).finish_non_exhaustive()
    }
}
