//! What is judged where things are done beside the business: at Stripe, at services, in documents, by programs.

use sqlx::{Row as _, SqliteConnection};

use super::{
    super::{deed::Deed, depot::Arrival, place},
    Case,
    journal::{Acts, is_told, records},
};

/// Every request and every message arrived once, and the journal tells of each; nothing is told that never arrived.
pub fn judge_depot(case: &Case<'_>, acts: &Acts, wrong: &mut Vec<String>) {
    if case.deed != Deed::Ship {
        return;
    }
    let arrivals = case.place.depot.arrivals();
    for item in case.items {
        for place in ["site", "shout"] {
            let is_it = |arrival: &&Arrival| {
                let said = if place == "site" {
                    arrival.path == format!("/site/parcels/{item}")
                } else {
                    arrival.body.contains(item.as_str())
                };
                arrival.place == place && said
            };
            let count = arrivals.iter().filter(is_it).count();
            if count > 1 {
                wrong.push(format!("DOUBLE: {count} requests about {item} at {place}"));
            }
            if case.is_final && count == 0 {
                wrong.push(format!("LOST: nothing about {item} at {place}"));
            }
        }
    }
    for arrival in &arrivals {
        let (id, step) = arrival.key.rsplit_once('-').unwrap_or_default();
        let step: usize = step.parse().unwrap_or_default();
        if !is_told(acts, id, step) {
            wrong.push(format!("UNTOLD: {} has arrived, and the journal does not say so", arrival.key));
        }
    }
    for (id, act) in records(acts) {
        for step in [0, 2].into_iter().filter(|step| act.through > *step) {
            if !arrivals.iter().any(|arrival| arrival.key == format!("{id}-{step}")) {
                wrong.push(format!("FALSE: {id} says that step {step} is through, and it never arrived"));
            }
        }
    }
}

/// Every object at Stripe was changed by one act, once, and the journal tells of it; none is told of that was not.
pub async fn judge_amendments(case: &Case<'_>, acts: &Acts, wrong: &mut Vec<String>) {
    let Some(change) = case.deed.amendment() else { return };
    let mut stand_ins = case.place.stand_ins().await;
    for item in case.items {
        let (object, list) = match case.deed {
            Deed::Stage => (place::dispute(case.round, item), "disputes"),
            _ => (place::subscription(case.round, item), "subscriptions"),
        };
        // How it is, and that nothing else of it was changed.
        let is_so = match case.deed {
            Deed::Pause => "pause is not null and ends = 0 and status = 'active'",
            Deed::Resume => "pause is null and ends = 0 and status = 'active'",
            Deed::Cancel => "ends = 1 and pause is null and status = 'active'",
            Deed::End => "status = 'canceled' and pause is null",
            _ => "status = 'needs_response' and submissions = 0 and evidence ->> 'uncategorized_text' is not null",
        };
        // What Stripe takes no key for bears the act's name in a comment.
        let named =
            if case.deed == Deed::End { "comment".to_owned() } else { format!("metadata ->> 'wheelhouse_{}'", change.word()) };
        // In one look: a request that was carried late may arrive between two of them.
        let text = format!(
            "select {is_so} as is_so, coalesce({named}, '') as named,
                (select json_group_array(key) from idempotency where endpoint = $2 and status = 200) as keys
             from {list} where id = $1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(&object).bind(format!("/v1/{list}/{object}"));
        let row = row.fetch_one(&mut stand_ins).await.unwrap();
        let (is_so, named, keys): (bool, String, String) = (row.get("is_so"), row.get("named"), row.get("keys"));
        // What was carried out, and under which key; what failed changed nothing.
        let keys: Vec<String> = if case.deed == Deed::End {
            let deleted = format!("DELETE /v1/subscriptions/{object} ");
            let times = case.place.wire.changes().iter().filter(|change| change.line.starts_with(&deleted)).count();
            if times > 1 {
                wrong.push(format!("DOUBLE: {object} was ended {times} times"));
            }
            named.split(' ').nth(1).map(str::to_owned).into_iter().collect()
        } else {
            serde_json::from_str(&keys).unwrap()
        };
        if keys.len() > 1 {
            wrong.push(format!("DOUBLE: {object} was changed {} times: {}", keys.len(), change.word()));
        }
        if is_so != (keys.len() == 1) || keys.iter().any(|key| !named.contains(key.as_str())) {
            wrong.push(format!("ROW: {object} is changed: {is_so}, by {keys:?}, and says {named}"));
        }
        if case.is_final && keys.is_empty() {
            wrong.push(format!("LOST: {object} was never changed"));
        }
        for key in keys.iter().filter(|key| !is_told(acts, key.trim_end_matches("-0"), 0)) {
            wrong.push(format!("UNTOLD: {object} is changed by {key}, and no journal says so"));
        }
        for (id, act) in records(acts).filter(|(_, act)| act.is_about(item) && act.through > 0) {
            if !keys.contains(&format!("{id}-0")) {
                wrong.push(format!("FALSE: {id} of {} says that {object} is changed by it", act.operator));
            }
        }
    }
}

/// Stripe was asked once for each event, or the cockpit posted it for every attempt that it tells of; what the business made
/// of it is there once.
pub async fn judge_events(case: &Case<'_>, acts: &Acts, business: &mut SqliteConnection, wrong: &mut Vec<String>) {
    if !case.deed.sends_events() {
        return;
    }
    let arrivals = case.place.depot.arrivals();
    let mut stand_ins = case.place.stand_ins().await;
    for item in case.items {
        let event = place::event(case.round, item);
        let told = arrivals.iter().filter(|arrival| arrival.key == event).count();
        let printed: i64 = sqlx::query_scalar("select count(*) from printed where event = $1")
            .bind(&event)
            .fetch_one(&mut *business)
            .await
            .unwrap();
        let keys: Vec<String> = sqlx::query_scalar("select key from idempotency where endpoint = $1 and status = 200")
            .bind(format!("/v1/events/{event}/retry"))
            .fetch_all(&mut stand_ins)
            .await
            .unwrap();
        let of_item = || records(acts).filter(|(_, act)| act.is_about(item));
        let sent: usize = of_item().map(|(_, act)| act.sent).sum();
        if printed > 1 {
            wrong.push(format!("DOUBLE: the business made {printed} of {event}"));
        }
        if case.deed == Deed::Resend && (keys.len() > 1 || told > 1) {
            wrong.push(format!("DOUBLE: Stripe was asked for {event} by {keys:?} and told it {told} times"));
        }
        if told > sent {
            wrong.push(format!("UNTOLD: {event} has arrived {told} times, and the journal tells of {sent}"));
        }
        for key in keys.iter().filter(|key| !is_told(acts, key.trim_end_matches("-0"), 0)) {
            wrong.push(format!("UNTOLD: Stripe was asked for {event} by {key}, and no journal says so"));
        }
        for (id, act) in of_item() {
            let is_accepted = if case.deed == Deed::Resend { keys.contains(&format!("{id}-0")) || told > 0 } else { told > 0 };
            if act.through > 0 && !is_accepted || act.through > 1 && printed == 0 {
                wrong.push(format!("FALSE: {id} is through {} steps, and {event} arrived {told} times", act.through));
            }
        }
        if case.is_final && printed == 0 {
            wrong.push(format!("LOST: the business never made anything of {event}"));
        }
    }
}

/// Every document was written by one act, once, with its mark; the journal tells of it, and nothing else of it has changed.
pub async fn judge_documents(case: &Case<'_>, acts: &Acts, wrong: &mut Vec<String>) {
    if case.deed != Deed::Write {
        return;
    }
    let papers = case.place.papers();
    let marks = papers.marks(&case.reach.marks).await;
    let commits = papers.wire.changes();
    for item in case.items {
        let held = papers.held(item).await;
        let ids: Vec<&String> = marks.iter().filter(|(_, target)| target == item).map(|(id, _)| id).collect();
        let times = commits.iter().filter(|commit| commit.body.contains(&format!("/jobs/{item}\""))).count();
        if ids.len() > 1 || times > 1 {
            wrong.push(format!("DOUBLE: the document of {item} was written {times} times, and has {} marks", ids.len()));
        }
        let is_written = held.state == "open";
        if is_written != (ids.len() == 1) || is_written == held.has_owner || ids.iter().any(|id| **id != held.by) {
            wrong.push(format!("ROW: the document of {item} is {}, written by {:?}, marked by {ids:?}", held.state, held.by));
        }
        if held.title != *item {
            wrong.push(format!("ROW: the document of {item} was replaced"));
        }
        if case.is_final && !is_written {
            wrong.push(format!("LOST: the document of {item} was never written"));
        }
        for id in ids.iter().filter(|id| !is_told(acts, id, 0)) {
            wrong.push(format!("UNTOLD: the document of {item} is written by {id}, and no journal says so"));
        }
        for (id, _) in records(acts).filter(|(id, act)| act.is_about(item) && act.through > 0 && !ids.contains(id)) {
            wrong.push(format!("FALSE: {id} says that the document of {item} is written by it"));
        }
    }
}

/// The program ran once for every item, and the journal tells of each run; none is told that never was.
pub fn judge_runs(case: &Case<'_>, acts: &Acts, wrong: &mut Vec<String>) {
    if case.deed != Deed::Export {
        return;
    }
    let runs = std::fs::read_to_string(case.reach.runs()).unwrap_or_default();
    let runs: Vec<&str> = runs.lines().collect();
    for item in case.items {
        let is_of_item = |run: &&&str| records(acts).any(|(id, act)| id == **run && act.is_about(item));
        let count = runs.iter().filter(is_of_item).count();
        if count > 1 {
            wrong.push(format!("DOUBLE: the program ran {count} times for {item}"));
        }
        if case.is_final && count == 0 {
            wrong.push(format!("LOST: the program never ran for {item}"));
        }
    }
    for run in &runs {
        if !is_told(acts, run, 0) {
            wrong.push(format!("UNTOLD: {run} has run, and the journal does not say so"));
        }
    }
    for (id, _) in records(acts).filter(|(id, act)| act.through > 0 && !runs.contains(&id.as_str())) {
        wrong.push(format!("FALSE: {id} says that the program ran, and it never did"));
    }
}
