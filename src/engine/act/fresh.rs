//! Reading a row afresh before it is acted upon. Never writes.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    domain::{
        document::kind_column,
        money::Currency,
        pack::{Action, Query, Read},
        plan::Target,
        planning,
        rows::{Params, Rows},
        text::Text,
        value::Value,
    },
    ports::{Connections, SourceError},
};

/// What a fresh read found.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fresh {
    /// The row with every fresh column in it.
    Row(Params),
    /// The item is no longer there.
    Gone,
    Unread(Text),
}

/// Answers the queries of an action, by their place in it.
#[async_trait]
pub(super) trait Reading: Send {
    async fn read(&mut self, number: usize, query: &Query, names: &Params) -> Result<Rows, SourceError>;
}

/// Reads where each query says, and remembers the answers.
pub(super) struct Outside<'a> {
    pub(super) connections: &'a Connections,
    pub(super) answers: Vec<Rows>,
}

#[async_trait]
impl Reading for Outside<'_> {
    async fn read(&mut self, _: usize, query: &Query, names: &Params) -> Result<Rows, SourceError> {
        let system = self.connections.find(&query.on);
        let system = system.ok_or_else(|| SourceError::Refused(Text::new(format!("`{}` is not connected", query.on))))?;
        let rows = system.read(query, names).await?;
        self.answers.push(rows.clone());
        Ok(rows)
    }
}

/// As `read_by`, each query at its own connection.
pub(super) async fn read(
    connections: &Connections,
    action: &Action,
    target: &Target,
    row: &Params,
    currency: Currency,
    now: DateTime<Utc>,
) -> Fresh {
    let mut outside = Outside { connections, answers: Vec::new() };
    read_by(&mut outside, action, target, row, currency, now).await
}

/// The row as it is now: the action's fresh reads in order, later columns over earlier ones. Without such reads it is
/// the row that was drawn.
pub(super) async fn read_by(
    reading: &mut dyn Reading,
    action: &Action,
    target: &Target,
    row: &Params,
    currency: Currency,
    now: DateTime<Utc>,
) -> Fresh {
    let mut row = row.clone();
    for (number, query) in action.fresh.iter().enumerate() {
        let names = planning::names_for_reading(target, &row, now);
        if let Read::Sql(sql) = &query.read
            && let Some(unknown) = sql.parameters.iter().find(|name| !names.contains_key(*name))
        {
            return Fresh::Unread(Text::new(format!(
                "it is not in its list now: without its {unknown} it cannot be read afresh"
            )));
        }
        let rows = match reading.read(number, query, &names).await {
            Ok(rows) => rows.with_money(&query.money, currency),
            Err(error) => {
                // A silence has no words of its own to say whose it is.
                let who = if matches!(error, SourceError::TimedOut(_)) { format!("{}: ", query.on) } else { String::new() };
                let said = format!("it could not be read afresh: {who}{error}; nothing was sent: try again when it answers");
                return Fresh::Unread(Text::new(said));
            }
        };
        // What a column was before says nothing of what it is now.
        rows.columns().iter().for_each(|name| drop(row.remove(&kind_column(name))));
        match rows.first() {
            Some(fresh) => row.extend(fresh.params()),
            None if number == 0 => return Fresh::Gone,
            // Nothing is known of its columns any more: a guard that needs one fails.
            None => row.extend(rows.columns().iter().map(|name| (name.clone(), Value::Null))),
        }
    }
    Fresh::Row(row)
}
