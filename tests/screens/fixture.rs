//! A small business in every state that a screen can be in, built by hand. Used beside the code and by the screens' tests.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};

use super::{
    domain::{
        ends::Ends,
        expression::Expression,
        id::Id,
        money::{Currency, Money},
        pack::{
            Action, Class, ColumnFormat, ColumnSpec, Confirm, Deadline, Effect, EffectKind, Flag, HistoryColumns, Input,
            InputKind, Job, Metric, Pack, Playbook, Policy, Preset, Query, Queue, Read, Reconciliation, Schedule, Sql,
        },
        plan::{ActionId, BatchId, Receipt, Standing, Target},
        proof::Proofs,
        recovery::{CutBatch, LeftAct, Recovery},
        rows::{Params, Rows},
        severity::Severity,
        snapshot::{
            Alert, Digest, Discrepancy, Entry, Failure, FlagReport, Handling, Item, Items, JobHealth, JobReport, JournalLine,
            Look, MetricReading, MetricReport, QueueReport, Reading, ReconciliationReport, Run, RunOutcome, Snapshot,
            SourceReport, Statement, Subject, Totals, Turning,
        },
        template::Template,
        text::Text,
        value::Value,
    },
    engine::message::{GuardVerdict, PlanPreview, Preview},
    ui::{Mode, Model, Shown},
};

pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2025, 12, 24, 23, 45, 10).unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

fn currency() -> Currency {
    Currency::from_code("AUD").unwrap()
}

fn money(minor: i64) -> Money {
    Money::new(minor, currency())
}

fn query() -> Query {
    let sql = Sql { text: "select 1".to_owned(), numbered: "select 1".to_owned(), parameters: Vec::new() };
    Query { on: Id::new("db"), read: Read::Sql(sql), money: Vec::new() }
}

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

fn effect(kind: &str) -> Effect {
    let kind = match kind {
        "refund" => {
            EffectKind::Refund { on: Id::new("stripe"), charge: "charge".to_owned(), amount: "amount".to_owned(), reason: None }
        }
        "http" => EffectKind::Http {
            on: Id::new("site"),
            method: "POST".to_owned(),
            path: template("/run"),
            body: None,
            find: None,
            proofs: Proofs::default(),
        },
        _ => {
            let sql = Sql { text: "update x".to_owned(), numbered: "update x".to_owned(), parameters: Vec::new() };
            EffectKind::Sql { on: Id::new("db"), sql, rows: 1 }
        }
    };
    Effect { kind, said: template("reviews.status pending -> approved") }
}

fn action(id: &str, title: &str, key: Option<char>, confirm: Confirm, kind: &str) -> Action {
    Action {
        id: Id::new(id),
        title: title.to_owned(),
        key,
        effects: vec![effect(kind)],
        guards: Vec::new(),
        inputs: Vec::new(),
        undo: (kind == "sql").then(|| Id::new("undo")),
        confirm,
        stops_at_unknown: false,
        hold: if kind == "refund" { Duration::from_secs(10) } else { Duration::ZERO },
        amount: (kind == "refund").then(|| "amount".to_owned()),
        fresh: Vec::new(),
        unchanged: Vec::new(),
        label: None,
        covers: Vec::new(),
    }
}

fn input(name: &str, title: &str, choices: &[&str], required: bool) -> Input {
    let kind = if choices.is_empty() {
        InputKind::Text
    } else {
        InputKind::Choice(choices.iter().map(|choice| (*choice).to_owned()).collect())
    };
    Input { name: name.to_owned(), title: title.to_owned(), kind, required }
}

fn column(column: &str, title: &str, format: ColumnFormat) -> ColumnSpec {
    ColumnSpec { column: column.to_owned(), title: title.to_owned(), format }
}

fn queue(id: &str, title: &str, actions: &[&str], columns: Vec<ColumnSpec>) -> Queue {
    Queue {
        id: Id::new(id),
        title: title.to_owned(),
        query: query(),
        key: "id".to_owned(),
        items: Id::new(id),
        since: Some("created_at".to_owned()),
        deadline: None,
        group: Vec::new(),
        minutes_each: 4.0,
        target_below: Some(10),
        presets: Vec::new(),
        actions: actions.iter().map(|id| Id::new(*id)).collect(),
        columns,
        body: None,
        empty: format!("No {} wait.", title.to_lowercase()),
        every: Duration::from_mins(1),
        covers: Vec::new(),
    }
}

fn queues() -> Vec<Queue> {
    let columns = vec![
        column("id", "Review", ColumnFormat::Id),
        column("ai_confidence", "AI", ColumnFormat::Percent),
        column("business", "Business", ColumnFormat::Plain),
        column("stars", "Stars", ColumnFormat::Plain),
        column("text", "Words", ColumnFormat::Plain),
    ];
    let mut reviews = queue("reviews", "Reviews", &["approve", "reject"], columns);
    reviews.presets = vec![Preset { name: "safe".to_owned(), filter: Expression::parse("ai_confidence >= 0.90").unwrap() }];
    reviews.body = Some("text".to_owned());
    let columns = vec![
        column("id", "Request", ColumnFormat::Id),
        column("business", "Business", ColumnFormat::Plain),
        column("amount", "Amount", ColumnFormat::Plain),
        column("paid_at", "Paid", ColumnFormat::Time),
    ];
    let mut refunds = queue("refunds", "Refunds", &["refund", "deny"], columns);
    refunds.deadline = Some(Deadline { column: "paid_at".to_owned(), after: Duration::from_hours(72) });
    refunds.target_below = None;
    vec![reviews, refunds]
}

fn actions() -> Vec<Action> {
    let mut reject = action("reject", "Reject", Some('x'), Confirm::Key, "sql");
    reject.inputs =
        vec![input("reason", "Reason", &["spam", "profanity", "off-topic", "other"], true), input("note", "Note", &[], false)];
    let mut flip = action("flag.ai_mode", "Flip AI_MODE", None, Confirm::Typed, "http");
    flip.inputs = vec![input("value", "Value", &["z_ai", "deterministic"], true), input("reason", "Reason", &[], true)];
    vec![
        action("approve", "Approve", Some('a'), Confirm::Key, "sql"),
        reject,
        action("refund", "Refund", Some('F'), Confirm::Typed, "refund"),
        action("deny", "Deny", Some('x'), Confirm::Count, "http"),
        action("record", "Record the charge", None, Confirm::Count, "sql"),
        flip,
        action("job.promote", "Run promote", None, Confirm::Typed, "http"),
    ]
}

fn job() -> Job {
    Job {
        id: Id::new("promote"),
        title: "feature-promote".to_owned(),
        schedule: Schedule {
            cron: "0 2 * * *".to_owned(),
            evaluated_in: "UTC".parse().unwrap(),
            meant_in: "Australia/Sydney".parse().unwrap(),
        },
        grace: Duration::from_mins(10),
        missed_after: Duration::from_hours(24),
        failed_after: Duration::from_hours(48),
        attempts: 5,
        history: query(),
        history_columns: HistoryColumns {
            started: "s".to_owned(),
            finished: None,
            status: "status".to_owned(),
            succeeded: "success".to_owned(),
            running: None,
            attempt: None,
            error: None,
        },
        effect: None,
        run: Some(Id::new("job.promote")),
        playbook: None,
        note: "Expires what ran out and promotes the next in the queue.".to_owned(),
        every: Duration::from_mins(1),
        covers: Vec::new(),
    }
}

pub fn pack() -> Pack {
    let markdown = "# Z.AI is down\n\n1. **Confirm**: ask the status page and the triage endpoint\n2. Flip `AI_MODE` to deterministic\n\n\
                    | asked | expected |\n|---|---|\n| Bleeding from paw | medical |\n\n> Put it back when it is green again.\n";
    Pack {
        name: "town".to_owned(),
        title: "Corner Shop".to_owned(),
        timezone: "Australia/Sydney".parse().unwrap(),
        currency: currency(),
        connections: Vec::new(),
        checks: Vec::new(),
        queues: queues(),
        jobs: vec![job()],
        ledgers: Vec::new(),
        reconciliations: vec![Reconciliation {
            id: Id::new("charges"),
            title: "Charges, 7 days".to_owned(),
            theirs: Id::new("stripe"),
            ours: Id::new("db"),
            window: Duration::from_hours(168),
            settle: Duration::from_hours(1),
            tolerance: Duration::from_mins(10),
            proposals: [(Class::MissingHere, Id::new("record"))].into(),
            proposals_there: [].into(),
            proposals_here: [].into(),
            every: Duration::from_mins(5),
            covers: Vec::new(),
        }],
        flags: vec![Flag {
            id: Id::new("ai_mode"),
            title: "AI_MODE".to_owned(),
            query: query(),
            column: "value".to_owned(),
            values: vec!["z_ai".to_owned(), "deterministic".to_owned()],
            normal: "z_ai".to_owned(),
            set: Id::new("flag.ai_mode"),
            probes: Vec::new(),
            observe_for: Duration::from_mins(2),
            back_when: None,
            every: Duration::from_mins(1),
            covers: Vec::new(),
        }],
        metrics: vec![Metric {
            id: Id::new("revenue"),
            title: "Revenue MTD".to_owned(),
            query: query(),
            value: Expression::parse("revenue").unwrap(),
            unit: String::new(),
            said: None,
            previous: None,
            target: None,
            series: None,
            definition: "sum of succeeded charges since the 1st".to_owned(),
            every: Duration::from_mins(1),
            covers: Vec::new(),
        }],
        actions: actions(),
        playbooks: vec![Playbook {
            id: Id::new("z-ai-down"),
            title: "Z.AI down for more than 30 minutes".to_owned(),
            markdown: Arc::from(markdown),
            covers: Vec::new(),
        }],
        policy: Policy { forbidden: vec!["delete data".to_owned()], ..Policy::default() },
    }
}

pub fn shown() -> Shown {
    Shown {
        mode: Mode::Demo,
        account: Some("acct_1Demo1a2b".to_owned()),
        operator: "sam".to_owned(),
        read_only: false,
        ascii: false,
        ssh: None,
        listens_after: TimeDelta::milliseconds(300),
    }
}

fn look<T>(value: T) -> Look<T> {
    Look {
        value: Some(Arc::new(value)),
        looked_at: Some(now()),
        took_ms: 12,
        every: Duration::from_mins(1),
        failure: None,
        reading: None,
    }
}

pub fn failure() -> Failure {
    Failure {
        said: Text::new("db: connection refused; is it running?"),
        since: ago(14),
        tries: 3,
        next_try: Some(now() + TimeDelta::minutes(5)),
    }
}

fn items(columns: &[&str], rows: Vec<Vec<Value>>) -> Vec<Item> {
    let rows = Rows::new(columns.iter().map(|name| (*name).to_owned()), rows).into_rows();
    rows.into_iter()
        .map(|row| {
            let key = row.find("id").unwrap().to_string();
            let since = row.find("created_at").and_then(Value::time);
            Item { key, row, since, deadline: None, presets: Vec::new(), barred: Vec::new() }
        })
        .collect()
}

pub fn reviews(now: DateTime<Utc>) -> Items {
    let spec = [
        ("rv_901", 97, "Happy Paws", 5, "Great with our anxious puppy", 12),
        ("rv_902", 95, "K9 Academy", 4, "Patient and clear, some traffic noise", 9),
        ("rv_903", 41, "Bark & Co", 1, "do not go here they shouted", 5),
        ("rv_904", 92, "Café Chien", 5, "lovely", 2),
        ("rv_905", 66, "Paw Patrol", 3, "it was fine", 1),
        ("rv_906", 70, "Leash Lab", 2, "hm\u{202e}dne", 0),
    ];
    let rows = spec.iter().map(|(id, confidence, business, stars, text, days)| {
        vec![
            Value::text(*id),
            Value::Decimal(rust_decimal::Decimal::new(*confidence, 2)),
            Value::text(*business),
            Value::Integer(*stars),
            Value::text(*text),
            Value::Time(now - TimeDelta::days(*days)),
        ]
    });
    let mut items = items(&["id", "ai_confidence", "business", "stars", "text", "created_at"], rows.collect());
    for item in &mut items {
        if item.row.find("ai_confidence").and_then(Value::number).unwrap() >= 0.9 {
            item.presets.push("safe".to_owned());
        }
    }
    Items { items: items.into_iter().map(Arc::new).collect(), ..Items::default() }
}

/// A queue of any length, for what must not depend on it.
pub fn many_reviews(count: usize) -> Items {
    let rows = (0..count).map(|at| {
        vec![
            Value::text(format!("rv_{at:06}")),
            Value::Decimal(rust_decimal::Decimal::new(50, 2)),
            Value::text("Happy Paws"),
            Value::Integer(5),
            Value::text("words"),
            Value::Time(now() - TimeDelta::days(2)),
        ]
    });
    let items = items(&["id", "ai_confidence", "business", "stars", "text", "created_at"], rows.collect());
    Items { items: items.into_iter().map(Arc::new).collect(), ..Items::default() }
}

fn refunds() -> Items {
    let spec = [("rr_0312", "Happy Paws", 4_150), ("rr_0313", "K9 Academy", 5_820), ("rr_0314", "Bark & Co", 2_350)];
    let rows = spec.iter().map(|(id, business, minutes)| {
        vec![
            Value::text(*id),
            Value::text(*business),
            Value::Money(money(2_200)),
            Value::Time(ago(*minutes)),
            Value::Time(ago(*minutes)),
        ]
    });
    let mut items = items(&["id", "business", "amount", "paid_at", "created_at"], rows.collect());
    for item in &mut items {
        item.deadline = item.since.map(|at| at + TimeDelta::hours(72));
        if item.key == "rr_0313" {
            item.barred = vec![(Id::new("refund"), Text::new("within 3 days: over by 1d 1h"))];
        }
    }
    Items { items: items.into_iter().map(Arc::new).collect(), ..Items::default() }
}

fn alert(id: &str, title: &str, severity: Severity, minutes: i64, reading: &str, detail: &str) -> Alert {
    Alert {
        subject: Subject::Check(Id::new(id)),
        title: title.to_owned(),
        severity,
        since: ago(minutes),
        reading: reading.to_owned(),
        detail: Text::new(detail),
        rule: "yellow at least 10 %, red above 15 % for 30m".to_owned(),
        turning: None,
        recent: Arc::from([Reading { at: ago(1), value: Some(Value::Integer(1)), severity, said: Text::new(reading) }]),
        playbook: None,
        looked_at: Some(now()),
        every: Duration::from_mins(1),
        failure: None,
        handling: Handling::default(),
    }
}

fn alerts() -> Vec<Arc<Alert>> {
    let mut down = alert("z_ai", "Z.AI down", Severity::Red, 63, "503", "4 probes failed");
    down.playbook = Some(Id::new("z-ai-down"));
    let webhook = alert("webhook", "Stripe webhook failing", Severity::Red, 22, "4 evts", "last 200: 10:21");
    let mut rate = alert("refund_rate", "Refund rate, 7 days", Severity::Yellow, 10_080, "11.8%", "9 of 76");
    rate.turning = Some(Turning { into: Severity::Red, since: ago(10), counts_at: now() + TimeDelta::minutes(20) });
    rate.handling.acknowledged = Some((ago(30), "sam".to_owned()));
    let mut sentry = alert("sentry", "Sentry", Severity::Unknown, 14, "", "");
    sentry.failure = Some(failure());
    sentry.looked_at = Some(ago(14));
    let mut all = vec![down, webhook, rate, sentry];
    all.extend((0..3).map(|at| alert(&format!("ok{at}"), &format!("Healthy {at}"), Severity::Green, 500, "1", "")));
    all.into_iter().map(Arc::new).collect()
}

fn job_report() -> JobReport {
    let outcomes = [RunOutcome::Failed, RunOutcome::Missed, RunOutcome::Slow, RunOutcome::Succeeded, RunOutcome::Succeeded];
    let runs = (0_i64..).zip(outcomes).map(|(day, outcome)| Run {
        due: Some(ago(525 + day * 1_440)),
        started: (outcome != RunOutcome::Missed).then(|| ago(525 + day * 1_440)),
        finished: (outcome != RunOutcome::Missed).then(|| ago(525 + day * 1_440) + TimeDelta::seconds(12)),
        outcome,
        attempt: Some(2),
        error: (outcome == RunOutcome::Failed).then(|| Text::new("database timeout")),
    });
    let health = JobHealth {
        severity: Severity::Red,
        state: "FAILED 2/5".to_owned(),
        since: None,
        why: "attempt 2 of 5 failed: database timeout".to_owned(),
        runs: runs.collect(),
        expected: Some(ago(525)),
        next: Some(now() + TimeDelta::minutes(915)),
        missed: 1,
        usual: Some(Duration::from_secs(12)),
        clock_change: None,
        effect: vec![("expired".to_owned(), Value::Integer(3))],
    };
    JobReport { id: Id::new("promote"), title: "feature-promote".to_owned(), look: look(health) }
}

fn statement() -> ReconciliationReport {
    let row = Rows::new(["id".to_owned()], [vec![Value::text("ch_Kx9")]]).into_rows().remove(0);
    let entry = Entry {
        key: "ch_Kx9".to_owned(),
        link: None,
        amount: money(2_200),
        refunded: money(0),
        at: ago(1_200),
        status: None,
        settled: true,
        pending: false,
        row,
    };
    let statement = Statement {
        from: ago(10_080),
        to: now(),
        theirs_title: "stripe".to_owned(),
        ours_title: "db".to_owned(),
        totals: vec![Totals {
            theirs: money(236_200),
            theirs_rows: 107,
            ours: money(234_000),
            ours_rows: 106,
            difference: money(2_200),
            by_class: vec![(Class::Matched, 106, money(0)), (Class::MissingHere, 1, money(2_200))],
        }],
        discrepancies: vec![Discrepancy {
            key: "missing_here:ch_Kx9:".to_owned(),
            class: Class::MissingHere,
            theirs: Some(entry),
            ours: None,
            difference: vec![money(2_200)],
            said: Text::new("ch_Kx9 has no order row"),
            proposal: Some(Id::new("record")),
            candidates: vec![],
            more_candidates: 0,
        }],
        matched: 106,
        unlisted: 0,
    };
    let title = "Charges, 7 days".to_owned();
    ReconciliationReport { id: Id::new("charges"), title, look: look(statement), signed_off: None, reading: None }
}

fn journal() -> Arc<[JournalLine]> {
    let line = |sequence, minutes, who: &str, word: &str, said: &str| JournalLine {
        sequence,
        at: ago(minutes),
        who: who.to_owned(),
        word: word.to_owned(),
        said: Text::new(said),
        severity: Severity::Green,
        printed: None,
    };
    Arc::from([
        line(12, 1, "sam", "ACK", "alert webhook"),
        line(11, 9_000, "sam", "REFUND", "rr_0309 A$22.00 re_9Q ok"),
        line(10, 9_001, "system", "FLIP", "webhook green -> red"),
    ])
}

pub fn snapshot() -> Snapshot {
    let queue =
        |id: &str, title: &str, items| Arc::new(QueueReport { id: Id::new(id), title: title.to_owned(), look: look(items) });
    Snapshot {
        sequence: 1,
        taken_at: now(),
        alerts: alerts(),
        queues: vec![queue("reviews", "Reviews", reviews(now())), queue("refunds", "Refunds", refunds())],
        jobs: vec![Arc::new(job_report())],
        reconciliations: vec![Arc::new(statement())],
        flags: vec![Arc::new(FlagReport {
            id: Id::new("ai_mode"),
            title: "AI_MODE".to_owned(),
            normal: "z_ai".to_owned(),
            values: vec!["z_ai".to_owned(), "deterministic".to_owned()],
            look: look(Value::text("z_ai")),
            flip: None,
        })],
        metrics: vec![Arc::new(MetricReport {
            id: Id::new("revenue"),
            title: "Revenue MTD".to_owned(),
            look: look(MetricReading {
                value: Some(Value::Money(money(234_000))),
                said: "A$2,340.00".to_owned(),
                change: Some(0.12),
                series: vec![1.0, 3.0, 2.0, 5.0, 8.0],
                times: [20, 15, 5, 3, 1].map(|days| now() - TimeDelta::days(days)).into(),
                target: Some(("target A$2,000: met".to_owned(), true)),
            }),
        })],
        sources: vec![SourceReport {
            id: Id::new("db"),
            kind: "sql".to_owned(),
            last_ok: Some(now()),
            took_ms: Some(3),
            failure: None,
            budget: None,
            progress: None,
        }],
        journal: journal(),
        receipts: Arc::from([]),
        batch: None,
        next_look: Some(now() + TimeDelta::seconds(48)),
        since_last_visit: Some(Digest {
            last_visit: Some(ago(9_000)),
            lines: vec!["+2 red".to_owned(), "+9 Reviews".to_owned()],
        }),
        barrier: None,
        recovery: None,
        money_today: 0,
        money_this_session: 0,
    }
}

/// Nothing in any list.
pub fn empty() -> Snapshot {
    let mut snapshot = snapshot();
    snapshot.alerts.retain(|alert| alert.severity == Severity::Green);
    snapshot.queues = snapshot
        .queues
        .iter()
        .map(|queue| Arc::new(QueueReport { look: look(Items::default()), ..queue.as_ref().clone() }))
        .collect();
    snapshot.jobs.clear();
    snapshot.reconciliations.clear();
    snapshot.flags.clear();
    snapshot.metrics.clear();
    snapshot.journal = Arc::from([]);
    snapshot
}

/// No source has ever answered.
pub fn failed() -> Snapshot {
    fn never<T>() -> Look<T> {
        Look { failure: Some(failure()), ..Look::never(Duration::from_mins(1)) }
    }
    let mut snapshot = snapshot();
    for alert in &mut snapshot.alerts {
        let alert = Arc::make_mut(alert);
        alert.severity = Severity::Unknown;
        alert.looked_at = None;
        alert.failure = Some(failure());
    }
    for queue in &mut snapshot.queues {
        Arc::make_mut(queue).look = never();
    }
    for job in &mut snapshot.jobs {
        Arc::make_mut(job).look = never();
    }
    for report in &mut snapshot.reconciliations {
        Arc::make_mut(report).look = never();
    }
    for flag in &mut snapshot.flags {
        Arc::make_mut(flag).look = never();
    }
    for metric in &mut snapshot.metrics {
        Arc::make_mut(metric).look = never();
    }
    for source in &mut snapshot.sources {
        source.last_ok = Some(ago(15));
        source.failure = Some(failure());
    }
    snapshot
}

pub fn model() -> Model {
    Model::new(Arc::new(pack()), shown(), Some(Arc::new(snapshot())))
}

pub fn target(queue: &str, key: &str) -> Target {
    Target { queue: Some(Id::new(queue)), key: key.to_owned() }
}

pub fn preview(action: &str, title: &str, targets: &[Target], confirm: Confirm) -> Preview {
    let plan = |target: &Target| PlanPreview {
        id: ActionId(format!("id-{}", target.key)),
        target: target.clone(),
        label: Text::new(format!("Happy Paws {}", target.key)),
        amount: (confirm == Confirm::Typed).then(|| money(2_200)),
        guards: vec![GuardVerdict {
            title: "within 3 days".to_owned(),
            holds: true,
            said: Text::new("2d 21h 10m used, 2h 50m left"),
        }],
        steps: vec![Text::new("Stripe refund A$22.00"), Text::new("payment_audit.status succeeded -> refunded, 1 row")],
        letters: Vec::new(),
    };
    Preview {
        action: Id::new(action),
        title: title.to_owned(),
        plans: targets.iter().map(plan).collect(),
        refused: Vec::new(),
        missing: Vec::new(),
        confirm,
        expected: if confirm == Confirm::Typed { "22.00".to_owned() } else { String::new() },
        total: (confirm == Confirm::Typed).then(|| money(2_200)),
        hold: if confirm == Confirm::Typed { Duration::from_secs(10) } else { Duration::ZERO },
        is_final: confirm == Confirm::Typed,
        changed: Vec::new(),
        caps: vec![("A$44.00 of A$200.00 today".to_owned(), true)],
        unclaimed: None,
    }
}

pub fn receipt(target: &Target, standing: Standing) -> Receipt {
    Receipt {
        plan: ActionId(format!("id-{}", target.key)),
        action: Id::new("refund"),
        title: "Refund".to_owned(),
        target: target.clone(),
        label: Text::new(format!("{} A$22.00", target.key)),
        amount: Some(money(2_200)),
        standing,
        said: Text::new(""),
        steps_done: 0,
        steps: 2,
        held_until: (standing == Standing::Held).then(|| now() + TimeDelta::seconds(10)),
        looked_for_at: None,
        is_final: true,
        can_undo: false,
        has_rest: false,
        is_resendable: false,
        batch: None,
        at: now(),
    }
}

/// Three acts and a batch of an earlier run: one is through, one is unknown, one is half done.
pub fn recovery(is_over: bool) -> Recovery {
    let act = |key: &str, standing: Standing, facts: [&str; 3]| LeftAct {
        certain: vec![Text::new(facts[0])],
        unknown: Some(Text::new(facts[1])),
        asks: Text::new(facts[2]),
        waits_for: None,
        operator: "sam".to_owned(),
        planned_at: ago(12),
        receipt: Receipt {
            has_rest: standing == Standing::Rejected,
            is_resendable: standing == Standing::Rejected,
            ..receipt(&target("refunds", key), standing)
        },
    };
    let looked = "stripe is asked for the refunds of ch_1, for one with this act's id";
    let through = "step 1 of 3: refund A$22.00 of ch_1: succeeded (re_1Nx)";
    let mut acts = vec![
        act(
            "rr_0312",
            Standing::Done,
            ["nothing of it is known to have happened", "whether step 1 of 3 happened: refund", looked],
        ),
        act(
            "rr_0313",
            Standing::Unknown,
            ["nothing of it is known to have happened", "whether step 1 of 3 happened: refund", looked],
        ),
        act("rr_0314", Standing::Rejected, [through, "nothing", "what is left goes out when you say so, under the same key"]),
    ];
    if let Some(act) = acts.get_mut(2) {
        act.unknown = None;
    }
    if !is_over {
        acts[1].waits_for = Some((Text::new("stripe"), now() - TimeDelta::seconds(7)));
        acts[1].receipt.standing = Standing::UnderWay;
    }
    let batch = CutBatch {
        id: BatchId("b".to_owned()),
        action: Id::new("approve"),
        title: "Approve".to_owned(),
        operator: "sam".to_owned(),
        planned_at: ago(13),
        inputs: Params::new(),
        total: 3,
        ends: Ends { done: 1, ..Ends::default() },
        unknown: 0,
        under_way: 0,
        unsent: vec![target("reviews", "rv_902"), target("reviews", "rv_903")],
        unsent_amount: None,
    };
    let ended_at = is_over.then(now);
    Recovery { began_at: ago(1), ended_at, acts, batches: vec![batch], left_alone: None }
}
