//! The pack on its living business: every query read through the adapters, judged, and acted upon.

use std::{collections::BTreeMap, sync::Arc};

use super::*;
use wheelhouse::{
    adapters::{self, Environment},
    demo::built_in,
    domain::{
        check::{self, Memory, Observation},
        id::Id,
        item, job, metric,
        pack::{self, Action, Class, Pack, Query},
        plan::{Plan, Target},
        planning, reconcile,
        rows::{Params, Rows},
        severity::Severity,
        snapshot::Statement,
        text::Text,
        value::Value,
    },
    engine::reader::Reader,
    ports::{Connections, Mark, Outcome},
};

struct Living {
    town: Town,
    pack: Arc<Pack>,
    connections: Connections,
    reader: Reader,
}

impl Living {
    async fn open() -> Self {
        adapters::install_tls();
        let town = town().await;
        let built_in = built_in::find("dtd").unwrap();
        let files = |path: &str| built_in.file(path).map(str::to_owned).ok_or_else(|| "not there".to_owned());
        let loaded = wheelhouse::pack::parse("dtd/pack.toml", built_in.file("pack.toml").unwrap(), &files)
            .unwrap_or_else(|problems| panic!("{problems}"));
        let environment = town.environment.iter().fold(Environment::process(), |all, (name, value)| all.with(name, value));
        let connections = adapters::open(&loaded.pack, &environment).unwrap();
        let reader = Reader::new(&loaded.pack, connections.clone());
        Self { town, pack: loaded.pack, connections, reader }
    }

    async fn read(&self, query: &Query, more: &[(&str, Value)]) -> Rows {
        let now = self.town.clock.now();
        let ago = |days| Value::Time(now - TimeDelta::days(days));
        let mut params = Params::from([
            ("now".to_owned(), Value::Time(now)),
            ("day_ago".to_owned(), ago(1)),
            ("week_ago".to_owned(), ago(7)),
            ("month_ago".to_owned(), ago(30)),
        ]);
        params.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self.reader.read(query, &params, now).await.unwrap()
    }
}

impl Living {
    /// The row of an item as its queue reads it now.
    async fn item(&self, queue: &str, key: &str) -> Params {
        let queue = pack::find(&self.pack.queues, &Id::new(queue)).unwrap();
        let rows = self.read(&queue.query, &[]).await;
        let items = item::items(queue, &self.pack.actions, &rows, self.town.clock.now()).unwrap();
        items.items.iter().find(|item| item.key == key).unwrap_or_else(|| panic!("no {key} in {}", queue.id)).row.params()
    }

    /// Reads the row afresh as the action says, plans it, and carries every step out.
    async fn act(&self, action: &str, key: &str, mut row: Params, inputs: &[(&str, &str)]) -> Plan {
        let action: &Action = pack::find(&self.pack.actions, &Id::new(action)).unwrap();
        let target = Target { queue: None, key: key.to_owned() };
        let now = self.town.clock.now();
        for query in &action.fresh {
            let names: Vec<(String, Value)> = planning::names_for_reading(&target, &row, now).into_iter().collect();
            let names: Vec<(&str, Value)> = names.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            let fresh = self.read(query, &names).await;
            row.extend(fresh.first().unwrap_or_else(|| panic!("{}: nothing to read afresh", action.id)).params());
        }
        for verdict in wheelhouse::domain::guard::verdicts(action, &row, now) {
            assert!(verdict.holds, "{}: {verdict:?}", action.id);
        }
        let inputs: Params = inputs.iter().map(|(name, value)| ((*name).to_owned(), Value::Text(Text::new(*value)))).collect();
        let setting = planning::Setting {
            livemode: true,
            account: "acct_1DTD",
            currency: self.pack.currency,
            timezone: self.pack.timezone,
            operator: "ops",
            now,
            batch: None,
            claim: None,
        };
        let plan =
            planning::make(action, target, row, &inputs, &[], &setting).unwrap_or_else(|why| panic!("{}: {why}", action.id));
        for (step, planned) in plan.steps.iter().enumerate() {
            let mark = Mark { action: plan.id.clone(), step, attempt: 1, target: key.to_owned(), operator: "ops".to_owned() };
            let system = self.connections.find(planned.order.connection()).unwrap();
            let outcome = system.act(&planned.order, &mark).await;
            assert!(matches!(outcome, Outcome::Confirmed(_)), "{} {}: {outcome:?}", action.id, planned.said);
        }
        plan
    }

    async fn statement(&self, name: &str) -> Statement {
        let reconciliation = pack::find(&self.pack.reconciliations, &Id::new(name)).unwrap();
        let to = self.town.clock.now();
        let from = to - TimeDelta::from_std(reconciliation.window).unwrap();
        let (reach_from, reach_to) = reconcile::reach(reconciliation, from, to);
        let window = [("from", Value::Time(reach_from)), ("to", Value::Time(reach_to))];
        let side = async |id| {
            let ledger = pack::find(&self.pack.ledgers, id).unwrap();
            let rows = self.read(&ledger.query, &window).await;
            let mut book = reconcile::Book::new(ledger, self.pack.currency);
            book.take(&rows).unwrap();
            book
        };
        let (theirs, ours) = (side(&reconciliation.theirs).await, side(&reconciliation.ours).await);
        reconcile::reconcile(reconciliation, theirs, ours, from, to, to).0
    }

    fn mail(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.town.dir.join("mail")).unwrap();
        let text = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        // Lines that were folded for the road are whole again.
        text.map(|text| text.replace("=\r\n", "").replace("=\n", "")).collect()
    }
}

#[tokio::test]
async fn monday_opens_as_the_business_is() {
    let living = Living::open().await;
    let mut seen = BTreeMap::new();
    for check in &living.pack.checks {
        let now = living.town.clock.now();
        let rows = living.read(&check.query, &[]).await;
        let measurement = check::measure(check, &rows, now).unwrap_or_else(|why| panic!("{}: {why}", check.id));
        let observation = Observation::Read { at: now, measurement };
        let (_, judgement) = check::judge(check, &Memory::default(), observation, now);
        seen.insert(check.id.to_string(), (judgement.severity, judgement.said));
    }
    let of = |severity| seen.iter().filter(|(_, (found, _))| *found == severity).map(|(id, _)| id.as_str()).collect::<Vec<_>>();
    assert_eq!(of(Severity::Red), ["webhooks_undelivered", "z_ai_down"], "{seen:?}");
    assert_eq!(of(Severity::Yellow), ["placements_stuck", "queue_per_council", "triage_answers"], "{seen:?}");
    assert_eq!(of(Severity::Unknown), [""; 0]);
    assert_eq!(seen["z_ai_down"].1, "63 min");

    let mut states = BTreeMap::new();
    for job in &living.pack.jobs {
        let rows = living.read(&job.history, &[]).await;
        let health = job::health(job, &rows, living.town.clock.now());
        states.insert(job.id.to_string(), (health.severity, health.state));
    }
    assert_eq!(states["promote"], (Severity::Red, "FAILED 2/5".to_owned()));
    assert_eq!(states["backup"].0, Severity::Yellow);
    assert!(states["backup"].1.starts_with("LATE"), "{states:?}");
    assert_eq!((states["revenue_aggregation"].0, states["review_digest"].0), (Severity::Green, Severity::Green));
}

/// What Stripe no longer tries is still not there.
#[tokio::test]
async fn an_event_that_stripe_has_given_up_on_stays_red_until_the_business_has_it() {
    let living = Living::open().await;
    let old = "select id from stripe_events where created_at < datetime(:now, '-5 days') order by created_at desc limit 1";
    let event = row(&living.town, old).await.remove(0);
    let file = SqliteConnectOptions::new().filename(living.town.dir.join("stand-ins.db"));
    let lost = format!("update events set delivered = id <> '{event}'");
    sqlx::query(sqlx::AssertSqlSafe(lost)).execute(&mut SqliteConnection::connect_with(&file).await.unwrap()).await.unwrap();
    let (check, queue) = (&living.pack.checks, &living.pack.queues);
    let check = pack::find(check, &Id::new("webhooks_undelivered")).unwrap();
    let queue = pack::find(queue, &Id::new("events")).unwrap();
    for (processed_at, expected, waiting) in [("null", Severity::Red, 1), ("created_at", Severity::Green, 0)] {
        change(&living.town, &format!("update stripe_events set processed_at = {processed_at} where id = '{event}'")).await;
        let now = living.town.clock.now();
        let measurement = check::measure(check, &living.read(&check.query, &[]).await, now).unwrap();
        let (_, judgement) = check::judge(check, &Memory::default(), Observation::Read { at: now, measurement }, now);
        assert_eq!(judgement.severity, expected, "{}", judgement.said);
        assert_eq!(living.read(&queue.query, &[]).await.len(), waiting, "the alert and the queue tell the same");
    }
}

#[tokio::test]
async fn every_queue_and_figure_reads() {
    let living = Living::open().await;
    let mut counts = BTreeMap::new();
    for queue in &living.pack.queues {
        let rows = living.read(&queue.query, &[]).await;
        let items = item::items(queue, &living.pack.actions, &rows, living.town.clock.now()).unwrap();
        counts.insert(queue.id.to_string(), items.items.len());
        if queue.id.as_str() == "refunds" {
            let barred: Vec<&str> =
                items.items.iter().filter(|item| !item.barred.is_empty()).map(|item| item.key.as_str()).collect();
            assert_eq!(barred, ["rr_0313"]);
        }
        if queue.id.as_str() == "reviews" {
            let safe = items.items.iter().filter(|item| item.presets.iter().any(|preset| preset == "safe"));
            assert_eq!(safe.count(), 40);
        }
    }
    let counts: Vec<(&str, usize)> = counts.iter().map(|(id, count)| (id.as_str(), *count)).collect();
    assert_eq!(counts, [("events", 4), ("refunds", 3), ("reviews", 51), ("slot_disputes", 1), ("unplaced", 0)]);
    let mut figures = BTreeMap::new();
    for metric in &living.pack.metrics {
        let rows = living.read(&metric.query, &[]).await;
        let series = match &metric.series {
            Some(query) => Some(living.read(query, &[]).await),
            None => None,
        };
        let reading = metric::read(metric, &rows, series.as_ref(), living.town.clock.now());
        assert!(reading.value.is_some(), "{}: {}", metric.id, reading.said);
        figures.insert(metric.id.to_string(), (reading.said, reading.change.map(|change| (change * 100.0).round())));
    }
    for (id, said, change) in [
        ("revenue_month", "A$2,340.00", Some(12.0)),
        ("revenue_week", "A$420.00, 20 sales", Some(-15.0)),
        ("revenue_year", "A$24,800.00", Some(18.0)),
        ("featured", "90/500, 18%", None),
        ("refund_rate", "2%, 2 of 110", None),
        ("searches", "2,450", Some(-5.0)),
        ("ai_spend", "A$37.50 of A$250.00", None),
    ] {
        assert_eq!(figures[id], (said.to_owned(), change), "{id}");
    }
}

#[tokio::test]
async fn a_review_is_decided_and_taken_back() {
    let living = Living::open().await;
    let row = living.item("reviews", "rv_902").await;
    for (action, inputs, status) in [
        ("approve_review", &[][..], "approved"),
        ("unapprove_review", &[][..], "pending"),
        ("reject_review", &[("reason", "spam"), ("note", "advertises pills")][..], "rejected"),
        ("unreject_review", &[][..], "pending"),
    ] {
        living.act(action, "rv_902", row.clone(), inputs).await;
        let found = super::row(&living.town, "select moderation_status from reviews where id = 'rv_902'").await;
        assert_eq!(found, [status], "{action}");
    }
    let log = super::row(&living.town, "select group_concat(decision || coalesce(':' || reason || ':' || note, '')) from (select * from review_moderation_log where review_id = 'rv_902' order by id)").await;
    assert_eq!(log, ["approved,approval taken back,rejected:spam:advertises pills,rejection taken back"]);
}

#[tokio::test]
async fn a_refund_reaches_stripe_the_database_and_the_trainer() {
    let living = Living::open().await;
    let row = living.item("refunds", "rr_0312").await;
    let plan = living.act("approve_refund", "rr_0312", row, &[]).await;
    assert_eq!(plan.amount.map(|money| money.to_string()).as_deref(), Some("A$22.00"));
    let query = "select p.status, p.refunded_amount, f.refund_status, r.status, r.decided_by from refund_requests r
        join payment_audit p on p.id = r.payment_id join featured_placements f on f.charge_id = p.charge_id where r.id = 'rr_0312'";
    assert_eq!(super::row(&living.town, query).await, ["refunded", "2200", "refunded", "approved", "ops"]);
    let charge = figures::charge(&living.town).await;
    let refunds = Caller::of(&living.town).data(&format!("refunds?charge={charge}")).await;
    assert_eq!(
        refunds.first().and_then(|refund| refund.pointer("/metadata/wheelhouse_action")).and_then(Json::as_str),
        Some(plan.id.0.as_str())
    );
    let mail = living.mail();
    assert!(mail.iter().any(|mail| mail.contains("3-5 business days") && mail.contains("A$22.00")), "{mail:?}");
    assert!(living.statement("refunds").await.discrepancies.is_empty(), "both sides know it");
}

#[tokio::test]
async fn a_request_outside_three_days_is_denied_with_its_date() {
    let living = Living::open().await;
    let row = living.item("refunds", "rr_0313").await;
    living.act("deny_refund", "rr_0313", row, &[]).await;
    assert_eq!(super::row(&living.town, "select status from refund_requests where id = 'rr_0313'").await, ["denied"]);
    let mail = living.mail();
    let said = "yours was bought on 15 November 2026, 4 days ago";
    assert!(mail.iter().any(|mail| mail.contains(said)), "{mail:?}");
}

#[tokio::test]
async fn both_differences_are_found_and_repaired_and_the_trainer_is_featured() {
    let living = Living::open().await;
    let statement = living.statement("charges").await;
    let mut classes: Vec<Class> = statement.discrepancies.iter().map(|discrepancy| discrepancy.class).collect();
    classes.sort();
    assert_eq!(classes, [Class::MissingHere, Class::Amount]);
    for discrepancy in &statement.discrepancies {
        let action = discrepancy.proposal.clone().unwrap();
        living.act(action.as_str(), &discrepancy.key, reconcile::proposal_row(discrepancy), &[]).await;
    }
    let statement = living.statement("charges").await;
    assert_eq!((statement.discrepancies.len(), statement.matched), (0, 21));
    let payment =
        super::row(&living.town, "select id, business_id from payment_audit where notes like 'Recorded from Stripe%'").await;
    let row = living.item("unplaced", &payment[0]).await;
    living.act("feature_now", &payment[0], row, &[]).await;
    let placed = format!("select count(*) from featured_placements where business_id = {} and status = 'active'", payment[1]);
    assert_eq!(super::row(&living.town, &placed).await, ["1"]);
}

#[tokio::test]
async fn the_job_the_dispute_and_the_flag_are_acted_upon() {
    let living = Living::open().await;
    living.act("job.promote", "promote", Params::new(), &[]).await;
    let job = pack::find(&living.pack.jobs, &Id::new("promote")).unwrap();
    let health = job::health(job, &living.read(&job.history, &[]).await, living.town.clock.now());
    assert_eq!(health.severity, Severity::Green, "{}", health.why);

    let dispute = super::row(&living.town, "select id from featured_queue where disputed_at is not null").await.remove(0);
    let row = living.item("slot_disputes", &dispute).await;
    living.act("explain_position", &dispute, row, &[]).await;
    // One was let in a moment ago.
    assert!(living.mail().iter().any(|mail| mail.contains("number 4 in Melbourne")), "{:?}", living.mail());

    living.act("flag.ai_mode", "ai_mode", Params::new(), &[("value", "deterministic"), ("reason", "Z.AI is down")]).await;
    let flag = pack::find(&living.pack.flags, &Id::new("ai_mode")).unwrap();
    let value = Value::text("deterministic");
    for probe in &flag.probes {
        let expected = probe.expect.render(&Params::from([("value".to_owned(), value.clone())])).unwrap();
        let answered = loop {
            let rows = living.read(&probe.query, &[("value", value.clone())]).await;
            let row = rows.first().unwrap();
            if row.find("ok") == Some(&Value::Bool(true)) {
                break row.find(&probe.column).unwrap().original();
            }
        };
        assert_eq!(answered, expected, "{}", probe.title);
    }
    assert_eq!(living.town.messages().unwrap(), ["AI_MODE is now deterministic (ops): Z.AI is down"]);
}
