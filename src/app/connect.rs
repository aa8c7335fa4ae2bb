//! `wheelhouse connect check`: reaches the pack's connections side by side, each once. Opens no journal, changes nothing.

use std::{sync::Arc, time::Instant};

use chrono::Utc;
use futures_util::future::join_all;

use super::{business::Opening, complaint::Complaint, errands::on_runtime};

use crate::{
    cli::connect::{self, Answered, Reached},
    domain::{
        id::Id,
        identity::is_off,
        pack::{Connection, ConnectionKind, EffectKind, EventWay, Read, Sql},
        rights::{Asking, Needs, Runner, Wanted, Written},
        text::Text,
    },
    pack::Loaded,
    ports::{Ownership, System},
};

pub fn check(opening: &Opening, names: &[String], asking: Asking, json: bool) -> Result<u8, Complaint> {
    on_runtime(async {
        let pack = Arc::clone(&opening.choice.loaded.pack);
        if let Some(unknown) = names.iter().find(|name| !pack.connections.iter().any(|known| known.id.as_str() == **name)) {
            let known: Vec<&str> = pack.connections.iter().map(|known| known.id.as_str()).collect();
            return Err(Complaint::said(format!("there is no connection `{unknown}`; there is {}", known.join(", "))));
        }
        let (opened, _town) = opening.reach().await?;
        let is_wanted = |connection: &Connection| names.is_empty() || names.iter().any(|name| name == connection.id.as_str());
        let wanted = pack.connections.iter().zip(opened).filter(|(connection, _)| is_wanted(connection));
        let loaded = &opening.choice.loaded;
        let all = join_all(wanted.map(|(connection, opened)| reach(loaded, connection, opened, asking))).await;
        if json {
            connect::print_json(&all)?;
        } else {
            connect::print_lines(&all)?;
        }
        Ok(connect::exit_status(&all))
    })
}

async fn reach(loaded: &Loaded, connection: &Connection, opened: Result<Arc<dyn System>, String>, asking: Asking) -> Reached {
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
    let mut identity = match system.identify().await {
        Ok(identity) => identity,
        Err(why) => {
            reached.answer = Err(Text::new(why.to_string()));
            return reached;
        }
    };
    let ahead = identity.clock.map(|clock| clock.ahead(asked, Utc::now()));
    let took = start.elapsed();
    let rights = system.rights(&Needs { asking, ..needs(loaded, &connection.id) }).await;
    identity.facts.extend(rights.facts);
    reached.warnings.extend(rights.lacks);
    reached.answer = Ok(Answered { identity, took, ahead });
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

/// A statement and whoever runs it.
fn wanted(of: String, sql: &Sql, by: Runner) -> Wanted {
    Wanted { of, text: sql.numbered.clone(), parameters: sql.parameters.len(), by }
}

/// `queues.orders` of `queues.orders.read`.
fn part(path: &str) -> String {
    path.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// What the pack reads and changes at a payment account or a database; an act looks at what it changes.
fn needs(loaded: &Loaded, on: &Id<Connection>) -> Needs {
    let mut needs = Needs::default();
    for statement in loaded.statements().iter().filter(|statement| statement.query.on == *on) {
        match &statement.query.read {
            Read::Stripe(read) => needs.reads.extend(read.list.asks()),
            // What changes is told with its action, below.
            Read::Sql(sql) if !statement.changes => {
                let is_fresh = statement.path.contains(".fresh[");
                let by = if is_fresh { Runner::LooksAndClaims } else { Runner::Looks };
                needs.statements.push(wanted(part(&statement.path), sql, by));
            }
            Read::Sql(_) | Read::Http(_) | Read::Firestore(_) | Read::Command(_) => {}
        }
    }
    let effects = loaded.pack.actions.iter().flat_map(|action| action.effects.iter().map(move |effect| (action, effect)));
    for (action, effect) in effects {
        let written = match &effect.kind {
            EffectKind::Refund { on: there, .. } if there == on => Written::Refunds,
            EffectKind::Amend { on: there, change, .. } if there == on => {
                if change.is_of_a_dispute() {
                    Written::Disputes
                } else {
                    Written::Subscriptions
                }
            }
            EffectKind::Event { on: there, way: EventWay::Account { .. }, .. } if there == on => Written::Events,
            EffectKind::Event { on: there, way: EventWay::Ourselves { .. }, .. } if there == on => {
                // It is fetched, and posted by us.
                needs.reads.insert("events");
                continue;
            }
            EffectKind::Sql { on: there, sql, .. } if there == on => {
                needs.statements.push(wanted(format!("actions.{}", action.id), sql, Runner::Acts));
                continue;
            }
            EffectKind::Proof { on: there, sql } if there == on => {
                needs.statements.push(wanted(format!("actions.{}", action.id), sql, Runner::Looks));
                continue;
            }
            EffectKind::Sql { .. }
            | EffectKind::Refund { .. }
            | EffectKind::Amend { .. }
            | EffectKind::Http { .. }
            | EffectKind::Mail { .. }
            | EffectKind::Webhook { .. }
            | EffectKind::Event { .. }
            | EffectKind::Proof { .. }
            | EffectKind::Firestore { .. }
            | EffectKind::Command { .. } => continue,
        };
        needs.reads.insert(written.word());
        needs.writes.insert(written);
    }
    needs
}
