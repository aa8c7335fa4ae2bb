//! What a database says it is, and as whom it knows us.

use chrono::TimeDelta;

use crate::domain::{
    identity::{Identity, ToldTime},
    rows::{Row, Rows},
    text::Text,
    value::Value,
};

/// The line's encryption is the server's own word; behind a pooler it is the pooler's line that it speaks of.
pub(super) const OF_POSTGRES: &str = "\
select 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) as system, current_user::text as role, \
current_database()::text as database, clock_timestamp() as now, \
coalesce((select case when ssl then version else 'none' end from pg_stat_ssl where pid = pg_backend_pid()), 'not told') as tls";

pub(super) const OF_SQLITE: &str = "\
select 'SQLite ' || sqlite_version() as system, (select file from pragma_database_list where name = 'main') as file";

const FACTS: [&str; 4] = ["role", "database", "file", "tls"];

pub(super) fn told(rows: &Rows, text: impl Fn(&str) -> Text) -> Identity {
    let row = rows.first();
    let said = |column: &str| row.and_then(|row: &Row| row.find(column)).map(Value::original);
    let clock = match row.and_then(|row| row.find("now")) {
        Some(Value::Time(now)) => Some(ToldTime { now: *now, unit: TimeDelta::zero() }),
        Some(_) | None => None,
    };
    Identity {
        system: text(&said("system").unwrap_or_default()),
        facts: FACTS.iter().filter_map(|fact| Some((*fact, text(&said(fact)?)))).collect(),
        clock,
    }
}
