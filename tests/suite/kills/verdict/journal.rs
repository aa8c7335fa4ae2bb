//! A journal as the dead have left it: its acts, and whether its chain tells of each what its state says.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, SqliteConnection};

use super::super::place;

/// By their ids, as each operator's journal has them.
pub type Acts = BTreeMap<String, Vec<Recorded>>;

/// An act as a journal has it.
pub struct Recorded {
    pub operator: String,
    pub target: String,
    pub phase: String,
    pub through: usize,
    pub reference: Option<String>,
    /// How many attempts of its first step the chain tells of.
    pub sent: usize,
}

impl Recorded {
    /// True where the journal says that this step was done, or that it was sent and nobody knows.
    pub fn tells_of(&self, step: usize) -> bool {
        let is_in_doubt = matches!(self.phase.as_str(), "sent" | "unknown" | "again" | "conflict");
        self.through > step || self.through == step && is_in_doubt
    }

    pub fn is_about(&self, item: &str) -> bool {
        self.target.ends_with(&format!("/{item}"))
    }
}

pub fn records(acts: &Acts) -> impl Iterator<Item = (&String, &Recorded)> {
    acts.iter().flat_map(|(id, records)| records.iter().map(move |record| (id, record)))
}

/// True where some journal tells of this step of this act.
pub fn is_told(acts: &Acts, id: &str, step: usize) -> bool {
    acts.get(id).is_some_and(|records| records.iter().any(|act| act.tells_of(step)))
}

/// Opens a copy: whoever opens a database heals it, and that is for the next life to do.
pub async fn autopsy(file: &Path) -> SqliteConnection {
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

/// Acts and events of one journal; whether each state is that of its last event, and the chain as it should be.
pub async fn read(journal: &mut SqliteConnection, path: &Path, operator: &str, acts: &mut Acts, wrong: &mut Vec<String>) {
    let tables: i64 = sqlx::query_scalar("select count(*) from sqlite_master where name in ('audit', 'plans', 'plan_events')")
        .fetch_one(&mut *journal)
        .await
        .unwrap();
    if tables < 3 {
        // Killed before its first line.
        return;
    }
    let chain = read_chain(journal, path, operator, wrong).await;
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
        if sequence.and_then(|sequence| chain.phases.get(&sequence)) != Some(&phase) {
            wrong.push(format!("AUDIT: {id} of {operator} is {phase}, and the chain tells otherwise"));
        }
        let answers = json["answers"].as_array().cloned().unwrap_or_default();
        let reference = answers.first().and_then(|answer| answer["reference"].as_str().map(str::to_owned));
        let (target, sent) = (row.get("target"), chain.sent.get(&id).copied().unwrap_or_default());
        let act = Recorded { operator: operator.to_owned(), target, phase, through: answers.len(), reference, sent };
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

/// What a chain tells.
#[derive(Default)]
struct Told {
    /// The phase that each event tells of, by its number.
    phases: BTreeMap<i64, String>,
    /// Attempts of its first step, by the act.
    sent: BTreeMap<String, usize>,
}

/// Walks the chain.
async fn read_chain(journal: &mut SqliteConnection, path: &Path, operator: &str, wrong: &mut Vec<String>) -> Told {
    let mut told = Told::default();
    let mut hashes = vec!["0".repeat(64)];
    for row in sqlx::query("select * from audit order by sequence").fetch_all(journal).await.unwrap() {
        let text = |column: &str| row.get::<String, _>(column);
        let sequence: i64 = row.get("sequence");
        let previous = text("previous");
        let hashed =
            json!([sequence, previous, text("at"), text("who"), text("word"), text("said"), text("severity"), text("payload")]);
        let hash = hex::encode(Sha256::digest(hashed.to_string()));
        let follows = usize::try_from(sequence) == Ok(hashes.len()) && hashes.last() == Some(&previous);
        if !follows || hash != text("hash") {
            wrong.push(format!("AUDIT: the chain of {operator} breaks at {sequence}"));
            return told;
        }
        hashes.push(hash);
        let payload: Json = serde_json::from_str(&text("payload")).unwrap();
        if let Some(phase) = payload["phase"].as_str() {
            told.phases.insert(sequence, phase.to_owned());
            if phase == "sent" && payload["step"] == 0 {
                *told.sent.entry(payload["act"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
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
    told
}
