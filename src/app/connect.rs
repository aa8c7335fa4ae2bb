//! `wheelhouse connect check`: reaches the pack's connections side by side, each once. Opens no journal, writes nothing.

use std::{sync::Arc, time::Instant};

use chrono::Utc;
use futures_util::future::join_all;

use super::{business::Opening, complaint::Complaint, errands::on_runtime};
use crate::{
    cli::connect::{self, Answered, Reached},
    domain::{
        identity::is_off,
        pack::{Connection, ConnectionKind},
        text::Text,
    },
    ports::{Ownership, System},
};

pub fn check(opening: &Opening, names: &[String], json: bool) -> Result<u8, Complaint> {
    on_runtime(async {
        let pack = Arc::clone(&opening.choice.loaded.pack);
        if let Some(unknown) = names.iter().find(|name| !pack.connections.iter().any(|known| known.id.as_str() == **name)) {
            let known: Vec<&str> = pack.connections.iter().map(|known| known.id.as_str()).collect();
            return Err(Complaint::said(format!("there is no connection `{unknown}`; there is {}", known.join(", "))));
        }
        let (opened, _town) = opening.reach().await?;
        let is_wanted = |connection: &Connection| names.is_empty() || names.iter().any(|name| name == connection.id.as_str());
        let wanted = pack.connections.iter().zip(opened).filter(|(connection, _)| is_wanted(connection));
        let all = join_all(wanted.map(|(connection, opened)| reach(connection, opened))).await;
        if json {
            connect::print_json(&all)?;
        } else {
            connect::print_lines(&all)?;
        }
        Ok(connect::exit_status(&all))
    })
}

async fn reach(connection: &Connection, opened: Result<Arc<dyn System>, String>) -> Reached {
    let mut reached = Reached {
        name: connection.id.to_string(),
        kind: connection.kind.word(),
        answer: Err(Text::default()),
        warnings: Vec::new(),
        is_another: false,
    };
    let system = match opened {
        Ok(system) => system,
        Err(why) => {
            reached.answer = Err(Text::new(why));
            return reached;
        }
    };
    let (asked, start) = (Utc::now(), Instant::now());
    let identity = match system.identify().await {
        Ok(identity) => identity,
        Err(why) => {
            reached.answer = Err(Text::new(why.to_string()));
            return reached;
        }
    };
    let ahead = identity.clock.map(|clock| clock.ahead(asked, Utc::now()));
    reached.answer = Ok(Answered { identity, took: start.elapsed(), ahead });
    match system.inspect().await {
        Ok(said) => reached.warnings.extend(said),
        Err(why) => reached.warnings.push(Text::new(format!("what acts will need could not be looked at: {why}"))),
    }
    match system.ownership().await {
        Ownership::Own => {}
        Ownership::Another(why) | Ownership::OtherMode(why) => {
            reached.is_another = true;
            reached.warnings.push(why);
        }
        Ownership::Unasked(why) => reached.warnings.push(why),
    }
    // A database's own inspection tells of its clock.
    if let Some(ahead) = ahead.filter(|ahead| is_off(*ahead) && !matches!(connection.kind, ConnectionKind::Sql { .. })) {
        let said =
            format!("its clock is {} this machine's; set the wrong one right", connect::off(ahead).replace("ahead", "ahead of"));
        reached.warnings.push(Text::new(said));
    }
    reached
}
