//! The audit chain under every damage that we can think of: our own verification and one that shares no code with it
//! find each, at the event where it is.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value as Json, json};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use wheelhouse::{
    domain::journal::Entry,
    ports::Journal as _,
    store::{Broken, Format, Record, Store},
};

/// What people and attackers write: quotes, controls, directions, letters of several bytes, words that look like JSON.
const WORDS: [&str; 8] = [
    "approved rv_901",
    "she said \"it's done\"",
    "a\ttab\nand a line",
    "\u{202e}reversed\u{0}",
    "Caf\u{e9} Chien \u{1f436}",
    "\",\"said\":\"other",
    "\\u0041",
    "\u{7f}\u{200b}",
];

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// A record of so many events, and its export.
struct Chain {
    folder: TempDir,
    lines: Vec<String>,
}

impl Chain {
    async fn of(events: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let (store, _) = Store::open(&folder.path().join("shop.db"), "jo", now()).await.unwrap();
        for number in 0..events {
            let said = WORDS[number % WORDS.len()];
            let entry = Entry::new(now() + TimeDelta::seconds(number as i64), "jo", "NOTE", said);
            let entry = Entry { payload: json!({ "number": number, "said": said }), ..entry };
            store.append(&entry).await.unwrap();
        }
        let mut export = Vec::new();
        store.export(Format::JsonLines, &mut export).await.unwrap();
        let lines = String::from_utf8(export).unwrap().lines().map(str::to_owned).collect();
        Self { folder, lines }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    fn head(&self) -> PathBuf {
        self.folder.path().join("shop.db.head")
    }

    fn write(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, lines.join("\n")).unwrap();
        path
    }

    /// Changes the database behind the program's back; the connection stays open, for many changes.
    async fn intruder(&self) -> SqliteConnection {
        let mut connection = SqliteConnection::connect(self.database().to_str().unwrap()).await.unwrap();
        let triggers = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_deleted; PRAGMA foreign_keys = OFF;";
        sqlx::raw_sql(triggers).execute(&mut connection).await.unwrap();
        connection
    }

    async fn broken(&self) -> Option<Broken> {
        let store = Store::open_to_read(&self.database()).await.unwrap();
        store.verify().await.unwrap().err()
    }
}

/// The script's answers, a line each; `None` where there is no Python, which is said.
fn outsider(arguments: &[&Path]) -> Option<Vec<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_journal.py");
    let Ok(output) = Command::new("python3").arg(script).args(arguments).output() else {
        crate::partners::absent("Python", "apt-get install python3");
        return None;
    };
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn field(line: &str, name: &str) -> String {
    let event: Json = serde_json::from_str(line).unwrap();
    event[name].as_str().map_or_else(|| event[name].to_string(), str::to_owned)
}

fn record(line: &str) -> Record {
    Record {
        sequence: field(line, "sequence").parse().unwrap(),
        at: field(line, "at"),
        who: field(line, "who"),
        word: field(line, "word"),
        said: field(line, "said"),
        severity: field(line, "severity"),
        payload: field(line, "payload"),
        previous: field(line, "previous"),
        hash: field(line, "hash"),
    }
}

fn with(line: &str, name: &str, value: impl Into<Json>) -> String {
    let mut event: Json = serde_json::from_str(line).unwrap();
    event[name] = value.into();
    event.to_string()
}

#[tokio::test]
async fn an_independent_verifier_accepts_the_export_and_finds_every_change() {
    let chain = Chain::of(40).await;
    let lines = &chain.lines;
    let mut exports = vec![(chain.write("whole.jsonl", lines), None)];
    for at in 0..lines.len() {
        let event = at + 1;
        let mut less = lines.clone();
        less.remove(at);
        // The last one's absence is seen by the head alone.
        exports.push((chain.write(&format!("less-{at}.jsonl"), &less), Some(event)));
        if event < lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            exports.push((chain.write(&format!("swapped-{at}.jsonl"), &swapped), Some(event)));
        }
        for name in ["at", "who", "word", "said", "severity", "payload", "previous", "hash"] {
            let mut changed = lines.clone();
            let value = field(&lines[at], name);
            let mut letters: Vec<char> = value.chars().collect();
            let middle = letters.len() / 2;
            letters[middle] = char::from_u32(u32::from(letters[middle]) ^ 1).unwrap();
            changed[at] = with(&lines[at], name, letters.into_iter().collect::<String>());
            exports.push((chain.write(&format!("{name}-{at}.jsonl"), &changed), Some(event)));
        }
    }
    let head = chain.head();
    let mut arguments = vec![Path::new("--head"), head.as_path()];
    arguments.extend(exports.iter().map(|(path, _)| path.as_path()));
    let Some(answers) = outsider(&arguments) else { return };
    assert_eq!(answers.len(), exports.len());
    for ((path, event), answer) in exports.iter().zip(&answers) {
        let said = answer.strip_prefix(&format!("{}: ", path.display())).unwrap();
        match event {
            None => assert_eq!(said, "40 events, the chain holds"),
            Some(event) => assert!(said.starts_with(&format!("event {event}: ")), "{answer}"),
        }
    }
}

/// Flips every bit of every field of every event; how many flips that were.
fn flip_every_bit(lines: &[String]) -> usize {
    let mut flips = 0;
    for line in lines {
        let record = record(line);
        assert_eq!(record.digest(), record.hash);
        for bit in 0..64 {
            let flipped = Record { sequence: record.sequence ^ (1 << bit), ..record.clone() };
            assert_ne!(flipped.digest(), record.hash, "bit {bit} of the sequence");
            flips += 1;
        }
        let fields: [fn(&mut Record) -> &mut String; 7] = [
            |record| &mut record.at,
            |record| &mut record.who,
            |record| &mut record.word,
            |record| &mut record.said,
            |record| &mut record.severity,
            |record| &mut record.payload,
            |record| &mut record.previous,
        ];
        for (index, of) in fields.into_iter().enumerate() {
            for bit in 0..of(&mut record.clone()).len() * 8 {
                let mut flipped = record.clone();
                let mut bytes = std::mem::take(of(&mut flipped)).into_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                flips += 1;
                // What is no text any more cannot even be read; the next test shows that this is told.
                let Ok(text) = String::from_utf8(bytes) else { continue };
                *of(&mut flipped) = text;
                assert_ne!(flipped.digest(), record.hash, "bit {bit} of field {index}");
            }
            // A letter that moves over to the next field is a change, too.
            let mut moved = record.clone();
            let (Some(letter), Some(next)) = (of(&mut moved).pop(), fields.get(index + 1)) else { continue };
            next(&mut moved).insert(0, letter);
            assert_ne!(moved.digest(), record.hash, "a letter of field {index} in the next");
        }
    }
    flips
}

#[tokio::test]
async fn every_bit_of_an_event_is_in_its_hash() {
    let chain = Chain::of(WORDS.len()).await;
    assert!(flip_every_bit(&chain.lines) > WORDS.len() * 1_000);
}

async fn run(intruder: &mut SqliteConnection, sql: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(intruder).await.unwrap();
}

fn deletion(event: u64) -> String {
    format!("DELETE FROM audit WHERE sequence = {event}")
}

fn swap(event: u64, other: u64) -> String {
    format!(
        "UPDATE audit SET sequence = -1 WHERE sequence = {event}; UPDATE audit SET sequence = {event} WHERE \
         sequence = {other}; UPDATE audit SET sequence = {other} WHERE sequence = -1"
    )
}

fn truncation(event: u64) -> String {
    format!("DELETE FROM audit WHERE sequence >= {event}")
}

#[tokio::test]
async fn damage_in_the_database_is_found_where_it_is() {
    let chain = Chain::of(200).await;
    assert_eq!(chain.broken().await, None);
    let mut intruder = chain.intruder().await;
    let mut random = fastrand::Rng::with_seed(20_261_120);
    run(&mut intruder, "CREATE TABLE whole AS SELECT * FROM audit".to_owned()).await;
    for round in 0..60 {
        let event = random.u64(1..=200);
        let (damage, found) = match round % 6 {
            // A bit of any byte of any field, also such that it is no text any more.
            0..=2 => {
                let name = ["at", "who", "word", "said", "severity", "payload", "previous", "hash"][random.usize(..8)];
                let old = field(&chain.lines[event as usize - 1], name);
                let mut bytes = old.clone().into_bytes();
                let at = random.usize(..bytes.len());
                bytes[at] ^= 1 << random.u8(..8);
                let bytes = hex::encode(bytes);
                (format!("UPDATE audit SET {name} = CAST(x'{bytes}' AS TEXT) WHERE sequence = {event}"), event)
            }
            3 => (deletion(event), event),
            4 => {
                let other = event % 200 + 1;
                (swap(event, other), event.min(other))
            }
            _ => (truncation(event), event),
        };
        run(&mut intruder, damage.clone()).await;
        let broken = chain.broken().await;
        assert_eq!(broken.map(|broken| broken.sequence), Some(found), "{damage}");
        run(&mut intruder, "DELETE FROM audit; INSERT INTO audit SELECT * FROM whole".to_owned()).await;
        assert_eq!(chain.broken().await, None);
    }
}

#[tokio::test]
#[ignore = "the long form of F8: tests/proofs F8"]
async fn long_f8_all_damage_to_a_thousand_events_is_found() {
    const EVENTS: u64 = 1_000;
    let chain = Chain::of(EVENTS as usize).await;
    println!("{} single-bit flips found", flip_every_bit(&chain.lines));
    let mut intruder = chain.intruder().await;
    run(&mut intruder, "CREATE TABLE whole AS SELECT * FROM audit".to_owned()).await;
    for event in 1..=EVENTS {
        let other = event % EVENTS + 1;
        for (damage, found) in [(deletion(event), event), (swap(event, other), event.min(other)), (truncation(event), event)] {
            run(&mut intruder, format!("BEGIN; {damage}; COMMIT")).await;
            assert_eq!(chain.broken().await.map(|broken| broken.sequence), Some(found), "{damage}");
            // A swap is its own undoing.
            let mend = if damage == swap(event, other) {
                damage
            } else {
                format!("INSERT INTO audit SELECT * FROM whole WHERE sequence >= {event} EXCEPT SELECT * FROM audit")
            };
            run(&mut intruder, format!("BEGIN; {mend}; COMMIT")).await;
        }
        if event % 100 == 0 {
            println!("{event} of {EVENTS} events deleted, swapped and cut off: all found");
        }
    }
    assert_eq!(chain.broken().await, None);
}

#[tokio::test]
#[ignore = "the long form of F8: tests/proofs F8"]
async fn long_f8_seven_years_are_verified() {
    const EVENTS: u64 = 455_000;
    let chain = Chain::of(WORDS.len()).await;
    let mut intruder = chain.intruder().await;
    let mut previous = record(chain.lines.last().unwrap()).hash;
    run(&mut intruder, "BEGIN".to_owned()).await;
    for sequence in chain.lines.len() as u64 + 1..=EVENTS {
        let like = record(&chain.lines[sequence as usize % chain.lines.len()]);
        let mut next = Record { sequence, previous: previous.clone(), ..like };
        next.hash = next.digest();
        previous.clone_from(&next.hash);
        sqlx::query("INSERT INTO audit VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
            .bind(sequence.cast_signed())
            .bind(next.at)
            .bind(next.who)
            .bind(next.word)
            .bind(next.said)
            .bind(next.severity)
            .bind(next.payload)
            .bind(next.previous)
            .bind(next.hash)
            .execute(&mut intruder)
            .await
            .unwrap();
    }
    run(&mut intruder, "COMMIT".to_owned()).await;
    fs::write(chain.head(), format!("{EVENTS:020} {previous}\n")).unwrap();
    let store = Store::open_to_read(&chain.database()).await.unwrap();
    let began = std::time::Instant::now();
    assert_eq!(store.verify().await.unwrap().map(|verified| verified.events), Ok(EVENTS));
    println!("{EVENTS} events verified in {:.1} s", began.elapsed().as_secs_f64());
    let export = chain.folder.path().join("seven-years.jsonl");
    let mut lines = Vec::new();
    store.export(Format::JsonLines, &mut lines).await.unwrap();
    fs::write(&export, lines).unwrap();
    let began = std::time::Instant::now();
    let Some(answers) = outsider(&[Path::new("--head"), &chain.head(), &export]) else { return };
    assert_eq!(answers, [format!("{}: {EVENTS} events, the chain holds", export.display())]);
    println!("and by the independent script in {:.1} s", began.elapsed().as_secs_f64());
}
