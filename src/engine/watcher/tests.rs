use std::{collections::BTreeMap, sync::Mutex};

use chrono::DateTime;

use super::*;
use crate::{
    domain::{
        archive::{Filed, Filing},
        id::Id,
        plan::Standing,
        reconcile::Gist,
        rows::Rows,
        severity::Severity,
        snapshot::Alert,
        value::Value,
    },
    engine::{
        message::Ask,
        stage::{Shelf, Stage, Watching, receipt},
    },
    ports::Memory as _,
};

const CHECK: &str = r#"
[checks.rate]
title = "Refund rate"
read.sql = { on = "db", text = "select rate" }
value = "rate"
red = { above = 25, for = "30m" }
"#;

const JOB: &str = r#"
[jobs.promote]
title = "promote"
schedule = "0 2 * * *"
history.sql = { on = "db", text = "select runs" }
history_columns = { started = "started", status = "status", succeeded = "success" }
effect.sql = { on = "db", text = "select ran_out" }
run.sql = { on = "db", text = "update plans set expired = 1 where expired = 0", rows = 1 }
"#;

const LEDGERS: &str = r#"
[ledgers.charges]
title = "stripe"
read.sql = { on = "db", text = "select charges" }
columns = { key = "id", amount = "amount", at = "at" }
[ledgers.books]
title = "books"
read.sql = { on = "db", text = "select books" }
columns = { key = "id", amount = "amount", at = "at" }
[reconciliations.charges]
title = "Charges"
theirs = "charges"
ours = "books"
window = "7d"
"#;

fn every(every: &str) -> Arc<Stage> {
    Stage::new(&format!("{CHECK}every = \"{every}\"\n"))
}

fn entries(entries: &[(&str, i64)]) -> Rows {
    let at: DateTime<Utc> = "2026-03-18T12:00:00Z".parse().unwrap();
    let rows = entries.iter().map(|(id, minor)| vec![Value::text(*id), Value::Integer(*minor), Value::Time(at)]);
    Rows::new(["id", "amount", "at"].map(str::to_owned), rows)
}

async fn look(watching: &mut Watching) -> Arc<Alert> {
    let snapshot = watching.watcher.look_once(|_, _| true).await;
    Arc::clone(snapshot.alerts.first().unwrap())
}

#[tokio::test]
async fn who_looks_less_often_than_the_pack_is_not_blind_in_between_and_sees_a_limit_hold() {
    let stage = every("30s");
    stage.answers("select rate", "rate", Value::Integer(30));
    let mut watching = stage.open_with(Some(Duration::from_mins(2)), Arc::new(Shelf)).await;
    assert_eq!(look(&mut watching).await.severity, Severity::Green);
    stage.later(TimeDelta::seconds(90));
    let _ = watching.watcher.time_passed().await;
    let between = watching.watcher.picture().await;
    assert_eq!(between.alerts[0].severity, Severity::Green, "{:?}", between.alerts[0]);
    assert_eq!(watching.store.flips_since(DateTime::UNIX_EPOCH).await.unwrap(), []);
    stage.later(TimeDelta::seconds(30));
    let mut minutes = 2;
    while look(&mut watching).await.severity == Severity::Green {
        stage.later(TimeDelta::minutes(2));
        minutes += 2;
    }
    assert_eq!(minutes, 30);
}

#[tokio::test]
async fn a_look_by_cron_goes_on_with_how_long_a_limit_has_been_exceeded() {
    for (interval, severity) in [("5m", Severity::Red), ("30s", Severity::Green)] {
        let stage = every(interval);
        stage.answers("select rate", "rate", Value::Integer(30));
        let mut alerts = Vec::new();
        for _ in 0..=6 {
            let mut watching = stage.open().await;
            alerts.push(look(&mut watching).await);
            watching.close().await;
            stage.later(TimeDelta::minutes(5));
        }
        assert_eq!(alerts[5].severity, Severity::Green);
        assert_eq!(alerts[5].turning.as_ref().map(|turning| turning.into), Some(Severity::Red));
        assert_eq!(
            alerts[6].severity, severity,
            "two looks further apart than twice {interval} prove nothing of the time between"
        );
    }
}

#[tokio::test]
async fn a_failed_look_is_no_result_of_a_run() {
    let stage = Stage::new(JOB);
    stage.answers_rows("select runs", Rows::default());
    stage.answers("select ran_out", "ran_out", Value::Integer(2));
    let mut watching = stage.open().await;
    look(&mut watching).await;
    watching.watcher.follow(&receipt("job.promote", "promote", Standing::Done)).await;
    stage.later(TimeDelta::seconds(1));
    stage.fails("select ran_out", "the line broke");
    look(&mut watching).await;
    stage.later(TimeDelta::seconds(1));
    stage.answers("select ran_out", "ran_out", Value::Integer(0));
    look(&mut watching).await;
    look(&mut watching).await;
    let results: Vec<_> = watching.lines().await.into_iter().filter(|line| line.word == "RESULT").map(|line| line.said).collect();
    assert_eq!(results.iter().map(Text::original).collect::<Vec<_>>(), ["promote: ran_out 2 -> 0"]);
}

#[tokio::test]
async fn a_first_look_that_fails_says_why() {
    let stage = Stage::new(&format!("{JOB}{LEDGERS}"));
    stage.fails("select runs", "there is no table runs");
    stage.fails("select charges", "there is no table charges");
    stage.answers_rows("select books", Rows::default());
    let mut watching = stage.open().await;
    let before = watching.watcher.picture().await;
    assert!(before.alerts.iter().all(|alert| alert.detail.shown().starts_with("not looked at yet")), "{before:?}");
    let after = watching.watcher.look_once(|_, _| true).await;
    let mut said: Vec<_> = after.alerts.iter().map(|alert| (alert.severity, alert.detail.shown())).collect();
    said.sort_unstable_by_key(|(_, said)| *said);
    let unknown = Severity::Unknown;
    assert_eq!(said, [(unknown, "there is no table charges"), (unknown, "there is no table runs")]);
}

#[tokio::test]
async fn only_what_was_read_is_signed() {
    let stage = Stage::new(LEDGERS);
    stage.answers_rows("select charges", entries(&[("ch_1", 2_200), ("ch_2", 500)]));
    stage.answers_rows("select books", entries(&[("ch_1", 2_200)]));
    let mut watching = stage.open().await;
    let id = Id::new("charges");
    let read = |snapshot: &Snapshot| Gist::of(snapshot.reconciliations[0].look.value.as_ref().unwrap());
    let seen = read(&*watching.watcher.look_once(|_, _| true).await);
    stage.later(TimeDelta::minutes(1));
    stage.answers_rows("select books", entries(&[("ch_1", 2_000)]));
    let changed = read(&*watching.watcher.look_once(|_, _| true).await);
    watching.watcher.sign_off(Ask(1), &id, &seen, String::new());
    assert!(watching.watcher.signings.is_empty());
    // It moves on with the time, and says the same.
    stage.later(TimeDelta::minutes(1));
    watching.watcher.look_once(|_, _| true).await;
    watching.watcher.sign_off(Ask(2), &id, &changed, String::new());
    let signing = watching.watcher.signings.next().await.unwrap();
    watching.watcher.signed(signing).await;
    let mut answers = Vec::new();
    while let Ok(event) = watching.told.try_recv() {
        if let Event::Answer { said, .. } = event {
            answers.push(said.map(|said| said.to_string()).map_err(|why| why.to_string()));
        }
    }
    let changed = "Charges: it changed while you read it, and nothing was signed; look again, then sign";
    assert_eq!(answers, [Err(changed.to_owned()), Ok("signed off Charges: 0 matched, 2 open".to_owned())]);
}

/// An archive that is slow: files nothing before it may.
struct Slow {
    asked: mpsc::UnboundedSender<()>,
    may: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Archive for Slow {
    fn file(&self, _: &Filing) -> Result<Filed, Text> {
        self.asked.send(()).unwrap();
        self.may.lock().unwrap().recv().unwrap();
        Ok(Filed { name: "statement".to_owned(), hashes: BTreeMap::new() })
    }

    fn discard(&self, _: &Filed) {}
}

#[tokio::test]
async fn whoever_leaves_is_told_so_when_what_was_signed_and_the_last_picture_are_on_record() {
    let stage = Stage::new(LEDGERS);
    stage.answers_rows("select charges", entries(&[("ch_1", 2_200)]));
    stage.answers_rows("select books", entries(&[("ch_1", 2_200)]));
    let ((asked, mut is_asked), (may, waits)) = (mpsc::unbounded_channel(), std::sync::mpsc::channel());
    let watching = stage.open_with(None, Arc::new(Slow { asked, may: Mutex::new(waits) })).await;
    let Watching { watcher, store, acted, mut told, acting, .. } = watching;
    let (requests, asks) = mpsc::channel(10);
    let operator = async {
        let seen = loop {
            if let Event::Snapshot(snapshot) = told.recv().await.unwrap()
                && let Some(statement) = &snapshot.reconciliations[0].look.value
            {
                break Gist::of(statement);
            }
        };
        let reconciliation = Id::new("charges");
        requests.send(Request::SignOff { ask: Ask(1), reconciliation, seen, note: String::new() }).await.unwrap();
        is_asked.recv().await.unwrap();
        requests.send(Request::Stop).await.unwrap();
        acting.await.unwrap();
        may.send(()).unwrap();
        let mut words = Vec::new();
        while let Some(event) = told.recv().await {
            match event {
                Event::Answer { said, .. } => words.push(said.unwrap().to_string()),
                Event::Stopped => words.push("stopped".to_owned()),
                _ => {}
            }
        }
        words
    };
    let ((), words) = tokio::join!(watcher.run(asks, acted), operator);
    assert_eq!(words, ["signed off Charges: 1 matched, 0 open", "stopped"]);
    assert!(store.last_visit(i64::MAX).await.unwrap().unwrap().ended.is_some());
    assert!(store.last_sign_off(&Id::new("charges")).await.unwrap().is_some());
}

#[tokio::test]
async fn who_leaves_before_all_was_looked_at_keeps_what_the_last_visit_read_of_the_rest() {
    let rate = format!("{CHECK}every = \"30s\"\n");
    let stage =
        Stage::new(&format!("{rate}{}", rate.replace("checks.rate", "checks.spend").replace("select rate", "select spend")));
    stage.answers("select rate", "rate", Value::Integer(30));
    stage.answers("select spend", "rate", Value::Integer(7));
    let mut whole = stage.open().await;
    let picture = whole.watcher.look_once(|_, _| true).await;
    let in_doubt = receipt("job.promote", "promote", Standing::Unknown);
    let picture = Snapshot { receipts: Arc::from([in_doubt]), ..Snapshot::clone(&picture) };
    whole.store.save_snapshot(&picture).await.unwrap();
    whole.close().await;

    stage.later(TimeDelta::minutes(5));
    let Watching { mut watcher, store, .. } = stage.open().await;
    let before = watcher.before.clone();
    watcher.look_once(|watch, pack| watch.name(pack).ends_with("rate")).await;
    // The other look is still on its way, and with it the beginning of the visit.
    watcher.before = before;
    watcher.leave().await;
    let kept = store.last_snapshot().await.unwrap().unwrap();
    let looked_at = |picture: &Snapshot, id: &str| {
        let subject = Subject::Check(Id::new(id));
        picture.alerts.iter().find(|alert| alert.subject == subject).unwrap().looked_at
    };
    let age = |id: &str| looked_at(&kept, id).unwrap() - looked_at(&picture, id).unwrap();
    assert_eq!((age("rate"), age("spend")), (TimeDelta::minutes(5), TimeDelta::zero()), "the one is new, the other of before");
    assert_eq!(kept.receipts.len(), 0, "what is done, or in doubt, is as it is now");
}
