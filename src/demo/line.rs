//! The one connection to a file of the town, opened when it is first needed; its stand-ins answer one after the other.

use std::sync::Arc;

use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};

#[derive(Clone, Debug)]
pub(super) struct Line {
    options: SqliteConnectOptions,
    connection: Arc<Mutex<Option<SqliteConnection>>>,
}

impl Line {
    pub fn new(options: SqliteConnectOptions) -> Self {
        Self { options, connection: Arc::default() }
    }

    /// Waits until nobody else is on it. (The driver's own pool asks the file twice more for each question.)
    pub async fn enter(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, sqlx::Error> {
        let mut connection = self.connection.lock().await;
        if connection.is_none() {
            *connection = Some(self.options.connect().await?);
        }
        MutexGuard::try_map(connection, Option::as_mut).map_err(|_| sqlx::Error::PoolClosed)
    }
}
