//! `wheelhouse pack ddl`: the table of marks, as SQL for whoever may create it.

use std::{collections::BTreeSet, io, path::Path};

use super::{arguments::DatabaseKind, output};
use crate::{
    adapters::{self, Database, Environment},
    pack::{self, Problems},
};

/// What `marks` is called where nothing else is said.
const TABLE: &str = "operator_actions";

const BOTH: [Database; 2] = [Database::Postgres, Database::Sqlite];

/// 0, or the mistakes of the pack.
pub fn print(file: Option<&Path>, kind: Option<DatabaseKind>) -> io::Result<Result<u8, Problems>> {
    let asked = kind.map(|kind| match kind {
        DatabaseKind::Postgres => Database::Postgres,
        DatabaseKind::Sqlite => Database::Sqlite,
    });
    let tables = match file.map(pack::load) {
        None => vec![(TABLE.to_owned(), asked)],
        Some(Err(problems)) => return Ok(Err(problems)),
        Some(Ok(loaded)) => adapters::marked(&loaded.pack, &Environment::process()),
    };
    // Two connections to one database share a table.
    let mut wanted = BTreeSet::new();
    for (table, found) in tables {
        match asked.or(found) {
            Some(database) => drop(wanted.insert((database, table))),
            None => wanted.extend(BOTH.map(|database| (database, table.clone()))),
        }
    }
    if wanted.is_empty() {
        output::complain(
            "wheelhouse: no SQL connection of this pack names a table of marks: give one `marks = \"operator_actions\"`",
        );
        return Ok(Ok(0));
    }
    let parts: Vec<String> = wanted.iter().map(|(database, table)| said(*database, table)).collect();
    output::print(&parts.join("\n"))?;
    Ok(Ok(0))
}

fn said(database: Database, table: &str) -> String {
    let grant = match database {
        Database::Postgres => {
            format!(
                "\n-- The role that acts needs this and nothing else here:\n\
                 -- grant select, insert, update (ended_at, outcome) on {table} to ROLE;\n"
            )
        }
        Database::Sqlite => String::new(),
    };
    let upgrade = adapters::marks_upgrade(database, table).trim_end().replace('\n', "\n-- ");
    format!(
        "-- {}. Each act of wheelhouse writes one row here, in the transaction of its own change: after a crash or a lost\n\
         -- answer the row tells an act that got through from one that never came, and a second time changes nothing.\n\
         -- Before it sends anything, an act writes its claim here as well (step -1): of two operators who decide on one\n\
         -- item, one has it in hand, and the other is told who and since when.\n{}\n\
         -- A table that was made without claims is brought up to date by:\n-- {upgrade}\n{grant}",
        database.title(),
        adapters::marks_table(database, table),
    )
}
