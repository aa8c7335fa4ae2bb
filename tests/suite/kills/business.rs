//! The business: what its pack says of a deed, and the rows that the deed is done on, here and outside.

use sqlx::SqliteConnection;
use wheelhouse::adapters::{Database, marks_table};

use super::{
    deed::Deed,
    place::{AMOUNT, charge, dispute, event, subscription},
};

/// A charge is ten times what goes back of it, so that a second refund would be taken.
const CHARGED: i64 = 10 * AMOUNT;

/// The secret of the endpoint that takes events.
pub const HOOK_SECRET: &str = "whsec_kills";
/// What the bank is to know.
pub const EVIDENCE: &str = "It was sent, and it arrived.";

/// A business of payments to give back and wallets to credit. The credit has no condition of its own: only its mark
/// keeps it from being given twice.
const PACK: &str = r#"
[pack]
title = "Kills"
timezone = "Australia/Sydney"
currency = "AUD"

[connections]
db.sql = { url_env = "KILLS_DATABASE_URL", marks = "operator_actions", timeout = "5s" }
stripe.stripe = { key_env = "KILLS_STRIPE_KEY", url_env = "KILLS_STRIPE_URL", account = "ACCOUNT", livemode = true, timeout = "5s"HANDLERS }
mail.smtp = { url_env = "KILLS_MAIL_URL", from = "Kills <hello@kills.example>" }

[queues.payments]
title = "Payments"
read.sql = { on = "db", text = "select id, charge, amount, status, purchased_at from payments where status = 'paid'", money = ["amount"] }
id = "id"
actions = ["refund"]
columns = [{ column = "id", as = "id" }]

[queues.wallets]
title = "Wallets"
read.sql = { on = "db", text = "select id, credit, status from wallets where status = 'due'", money = ["credit"] }
id = "id"
actions = ["credit"]
columns = [{ column = "id", as = "id" }]

[actions.refund]
title = "Refund"
key = "F"
amount = "amount"
hold = "0s"
guards = [
  { title = "within 3 days", within = { column = "purchased_at", window = "72h", clock = "now" } },
  { title = "something to give back", holds = "amount > 0" },
]
fresh.sql = { on = "db", text = "select id, charge, amount, status, purchased_at from payments where id = :id and status = 'paid'", money = ["amount"] }
unchanged = ["status", "amount", "charge"]
do = [
  { stripe = { on = "stripe", refund = "charge", amount = "amount", reason = "requested_by_customer" }, says = "refund {{ amount }} of {{ charge }}" },
  { sql = { on = "db", text = "update payments set status = 'refunded', times = times + 1 where id = :id", rows = 1 }, says = "status paid -> refunded" },
  { smtp = { on = "mail", to = "someone@kills.example", subject = "Your refund", body = "{{ amount }} is on its way." }, says = "mail" },
]

[actions.credit]
title = "Credit"
key = "C"
confirm = "key"
hold = "0s"
fresh.sql = { on = "db", text = "select id, credit, status from wallets where id = :id and status = 'due'", money = ["credit"] }
do.sql = { on = "db", text = "update wallets set status = 'credited', times = times + 1 where id = :id", rows = 1 }
"#;

/// Lent out, and taken back by what the pack names for it.
const LENDING: &str = r#"
[queues.books]
title = "Books"
read.sql = { on = "db", text = "select id, status from books where status = 'in'" }
id = "id"
actions = ["lend"]
columns = [{ column = "id", as = "id" }]

[actions.lend]
title = "Lend"
key = "L"
confirm = "key"
hold = "5s"
undo = "return"
fresh.sql = { on = "db", text = "select id, status from books where id = :id and status = 'in'" }
do.sql = { on = "db", text = "update books set status = 'out', lent = lent + 1 where id = :id", rows = 1 }

[actions.return]
title = "Return"
confirm = "key"
hold = "0s"
undo = "lend"
fresh.sql = { on = "db", text = "select id, status from books where id = :id and status = 'out'" }
do.sql = { on = "db", text = "update books set status = 'in', returned = returned + 1 where id = :id", rows = 1 }
"#;

/// Booked at a service that takes every request for a new one, and announced.
const SHIPPING: &str = r#"
[connections.site.http]
url_env = "KILLS_SITE_URL"
timeout = "5s"

[connections.shout.webhook]
url_env = "KILLS_SHOUT_URL"
timeout = "5s"

[queues.parcels]
title = "Parcels"
read.sql = { on = "db", text = "select id, status from parcels where status = 'new'" }
id = "id"
actions = ["ship"]
columns = [{ column = "id", as = "id" }]

[actions.ship]
title = "Ship"
key = "S"
hold = "0s"
fresh.sql = { on = "db", text = "select id, status from parcels where id = :id and status = 'new'" }
do = [
  { http = { on = "site", path = "/parcels/{{ id }}", body = '{"id": "{{ id }}"}', expect = { at = "/booked", equals = true } }, says = "book it" },
  { sql = { on = "db", text = "update parcels set status = 'sent', times = times + 1 where id = :id", rows = 1 }, says = "status new -> sent" },
  { webhook = { on = "shout", text = "parcel {{ id }} is on its way" }, says = "tell it" },
]
"#;

/// Changed at Stripe, and in the business's own row.
const AMENDING: &str = r#"
[queues.TABLE]
title = "What Stripe has of it"
read.sql = { on = "db", text = "select id, object, status from TABLE where status = 'BEFORE'" }
id = "id"
actions = ["ACTION"]
columns = [{ column = "id", as = "id" }]

[actions.ACTION]
title = "Change"
key = "B"
hold = "0s"
fresh.sql = { on = "db", text = "select id, object, status from TABLE where id = :id and status = 'BEFORE'" }
do = [
  { stripe = { on = "stripe", CHANGE } },
  { sql = { on = "db", text = "update TABLE set status = 'AFTER', times = times + 1 where id = :id", rows = 1 }, says = "status BEFORE -> AFTER" },
]
"#;

/// An event that did not arrive is sent once more, and the business's own table says that it was taken.
const TELLING: &str = r#"
[queues.letters]
title = "Letters"
read.sql = { on = "db", text = "select id, object, 'we_kills' as endpoint, status from letters where status = 'BEFORE'" }
id = "id"
actions = ["ACTION"]
columns = [{ column = "id", as = "id" }]

[actions.ACTION]
title = "Tell"
key = "E"
hold = "0s"
fresh.sql = { on = "db", text = "select id, object, 'we_kills' as endpoint, status from letters where id = :id and status = 'BEFORE'" }
do = [
  { event = { on = "stripe", CHANGE } },
  { proof = { on = "db", text = "select at from processed where id = :object" }, says = "see it processed" },
  { sql = { on = "db", text = "update letters set status = 'AFTER', times = times + 1 where id = :id", rows = 1 }, says = "status BEFORE -> AFTER" },
]
"#;

/// Written into a document, as it was read and with a mark of the act, and into the business's own row.
const WRITING: &str = r#"
[connections.docs.firestore]
project_env = "KILLS_PROJECT"
credentials_env = "KILLS_CREDENTIALS"
marks = "MARKS"
timeout = "5s"

[queues.jobs]
title = "Jobs"
read.sql = { on = "db", text = "select id, status from jobs where status = 'stuck'" }
id = "id"
actions = ["write"]
columns = [{ column = "id", as = "id" }]

[actions.write]
title = "Reopen"
key = "o"
hold = "0s"
fresh = [
  { sql = { on = "db", text = "select id, status from jobs where id = :id and status = 'stuck'" } },
  { firestore = { on = "docs", document = "jobs/{{ id }}", columns = { state = "state", changed = "__update_time__" } } },
]
do = [
  { firestore = { on = "docs", document = "jobs/{{ id }}", set = { state = "open", "reopened.by" = "{{ action_id }}", "reopened.at" = { server_time = true } }, remove = ["owner"], unchanged_since = "changed" } },
  { sql = { on = "db", text = "update jobs set status = 'reopened', times = times + 1 where id = :id", rows = 1 }, says = "status stuck -> reopened" },
]
"#;

/// Made by a program that keeps no key: it writes a line for every run, by which it is found again.
const EXPORTING: &str = r#"
[connections.tool.command]
program = "sh"
directory = "FOLDER"
timeout = "60s"

[queues.exports]
title = "Exports"
read.sql = { on = "db", text = "select id, status from exports where status = 'new'" }
id = "id"
actions = ["export"]
columns = [{ column = "id", as = "id" }]

[actions.export]
title = "Export"
key = "E"
hold = "0s"
fresh.sql = { on = "db", text = "select id, status from exports where id = :id and status = 'new'" }

[[actions.export.do]]
says = "export it"
[actions.export.do.command]
on = "tool"
args = ["-c", 'echo "$1" >>runs', "export", "{{ action_id }}"]
found_by.command = { on = "tool", args = ["-c", 'grep -xs -- "$1" runs', "look", "{{ action_id }}"], format = "lines", done = [0, 1, 2] }

[[actions.export.do]]
says = "status new -> made"
[actions.export.do.sql]
on = "db"
text = "update exports set status = 'made', times = times + 1 where id = :id"
rows = 1
"#;

const TABLES: &str = "
create table payments (id text primary key, charge text not null, amount integer not null, status text not null,
    purchased_at text not null, times integer not null);
create table wallets (id text primary key, credit integer not null, status text not null, times integer not null);
create table books (id text primary key, status text not null, lent integer not null, returned integer not null);
create table parcels (id text primary key, status text not null, times integer not null);
create table members (id text primary key, object text not null, status text not null, times integer not null);
create table cases (id text primary key, object text not null, status text not null, times integer not null);
create table letters (id text primary key, object text not null, status text not null, times integer not null);
create table jobs (id text primary key, status text not null, times integer not null);
create table exports (id text primary key, status text not null, times integer not null);
-- What the business has made of Stripe's events: once each, however often it is told.
create table processed (id text primary key, at text not null);
create table printed (n integer primary key, event text not null);";

/// As much of a pack as a deed needs: a life is short, and most of it is its start.
pub fn pack(deed: Deed, account: &str, folder: &str, marks: &str) -> String {
    let (before, after) = deed.states();
    let filled = |text: &str, change: &str| {
        let names = [("TABLE", deed.table()), ("ACTION", deed.action()), ("CHANGE", change)];
        let names = names.into_iter().chain([("BEFORE", before), ("AFTER", after)]);
        names.fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    let more = match deed {
        Deed::Refund | Deed::Credit | Deed::Follow => String::new(),
        Deed::Lend => LENDING.to_owned(),
        Deed::Ship => SHIPPING.to_owned(),
        Deed::Pause => filled(AMENDING, r#"pause = "object""#),
        Deed::Resume => filled(AMENDING, r#"resume = "object""#),
        Deed::Cancel => filled(AMENDING, r#"cancel_at_period_end = "object""#),
        Deed::End => filled(AMENDING, r#"cancel_now = "object""#),
        Deed::Stage => filled(AMENDING, &format!(r#"evidence = "object", fields = {{ uncategorized_text = "{EVIDENCE}" }}"#)),
        Deed::Resend => filled(TELLING, r#"resend = "object", endpoint = "endpoint""#),
        Deed::Deliver => filled(TELLING, r#"deliver = "object", handler = "site""#),
        Deed::Write => WRITING.replace("MARKS", marks),
        Deed::Export => EXPORTING.replace("FOLDER", folder),
    };
    let handlers = match deed {
        Deed::Deliver => r#", handlers.site = { url_env = "KILLS_HOOK_URL", secret_env = "KILLS_HOOK_SECRET" }"#,
        _ => "",
    };
    PACK.replace("ACCOUNT", account).replace("HANDLERS", handlers) + &more
}

/// The tables of a business in which nothing is done yet, and one row of the deed's for each item.
pub async fn furnish(business: &mut SqliteConnection, deed: Deed, round: u64, items: &[String]) {
    for script in [TABLES, &marks_table(Database::Sqlite, "operator_actions")] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(script.to_owned())).execute(&mut *business).await.unwrap();
    }
    let (before, _) = deed.states();
    let (table, amount) = (deed.table(), AMOUNT);
    for item in items {
        let object = match deed {
            Deed::Refund | Deed::Follow => charge(round, item),
            Deed::Pause | Deed::Resume | Deed::Cancel | Deed::End => subscription(round, item),
            Deed::Stage => dispute(round, item),
            Deed::Resend | Deed::Deliver => event(round, item),
            Deed::Credit | Deed::Lend | Deed::Ship | Deed::Write | Deed::Export => String::new(),
        };
        let cells = match deed {
            Deed::Refund | Deed::Follow => format!("'{object}', {amount}, '{before}', datetime('now', '-10 hours'), 0"),
            Deed::Credit => format!("{amount}, '{before}', 0"),
            Deed::Lend => format!("'{before}', 0, 0"),
            Deed::Ship | Deed::Write | Deed::Export => format!("'{before}', 0"),
            Deed::Pause | Deed::Resume | Deed::Cancel | Deed::End | Deed::Stage | Deed::Resend | Deed::Deliver => {
                format!("'{object}', '{before}', 0")
            }
        };
        let insert = format!("insert into {table} values ('{item}', {cells})");
        sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut *business).await.unwrap();
    }
}

/// What Stripe has of each item. A round that is run again begins anew, but for what was paid back.
pub async fn furnish_stripe(stand_ins: &mut SqliteConnection, deed: Deed, round: u64, items: &[String]) {
    for item in items {
        let charge = charge(round, item);
        let a_charge = format!(
            "insert or ignore into charges (id, created, amount, currency, status, metadata, fee)
             values ('{charge}', unixepoch('now', '-10 hours'), {CHARGED}, 'aud', 'succeeded', '{{}}', 0)"
        );
        let more = match deed {
            Deed::Pause | Deed::Resume | Deed::Cancel | Deed::End => {
                let pause = if deed == Deed::Resume { r#"'{"behavior":"void","resumes_at":null}'"# } else { "null" };
                format!(
                    "insert or replace into subscriptions
                        (id, created, customer, price, unit_amount, quantity, currency, interval, status, metadata, pause)
                     values ('{}', unixepoch('now', '-10 days'), 'cus_kills', 'price_1', 900, 1, 'aud', 'month', 'active', '{{}}', {pause})",
                    subscription(round, item)
                )
            }
            Deed::Stage => format!(
                "insert or replace into disputes (id, created, charge, amount, currency, reason, status, due_by)
                 values ('{}', unixepoch('now', '-1 days'), '{charge}', {CHARGED}, 'aud', 'fraudulent', 'needs_response',
                    unixepoch('now', '+400 days'))",
                dispute(round, item)
            ),
            Deed::Resend | Deed::Deliver => format!(
                "insert or replace into events (id, created, type, object, delivered)
                 values ('{}', unixepoch('now', '-2 hours'), 'charge.succeeded', '{charge}', 0)",
                event(round, item)
            ),
            Deed::Refund | Deed::Follow | Deed::Credit | Deed::Lend | Deed::Ship | Deed::Write | Deed::Export => String::new(),
        };
        let insert = format!("{a_charge}; {more}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut *stand_ins).await.unwrap();
    }
}
