//! Preparing every statement of a pack at the start: a mistake in SQL, or a column that nothing gives, is found before
//! it is needed, and shown where it stands in the file.

use std::time::Duration;

use futures_util::future::join_all;

use crate::{
    domain::{
        pack::{ConnectionKind, Pack},
        text::Text,
    },
    pack::{Columns, Loaded, Problem, Problems},
    ports::{Connections, SourceError},
};

/// One statement may take so long to prepare; a source that hangs is told of by its looks.
const PATIENCE: Duration = Duration::from_secs(10);

/// A word for each statement that is wrong, and for what acts will need and is not there; nothing for connections that
/// do not answer.
pub async fn prepare(loaded: &Loaded, connections: &Connections) -> Vec<Text> {
    let (mut said, lacking) = futures_util::future::join(statements(loaded, connections), inspect(connections)).await;
    said.extend(lacking);
    let pack = &loaded.pack;
    said.extend(unclaimed(pack));
    said
}

/// What it takes for acts to be claimed, where nothing keeps their claims.
fn unclaimed(pack: &Pack) -> Option<Text> {
    if pack.actions.is_empty() || pack.claims_on().is_some() {
        return None;
    }
    let has = |is: fn(&ConnectionKind) -> bool| pack.connections.iter().any(|connection| is(&connection.kind));
    let lacks = if has(|kind| matches!(kind, ConnectionKind::Sql { .. })) {
        "no SQL connection names a table of marks; give one `marks = \"operator_actions\"`, and `wheelhouse pack ddl FILE` prints \
         how it is made"
    } else if has(|kind| matches!(kind, ConnectionKind::Firestore { .. })) {
        "no Firestore connection names a collection of marks; give one `marks = \"operator_actions\"`"
    } else {
        return None;
    };
    Some(Text::new(format!("acts are not claimed, so another operator could act at the same time: {lacks}")))
}

async fn inspect(connections: &Connections) -> Vec<Text> {
    let asked = connections.0.values().map(|system| tokio::time::timeout(PATIENCE, system.inspect()));
    let mut said: Vec<Text> = join_all(asked).await.into_iter().flatten().flatten().flatten().collect();
    said.sort_by(|one, other| one.original().cmp(other.original()));
    said
}

async fn statements(loaded: &Loaded, connections: &Connections) -> Vec<Text> {
    let statements = loaded.statements();
    let asked = statements.iter().map(|statement| async move {
        let system = connections.find(&statement.query.on)?;
        let answer = tokio::time::timeout(PATIENCE, system.prepare(&statement.query)).await.ok()?;
        Some((statement.path.clone(), answer))
    });
    let mut problems = Problems::default();
    let mut known = Columns::new();
    for (path, answer) in join_all(asked).await.into_iter().flatten() {
        match answer {
            Ok(Some(columns)) => {
                problems = problems.and(loaded.check_columns(&path, &columns));
                known.insert(path, columns);
            }
            // Only what the source understood and refused is the pack's fault.
            Err(SourceError::Refused(why)) => problems = problems.and(Problems::for_query(loaded, &path, why.shown())),
            Ok(None) | Err(_) => {}
        }
    }
    problems = problems.and(loaded.check_actions(&known));
    let line = |problem: &Problem| {
        let Problem { file, line, column, message, .. } = problem;
        Text::new(format!("{file}:{line}:{column}: {message}"))
    };
    problems.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_whose_acts_nobody_can_claim_is_told_so_at_the_start() {
        const DOCUMENTS: &str = "docs.firestore = { project = \"shop\" }\n";
        const MARKED: &str = "docs.firestore = { project = \"shop\", marks = \"operator_actions\" }\n";
        const SQL: &str = "db.sql = { url_env = \"DB\" }\n";
        const ACT: &str = "[actions.hide]\ntitle = \"Hide\"\ndo.http = { on = \"site\", path = \"/hide\" }\n";
        for (connections, act, told) in [
            (DOCUMENTS, ACT, Some("no Firestore connection names a collection of marks; give one")),
            (DOCUMENTS, "", None),
            (MARKED, ACT, None),
            (SQL, ACT, Some("no SQL connection names a table of marks; give one")),
            (&[SQL, MARKED].concat(), ACT, None),
            (&[SQL, DOCUMENTS].concat(), ACT, Some("no SQL connection names")),
            ("", ACT, None),
        ] {
            let head = "[pack]\ntitle = \"Shop\"\ntimezone = \"UTC\"\ncurrency = \"AUD\"\n[connections]\nsite.http = { url = \"https://shop.example\" }\n";
            let text = format!("{head}{connections}{act}");
            let pack = crate::pack::parse("shop.toml", &text, &|_| Err(String::new())).unwrap_or_else(|why| panic!("{why}")).pack;
            let said = unclaimed(&pack);
            assert_eq!(said.is_some(), told.is_some(), "{text}: {said:?}");
            let begins = "acts are not claimed, so another operator could act at the same time: ";
            assert!(
                said.is_none_or(|said| said.shown().starts_with(begins) && told.is_some_and(|told| said.shown().contains(told)))
            );
        }
    }
}
