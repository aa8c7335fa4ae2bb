//! Fills a new town: the business's tables from its seed, then Stripe's from the business's.
//!
//! The same seed and moment give the same rows, byte for byte. A town whose filling was cut off is filled anew.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use croner::{Cron, Direction};
use serde_json::json;
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    built_in::BuiltIn,
    clock::stamp,
    declaration::{Declaration, Slots, StripeTown},
    error::Error,
    script::{Script, Values},
};

const STAND_INS: &str = include_str!("stand_ins.sql");

/// Where the two databases lie.
pub(super) struct Files<'a> {
    pub business: &'a Path,
    pub stand_ins: &'a Path,
}

pub(super) async fn fill(
    files: &Files<'_>,
    pack: &BuiltIn,
    declaration: &Declaration,
    seed: u64,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    for file in [files.business, files.stand_ins] {
        if file.exists() {
            std::fs::remove_file(file).map_err(Error::io(file))?;
        }
    }
    let mut business = connect(files.business).await?;
    let attach = Script::new("attach", "attach :file as stripe");
    attach.run(&mut business, &Values::from([("file".into(), json!(files.stand_ins.display().to_string()))])).await?;
    // Settings of a connection are those of its first file alone.
    Script::new("attach", "pragma stripe.cache_size = -64").run(&mut business, &Values::new()).await?;

    let values = Values::from([("now".into(), json!(stamp(now))), ("seed".into(), json!(seed))]);
    let nothing = Values::new();
    let mut transaction = business.begin().await.map_err(Error::sql("fill"))?;
    slots(&mut transaction, declaration, now).await?;
    for name in [&declaration.schema, &declaration.seed] {
        let file = format!("{}/{name}", pack.name);
        let text = pack.file(name).ok_or_else(|| Error::declaration(&file, "declared in demo.toml, and not there"))?;
        // Piece by piece: the driver keeps every statement of one text prepared until its last has run.
        for piece in text.split_inclusive(";\n\n") {
            Script::new(file.as_str(), piece).run(&mut transaction, &values).await?;
        }
    }
    Script::new("stand-ins", STAND_INS).run(&mut transaction, &nothing).await?;
    if let Some(stripe) = &declaration.stripe {
        stripe_objects(&mut transaction, stripe, &values).await?;
    }
    first_values(&mut transaction, declaration, now).await?;
    transaction.commit().await.map_err(Error::sql("fill"))?;
    business.close().await.map_err(Error::sql("fill"))
}

/// Safety of the file is of no interest while it is filled: it counts as filled only once the town says so.
async fn connect(file: &Path) -> Result<SqliteConnection, Error> {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .pragma("cache_size", "-64")
        .pragma("temp.cache_size", "-64")
        // SQLite sorts in memory up to 250 pages, and what a thread has used once stays with it.
        .page_size(1024)
        .connect()
        .await
        .map_err(Error::sql(file.display().to_string()))
}

async fn slots(connection: &mut SqliteConnection, declaration: &Declaration, now: DateTime<Utc>) -> Result<(), Error> {
    let mut rows = Vec::new();
    for (name, slots) in &declaration.slots {
        let moments = moments(slots, now).map_err(|said| Error::declaration(&format!("slots.{name}"), said))?;
        rows.extend(moments.iter().enumerate().map(|(n, at)| json!([name, n, stamp(*at)])));
    }
    let create = "create temp table slots as
        select value ->> 0 as name, value ->> 1 as n, value ->> 2 as at from json_each(:rows);";
    Script::new("slots", create).run(connection, &Values::from([("rows".into(), json!(rows))])).await.map(drop)
}

fn moments(slots: &Slots, now: DateTime<Utc>) -> Result<Vec<DateTime<Utc>>, String> {
    let cron: Cron = slots.cron.parse().map_err(|error| format!("{error}"))?;
    let latest = (now - TimeDelta::minutes(slots.settled_minutes)).with_timezone(&slots.zone);
    let moments = cron.iter_from(latest, Direction::Backward).take(slots.count);
    Ok(moments.map(|moment| moment.with_timezone(&Utc)).collect())
}

async fn stripe_objects(connection: &mut SqliteConnection, stripe: &StripeTown, values: &Values) -> Result<(), Error> {
    let customers = stripe.customers.as_deref().unwrap_or(CUSTOMERS_OF_CHARGES);
    let lists = [
        ("charges", Some(stripe.charges.as_str()), CHARGES),
        ("refunds", stripe.refunds.as_deref(), REFUNDS),
        ("events", stripe.events.as_deref(), EVENTS),
        ("disputes", stripe.disputes.as_deref(), DISPUTES),
        ("payouts", stripe.payouts.as_deref(), PAYOUTS),
        ("customers", Some(customers), CUSTOMERS),
        ("subscriptions", stripe.subscriptions.as_deref(), SUBSCRIPTIONS),
        ("invoices", stripe.invoices.as_deref(), INVOICES),
        ("transfers", stripe.transfers.as_deref(), TRANSFERS),
    ];
    for (table, declared, columns) in lists {
        let Some(declared) = declared else { continue };
        let cells: Vec<String> = columns.iter().map(|column| cell(column)).collect();
        let insert = format!(
            "insert into stripe.{table} ({}) select {} from ({declared}) order by created, id",
            columns.join(", "),
            cells.join(", "),
        );
        Script::new(format!("stripe.{table}"), &insert).run(connection, values).await?;
    }
    Ok(())
}

const CHARGES: &[&str] = &[
    "id",
    "created",
    "amount",
    "currency",
    "status",
    "payment_intent",
    "customer",
    "email",
    "name",
    "description",
    "metadata",
    "fee",
];
const REFUNDS: &[&str] = &["id", "created", "charge", "payment_intent", "amount", "currency", "reason", "status", "metadata"];
const EVENTS: &[&str] = &["id", "created", "type", "object", "delivered"];
const DISPUTES: &[&str] = &["id", "created", "charge", "payment_intent", "amount", "currency", "reason", "status", "due_by"];
const PAYOUTS: &[&str] = &["id", "created", "amount", "currency", "status", "arrival_date"];
const CUSTOMERS: &[&str] = &["id", "created", "email", "name", "currency", "metadata"];
const CUSTOMERS_OF_CHARGES: &str = "select customer as id, datetime(min(created), 'unixepoch') as created, max(email) as email,
    max(name) as name, max(currency) as currency, '{}' as metadata
from stripe.charges where customer is not null group by customer";
const INVOICES: &[&str] =
    &["id", "created", "customer", "subscription", "number", "amount", "paid", "currency", "status", "due_date", "metadata"];
const SUBSCRIPTIONS: &[&str] =
    &["id", "created", "customer", "price", "unit_amount", "quantity", "currency", "interval", "status", "metadata"];
const TRANSFERS: &[&str] = &[
    "id",
    "created",
    "amount",
    "amount_reversed",
    "currency",
    "destination",
    "transfer_group",
    "source_transaction",
    "metadata",
];

/// Stripe counts seconds since 1970; the business writes times as text.
fn cell(column: &str) -> String {
    match column {
        "created" | "due_by" | "due_date" | "arrival_date" => format!("unixepoch({column})"),
        _ => column.to_owned(),
    }
}

async fn first_values(connection: &mut SqliteConnection, declaration: &Declaration, now: DateTime<Utc>) -> Result<(), Error> {
    let created = json!(now.timestamp_millis());
    if let Some(vercel) = &declaration.vercel {
        let insert = Script::new(
            "variables",
            "insert into stripe.variables (id, name, value, live, created, updated)
             values (:id, :name, :value, :value, :now, :now)",
        );
        for (id, variable) in &vercel.variables {
            let values = Values::from([
                ("id".into(), json!(id)),
                ("name".into(), json!(variable.name)),
                ("value".into(), json!(variable.value)),
                ("now".into(), created.clone()),
            ]);
            insert.run(connection, &values).await?;
        }
    }
    let insert = Script::new("switches", "insert into stripe.switches (name, value) values (:name, :value)");
    for (name, value) in &declaration.switches {
        let values = Values::from([("name".into(), json!(name)), ("value".into(), json!(value))]);
        insert.run(connection, &values).await?;
    }
    Ok(())
}
