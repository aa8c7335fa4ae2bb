//! The pack of the demo business: it loads, and every statement of it runs on the business.

use super::*;
use wheelhouse::{
    demo::built_in,
    domain::pack::{EffectKind, Pack, Query, Read, Sql},
    pack::Loaded,
};

fn load(name: &str) -> Loaded {
    let built_in = built_in::find(name).unwrap();
    let files = |path: &str| built_in.file(path).map(str::to_owned).ok_or_else(|| "not there".to_owned());
    wheelhouse::pack::parse(&format!("{name}/pack.toml"), built_in.file("pack.toml").unwrap(), &files)
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn queries(pack: &Pack) -> Vec<(String, &Query)> {
    let mut queries = Vec::new();
    queries.extend(pack.checks.iter().map(|check| (format!("checks.{}", check.id), &check.query)));
    queries.extend(pack.queues.iter().map(|queue| (format!("queues.{}", queue.id), &queue.query)));
    queries.extend(pack.ledgers.iter().map(|ledger| (format!("ledgers.{}", ledger.id), &ledger.query)));
    for job in &pack.jobs {
        queries.push((format!("jobs.{}", job.id), &job.history));
        queries.extend(job.effect.iter().map(|query| (format!("jobs.{}.effect", job.id), query)));
    }
    for metric in &pack.metrics {
        queries.push((format!("metrics.{}", metric.id), &metric.query));
        queries.extend(metric.series.iter().map(|query| (format!("metrics.{}.series", metric.id), query)));
    }
    for action in &pack.actions {
        queries.extend(action.fresh.iter().map(|query| (format!("actions.{}.fresh", action.id), query)));
    }
    queries
}

/// `explain` prepares a statement and runs nothing.
async fn prepares(connection: &mut SqliteConnection, what: &str, sql: &Sql) {
    let mut query = sqlx::query(sqlx::AssertSqlSafe(format!("explain {}", sql.numbered)));
    for _ in &sql.parameters {
        query = query.bind(None::<String>);
    }
    if let Err(error) = query.fetch_all(connection).await {
        panic!("{what}: {error}\n{}", sql.text);
    }
}

#[tokio::test]
async fn every_statement_of_the_pack_is_understood_by_the_business() {
    let town = town().await;
    let loaded = load("dtd");
    let mut connection = connect(&town).await;
    let mut count = 0;
    for (what, query) in queries(&loaded.pack) {
        if let Read::Sql(sql) = &query.read {
            prepares(&mut connection, &what, sql).await;
            count += 1;
        }
    }
    for action in &loaded.pack.actions {
        for effect in &action.effects {
            if let EffectKind::Sql { sql, .. } = &effect.kind {
                prepares(&mut connection, &format!("actions.{}", action.id), sql).await;
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[tokio::test]
async fn the_town_gives_every_variable_that_the_pack_names() {
    let town = town().await;
    let text = built_in::find("dtd").unwrap().file("pack.toml").unwrap();
    let named: Vec<&str> = text.split('"').filter(|word| word.starts_with("DTD_")).collect();
    assert!(named.len() >= 9, "{named:?}");
    for name in named {
        assert!(town.environment.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn five_playbooks_are_there_and_every_red_check_has_a_hint_or_speaks_for_itself() {
    let loaded = load("dtd");
    assert_eq!(loaded.pack.playbooks.len(), 5);
    for playbook in &loaded.pack.playbooks {
        assert!(playbook.markdown.contains("\n1. ") && playbook.markdown.contains("\n4. "), "{}", playbook.id);
    }
    let used: std::collections::BTreeSet<_> = loaded.pack.checks.iter().filter_map(|check| check.playbook.clone()).collect();
    assert_eq!(used.len(), 5, "every playbook is reached from a check");
}
