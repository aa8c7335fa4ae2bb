//! Judgement from outside, over the files that the dead left: Stripe's stand-in, the business, the mails, the journals.
//! It reads them with its own eyes and asks no code of the cockpit how it stands.

mod journal;
mod outside;

use std::collections::BTreeSet;

use serde_json::Value as Json;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteRow};

use self::journal::{Acts, Recorded, autopsy, records};
use super::{
    deed::Deed,
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

struct Refund {
    id: String,
    charge: String,
    amount: i64,
    action: String,
}

/// Sentences, one for each thing that is not as it must be.
pub async fn judge(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut acts = Acts::new();
    for operator in case.operators {
        let path = case.reach.journal(operator);
        if path.exists() {
            let mut journal = autopsy(&path).await;
            journal::read(&mut journal, &path, operator, &mut acts, &mut wrong).await;
            // Before the next copy: whoever closes a database still writes.
            journal.close().await.unwrap();
        }
    }
    for id in case.confirmed.iter().filter(|id| !acts.contains_key(*id)) {
        wrong.push(format!("LOST: {id} was confirmed, and no journal has it"));
    }
    let refunds = refunds(case).await;
    judge_refunds(case, &acts, &refunds, &mut wrong);
    judge_business(case, &acts, &refunds, &mut wrong).await;
    judge_mails(case, &acts, &mut wrong);
    outside::judge_depot(case, &acts, &mut wrong);
    outside::judge_amendments(case, &acts, &mut wrong).await;
    outside::judge_documents(case, &acts, &mut wrong).await;
    outside::judge_runs(case, &acts, &mut wrong);
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

fn judge_refunds(case: &Case<'_>, acts: &Acts, refunds: &[Refund], wrong: &mut Vec<String>) {
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

async fn judge_business(case: &Case<'_>, acts: &Acts, refunds: &[Refund], wrong: &mut Vec<String>) {
    let mut business = autopsy(&case.reach.business()).await;
    let rows = if case.deed == Deed::Lend {
        judge_books(case, &mut business, wrong).await;
        Vec::new()
    } else {
        let text = format!("select id, status, times from {}", case.deed.table());
        sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&mut business).await.unwrap()
    };
    outside::judge_events(case, acts, &mut business, wrong).await;
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
        let (before, after) = case.deed.states();
        let is_done = status == after;
        if times > 1 {
            wrong.push(format!("DOUBLE: the row of {id} was changed {times} times"));
        }
        if is_done != (times > 0) || is_done != targets.contains(&id) || !is_done && status != before {
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
    business.close().await.unwrap();
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

/// Which of a round's refunds the bank sends back.
pub fn fails(round: u64, place: usize) -> bool {
    (round + place as u64).is_multiple_of(2)
}

/// What the bank sent back is never called settled, and what stands never failed; in the end each is called what it is.
fn judge_following(case: &Case<'_>, acts: &Acts, wrong: &mut Vec<String>) {
    if case.deed != Deed::Follow {
        return;
    }
    for (place, item) in case.items.iter().enumerate() {
        let (right, other) = if fails(case.round, place) { ("failed_late", "settled") } else { ("settled", "failed_late") };
        let of_item = || records(acts).filter(|(_, act)| act.is_about(item)).map(|(_, act)| act.phase.as_str());
        if of_item().any(|phase| phase == other) {
            wrong.push(format!("FALSE: {item} is called {other}"));
        }
        if case.is_final && !of_item().any(|phase| phase == right) {
            wrong.push(format!("LOST: {item} is not called {right}: {:?}", of_item().collect::<Vec<_>>()));
        }
    }
}

/// True where a mark may be another operator's, who decided the same thing.
fn is_only_another(acts: &Acts, id: &str, step: usize) -> bool {
    let records = acts.get(id).map(Vec::as_slice).unwrap_or_default();
    records.len() > 1 && records.iter().any(|act| act.through > step || act.phase == "sent" || act.phase == "unknown")
}

fn judge_mails(case: &Case<'_>, acts: &Acts, wrong: &mut Vec<String>) {
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
        let count = records(acts).filter(|(id, act)| act.is_about(item) && mails.contains(id.as_str()));
        let count = count.map(|(id, _)| id).collect::<BTreeSet<_>>().len();
        // One that could not be sent within the life of its key is told as expired, and what came before stands.
        let is_told = records(acts).any(|(_, act)| act.is_about(item) && act.phase == "expired" && act.through == 2);
        if count != 1 && !(count == 0 && is_told) {
            wrong.push(format!("MAIL: {count} mails about {item}"));
        }
    }
}
