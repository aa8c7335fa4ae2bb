//! `wheelhouse init`: asks what a first pack needs to know, suggests what can be found out, writes it.

use std::{
    env,
    fs::OpenOptions,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Arc,
};

use crate::domain::zone::Zone;

use super::{complaint::Complaint, errands::on_runtime};
use crate::{
    adapters::{self, Environment},
    cli::{arguments::InitArguments, output},
    domain::{
        moment::OddMoment,
        money::Currency,
        pack::Check,
        rows::{Params, Rows},
        text::{self, Text},
        value::Value,
    },
    pack::{self, Draft, Loaded, PaymentsDraft, StripeDraft, StripeId},
    ports::System,
};

/// What is told where there is none.
const NONE: &str = "-";

/// Every column of every table, as each kind of database tells it; one answers and the other refuses.
const COLUMNS: [&str; 2] = [
    "select table_schema || '.' || table_name as holder, column_name as name from information_schema.columns \
     where table_schema not in ('pg_catalog', 'information_schema') order by 1, ordinal_position limit 20000",
    "select m.name as holder, p.name as name from sqlite_master m join pragma_table_info(m.name) p where m.type in ('table', 'view') \
     order by 1, p.cid limit 20000",
];

/// What such columns are mostly called, the likeliest first.
const STRIPE_IDS: [&str; 10] = [
    "charge_id",
    "stripe_charge_id",
    "stripe_charge",
    "charge",
    "payment_intent_id",
    "stripe_payment_intent_id",
    "payment_intent",
    "stripe_payment_intent",
    "stripe_payment_id",
    "stripe_id",
];
const AMOUNTS: [&str; 8] =
    ["amount_cents", "amount", "total_cents", "amount_total", "total", "price_cents", "amount_paid", "gross_cents"];
const REFUNDED: [&str; 5] = ["refunded_cents", "amount_refunded_cents", "amount_refunded", "refunded_amount", "refund_amount"];
const MOMENTS: [&str; 6] = ["paid_at", "created_at", "charged_at", "received_at", "created", "purchased_at"];

pub fn run(told: &InitArguments) -> Result<u8, Complaint> {
    adapters::install_tls();
    let asker = Asker { asks: !told.yes && io::stdin().is_terminal() };
    let draft = on_runtime(ask(told, &asker))?;
    let file = told.file.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", slug(&draft.title, '-'))));
    let (text, loaded) = draft.write(&file.display().to_string()).map_err(|error| Complaint::said(error.to_string()))?;
    let mut written = OpenOptions::new().write(true).create_new(true).open(&file).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Complaint::said(format!("{} is there already, and is left as it is; name another file", file.display()))
        }
        _ => Complaint::said(format!("{} could not be written: {error}", file.display())),
    })?;
    written.write_all(text.as_bytes())?;
    output::print_words(&next_steps(&file, &draft, loaded.pack.checks.len()))?;
    Ok(0)
}

async fn ask(told: &InitArguments, asker: &Asker) -> Result<Draft, Complaint> {
    let Some(title) = asker.ask("Name of the business", told.title.as_deref(), None)? else {
        return Err(Complaint::said("a pack needs a name: --title \"Tea & Kettle\""));
    };
    let zone = env::var("TZ").ok().filter(|zone| Zone::from_str(zone).is_ok()).unwrap_or_else(|| "UTC".to_owned());
    let is_zone = |zone: &str| Zone::from_str(zone).map(drop).map_err(|_| format!("`{zone}` is no zone, such as Europe/Vienna"));
    let timezone = asker.ask_until("Time zone", told.timezone.as_deref(), Some(&zone), is_zone)?.unwrap_or(zone);
    let is_currency = |code: &str| match Currency::from_code(code) {
        Some(_) => Ok(()),
        None => Err(format!("`{code}` is no currency, such as EUR")),
    };
    let currency = asker.ask_until("Currency", told.currency.as_deref(), Some("USD"), is_currency)?.unwrap_or_default();
    let prefix = slug(&title, '_').to_ascii_uppercase();
    let (database, stripe) = (format!("{prefix}_DATABASE_URL"), format!("{prefix}_STRIPE_KEY"));
    let variable = "Environment variable with";
    let database =
        asker.ask(&format!("{variable} the database's address ({NONE} none)"), told.database_env.as_deref(), Some(&database))?;
    let stripe = asker.ask(&format!("{variable} Stripe's key ({NONE} no Stripe)"), told.stripe_env.as_deref(), Some(&stripe))?;
    let mut draft = Draft { title, timezone, currency: currency.to_ascii_uppercase(), database, stripe: None, payments: None };
    draft.stripe = stripe.map(|key| StripeDraft { key, account: told.account.clone(), livemode: told.live });
    let (columns, account) = look(&draft).await?;
    if let (Some(stripe), Some((account, is_live))) = (&mut draft.stripe, account) {
        stripe.account.get_or_insert(account);
        stripe.livemode |= is_live;
    }
    if draft.database.is_some() {
        draft.payments = payments(told, asker, &columns, &draft).await?;
    }
    Ok(draft)
}

async fn payments(
    told: &InitArguments,
    asker: &Asker,
    tables: &[Table],
    draft: &Draft,
) -> Result<Option<PaymentsDraft>, Complaint> {
    let likeliest = tables.iter().filter(|table| table.points() > 0).max_by_key(|table| table.points());
    let suggested = likeliest.map(|table| table.name.as_str());
    let question = format!("Table with a row for each payment ({NONE} none)");
    let Some(name) = asker.ask(&question, told.payments.as_deref(), suggested)? else { return Ok(None) };
    let table = tables.iter().find(|table| table.name == name || table.name.ends_with(&format!(".{name}")));
    let known = |names: &[&str]| table.and_then(|table| table.column(names));
    let has = |column: &str| match table {
        Some(table) if !table.columns.iter().any(|known| known == column) => {
            Err(format!("{} has no column `{column}`; it has {}", table.name, table.columns.join(", ")))
        }
        Some(_) | None => Ok(()),
    };
    let ask =
        |question: &str, told: &Option<String>, names: &[&str]| asker.ask_until(question, told.as_deref(), known(names), has);
    let amount = ask("Its column with the amount, in cents", &told.amount, &AMOUNTS)?;
    let at = ask("Its column with the moment of the payment", &told.paid_at, &MOMENTS)?;
    let question = format!("Its column with Stripe's id of the charge or payment intent ({NONE} none)");
    let id = ask(&question, &told.stripe_id, &STRIPE_IDS)?;
    let (amount, at) = match (amount, at) {
        (Some(amount), Some(at)) => (amount, at),
        (amount, _) => {
            let (flag, what) = if amount.is_none() { ("--amount", "amount") } else { ("--paid-at", "moment") };
            return Err(Complaint::said(format!(
                "which column of {name} has the {what}? Say it with {flag} COLUMN, or --payments {NONE}"
            )));
        }
    };
    let stripe_id = id.map(|column| (column.clone(), StripeId::of_column(&column)));
    let mut payments = PaymentsDraft { table: name, stripe_id, amount, at, at_kept: None, refunded: None };
    let moment = looked_at(draft, payments.one_moment(), "moment").await?;
    payments.at_kept = moment.as_deref().and_then(OddMoment::told).map(|(odd, _)| odd);
    payments.stripe_id = seen(draft, &payments).await?;
    if draft.stripe.is_some() && payments.stripe_id.as_ref().is_some_and(|(_, of)| *of == StripeId::Charge) {
        let question = format!("Its column with what was given back, in cents ({NONE} none)");
        payments.refunded = ask(&question, &told.refunded, &REFUNDED)?;
    } else if told.refunded.is_some() {
        return Err(Complaint::said(
            "--refunded: what was given back Stripe tells by charge; that needs a column with its ids (ch_...)",
        ));
    }
    Ok(Some(payments))
}

/// What Stripe's ids in a column are of, by one that is there: rows of anything else would never pair.
async fn seen(draft: &Draft, payments: &PaymentsDraft) -> Result<Option<(String, StripeId)>, Complaint> {
    let Some((column, by_name)) = payments.stripe_id.clone() else { return Ok(None) };
    let Some(id) = looked_at(draft, payments.one_id(), "id").await? else { return Ok(Some((column, by_name))) };
    let of = StripeId::of(&id);
    if of.is_none() {
        output::complain(&format!(
            "{column} of {} has ids such as `{id}`, of neither a charge (ch_...) nor a payment intent (pi_...): nothing is reconciled by it",
            payments.table
        ));
    }
    Ok(of.map(|of| (column, of)))
}

/// What stands in the first row that a statement reads of the database; `None` also where it is not answered now.
async fn looked_at(draft: &Draft, statement: Option<String>, column: &str) -> Result<Option<String>, Complaint> {
    let draft = Draft { stripe: None, payments: None, ..draft.clone() };
    let loaded = with_looks(&draft, statement.as_slice())?;
    let opened = adapters::open_each(&loaded.pack, &Environment::process()).into_iter().next();
    let (Some(check), Some(Ok(system))) = (loaded.pack.checks.iter().find(|check| is_look(check)), opened) else {
        return Ok(None);
    };
    let rows = system.read(&check.query, &Params::default()).await.ok();
    Ok(rows.as_ref().and_then(|rows| Some(rows.first()?.find(column)?.original())))
}

const LOOK: &str = "look_";

fn is_look(check: &Check) -> bool {
    check.id.as_str().starts_with(LOOK)
}

/// The pack so far, with checks that read these.
fn with_looks(draft: &Draft, statements: &[impl AsRef<str>]) -> Result<Loaded, Complaint> {
    let (mut text, _) = draft.write("init.toml").map_err(|error| Complaint::said(error.to_string()))?;
    text.extend(statements.iter().enumerate().map(|(at, statement)| {
        let statement = toml::Value::String(statement.as_ref().to_owned());
        format!("\n[checks.{LOOK}{at}]\ntitle = \"look\"\nread.sql = {{ on = \"db\", text = {statement} }}\nvalue = \"rows\"\nyellow = {{ above = 0 }}\n")
    }));
    Ok(pack::parse("init.toml", &text, &|_| Err("there is no such file".to_owned()))?)
}

struct Table {
    name: String,
    columns: Vec<String>,
}

impl Table {
    /// The likeliest of its columns.
    fn column(&self, names: &[&str]) -> Option<&str> {
        let of = |name: &&str| self.columns.iter().find(|column| column.eq_ignore_ascii_case(name));
        names.iter().find_map(of).map(String::as_str)
    }

    /// How much it looks like a table of payments; 0 where it cannot be one.
    fn points(&self) -> usize {
        if self.column(&AMOUNTS).is_none() || self.column(&MOMENTS).is_none() {
            return 0;
        }
        let named = ["payment", "charge", "order", "invoice", "transaction"].iter().any(|word| self.name.contains(word));
        1 + usize::from(named) + 2 * usize::from(self.column(&STRIPE_IDS).is_some())
    }
}

/// The tables of the database and the account of the key, where they can be reached now; what cannot is said.
async fn look(draft: &Draft) -> Result<(Vec<Table>, Option<(String, bool)>), Complaint> {
    let loaded = with_looks(draft, if draft.database.is_some() { &COLUMNS[..] } else { &[] })?;
    let (mut tables, mut account) = (Vec::new(), None);
    for (connection, opened) in loaded.pack.connections.iter().zip(adapters::open_each(&loaded.pack, &Environment::process())) {
        let system: Arc<dyn System> = match opened {
            Ok(system) => system,
            Err(why) => {
                output::complain(&format!("{}: {why}: nothing is suggested from it", connection.id));
                continue;
            }
        };
        match system.identify().await {
            Err(why) => output::complain(&format!("{why}: nothing is suggested from it")),
            Ok(identity) if connection.id.as_str() == "stripe" => {
                let fact = |label| identity.facts.iter().find(|(known, _)| *known == label).map(|(_, said)| said.original());
                account =
                    fact("account").map(|account| (account.to_owned(), fact("key").is_some_and(|key| key.ends_with("_live"))));
            }
            Ok(_) => {
                for check in loaded.pack.checks.iter().filter(|check| is_look(check)) {
                    if let Ok(rows) = system.read(&check.query, &Params::default()).await {
                        tables = in_tables(&rows);
                        break;
                    }
                }
            }
        }
    }
    Ok((tables, account))
}

fn in_tables(rows: &Rows) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows {
        let said = |column| row.find(column).map(Value::original).unwrap_or_default();
        let (name, column) = (said("holder"), said("name"));
        match tables.last_mut().filter(|table| table.name == name) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table { name, columns: vec![column] }),
        }
    }
    tables
}

struct Asker {
    asks: bool,
}

impl Asker {
    /// What was told, else what is answered, else what is suggested; `-` is none.
    fn ask(&self, question: &str, told: Option<&str>, suggested: Option<&str>) -> Result<Option<String>, Complaint> {
        self.ask_until(question, told, suggested, |_| Ok(()))
    }

    fn ask_until(
        &self,
        question: &str,
        told: Option<&str>,
        suggested: Option<&str>,
        is_right: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Option<String>, Complaint> {
        let given = |said: &str| Some(said.trim().to_owned()).filter(|said| !said.is_empty() && said != NONE);
        if let Some(told) = told {
            let told = given(told);
            return told.map(|told| is_right(&told).map(|()| told)).transpose().map_err(Complaint::said);
        }
        if !self.asks {
            return Ok(suggested.and_then(given));
        }
        loop {
            let hint = suggested.map_or_else(String::new, |suggested| format!(" [{suggested}]"));
            let shown = Text::new(format!("{question}{hint}: ")).one_line();
            io::stderr().write_all(shown.as_bytes())?;
            let mut line = String::new();
            if io::stdin().read_line(&mut line)? == 0 {
                return Err(Complaint::said("the questions ended early: nothing was written"));
            }
            let answer = if line.trim().is_empty() { suggested.and_then(given) } else { given(&line) };
            match answer.as_deref().map(&is_right) {
                None | Some(Ok(())) => return Ok(answer),
                Some(Err(why)) => output::complain(&why),
            }
        }
    }
}

/// `tea-and-kettle` of `Tea and Kettle`.
fn slug(title: &str, between: char) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join(&between.to_string()).to_ascii_lowercase();
    match slug.chars().next() {
        Some('a'..='z') => slug,
        Some(_) => format!("shop{between}{slug}"),
        None => "shop".to_owned(),
    }
}

fn next_steps(file: &Path, draft: &Draft, checks: usize) -> String {
    let file = file.display();
    let stripe = draft.stripe.as_ref().map(|stripe| &stripe.key);
    let missing = draft.database.iter().chain(stripe).filter(|name| env::var_os(name).is_none());
    let mut lines = vec![format!("{file} is written: {}.\n", text::counted(checks as u64, "check"))];
    lines.extend(missing.map(|name| format!("  export {name}=...")));
    lines.extend([
        format!("  wheelhouse --pack {file} connect check   reaches every connection"),
        format!("  wheelhouse --pack {file} check           looks once"),
        format!("  wheelhouse --pack {file}                 opens the cockpit\n"),
    ]);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_for_files_and_variables() {
        assert_eq!(slug("Tea & Kettle", '-'), "tea-kettle");
        assert_eq!(slug("3 Bären", '_'), "shop_3_b_ren");
        assert_eq!(slug("犬", '-'), "shop");
    }

    #[test]
    fn the_table_that_looks_most_like_payments_is_suggested() {
        let table =
            |name: &str, columns: &str| Table { name: name.into(), columns: columns.split(' ').map(str::to_owned).collect() };
        let points = |name: &str, columns: &str| table(name, columns).points();
        assert_eq!(points("public.users", "id email created_at"), 0);
        assert!(points("public.payments", "id charge_id amount created_at") > points("public.orders", "id total created_at"));
        assert!(points("public.orders", "id total created_at") > points("public.shelves", "id total created_at"));
        assert_eq!(table("t", "ID Amount created paid_at").column(&MOMENTS), Some("paid_at"));
    }
}
