//! Acts and their entries: each change of state and the entry that tells of it in one transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::{Connection as _, Row as _, sqlite::SqliteRow};

use super::{Store, audit, json, parse, unreadable};

use crate::{
    domain::{
        claim::target_name,
        journal::{Act, Entry},
        plan::{ActionId, Target},
        snapshot::JournalLine,
    },
    ports::{Journal, StoreError},
};

const BEGIN: &str = "BEGIN IMMEDIATE";

#[async_trait]
impl Journal for Store {
    async fn append(&self, entry: &Entry) -> Result<JournalLine, StoreError> {
        let mut inner = self.writer().await?;
        let before = inner.head.clone();
        let mut transaction = inner.connection.begin_with(BEGIN).await.map_err(|error| self.not_written(error))?;
        let (head, line) = audit::append(&mut transaction, &before, entry).await.map_err(|error| self.not_written(error))?;
        transaction.commit().await.map_err(|error| self.not_written(error))?;
        inner.advance(head).await.map_err(|error| self.located(error))?;
        Ok(line)
    }

    async fn save_transition(&self, act: &Act, entry: &Entry) -> Result<JournalLine, StoreError> {
        let plan = json("the plan", &act.plan)?;
        let state = json("the act", &act.state)?;
        let is_open = !act.state.phase.is_over();
        let money = match act.plan.amount {
            Some(amount) if is_open || act.state.may_have_happened() => amount.minor.saturating_abs(),
            Some(_) | None => 0,
        };
        let mut inner = self.writer().await?;
        let before = inner.head.clone();
        let mut transaction = inner.connection.begin_with(BEGIN).await.map_err(|error| self.not_written(error))?;
        sqlx::query(
            "INSERT INTO plans (id, target, committed_at, is_over, money, plan, state) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (id) DO UPDATE SET is_over = excluded.is_over, money = excluded.money, plan = excluded.plan, \
             state = excluded.state, \
             committed_at = CASE WHEN plans.is_over THEN excluded.committed_at ELSE plans.committed_at END",
        )
        .bind(&act.plan.id.0)
        .bind(target_name(&act.plan.target))
        .bind(audit::time(entry.at))
        .bind(i64::from(!is_open))
        .bind(money)
        .bind(plan)
        .bind(&state)
        .execute(&mut *transaction)
        .await
        .map_err(|error| self.not_written(error))?;
        let (head, line) = audit::append(&mut transaction, &before, entry).await.map_err(|error| self.not_written(error))?;
        sqlx::query("INSERT INTO plan_events (sequence, plan, state) VALUES ($1, $2, $3)")
            .bind(line.sequence.cast_signed())
            .bind(&act.plan.id.0)
            .bind(&state)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.not_written(error))?;
        transaction.commit().await.map_err(|error| self.not_written(error))?;
        inner.advance(head).await.map_err(|error| self.located(error))?;
        Ok(line)
    }

    async fn identity(&self) -> Result<String, StoreError> {
        let mut inner = self.inner.lock().await;
        sqlx::query_scalar("SELECT name FROM identity")
            .fetch_one(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))
    }

    async fn open_acts(&self) -> Result<Vec<Act>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query("SELECT plan, state FROM plans WHERE is_over = 0 ORDER BY committed_at, rowid")
            .fetch_all(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        rows.iter().map(act).collect()
    }

    async fn half_way_acts(&self) -> Result<Vec<Act>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query(
            "SELECT plan, state FROM plans WHERE is_over = 1 AND json_array_length(state, '$.answers') > 0 \
             AND json_extract(state, '$.phase') IN ('rejected', 'changed', 'expired') ORDER BY committed_at, rowid",
        )
        .fetch_all(&mut inner.connection)
        .await
        .map_err(|error| self.unreadable(error))?;
        let mut acts = rows.iter().map(act).collect::<Result<Vec<_>, _>>()?;
        acts.retain(Act::is_half_way);
        Ok(acts)
    }

    async fn unsettled_acts(&self, at_most: usize) -> Result<Vec<Act>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query(
            "SELECT plan, state FROM plans WHERE money > 0 AND json_extract(state, '$.phase') = 'done' \
             AND EXISTS (SELECT 1 FROM json_each(plan, '$.steps') WHERE json_extract(value, '$.order.refund') IS NOT NULL) \
             ORDER BY committed_at, rowid LIMIT $1",
        )
        .bind(i64::try_from(at_most).unwrap_or(i64::MAX))
        .fetch_all(&mut inner.connection)
        .await
        .map_err(|error| self.unreadable(error))?;
        rows.iter().map(act).collect()
    }

    async fn cut_batches(&self) -> Result<Vec<Vec<Act>>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query(
            "SELECT plan, state FROM plans WHERE json_extract(plan, '$.batch') IN (\
             SELECT json_extract(plan, '$.batch') FROM plans WHERE json_extract(plan, '$.batch') IS NOT NULL \
             EXCEPT SELECT json_extract(payload, '$.batch') FROM audit WHERE word = 'BATCH') \
             ORDER BY committed_at, rowid",
        )
        .fetch_all(&mut inner.connection)
        .await
        .map_err(|error| self.unreadable(error))?;
        let mut batches: Vec<Vec<Act>> = Vec::new();
        for row in &rows {
            let act = act(row)?;
            match batches.iter_mut().find(|batch| batch.iter().any(|other| other.plan.batch == act.plan.batch)) {
                Some(batch) => batch.push(act),
                None => batches.push(vec![act]),
            }
        }
        Ok(batches)
    }

    async fn act(&self, id: &ActionId) -> Result<Option<Act>, StoreError> {
        let mut inner = self.inner.lock().await;
        let row = sqlx::query("SELECT plan, state FROM plans WHERE id = $1")
            .bind(&id.0)
            .fetch_optional(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        row.as_ref().map(act).transpose()
    }

    async fn acts_on(&self, target: &Target) -> Result<Vec<Act>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query("SELECT plan, state FROM plans WHERE target = $1 ORDER BY committed_at, rowid")
            .bind(target_name(target))
            .fetch_all(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))?;
        rows.iter().map(act).collect()
    }

    async fn money_sent(&self, since: DateTime<Utc>, except: Option<&ActionId>) -> Result<i64, StoreError> {
        let mut inner = self.inner.lock().await;
        sqlx::query_scalar("SELECT coalesce(sum(money), 0) FROM plans WHERE committed_at >= $1 AND id <> $2")
            .bind(audit::time(since))
            .bind(except.map_or("", |id| id.0.as_str()))
            .fetch_one(&mut inner.connection)
            .await
            .map_err(|error| self.unreadable(error))
    }

    async fn journal_tail(&self, at_most: usize) -> Result<Vec<JournalLine>, StoreError> {
        self.journal_page(None, "", at_most).await
    }

    async fn journal_page(&self, before: Option<u64>, contains: &str, at_most: usize) -> Result<Vec<JournalLine>, StoreError> {
        let mut inner = self.inner.lock().await;
        let rows = sqlx::query(
            "SELECT * FROM audit WHERE sequence < $1 \
             AND ($2 = '' OR instr(lower(who || ' ' || word || ' ' || said), lower($2)) > 0) \
             ORDER BY sequence DESC LIMIT $3",
        )
        .bind(before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX)))
        .bind(contains)
        .bind(i64::try_from(at_most).unwrap_or(i64::MAX))
        .fetch_all(&mut inner.connection)
        .await
        .map_err(|error| self.unreadable(error))?;
        audit::lines(&rows).map_err(|error| self.unreadable(error))
    }
}

fn act(row: &SqliteRow) -> Result<Act, StoreError> {
    let plan: String = row.try_get("plan").map_err(unreadable)?;
    let state: String = row.try_get("state").map_err(unreadable)?;
    Ok(Act { plan: parse("a plan", &plan)?, state: parse("an act", &state)? })
}
