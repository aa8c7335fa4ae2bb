use std::{fs, path::Path, sync::Arc};

use chrono::{TimeDelta, TimeZone as _};
use sqlx::Connection as _;
use tempfile::TempDir;

use super::*;
use crate::{
    domain::{
        journal::{Act, ActState, Answer, Entry, Phase},
        money::{Currency, Money},
        plan::{ActionId, Plan, Target},
        rows::Params,
        severity::Severity,
        snapshot::{Flip, Handling, JournalLine, SignOff, Snapshot, Subject},
    },
    ports::{Journal as _, Memory as _},
};

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 9, 0, 0).unwrap()
}

fn entry(said: &str) -> Entry {
    Entry::new(now(), "jo", "NOTE", said)
}

fn act(id: &str, phase: Phase, minor: i64) -> Act {
    let plan = Plan {
        id: ActionId(id.to_owned()),
        action: crate::domain::id::Id::new("refund"),
        title: "Refund".to_owned(),
        target: Target { queue: Some(crate::domain::id::Id::new("refunds")), key: format!("rr_{id}") },
        label: Text::new("rr A$22.00"),
        row: Params::new(),
        inputs: Params::new(),
        amount: Some(Money::new(minor, Currency::from_code("AUD").unwrap())),
        epoch: 0,
        claim: None,
        steps: Vec::new(),
        is_final: true,
        operator: "jo".to_owned(),
        planned_at: now(),
        batch: None,
    };
    Act { plan, state: ActState { phase, ..ActState::default() } }
}

async fn open(path: &Path) -> Store {
    Store::open(path, "jo", now()).await.unwrap().0
}

/// A record of ten events, closed.
async fn ten_events(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("town.db");
    let store = open(&path).await;
    for number in 0..10 {
        store.append(&entry(&format!("event {number}"))).await.unwrap();
    }
    path
}

/// Changes the database behind the program's back, as damage or a hand would.
async fn tamper(path: &Path, sql: &'static str) {
    let mut connection = connect(path, true).await.unwrap();
    sqlx::raw_sql("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_deleted; PRAGMA foreign_keys = OFF;")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_start() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    let store = open(&path).await;
    assert_eq!(store.access(), &Access::Write);
    let line = store.append(&entry("event ten").severity(Severity::Red)).await.unwrap();
    assert_eq!(line.sequence, 11);
    let tail = store.journal_tail(2).await.unwrap();
    assert_eq!(tail.iter().map(|line| line.said.shown()).collect::<Vec<_>>(), ["event ten", "event 9"]);
    assert_eq!(tail[0], line);
    let page = store.journal_page(Some(9), "EVENT 7", 10).await.unwrap();
    assert_eq!(page.iter().map(|line| line.sequence).collect::<Vec<_>>(), [8]);
    assert!(store.journal_page(Some(8), "event 7", 10).await.unwrap().is_empty());
    assert_eq!(store.verify().await.unwrap().unwrap().events, 11);
}

#[tokio::test]
async fn a_second_cockpit_reads_and_says_who_writes() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    let (first, _) = Store::open(&path, "jo", now()).await.unwrap();
    let (second, access) = Store::open(&path, "kim", now()).await.unwrap();
    let Access::ReadOnly { holder: Some(holder) } = &access else { panic!("{access:?}") };
    assert_eq!((holder.operator.as_str(), holder.pid), ("jo", std::process::id()));
    let refused = second.append(&entry("no")).await.unwrap_err();
    assert!(refused.to_string().starts_with("jo on "), "{refused}");
    assert_eq!(second.journal_tail(1).await.unwrap()[0].sequence, 10);
    first.append(&entry("meanwhile")).await.unwrap();
    assert_eq!(second.journal_tail(1).await.unwrap()[0].said.shown(), "meanwhile");
    drop(first);
    assert_eq!(open(&path).await.access(), &Access::Write);
}

#[tokio::test]
async fn every_kind_of_damage_to_the_chain_is_found_and_named() {
    let cases: [(&'static str, u64); 8] = [
        ("UPDATE audit SET said = 'event 3 ' WHERE sequence = 4", 4),
        ("UPDATE audit SET at = replace(at, '2026', '2027') WHERE sequence = 2", 2),
        ("UPDATE audit SET payload = '{}' WHERE sequence = 10", 10),
        ("DELETE FROM audit WHERE sequence = 5", 5),
        ("DELETE FROM audit WHERE sequence = 1", 1),
        ("DELETE FROM audit WHERE sequence > 7", 8),
        (
            "UPDATE audit SET sequence = 100 WHERE sequence = 6; UPDATE audit SET sequence = 6 WHERE sequence = 7; \
             UPDATE audit SET sequence = 7 WHERE sequence = 100",
            6,
        ),
        ("DELETE FROM audit", 1),
    ];
    for (sql, sequence) in cases {
        let folder = TempDir::new().unwrap();
        let path = ten_events(&folder).await;
        tamper(&path, sql).await;
        let store = Store::open_to_read(&path).await.unwrap();
        assert_eq!(store.verify().await.unwrap().unwrap_err().sequence, sequence, "{sql}");
    }
}

#[tokio::test]
async fn a_chain_rewritten_with_fitting_hashes_does_not_fit_the_head_outside() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    let kept = fs::read(beside(&path, ".head")).unwrap();
    let other = TempDir::new().unwrap();
    let forged = other.path().join("town.db");
    let store = open(&forged).await;
    for number in 0..10 {
        store.append(&entry(&format!("forged {number}"))).await.unwrap();
    }
    drop(store);
    fs::write(beside(&forged, ".head"), kept).unwrap();
    let store = open(&forged).await;
    assert_eq!(store.verify().await.unwrap().unwrap_err().sequence, 10);
    assert!(store.broken().is_some(), "noticed at the start as well");
}

#[tokio::test]
async fn a_tail_cut_together_with_the_file_beside_it_is_found_by_a_head_noted_elsewhere() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    let store = Store::open_to_read(&path).await.unwrap();
    let noted = store.verify().await.unwrap().unwrap().head.hash;
    drop(store);
    // As it was three events earlier: an older copy of both files is put back.
    tamper(&path, "DELETE FROM audit WHERE sequence > 7").await;
    let mut connection = connect(&path, true).await.unwrap();
    let hash: String = sqlx::query_scalar("SELECT hash FROM audit WHERE sequence = 7").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    fs::write(beside(&path, ".head"), format!("{:020} {hash}\n", 7)).unwrap();
    let store = Store::open_to_read(&path).await.unwrap();
    assert_eq!(store.verify().await.unwrap().unwrap().events, 7, "the two agree");
    assert_eq!(store.verify_against(Some(&hash)).await.unwrap().unwrap().events, 7);
    let broken = store.verify_against(Some(&noted)).await.unwrap().unwrap_err();
    assert!(broken.sequence == 8 && broken.why.contains("noted elsewhere"), "{broken}");
}

#[tokio::test]
async fn nothing_is_written_behind_a_broken_chain() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    tamper(&path, "DELETE FROM audit WHERE sequence > 8").await;
    let store = open(&path).await;
    assert_eq!(store.broken().unwrap().sequence, 9);
    let refused = store.save_transition(&act("a", Phase::Sent, 2200), &entry("sent")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Broken(_)), "{refused}");
    assert_eq!(store.act(&ActionId("a".to_owned())).await.unwrap(), None);
}

#[tokio::test]
async fn a_crash_between_the_commit_and_the_head_is_no_damage() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    let head = fs::read(beside(&path, ".head")).unwrap();
    open(&path).await.append(&entry("one more")).await.unwrap();
    fs::write(beside(&path, ".head"), head).unwrap();
    let store = open(&path).await;
    assert_eq!(store.broken(), None);
    assert_eq!(store.verify().await.unwrap().unwrap().head.sequence, 11);
    fs::remove_file(beside(&path, ".head")).unwrap();
    assert!(store.verify().await.unwrap().is_err());
}

#[tokio::test]
async fn the_audit_is_refused_any_change() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    let mut connection = connect(&path, true).await.unwrap();
    for sql in ["UPDATE audit SET said = ''", "DELETE FROM audit"] {
        assert!(sqlx::raw_sql(sql).execute(&mut connection).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_record_that_was_moved_away_takes_nothing_more_until_it_is_back() {
    for ending in ["", "-wal"] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("town.db");
        let store = open(&path).await;
        store.append(&entry("first")).await.unwrap();
        let (file, aside) = (super::beside(&path, ending), folder.path().join("aside"));
        std::fs::rename(&file, &aside).unwrap();
        let failed = store.append(&entry("lost")).await.unwrap_err().to_string();
        assert!(failed.contains(&format!("{} was moved or deleted", file.display())), "{failed}");
        std::fs::copy(&aside, &file).unwrap();
        assert!(store.append(&entry("into a copy")).await.is_err());
        std::fs::rename(&aside, &file).unwrap();
        store.append(&entry("second")).await.unwrap();
        assert_eq!(store.journal_tail(9).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn an_act_and_its_entry_are_one_transaction() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("town.db");
    let store = open(&path).await;
    {
        let mut inner = store.inner.lock().await;
        sqlx::raw_sql("CREATE TRIGGER fault BEFORE INSERT ON plan_events BEGIN SELECT RAISE(ABORT, 'fault'); END;")
            .execute(&mut inner.connection)
            .await
            .unwrap();
    }
    let failed = store.save_transition(&act("a", Phase::Sent, 2200), &entry("sent")).await.unwrap_err();
    assert_eq!(failed.to_string(), format!("the journal cannot be written ({}: fault): nothing was sent", path.display()));
    assert!(store.journal_tail(1).await.unwrap().is_empty());
    assert!(store.open_acts().await.unwrap().is_empty());
    {
        let mut inner = store.inner.lock().await;
        sqlx::raw_sql("DROP TRIGGER fault").execute(&mut inner.connection).await.unwrap();
    }
    assert_eq!(store.save_transition(&act("a", Phase::Sent, 2200), &entry("sent")).await.unwrap().sequence, 1);
}

#[tokio::test]
async fn open_acts_and_money_follow_the_states() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("town.db")).await;
    let kept = act("a", Phase::Unknown { look_at: None }, 2200);
    store.save_transition(&kept, &entry("unknown")).await.unwrap();
    store.save_transition(&act("b", Phase::Sent, 100), &entry("sent")).await.unwrap();
    assert_eq!(store.open_acts().await.unwrap().len(), 2);
    assert_eq!(store.money_sent(now(), None).await.unwrap(), 2300);
    assert_eq!(store.money_sent(now(), Some(&kept.plan.id)).await.unwrap(), 100);
    store.save_transition(&act("b", Phase::Rejected, 100), &entry("no")).await.unwrap();
    assert_eq!(store.open_acts().await.unwrap(), std::slice::from_ref(&kept));
    assert_eq!(store.money_sent(now(), None).await.unwrap(), 2200);
    assert_eq!(store.money_sent(now() + TimeDelta::seconds(1), None).await.unwrap(), 0);
    let mut half = act("b", Phase::Rejected, 100);
    half.state.answers.push(Answer { reference: None, request: None, said: Text::new("re_1") });
    store.save_transition(&half, &entry("half way")).await.unwrap();
    assert_eq!(store.money_sent(now(), None).await.unwrap(), 2300, "the refund stands although a later step failed");
    assert_eq!(store.acts_on(&half.plan.target).await.unwrap(), [half.clone()]);
    let elsewhere = Target { queue: None, ..half.plan.target };
    assert!(store.acts_on(&elsewhere).await.unwrap().is_empty());
}

#[tokio::test]
async fn memory_survives() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("town.db");
    let subject = Subject::Check(crate::domain::id::Id::new("refund_rate"));
    let reconciliation = crate::domain::id::Id::new("charges");
    let flip = Flip { subject: subject.clone(), at: now(), from: Severity::Green, to: Severity::Red, said: Text::new("16 %") };
    let handling = Handling { acknowledged: Some((now(), "jo".to_owned())), ..Handling::default() };
    let signed = SignOff { at: now(), operator: "jo".into(), note: Text::new("ok"), hash: "ab".into(), difference: Vec::new() };
    {
        let store = open(&path).await;
        store.save_memories(&[(subject.clone(), serde_json::json!({"since": 1}))]).await.unwrap();
        store.save_handling(&subject, &handling, &Entry::new(now(), "jo", "ACK", "refund rate acknowledged")).await.unwrap();
        store.record_flip(&flip).await.unwrap();
        let statement = serde_json::json!({"matched": 3});
        store.sign_off(&reconciliation, &signed, &statement, &Entry::new(now(), "jo", "SIGN", "signed")).await.unwrap();
        let visit = store.begin_visit("jo", now()).await.unwrap();
        store.end_visit(visit, now() + TimeDelta::minutes(5)).await.unwrap();
    }
    let store = open(&path).await;
    let memories = store.load_memories().await.unwrap();
    assert_eq!(memories["check.refund_rate"].memory, Some(serde_json::json!({"since": 1})));
    assert_eq!(memories["check.refund_rate"].handling, handling);
    assert_eq!(store.flips(&subject, 5).await.unwrap(), std::slice::from_ref(&flip));
    assert_eq!(store.flips_since(now()).await.unwrap(), [flip]);
    assert!(store.flips_since(now() + TimeDelta::seconds(1)).await.unwrap().is_empty());
    let lines = store.lines_about(&subject, 5).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.word.as_str()).collect::<Vec<_>>(), ["ACK"]);
    assert_eq!(store.last_sign_off(&reconciliation).await.unwrap(), Some(signed));
    assert_eq!(store.statement("ab").await.unwrap(), Some(serde_json::json!({"matched": 3})));
    let visit = store.begin_visit("jo", now()).await.unwrap();
    let last = store.last_visit(visit).await.unwrap().unwrap();
    assert_eq!(last.ended, Some(now() + TimeDelta::minutes(5)));
}

#[tokio::test]
async fn an_export_can_be_verified_by_anybody() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    let store = open(&path).await;
    store.append(&entry("=cmd() \u{202e}").payload(serde_json::json!({"a": 1}))).await.unwrap();
    let mut out = Vec::new();
    assert_eq!(store.export(Format::JsonLines, &mut out).await.unwrap(), 11);
    let mut previous = "0".repeat(64);
    for line in String::from_utf8(out).unwrap().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let hashed = serde_json::json!([
            event["sequence"],
            previous,
            event["at"],
            event["who"],
            event["word"],
            event["said"],
            event["severity"],
            event["payload"],
        ]);
        let digest = <sha2::Sha256 as sha2::Digest>::digest(hashed.to_string());
        assert_eq!(event["hash"], hex::encode(digest));
        previous = event["hash"].as_str().unwrap().to_owned();
    }
    let mut out = Vec::new();
    store.export(Format::Csv, &mut out).await.unwrap();
    let csv = String::from_utf8(out).unwrap();
    assert_eq!(csv.lines().count(), 12);
    assert!(csv.lines().last().unwrap().contains(",'=cmd() <202E>,"), "{csv}");
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = ten_events(&folder).await;
    tamper(&path, "PRAGMA user_version = 99").await;
    assert!(Store::open(&path, "jo", now()).await.is_err());
}

#[tokio::test]
async fn a_long_picture_comes_back_whole_and_a_short_one_after_it_too() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder.path().join("town.db")).await;
    assert!(store.last_snapshot().await.unwrap().is_none());
    for count in [2_000, 1, 300] {
        let line = |sequence| JournalLine {
            sequence,
            at: now(),
            who: "jo".to_owned(),
            word: "NOTE".to_owned(),
            said: Text::new("Grüße, €: pieces end anywhere"),
            severity: Severity::Green,
            printed: None,
        };
        let picture = Snapshot {
            sequence: count,
            taken_at: now(),
            alerts: Vec::new(),
            queues: Vec::new(),
            jobs: Vec::new(),
            reconciliations: Vec::new(),
            flags: Vec::new(),
            metrics: Vec::new(),
            sources: Vec::new(),
            journal: (0..count).map(line).collect(),
            receipts: Arc::from([]),
            batch: None,
            next_look: None,
            since_last_visit: None,
            barrier: None,
            recovery: None,
            money_today: 0,
            money_this_session: 0,
        };
        store.save_snapshot(&picture).await.unwrap();
        assert_eq!(store.last_snapshot().await.unwrap().unwrap().journal, picture.journal, "{count} lines");
    }
}
