//! Reading a row afresh before it is acted upon. Never writes.

use chrono::{DateTime, Utc};

use crate::{
    domain::{money::Currency, pack::Action, plan::Target, planning, rows::Params, text::Text, value::Value},
    ports::Connections,
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

/// The row as it is now: the action's fresh reads in order, later columns over earlier ones. Without such reads it is
/// the row that was drawn.
pub(super) async fn read(
    connections: &Connections,
    action: &Action,
    target: &Target,
    row: &Params,
    currency: Currency,
    now: DateTime<Utc>,
) -> Fresh {
    let mut row = row.clone();
    for (number, query) in action.fresh.iter().enumerate() {
        let Some(system) = connections.find(&query.on) else {
            return Fresh::Unread(Text::new(format!("`{}` is not connected", query.on)));
        };
        let rows = match system.read(query, &planning::names_for_reading(target, &row, now)).await {
            Ok(rows) => rows.with_money(&query.money, currency),
            Err(error) => return Fresh::Unread(Text::new(format!("it could not be read afresh: {error}"))),
        };
        match rows.first() {
            Some(fresh) => row.extend(fresh.params()),
            None if number == 0 => return Fresh::Gone,
            // Nothing is known of its columns any more: a guard that needs one fails.
            None => row.extend(rows.columns().iter().map(|name| (name.clone(), Value::Null))),
        }
    }
    Fresh::Row(row)
}
