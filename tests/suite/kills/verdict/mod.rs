//! Judgement from outside, over the files that the dead left: Stripe's stand-in, the business, the mails, the journals.
//! It reads them with its own eyes and asks no code of the cockpit how it stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{
    depot::Arrival,
    life::Deed,
    place::{self, AMOUNT, Place, Reach},
};

/// What is judged.
pub struct Case<'a> {
    pub place: &'a Place,
    pub reach: &'a Reach,
    pub round: u64,
    pub deed: Deed,
    pub items: &'a [String],
    pub operators: &'a [String],
    /// Acts whose confirmation was answered, of all operators.
    pub confirmed: &'a BTreeSet<String>,
    /// True where everything had the time to come to its end.
    pub is_final: bool,
}

/// An act as a journal has it.
struct Recorded {
    operator: String,
    target: String,
    phase: String,
    through: usize,
    reference: Option<String>,
}

struct Refund {
    id: String,
    charge: String,
    amount: i64,
    action: String,
}

/// Sentences, one for each thing that is not as it must be.
pub async fn judge(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut acts: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    for operator in case.operators {
        let path = case.reach.journal(operator);
        if path.exists() {
            let mut journal = autopsy(&path).await;
            read_journal(&mut journal, &path, operator, &mut acts, &mut wrong).await;
        }
    }
    for id in case.confirmed.iter().filter(|id| !acts.contains_key(*id)) {
        wrong.push(format!("LOST: {id} was confirmed, and no journal has it"));
    }
    let refunds = refunds(case).await;
    judge_refunds(case, &acts, &refunds, &mut wrong);
    judge_business(case, &acts, &refunds, &mut wrong).await;
    judge_mails(case, &acts, &mut wrong);
    judge_depot(case, &acts, &mut wrong);
    judge_pauses(case, &acts, &mut wrong).await;
    judge_runs(case, &acts, &mut wrong);
    judge_following(case, &acts, &mut wrong);
    if case.is_final {
        for (id, records) in &acts {
            for Recorded { operator, phase, .. } in records {
                if matches!(
                    phase.as_str(),
                    "planned" | "intent" | "claimed" | "sent" | "confirmed" | "again" | "unknown" | "conflict"
                ) {
                    wrong.push(format!("OPEN: {id} of {operator} still stands {phase}"));
                }
            }
        }
    }
    wrong
}

/// Opens a copy: whoever opens a database heals it, and that is for the next life to do.
async fn autopsy(file: &Path) -> SqliteConnection {
    let table = file.with_extension("judged");
    std::fs::create_dir_all(&table).unwrap();
    for ending in ["", "-wal", "-journal"] {
        let name = format!("{}{ending}", file.file_name().unwrap().to_string_lossy());
        match std::fs::copy(file.with_file_name(&name), table.join(&name)) {
            Err(_) if !ending.is_empty() => drop(std::fs::remove_file(table.join(&name))),
            copied => drop(copied.unwrap()),
        }
    }
    place::open(&table.join(file.file_name().unwrap())).await
}

async fn refunds(case: &Case<'_>) -> Vec<Refund> {
    let mut stand_ins = case.place.stand_ins().await;
    let rows = sqlx::query("select id, charge, amount, metadata from refunds where charge like $1 order by seq")
        .bind(format!("{}%", place::charge(case.round, "")))
        .fetch_all(&mut stand_ins)
        .await
        .unwrap();
    let metadata = |row: &SqliteRow| serde_json::from_str::<Json>(row.get("metadata")).unwrap();
    let action = |row: &SqliteRow| metadata(row)["wheelhouse_action"].as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| Refund { id: row.get("id"), charge: row.get("charge"), amount: row.get("amount"), action: action(row) })
        .collect()
}

fn judge_refunds(case: &Case<'_>, acts: &BTreeMap<String, Vec<Recorded>>, refunds: &[Refund], wrong: &mut Vec<String>) {
    for item in case.items {
        let charge = place::charge(case.round, item);
        let made: Vec<&Refund> = refunds.iter().filter(|refund| refund.charge == charge).collect();
        if made.len() > 1 {
            wrong.push(format!("DOUBLE: {} refunds of {charge}", made.len()));
        }
        if case.is_final && case.deed.refunds() && made.is_empty() {
            wrong.push(format!("LOST: {charge} was never refunded"));
        }
        wrong.extend(
            made.iter().filter(|refund| refund.amount != AMOUNT).map(|refund| format!("AMOUNT: {} of {charge}", refund.amount)),
        );
    }
    for refund in refunds {
        let known = acts.get(&refund.action).map(Vec::as_slice).unwrap_or_default();
        let is_told = |act: &Recorded| act.through > 0 || matches!(act.phase.as_str(), "sent" | "unknown" | "again" | "conflict");
        if !known.iter().any(is_told) {
            let phases: Vec<&str> = known.iter().map(|act| act.phase.as_str()).collect();
            wrong.push(format!("UNTOLD: {} of {} is made, and the journal says {phases:?}", refund.id, refund.charge));
        }
    }
    for (id, act) in records(acts).filter(|(_, act)| case.deed.refunds() && act.through > 0) {
        let made = refunds.iter().find(|refund| refund.action == *id);
        match (made, &act.reference) {
            (None, _) => wrong.push(format!("FALSE: {id} says that it is refunded, and no refund has its name")),
            (Some(made), Some(reference)) if made.id != *reference => {
                wrong.push(format!("FALSE: {id} says {reference}, and its refund is {}", made.id));
            }
            (Some(_), _) => {}
        }
    }
}

async fn judge_business(case: &Case<'_>, acts: &BTreeMap<String, Vec<Recorded>>, refunds: &[Refund], wrong: &mut Vec<String>) {
    let mut business = autopsy(&case.reach.business()).await;
    let rows = match case.deed {
        Deed::Lend => Vec::new(),
        Deed::Refund | Deed::Credit | Deed::Ship | Deed::Pause | Deed::Follow | Deed::Export => {
            let text = format!("select id, status, times from {}", case.deed.table());
            sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&mut business).await.unwrap()
        }
    };
    if case.deed == Deed::Lend {
        judge_books(case, &mut business, wrong).await;
    }
    if case.is_final {
        let left = "select target from operator_actions where epoch is not null and ended_at is null";
        for target in sqlx::query_scalar::<_, String>(left).fetch_all(&mut business).await.unwrap() {
            wrong.push(format!("CLAIM: {target} is left in somebody's hand"));
        }
    }
    let step = case.deed.own_step();
    let marks: Vec<SqliteRow> = sqlx::query("select distinct action_id, target from operator_actions where step = $1")
        .bind(i64::try_from(step).unwrap())
        .fetch_all(&mut business)
        .await
        .unwrap();
    let marked: BTreeSet<String> = marks.iter().map(|row| row.get("action_id")).collect();
    let targets: BTreeSet<String> = marks.iter().map(|row| row.get("target")).collect();
    for row in &rows {
        let (id, status, times): (String, String, i64) = (row.get("id"), row.get("status"), row.get("times"));
        let is_done = matches!(status.as_str(), "refunded" | "credited" | "sent" | "paused" | "made");
        if times > 1 {
            wrong.push(format!("DOUBLE: the row of {id} was changed {times} times"));
        }
        if is_done != (times > 0) || is_done != targets.contains(&id) {
            wrong.push(format!("ROW: {id} is {status}, changed {times} times, marked: {}", targets.contains(&id)));
        }
        let charge = place::charge(case.round, &id);
        if is_done && case.deed.refunds() && !refunds.iter().any(|refund| refund.charge == charge) {
            wrong.push(format!("ROW: {id} is {status} without its refund"));
        }
        if case.is_final && !is_done {
            wrong.push(format!("LOST: the row of {id} is still {status}"));
        }
    }
    for (id, act) in records(acts) {
        let in_doubt = act.through == step && matches!(act.phase.as_str(), "sent" | "unknown" | "again");
        if (act.through > step) != marked.contains(id) && !in_doubt && !is_only_another(acts, id, step) {
            wrong.push(format!(
                "MARK: {id} of {} is {} after {} steps, marked: {}",
                act.operator,
                act.phase,
                act.through,
                marked.contains(id)
            ));
        }
    }
}

/// Lent once and returned once, whatever was withdrawn before; each of them marked.
async fn judge_books(case: &Case<'_>, business: &mut SqliteConnection, wrong: &mut Vec<String>) {
    let text = "select id, status, lent, returned,
        (select count(distinct action_id) from operator_actions where target = books.id and step = 0) as marks from books";
    for row in sqlx::query(text).fetch_all(business).await.unwrap() {
        let (id, status): (String, String) = (row.get("id"), row.get("status"));
        let (lent, returned, marks): (i64, i64, i64) = (row.get("lent"), row.get("returned"), row.get("marks"));
        if lent > 1 || returned > 1 {
            wrong.push(format!("DOUBLE: {id} was lent {lent} times and returned {returned} times"));
        }
        if (status == "out") != (lent > returned) || marks != lent + returned {
            wrong.push(format!("ROW: {id} is {status}, lent {lent} times, returned {returned} times, marked {marks} times"));
        }
        if case.is_final && (lent, returned) != (1, 1) {
            wrong.push(format!("LOST: {id} was lent {lent} times and returned {returned} times"));
        }
    }
}

/// Every request and every message arrived once, and the journal tells of each; nothing is told that never arrived.
fn judge_depot(case: &Case<'_>, acts: &BTreeMap<String, Vec<Recorded>>, wrong: &mut Vec<String>) {
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
        let known = acts.get(id).map(Vec::as_slice).unwrap_or_default();
        let is_told = |act: &Recorded| {
            act.through > step || act.through == step && matches!(act.phase.as_str(), "sent" | "unknown" | "again")
        };
        if !known.iter().any(is_told) {
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

/// Every subscription was paused by one act, once, and the journal tells of it; none is told of that was not.
async fn judge_pauses(case: &Case<'_>, acts: &BTreeMap<String, Vec<Recorded>>, wrong: &mut Vec<String>) {
    if case.deed != Deed::Pause {
        return;
    }
    let mut stand_ins = case.place.stand_ins().await;
    for item in case.items {
        let subscription = place::subscription(case.round, item);
        // What was carried out, and under which key; what failed changed nothing.
        let keys: Vec<String> = sqlx::query_scalar("select key from idempotency where endpoint = $1 and status = 200")
            .bind(format!("/v1/subscriptions/{subscription}"))
            .fetch_all(&mut stand_ins)
            .await
            .unwrap();
        if keys.len() > 1 {
            wrong.push(format!("DOUBLE: {subscription} was paused {} times", keys.len()));
        }
        let (is_paused, metadata): (bool, String) =
            sqlx::query_as("select pause is not null, metadata from subscriptions where id = $1")
                .bind(&subscription)
                .fetch_one(&mut stand_ins)
                .await
                .unwrap();
        if is_paused != (keys.len() == 1) || keys.iter().any(|key| !metadata.contains(key.as_str())) {
            wrong.push(format!("ROW: {subscription} is paused: {is_paused}, by {keys:?}, and says {metadata}"));
        }
        if case.is_final && keys.is_empty() {
            wrong.push(format!("LOST: {subscription} was never paused"));
        }
        for key in &keys {
            let known = acts.get(key.trim_end_matches("-0")).map(Vec::as_slice).unwrap_or_default();
            let is_told = |act: &Recorded| act.through > 0 || matches!(act.phase.as_str(), "sent" | "unknown" | "again");
            if !known.iter().any(is_told) {
                wrong.push(format!("UNTOLD: {subscription} is paused by {key}, and no journal says so"));
            }
        }
        let target = format!("/{item}");
        for (id, act) in records(acts).filter(|(_, act)| act.target.ends_with(&target) && act.through > 0) {
            if !keys.contains(&format!("{id}-0")) {
                wrong.push(format!("FALSE: {id} of {} says that {subscription} is paused by it", act.operator));
            }
        }
    }
}

/// The program ran once for every item, and the journal tells of each run; none is told that never was.
fn judge_runs(case: &Case<'_>, acts: &BTreeMap<String, Vec<Recorded>>, wrong: &mut Vec<String>) {
    if case.deed != Deed::Export {
        return;
    }
    let runs = std::fs::read_to_string(case.reach.runs()).unwrap_or_default();
    let runs: Vec<&str> = runs.lines().collect();
    for item in case.items {
        let is_of_item = |run: &&&str| records(acts).any(|(id, act)| id == **run && act.target.ends_with(&format!("/{item}")));
        let count = runs.iter().filter(is_of_item).count();
        if count > 1 {
            wrong.push(format!("DOUBLE: the program ran {count} times for {item}"));
        }
        if case.is_final && count == 0 {
            wrong.push(format!("LOST: the program never ran for {item}"));
        }
    }
    for run in &runs {
        let known = acts.get(*run).map(Vec::as_slice).unwrap_or_default();
        if !known.iter().any(|act| act.through > 0 || matches!(act.phase.as_str(), "sent" | "unknown")) {
            wrong.push(format!("UNTOLD: {run} has run, and the journal does not say so"));
        }
    }
    for (id, _) in records(acts).filter(|(id, act)| act.through > 0 && !runs.contains(&id.as_str())) {
        wrong.push(format!("FALSE: {id} says that the program ran, and it never did"));
    }
}

/// Which of a round's refunds the bank sends back.
pub fn fails(round: u64, place: usize) -> bool {
    (round + place as u64).is_multiple_of(2)
}

/// What the bank sent back is never called settled, and what stands never failed; in the end each is called what it is.
fn judge_following(case: &Case<'_>, acts: &BTreeMap<String, Vec<Recorded>>, wrong: &mut Vec<String>) {
    if case.deed != Deed::Follow {
        return;
    }
    for (place, item) in case.items.iter().enumerate() {
        let (right, other) = if fails(case.round, place) { ("failed_late", "settled") } else { ("settled", "failed_late") };
        let of_item =
            || records(acts).filter(|(_, act)| act.target.ends_with(&format!("/{item}"))).map(|(_, act)| act.phase.as_str());
        if of_item().any(|phase| phase == other) {
            wrong.push(format!("FALSE: {item} is called {other}"));
        }
        if case.is_final && !of_item().any(|phase| phase == right) {
            wrong.push(format!("LOST: {item} is not called {right}: {:?}", of_item().collect::<Vec<_>>()));
        }
    }
}

/// True where a mark may be another operator's, who decided the same thing.
fn is_only_another(acts: &BTreeMap<String, Vec<Recorded>>, id: &str, step: usize) -> bool {
    let records = acts.get(id).map(Vec::as_slice).unwrap_or_default();
    records.len() > 1 && records.iter().any(|act| act.through > step || act.phase == "sent" || act.phase == "unknown")
}

fn judge_mails(case: &Case<'_>, acts: &BTreeMap<String, Vec<Recorded>>, wrong: &mut Vec<String>) {
    let files = std::fs::read_dir(case.reach.mail()).unwrap().flatten();
    let names: BTreeSet<String> = files.filter_map(|file| file.file_name().into_string().ok()).collect();
    let mails: BTreeSet<&str> = names.iter().filter_map(|name| name.strip_suffix("-2.eml")).collect();
    for (id, act) in records(acts).filter(|_| case.deed.refunds()) {
        let in_doubt = act.through == 2 && matches!(act.phase.as_str(), "sent" | "unknown" | "again");
        let is_another = is_only_another(acts, id, 2);
        if (act.through > 2) != mails.contains(id.as_str()) && !in_doubt && !is_another {
            wrong.push(format!(
                "MAIL: {id} is {} after {} steps, written: {}",
                act.phase,
                act.through,
                mails.contains(id.as_str())
            ));
        }
    }
    for item in case.items.iter().filter(|_| case.is_final && case.deed.refunds()) {
        let count = records(acts).filter(|(id, act)| act.target.ends_with(&format!("/{item}")) && mails.contains(id.as_str()));
        let count = count.map(|(id, _)| id).collect::<BTreeSet<_>>().len();
        // One that could not be sent within the life of its key is told as expired, and what came before stands.
        let is_told =
            records(acts).any(|(_, act)| act.target.ends_with(&format!("/{item}")) && act.phase == "expired" && act.through == 2);
        if count != 1 && !(count == 0 && is_told) {
            wrong.push(format!("MAIL: {count} mails about {item}"));
        }
    }
}

fn records(acts: &BTreeMap<String, Vec<Recorded>>) -> impl Iterator<Item = (&String, &Recorded)> {
    acts.iter().flat_map(|(id, records)| records.iter().map(move |record| (id, record)))
}

/// Acts and events of one journal; whether each state is that of its last event, and the chain as it should be.
async fn read_journal(
    journal: &mut SqliteConnection,
    path: &Path,
    operator: &str,
    acts: &mut BTreeMap<String, Vec<Recorded>>,
    wrong: &mut Vec<String>,
) {
    let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_master where name in ('audit', 'plans', 'plan_events')")
        .fetch_one(&mut *journal)
        .await
        .unwrap();
    if tables < 3 {
        // Killed before its first line.
        return;
    }
    let phases = read_chain(journal, path, operator, wrong).await;
    let last = "select plans.id, plans.target, plans.state, plan_events.state as told, plan_events.sequence from plans
        left join plan_events on plan_events.sequence = (select max(sequence) from plan_events where plan = plans.id)";
    for row in sqlx::query(last).fetch_all(journal).await.unwrap() {
        let (id, state): (String, String) = (row.get("id"), row.get("state"));
        let told: Option<String> = row.get("told");
        if told.as_ref() != Some(&state) {
            wrong.push(format!("AUDIT: the state of {id} of {operator} is not that of its last event"));
        }
        let json: Json = serde_json::from_str(&state).unwrap();
        let phase = phase(&json);
        let sequence: Option<i64> = row.get("sequence");
        if sequence.and_then(|sequence| phases.get(&sequence)) != Some(&phase) {
            wrong.push(format!("AUDIT: {id} of {operator} is {phase}, and the chain tells otherwise"));
        }
        let answers = json["answers"].as_array().cloned().unwrap_or_default();
        let reference = answers.first().and_then(|answer| answer["reference"].as_str().map(str::to_owned));
        let act = Recorded { operator: operator.to_owned(), target: row.get("target"), phase, through: answers.len(), reference };
        acts.entry(id).or_default().push(act);
    }
}

/// A phase is written as a word, or as a word with what belongs to it.
fn phase(state: &Json) -> String {
    match &state["phase"] {
        Json::String(word) => word.clone(),
        Json::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

/// Walks the chain; the phase that each event tells of, by its number.
async fn read_chain(
    journal: &mut SqliteConnection,
    path: &Path,
    operator: &str,
    wrong: &mut Vec<String>,
) -> BTreeMap<i64, String> {
    let mut phases = BTreeMap::new();
    let mut hashes = vec!["0".repeat(64)];
    for row in sqlx::query("select * from audit order by sequence").fetch_all(journal).await.unwrap() {
        let text = |column: &str| row.get::<String, _>(column);
        let sequence: i64 = row.get("sequence");
        let previous = text("previous");
        let told =
            json!([sequence, previous, text("at"), text("who"), text("word"), text("said"), text("severity"), text("payload")]);
        let hash = hex::encode(Sha256::digest(told.to_string()));
        let follows = usize::try_from(sequence) == Ok(hashes.len()) && hashes.last() == Some(&previous);
        if !follows || hash != text("hash") {
            wrong.push(format!("AUDIT: the chain of {operator} breaks at {sequence}"));
            return phases;
        }
        hashes.push(hash);
        let payload: Json = serde_json::from_str(&text("payload")).unwrap();
        if let Some(phase) = payload["phase"].as_str() {
            phases.insert(sequence, phase.to_owned());
        }
    }
    let head = std::fs::read_to_string(format!("{}.head", path.display())).unwrap_or_default();
    if let Some((sequence, hash)) = head.trim_end().split_once(' ') {
        let at: usize = sequence.parse().unwrap();
        if hashes.get(at).map(String::as_str) != Some(hash) {
            wrong.push(format!("AUDIT: the head of {operator} outside stands at {at}, and the chain does not"));
        }
    } else if hashes.len() > 2 {
        wrong.push(format!("AUDIT: {operator} has no head outside"));
    }
    phases
}
